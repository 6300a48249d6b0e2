"""The rule tests that ship: all pass, they speak of every shipped rule, and one that is a minute late fails them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from daemon.ruletest.play import Played, laws_for, play, play_file
from daemon.ruletest.read import read_draft, read_trials
from rules.laws import laws_of
from rules.packs import SHIPPED
from rules.rulebook import Rulebook

TESTS = Path(__file__).parents[3] / "rules" / "packs" / "tests"
MINUTE = dt.timedelta(minutes=1)


@cache
def played(pack: str) -> Played:
    return play_file(TESTS / f"{pack}.toml")


def expected(pack: str) -> dict[str, set[str]]:
    """By rule of a pack the tests that expect something of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for verdict in played(pack).verdicts:
        for one in verdict.trial.table.expect:
            if one.rule is not None:
                found[one.rule].add(verdict.trial.table.name)
    return found


def rules_of(pack: str) -> list[str]:
    draft = read_draft(TESTS / f"{pack}.toml")
    book = laws_for(draft).book
    return [rule.rule_id for rule in book.rules.values() if rule.source == f"packs/{pack}.toml"]


def test_every_pack_has_a_file_of_tests() -> None:
    assert {path.stem for path in TESTS.glob("*.toml")} == set(SHIPPED)


@pytest.mark.parametrize("pack", SHIPPED)
def test_a_shipped_pack_passes_its_own_tests(pack: str) -> None:
    failures = {one.trial.table.name: one.failures for one in played(pack).verdicts if one.failures}
    assert failures == {}


@pytest.mark.parametrize("pack", SHIPPED)
def test_every_shipped_rule_is_expected_somewhere_and_where_it_must_keep_silent(pack: str) -> None:
    spoken_of = expected(pack)
    assert set(rules_of(pack)) <= set(spoken_of)
    for rule in rules_of(pack):
        silent = [
            verdict.trial.table.name
            for verdict in played(pack).verdicts
            if rule in verdict.trial.table.about
            and any(
                child not in {one.student for one in verdict.trial.table.expect if one.rule == rule}
                for child in verdict.trial.children
            )
        ]
        assert silent, f"no test in which {rule} has nothing to say of some child"


@pytest.mark.parametrize("pack", SHIPPED)
def test_a_rule_that_is_a_minute_late_fails_a_test_of_its_own(pack: str) -> None:
    draft = read_draft(TESTS / f"{pack}.toml")
    laws = laws_for(draft)
    trials = read_trials(draft, laws.book)
    for rule_id in rules_of(pack):
        late = replace(laws.book.rules[rule_id], after=laws.book.rules[rule_id].after + MINUTE)
        changed = laws_of(Rulebook({**laws.book.rules, rule_id: late}), laws.default)
        about = [trial for trial in trials if rule_id in trial.table.about]
        assert any(verdict.failures for verdict in play(about, changed, draft.calendar)), rule_id
