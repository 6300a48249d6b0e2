"""Whom a refused configuration is told, how often, and when that is over; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config import Problem
from daemon.jobs.refusal import KIND, MOST, tell_acceptance, tell_refusal
from daemon.store import incidents, outbox
from daemon.store.engine import Store
from tests.daemon.desk.county_office import Office, local, write_county

FAULT = Problem("rules.toml", 3, "rule[0].when", "is no fact", "did you mean absent_days?")
OTHER = Problem("rules.toml", 9, "rule[1].ladder", "is no ladder")
OPERATOR = "4"


@pytest.fixture(params=["live", "shadow"])
def office(request: pytest.FixtureRequest, tmp_path: Path, store: Store) -> Office:
    write_county(tmp_path, mode=request.param)
    return Office(tmp_path, store)


def verdicts(office: Office) -> list[str | None]:
    with office.store.read() as tx:
        return [row.verdict for row in incidents.list_incidents(tx, KIND)]


def test_the_operator_is_told_once_of_a_set_of_faults_and_once_that_it_is_over(office: Office) -> None:
    for minute in (1, 2, 3):
        tell_refusal(office.house, [FAULT], local(0, f"07:0{minute}"))
    assert office.step(0, "07:10") == [(OPERATOR, "rules_refused")]
    for minute in (1, 2):
        tell_acceptance(office.house, local(0, f"07:1{minute}"))
    assert office.step(0, "07:20") == [(OPERATOR, "rules_accepted")]
    tell_refusal(office.house, [FAULT], local(0, "07:21"))
    assert office.step(0, "07:30") == [(OPERATOR, "rules_refused")]
    assert verdicts(office) == ["accepted", None]


def test_other_faults_take_the_place_of_those_told_before(office: Office) -> None:
    tell_refusal(office.house, [FAULT], local(0, "07:01"))
    assert office.step(0, "07:10") == [(OPERATOR, "rules_refused")]
    tell_refusal(office.house, [FAULT, OTHER], local(0, "07:11"))
    assert office.step(0, "07:20") == [(OPERATOR, "rules_refused")]
    tell_acceptance(office.house, local(0, "07:21"))
    assert office.step(0, "07:30") == [(OPERATOR, "rules_accepted")]
    assert verdicts(office) == ["other faults", "accepted"]


def test_what_was_mended_before_it_was_sent_is_told_to_nobody(office: Office) -> None:
    tell_refusal(office.house, [FAULT], local(0, "07:01"))
    tell_acceptance(office.house, local(0, "07:02"))
    assert office.step(0, "07:10") == []


def test_where_nothing_was_refused_nobody_hears_that_it_is_over(office: Office) -> None:
    tell_acceptance(office.house, local(0, "07:01"))
    assert office.step(0, "07:10") == []
    assert verdicts(office) == []


def test_many_and_long_faults_are_cut_and_counted(office: Office) -> None:
    problems = [Problem("rules.toml", line, "rule", "x" * 5_000) for line in range(MOST + 5)]
    tell_refusal(office.house, problems, local(0, "07:01"))
    with office.store.read() as tx:
        [told] = [alert for one in outbox.deliveries(tx) for alert in one.alerts]
    assert (len(told.facts["faults"]), told.facts["count"]) == (MOST, MOST + 5)
    assert max(len(one["fault"]) for one in told.facts["faults"]) == 300
