"""A clock that is wrong, at the start or while the daemon runs: nobody is told anything untrue, and work goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.clock import ClockDoubt
from daemon.clockwork.alarm import Alarm
from daemon.clockwork.works import Works
from daemon.jobs.clock_doubts import accept_clock
from daemon.store import newest, outbox
from daemon.store.alerts import AlertDraft
from daemon.store.engine import Store
from tests.daemon.clockwork.stepped_machine import MINUTE, Machine

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
STEPS = {"-400d": -400 * DAY, "-1d": -DAY, "-1h": -HOUR, "+1h": HOUR, "+49h": 49 * HOUR, "+400d": 400 * DAY}
OF_THE_CLOCK = {("4", "service_problem"), ("4", "service_problem_over")}
"""What the operator may be told of a wrong clock."""
OVERDUE = {"overdue": [{"what": "timer_late", "zh": "", "en": "late", "count": 1}], "count": 1, "since": 0}
RETURN = {("1", "return"), ("3", "return")}


@pytest.fixture
def machine(tmp_path: Path, sqlite_store: Store) -> Iterator[Machine]:
    built = Machine(tmp_path, sqlite_store)
    yield built
    built.ends()


def goes_on(machine: Machine) -> None:
    """A child that comes to school is told of within a minute."""
    machine.told()
    machine.roll(2, "am", "PPP")
    machine.runs(MINUTE)
    assert set(machine.told()) - OF_THE_CLOCK == RETURN


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("again", [False, True], ids=["first-run", "second-run"])
def test_a_clock_that_is_set_while_it_runs(machine: Machine, step: dt.timedelta, again: bool) -> None:  # noqa: FBT001
    machine.reports()
    if again:
        machine.ends()
        machine.starts()
    machine.told()
    machine.offset = step
    machine.runs(10 * MINUTE)
    assert set(machine.told()) <= OF_THE_CLOCK
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    assert set(machine.told()) <= OF_THE_CLOCK
    assert machine.is_in_doubt() is None
    goes_on(machine)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_clock_that_is_wrong_at_the_start(machine: Machine, step: dt.timedelta) -> None:
    machine.reports()
    machine.ends()
    machine.offset = step
    machine.starts()
    machine.runs(10 * MINUTE)
    assert set(machine.told()) <= OF_THE_CLOCK
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    assert set(machine.told()) <= OF_THE_CLOCK
    assert machine.is_in_doubt() is None
    goes_on(machine)


def test_a_clock_that_is_behind_is_told_and_makes_it_unready(machine: Machine) -> None:
    machine.reports()
    machine.ends()
    machine.offset = -400 * DAY
    machine.starts()
    assert machine.told() == [("4", "service_problem")]
    assert any(one.startswith("clock: it is behind") for one in machine.reasons())
    machine.runs(HOUR)
    assert machine.told() == []
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    assert machine.told() == [("4", "service_problem_over")]
    assert machine.reasons() == []


def test_a_clock_that_was_ahead_and_is_set_right_stops_nothing(machine: Machine) -> None:
    """As a machine whose battery is empty, in a time zone of its own, until the time server answers."""
    machine.ends()
    machine.offset = 8 * HOUR
    machine.starts()
    machine.runs(20 * MINUTE)
    machine.told()
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    assert machine.is_in_doubt() is None
    assert machine.told() == [("4", "service_problem")]
    assert not any("clock" in one for one in machine.reasons())
    with machine.house.store.read() as tx:
        seen = newest.newest_instant(tx)
    assert seen is not None
    assert seen <= machine.now
    machine.reports()


def test_what_was_taken_in_by_a_clock_that_was_ahead_counts_at_once(machine: Machine) -> None:
    for session, clock in (("am", "08:10"), ("pm", "14:10")):
        machine.at(0, clock)
        machine.roll(0, session, "APP")
        machine.beat()
    machine.ends()
    machine.offset = 8 * HOUR
    machine.starts()
    machine.at(1, "14:10")
    machine.roll(1, "am", "APP")
    machine.roll(1, "pm", "APP")
    machine.runs(MINUTE)
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    machine.told()
    machine.at(2, "08:10")
    machine.roll(2, "am", "APP")
    machine.runs(MINUTE)
    assert ("1", "report") in machine.told()


def test_a_machine_that_was_off_for_long_goes_on_as_soon_as_a_roll_of_a_later_day_is_there(machine: Machine) -> None:
    machine.reports()
    machine.ends()
    machine.now += 24 * HOUR
    machine.roll(3, "am", "PPP")
    machine.starts()
    assert set(machine.told()) == RETURN
    assert machine.reasons() == []


def test_a_machine_that_was_off_while_there_was_no_school_is_believed(machine: Machine) -> None:
    machine.reports()
    machine.at(4, "17:30")
    machine.told()
    machine.ends()
    machine.now += 48 * HOUR
    machine.starts()
    assert machine.is_in_doubt() is None


def test_a_machine_that_was_paused_goes_on_with_the_first_roll_of_a_later_session(machine: Machine) -> None:
    machine.reports()
    machine.now += 24 * HOUR
    machine.paused += 24 * HOUR
    machine.beat()
    assert machine.is_in_doubt() is ClockDoubt.AHEAD
    assert machine.told() == [("4", "service_problem")]
    machine.roll(3, "am", "PPP")
    machine.runs(MINUTE)
    assert set(machine.told()) == RETURN | {("4", "service_problem_over")}


def test_a_suspended_machine_is_no_doubt(machine: Machine) -> None:
    """A clock that runs on while the machine sleeps says how long that was."""
    machine.reports()
    machine.now += 24 * HOUR
    machine.beat()
    assert machine.is_in_doubt() is None


def test_a_clock_that_is_ahead_is_believed_after_a_day_in_which_nobody_set_it(machine: Machine) -> None:
    machine.reports()
    machine.offset = 49 * HOUR
    machine.runs(MINUTE)
    machine.runs(23 * HOUR)
    assert machine.is_in_doubt() is ClockDoubt.AHEAD
    machine.runs(2 * HOUR)
    assert machine.is_in_doubt() is None


def test_a_clock_that_is_behind_by_little_is_caught_up_with(machine: Machine) -> None:
    """Nothing is judged meanwhile but by a time that is known to be past."""
    machine.reports()
    machine.offset = -50 * dt.timedelta(seconds=1)
    machine.beat()
    assert machine.is_in_doubt() is None
    machine.runs(3 * MINUTE)
    assert machine.clock.read().gap == dt.timedelta(0)
    assert machine.told() == []


def test_a_person_says_that_a_clock_is_right_and_judging_goes_on(machine: Machine) -> None:
    """A clock that was ahead by a year while the daemon stopped: the store has seen the year."""
    machine.ends()
    machine.offset = 400 * DAY
    machine.starts()
    machine.ends()
    machine.offset = dt.timedelta(0)
    machine.starts()
    machine.runs(MINUTE)
    assert machine.is_in_doubt() is ClockDoubt.BEHIND
    machine.told()
    assert machine.house.store.commit(lambda tx: accept_clock(tx, machine.house, "Wei", machine.now))
    machine.runs(MINUTE)
    assert machine.is_in_doubt() is None
    machine.runs(20 * MINUTE)  # the operator hears no more than three things in a quarter of an hour
    assert set(machine.told()) == OF_THE_CLOCK
    machine.reports()


def test_a_ladder_that_began_by_a_clock_that_was_ahead_is_climbed_in_time(machine: Machine) -> None:
    machine.ends()
    machine.offset = 8 * HOUR
    machine.starts()
    machine.reports()
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    machine.told()
    machine.at(3, "08:30")
    machine.roll(3, "am", "APP")
    machine.runs(MINUTE)
    assert ("2", "escalation") in machine.told()


def test_a_step_of_the_clock_rings_every_alarm(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that look after receipts, audit and heartbeat, which nothing else rings."""
    works = machine.works
    rung: list[str] = []
    monkeypatch.setattr(works._scheduler, "modify_job", lambda job, **_: rung.append(job))
    monkeypatch.setattr(Alarm, "ring", lambda alarm: rung.append(alarm.name))
    Works.jump(works)
    wanted = {"sweep", "look", "fall back", "reload", "receipts", "audit", "daily watch", "heartbeat", "send sms"}
    assert {*wanted, *(f"poll {feed.id}" for feed in machine.house.config.feed)} <= set(rung)


def test_a_feed_is_not_asked_while_the_clock_is_behind(machine: Machine) -> None:
    """What it says now would be dated before what it said last."""
    machine.reports()
    machine.offset = -DAY
    machine.runs(MINUTE)
    assert [machine.works.poll(feed) for feed in machine.house.config.feed] == [False] * 4
    machine.offset = dt.timedelta(0)
    machine.runs(MINUTE)
    assert [machine.works.poll(feed) for feed in machine.house.config.feed] == [True] * 4


def test_a_message_that_waits_leaves_while_the_clock_is_behind(machine: Machine) -> None:
    """It is true, and its instant is no earlier than what was told before."""
    machine.reports()
    machine.offset = -400 * DAY
    machine.beat()
    machine.told()
    before = machine.now - MINUTE
    draft = AlertDraft(
        key="x", contact_id="operator", role="operator", channel="sms", kind="overdue", raised_at=before, facts=OVERDUE
    )
    machine.house.store.commit(lambda tx: outbox.draft(tx, [draft], before))
    machine.runs(MINUTE)
    with machine.house.store.read() as tx:
        [message] = [one.message for one in outbox.deliveries(tx) if one.alerts[0].key == "x"]
    assert message.told_at is not None
    assert message.told_at >= before
