"""`rules`: what is in force and whom it covers, what was accepted of which file, and what a rule may speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.cli.factbook import facts_page
from daemon.config import load_config
from daemon.rulebook import load_rules
from rules.facts.catalogue import FAMILIES, find
from rules.packs import SHIPPED
from rules.rulebook import read_rules
from tests.daemon.cli.conftest import Terminal

ROOT = Path(__file__).parents[3]

RULE = """
[[rule]]
id = "drift"
title = { zh = "迟到", en = "late" }
when = "lateness_20 >= 6"
until = "lateness_20 <= 2"
stage = "watch"
ladder = "statutory"
since = "condition"
after = "36h"
scope = { units = ["sch-1"], grades = [8] }
priority = { tags = ["left_behind"], after = "4h" }
from = 2026-03-01
"""


def add_rules(text: str, packs: str = '"statutory"') -> None:
    Path("rules.toml").write_text(text, encoding="utf-8")
    config = Path("config.toml").read_text(encoding="utf-8")
    section = f'[rules]\npacks = [{packs}]\nfiles = ["rules.toml"]\n[[ladder]]'
    Path("config.toml").write_text(config.replace("[[ladder]]", section, 1), encoding="utf-8")


def test_everything_a_rule_says_is_listed(terminal: Terminal) -> None:
    add_rules(RULE)

    drift = terminal.records("rules", "list")[-1]

    assert (drift["rule"], drift["stage"], drift["since"], drift["after"], drift["rearm"]) == (
        "drift",
        "watch",
        "condition",
        "36h",
        "14d",
    )
    assert drift["until"] == "lateness_20 <= 2"
    assert drift["scope"] == {"units": ["sch-1"], "grades": ["8"]}
    assert drift["priority"] == {"tags": ["left_behind"], "after": "4h"}
    assert (drift["in_force"], drift["file"]) == ("2026-03-01/", "rules.toml")
    assert "units=" in terminal.told("rules", "list")


def test_a_check_of_rules_says_what_was_accepted_of_which_file(terminal: Terminal) -> None:
    add_rules(RULE + (ROOT / "rules/packs/statutory.toml").read_text(encoding="utf-8"))

    [accepted, fine] = terminal.told("rules", "check").splitlines()

    assert accepted.startswith("rules.toml  9: absent-48h, absent-1d, ")
    assert accepted.endswith(", drift")
    assert "the rules are fine" in fine


def test_a_fault_of_a_rule_is_said_with_file_line_and_column(terminal: Terminal) -> None:
    add_rules(RULE.replace("lateness_20 >= 6", "latenes_20 >= 6"))

    assert terminal.refused("rules", "check") == (
        "rules.toml:5 rule[0].when  unknown fact 'latenes_20' at column 1 – did you mean 'lateness_20'?\n"
    )


def test_a_pack_that_does_not_ship_is_refused_and_those_that_do_are_named(terminal: Terminal) -> None:
    add_rules("", packs='"russia"')

    refused = terminal.refused("rules", "check")

    assert 'rules.packs[0]  "russia" is no pack that ships' in refused
    assert all(name in refused for name in SHIPPED)


def test_packs_that_need_another_ladder_say_so(terminal: Terminal) -> None:
    add_rules("", packs='"statutory", "at-risk"')

    assert "packs/at-risk.toml" in terminal.refused("rules", "check")
    assert "no ladder 'watch'" in terminal.refused("rules", "check")


def test_without_a_pack_somebody_must_be_reported(terminal: Terminal) -> None:
    add_rules("", packs="")

    assert terminal.refused("rules", "check").startswith("config.toml rules.packs  no rule of stage 'reported'")


def test_a_check_looks_whether_scopes_cover_anybody(terminal: Terminal) -> None:
    add_rules(RULE.replace('"sch-1"', '"sch-11"'))
    refused = terminal.refused("check")
    assert "rules.toml:2 scope.units  no unit 'sch-11', of rule 'drift' – did you mean 'sch-1'?" in refused

    Path("rules.toml").write_text(RULE.replace("[8]", "[12]"), encoding="utf-8")
    told = terminal.ask("check")
    assert told.exit_code == 0
    assert "rules.toml:2 scope  'drift' covers nobody" in told.output
    assert "'drift' hurries for nobody" in told.output


# ---- facts ----------------------------------------------------------------------------------------------------------


def test_every_fact_is_listed_with_its_names_and_meaning(terminal: Terminal) -> None:
    listed = terminal.records("rules", "facts")

    assert len(listed) == len(FAMILIES)
    for record in listed:
        names = [record[key].replace("_N", "_20") for key in ("fact", "alias")]
        assert find(names[0]) == find(names[1]) is not None
        assert record["meaning"]
        assert record["meaning_zh"]
    assert "旷课天数_N" in terminal.told("rules", "facts")


def test_the_page_of_facts_is_that_of_the_catalogue(terminal: Terminal) -> None:
    page = (ROOT / "docs/facts.md").read_text(encoding="utf-8")

    assert page == facts_page(), "write it anew: baoxue rules facts --markdown > docs/facts.md"
    assert terminal.told("rules", "facts", "--markdown") == page


# ---- the page about rules -------------------------------------------------------------------------------------------


def test_the_rules_of_the_page_are_accepted() -> None:
    page = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    shown = [text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[[rule]]" in text]
    pack = (ROOT / "rules/packs/statutory.toml").read_text(encoding="utf-8")

    book = read_rules([("statutory", pack), *((str(n), text) for n, text in enumerate(shown))], ["statutory", "watch"])

    assert len(shown) == 2
    assert {"unexcused-5", "absent-24h-boarders"} <= set(book.rules)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_pack_is_loaded_by_its_name(terminal: Terminal, name: str) -> None:
    packs = ", ".join(f'"{one}"' for one in dict.fromkeys(("statutory", name)))
    add_rules("", packs=packs)
    config, page = Path("config.toml"), (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    ladder = next(text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if 'id = "watch"' in text)
    config.write_text(config.read_text(encoding="utf-8") + ladder, encoding="utf-8")

    book = load_rules(load_config(terminal.folder / "config.toml"))

    assert {rule.source for rule in book.rules.values()} == {f"packs/{one}.toml" for one in {"statutory", name}}
