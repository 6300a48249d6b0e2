"""`rules`: the rules in force, and whether they can be accepted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from daemon.cli.backtesting import backtest
from daemon.cli.explaining import explain
from daemon.cli.factbook import facts
from daemon.cli.output import print_records, say
from daemon.cli.ruletests import test_
from daemon.cli.shared import as_json, configured, printing, the_config
from daemon.cli.vocabulary import CLOCKS, SINCE, STAGES, title_of
from daemon.rulebook import load_rules
from rules.rule import Rule

RULES = {
    "title": ("名称", "title"),
    "rule": ("规则", "rule"),
    "stage": ("阶段", "stage"),
    "when": ("条件", "when"),
    "until": ("解除", "until"),
    "after": ("时限", "after"),
    "since": ("起算", "since"),
    "clock": ("计时", "clock"),
    "rearm": ("再报间隔", "rearm"),
    "scope": ("范围", "scope"),
    "priority": ("优先", "priority"),
    "ladder": ("告知", "ladder"),
    "in_force": ("有效期", "in force"),
    "source": ("依据", "source"),
    "file": ("文件", "file"),
    "version": ("版本", "version"),
}
WORDS = {"stage": STAGES, "since": SINCE, "clock": CLOCKS}
_LONG = dt.timedelta(days=7)


@click.group()
@configured
def rules() -> None:
    """See, check, test and explain the rules."""


@rules.command("list")
@printing
def list_() -> None:
    """List the rules in force: those that ship, and the operator's over them."""
    config = the_config()
    print_records([_record(rule) for rule in load_rules(config).rules.values()], RULES, WORDS)


def _record(rule: Rule) -> dict[str, Any]:
    scope = {key: list(words) for key in ("units", "grades", "tags") if (words := getattr(rule.scope, key))}
    hurry = rule.priority and {"tags": list(rule.priority.tags), "after": _span(rule.priority.after)}
    return {
        "rule": rule.rule_id,
        "title": dict(rule.title) if as_json() else title_of(rule.title),
        "stage": rule.stage,
        "when": rule.when.text,
        "until": rule.until.text if rule.until is not None else None,
        "after": _span(rule.after),
        "since": rule.since,
        "clock": "school" if rule.school_time else "elapsed",
        "rearm": _span(rule.rearm) if rule.rearm or as_json() else None,
        "scope": scope or None,
        "priority": hurry,
        "ladder": rule.ladder,
        "in_force": _dates(rule.first, rule.last),
        "source": rule.law,
        "file": rule.source,
        "version": rule.version,
    }


def _span(span: dt.timedelta) -> str:
    """A span as rule files write it: in days where it is long, in hours else."""
    if span >= _LONG and not span % dt.timedelta(days=1):
        return f"{span.days}d"
    return f"{span.total_seconds() / 3600:g}h"


def _dates(first: dt.date | None, last: dt.date | None) -> str | None:
    """The days within which a rule is in force; None for always."""
    return f"{first or ''}/{last or ''}" if first or last else None


@rules.command()
@configured
def check() -> None:
    """Check whether every rule file can be accepted; say every fault of all of them otherwise."""
    files: dict[str, list[str]] = {}
    for rule in load_rules(the_config()).rules.values():
        files.setdefault(rule.source, []).append(rule.rule_id)
    for file, ids in files.items():
        click.echo(f"{file}  {len(ids)}: {', '.join(ids)}")
    say("规则可用", "the rules are fine")


rules.add_command(facts)
rules.add_command(test_)
rules.add_command(explain)
rules.add_command(backtest)
