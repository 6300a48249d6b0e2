"""`rules`: the rules in force, and whether they can be accepted."""

from __future__ import annotations

import click

from daemon.cli.output import print_records
from daemon.cli.shared import as_json, configured, printing, the_config
from daemon.settings import load_rules

RULES = {
    "rule": "规则 rule",
    "title": "名称 title",
    "when": "条件 when",
    "after": "时限 after",
    "clock": "计时 clock",
    "stage": "阶段 stage",
    "ladder": "告知 ladder",
    "source": "依据 source",
    "file": "文件 file",
    "version": "版本 version",
}


@click.group()
@configured
def rules() -> None:
    """规则 the rules."""


@rules.command("list")
@printing
def list_() -> None:
    """The rules in force: those that ship, and the operator's over them."""
    config = the_config()
    records = [
        {
            "rule": rule.rule_id,
            "title": " ".join(rule.title.values()) if not as_json() else dict(rule.title),
            "when": rule.when.text,
            "after": f"{rule.after.total_seconds() / 3600:g}h",
            "clock": "school" if rule.school_time else "elapsed",
            "stage": rule.stage,
            "ladder": rule.ladder,
            "source": rule.law,
            "file": rule.source,
            "version": rule.version,
        }
        for rule in load_rules(config).rules.values()
    ]
    print_records(records, RULES)


@rules.command()
@configured
def check() -> None:
    """Whether every rule file can be accepted; every fault of all of them otherwise."""
    found = load_rules(the_config())
    click.echo(f"规则可用 the rules are fine: {', '.join(found.rules)}")
