"""Before a report its feed is asked once more: which cases are held back, for how long, and what ends it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.jobs.once_more import LONGEST, Held, hold_back, let_go
from daemon.jobs.sweep import sweep_due
from daemon.store import intake, timers
from daemon.store.engine import Store
from tests.daemon.desk.county_office import Office, local, write_county

DUE = local(2, "08:00")
"""The first child's report: absent since Monday 08:00."""


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> Office:
    """Two days of absence; Wednesday's deadline is next."""
    write_county(tmp_path)
    built = Office(tmp_path, sqlite_store)
    built.two_days()
    return built


def hold(office: Office, at: dt.datetime) -> Held:
    held = hold_back(office.house, at)
    assert held is not None
    return held


def was_due(office: Office) -> bool:
    return "due" in [kind for kind, _ in office.journal(office.number())]


def test_a_report_is_held_until_its_feed_has_answered(office: Office) -> None:
    held = hold(office, DUE)
    assert held.feeds == ("marks",)
    sweep_due(office.house, DUE)
    assert not was_due(office)

    let_go(office.house, held.waiting_for(held.feeds))
    sweep_due(office.house, DUE + dt.timedelta(seconds=1))
    assert was_due(office)


def test_a_report_waits_a_minute_at_most(office: Office) -> None:
    held = hold(office, DUE)
    assert held.until == DUE + LONGEST
    with office.store.read() as tx:
        assert timers.next_due(tx, ("case",)) == DUE + LONGEST
    assert hold_back(office.house, DUE + LONGEST) is None
    after = DUE + LONGEST + dt.timedelta(seconds=1)
    assert hold_back(office.house, after) is None
    sweep_due(office.house, after)
    assert was_due(office)


def test_what_the_feed_says_then_is_heard_first(office: Office) -> None:
    hold(office, DUE)
    assert office.roll(2, "am", "PPP", "08:00") == []
    assert not office.case(office.number()).is_open


def test_the_deadline_stays_what_it_was(office: Office) -> None:
    held = hold(office, DUE)
    let_go(office.house, held.waiting_for(held.feeds))
    late = DUE + dt.timedelta(seconds=30)
    sweep_due(office.house, late)
    due = next(body["due_at"] for kind, body in office.journal(office.number()) if kind == "due")
    assert dt.datetime.fromisoformat(due) == DUE


@pytest.mark.parametrize(
    "change",
    [
        {"state": "failed"},
        {"last_ok_at": DUE - dt.timedelta(seconds=2)},
    ],
    ids=["a failing feed", "a feed heard just now"],
)
def test_nobody_waits_for(office: Office, change: dict[str, object]) -> None:
    with office.store.write() as tx:
        state = intake.feed_state(tx, "marks")
        intake.save_feed_state(tx, replace(state, **change))  # type: ignore[arg-type]
    assert hold_back(office.house, DUE) is None


def test_what_is_no_report_is_not_held(office: Office) -> None:
    sweep_due(office.house, DUE)
    office.roll(2, "am", "APP", "08:10")
    assert hold_back(office.house, local(3, "08:10")) is None  # a rung of the ladder
    assert office.step(3, "08:10") == [("2", "escalation")]


def test_a_deadline_long_past_is_not_held(office: Office) -> None:
    assert hold_back(office.house, DUE + dt.timedelta(hours=3)) is None


def test_another_daemons_hold_is_left_alone(office: Office) -> None:
    held = hold(office, DUE)
    office.house.worker = "another:1"
    let_go(office.house, held.waiting_for(held.feeds))
    sweep_due(office.house, DUE + dt.timedelta(seconds=1))
    assert not was_due(office)
