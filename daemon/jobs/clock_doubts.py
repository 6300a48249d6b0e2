"""What speaks for or against the machine's clock, and what is put in order once it is right; tells the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from daemon.clock import TOLERANCE, ClockDoubt, Reading
from daemon.config import FeedConfig
from daemon.jobs.casefile import from_row, to_row
from daemon.jobs.house import House
from daemon.jobs.intake import CLASS
from daemon.jobs.outcomes import LONGEST_RETRY
from daemon.jobs.service_problems import ServiceProblem, Trouble, end_problem, note_problem
from daemon.jobs.silence import FEED
from daemon.jobs.sweep import CASE
from daemon.jobs.watch import WATCH
from daemon.store import cases, incidents, newest, rolls, timers
from daemon.store.moving_back import Ahead, move_back
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case
from rules.climb import Climb
from rules.instants import to_micros
from rules.records import EARLY, FORETOLD, POSITIVE, Mark
from rules.signs import Sign

PART = "clock"
ACCEPT = "baoxue clock accept --by WHO"
PROBLEMS: Mapping[ClockDoubt, ServiceProblem] = {
    ClockDoubt.BEHIND: ServiceProblem.CLOCK_BEHIND,
    ClockDoubt.AHEAD: ServiceProblem.CLOCK_AHEAD,
}
_HINTS: Mapping[ClockDoubt, str] = {
    ClockDoubt.BEHIND: f"set the clock of the machine; if it is right: {ACCEPT}",
    ClockDoubt.AHEAD: f"it goes on with the first roll of a later session; if the clock is right: {ACCEPT}",
}
_PLANNED = (CASE, CLASS, FEED, WATCH)
"""Timers set by the calendar; others count from when something was done."""

_CALLED = frozenset(Mark) - FORETOLD - {Mark.UNTAKEN}
"""Marks of a session that nobody knows long before it."""


def trouble_of(reading: Reading) -> Trouble | None:
    """Return what is wrong with the clock, for the operator; None where nothing is."""
    if reading.doubt is None:
        return None
    gap = _in_words(reading.gap)
    shows = f"it shows {reading.wall:%Y-%m-%d %H:%M} UTC"
    if reading.doubt is ClockDoubt.BEHIND:
        reason = f"{shows}, {gap} before the newest instant known; nothing is polled or judged"
    else:
        reason = f"{shows}, {gap} after the newest instant known, and no roll since; nothing is judged"
    return Trouble(PROBLEMS[reading.doubt], PART, reason, _HINTS[reading.doubt])


def _in_words(span: dt.timedelta) -> str:
    return f"{span.days} d {span.seconds // 3600} h {span.seconds % 3600 // 60} min"


def tell_of_set_right(tx: Tx, house: House, span: dt.timedelta, now: dt.datetime) -> None:
    """Tell the operator, once and with nothing to follow, that the clock was ahead by `span` until now."""
    reason = f"it was {_in_words(span)} ahead; what was told meanwhile may have been too early, and is corrected if so"
    problem = ServiceProblem.CLOCK_WAS_AHEAD
    note_problem(tx, house, Trouble(problem, PART, reason), now)
    known = incidents.open_incidents(tx, problem)
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="over") for row in known])


def fault_of_clock(tx: Tx, now: dt.datetime) -> str | None:
    """Return what is wrong with a clock that is behind, in words; None where it is not."""
    seen = newest.newest_instant(tx)
    if seen is None or seen <= now + TOLERANCE:
        return None
    return f"it shows {now:%Y-%m-%d %H:%M} UTC, but the store has seen {seen:%Y-%m-%d %H:%M}"


def accept_clock(tx: Tx, house: House, by: str, now: dt.datetime) -> bool:
    """Take the machine's clock for right, as somebody says; False where it is in no doubt.

    What was noted later is moved back; a daemon that runs goes on by itself.
    """
    doubts = [row for row in incidents.open_incidents(tx) if row.kind in PROBLEMS.values()]
    seen = newest.newest_instant(tx)
    is_behind = seen is not None and seen > now + TOLERANCE
    if not doubts and not is_behind:
        return False
    if seen is not None and is_behind:
        put_in_order(tx, house, now, seen - now)
        doubts = [row for row in incidents.open_incidents(tx) if row.kind in PROBLEMS.values()]
    incidents.update_incidents(tx, [replace(row, judged_by=by, judged_at=now) for row in doubts])
    newest.accept_clock(tx, now)
    return True


def note_doubt(tx: Tx, house: House, trouble: Trouble, now: dt.datetime) -> None:
    """Tell the operator that the clock is in doubt, once; what was told of another doubt is over."""
    for problem in PROBLEMS.values():
        if problem is not trouble.problem:
            end_problem(tx, house, problem, PART, now)
    note_problem(tx, house, trouble, now)


def end_doubts(tx: Tx, house: House, now: dt.datetime) -> None:
    """Tell those who were told of a doubt that it is over."""
    for problem in PROBLEMS.values():
        end_problem(tx, house, problem, PART, now)


# ---- evidence -------------------------------------------------------------------------------------------------------


def has_roll_after(tx: Tx, house: House, instant: dt.datetime) -> bool:
    """Return whether somebody spoke of a session that can only be spoken of after `instant`.

    A roll is called two hours ahead at most. What a feed says by not naming anybody is no evidence: of which sessions
    it speaks is told by our own clock.
    """
    people, calendar = house.people(tx), house.calendar
    beyond = to_micros(instant + EARLY)
    day = instant.astimezone(calendar.zone).date()
    for class_id, date, name in rolls.sessions_with(tx, people.class_ids, day, _CALLED, _CALLED - POSITIVE):
        variant = people.variants[people.class_index[class_id]]
        column = calendar.column(variant, date, name)
        if column is not None and int(calendar.starts[variant, column]) > beyond:
            return True
    return False


def tells_of_time(feed: FeedConfig) -> bool:
    """Return whether what a feed delivers shows that time has passed: it names sessions, and not only exceptions."""
    return feed.records in {"marks", "punches"} and feed.presence != "implied"


def can_tell(house: House) -> bool:
    """Return whether any feed shows that time has passed; where none does, a store that is old proves nothing."""
    return any(map(tells_of_time, house.config.feed))


def had_sessions(house: House, after: dt.datetime, before: dt.datetime) -> bool:
    """Return whether a session that began after one instant should have been heard of by another."""
    first, last = to_micros(after + EARLY), to_micros(before - EARLY)
    return any(bool(((line.starts > first) & (line.starts < last)).any()) for line in house.calendar.lines)


# ---- once a clock that was ahead is right ----------------------------------------------------------------------------


def put_in_order(tx: Tx, house: House, now: dt.datetime, span: dt.timedelta) -> None:
    """Move back by `span` what was noted by a clock that was ahead, so that it counts and nothing waits for it."""
    today = now.astimezone(house.calendar.zone).date()
    move_back(tx, Ahead(now, span, today), longest_retry=LONGEST_RETRY, planned=_PLANNED)
    later = _Later(now, span)
    changed = [new for row in cases.open_cases(tx) if (new := later.case(from_row(row))) is not None]
    cases.update_cases(tx, [to_row(case) for case in changed])
    timers.arm(tx, [Timer(CASE, case.student_id, now) for case in changed])
    noted = [(row, later.json(row.state)) for row in incidents.open_incidents(tx)]
    incidents.update_incidents(tx, [replace(row, state=state) for row, state in noted if state != row.state])
    newest.forget_later(tx, now)
    house.forget_people()


_OF_A_CASE = (
    *("opened_at", "raised_at", "asked_at", "returned_at", "climbs_from", "acknowledged_at", "reminded_at"),
    *("acted_at", "reopened_at"),
)
_OF_AN_INCIDENT = frozenset({"told_at", "since", "at"})


class _Later:
    """Moves back what is said to have happened after now, in cases and incidents."""

    def __init__(self, now: dt.datetime, span: dt.timedelta) -> None:
        self._now = now
        self._span = span

    def case(self, case: Case) -> Case | None:
        """Return the case with its instants moved back; None where there is nothing to move."""
        instants = {name: self._instant(getattr(case, name)) for name in _OF_A_CASE}
        signs = tuple(map(self._sign, case.signs))
        new = case.but(**instants, signs=signs, climb=self._climb(case.climb))
        return None if new == case else new

    def json(self, value: Any) -> Any:  # noqa: ANN401 - JSON is what it is
        """Return the state of an incident with its instants moved back."""
        if isinstance(value, Mapping):
            return {key: self._known(key, held) for key, held in value.items()}
        return [self.json(one) for one in value] if isinstance(value, list) else value

    def _known(self, key: str, held: Any) -> Any:  # noqa: ANN401 - likewise
        if key in _OF_AN_INCIDENT and isinstance(held, int):
            return held - self._span // dt.timedelta(microseconds=1) if held > to_micros(self._now) else held
        return self.json(held)

    def _sign(self, sign: Sign) -> Sign:
        since, raised_at = self._instant(sign.since), self._instant(sign.raised_at)
        return replace(sign, since=since, raised_at=raised_at, climb=self._climb(sign.climb))

    def _climb(self, climb: Climb) -> Climb:
        repeats = tuple((rung, self._moved(at)) for rung, at in climb.repeats)
        unheard = tuple(replace(one, since=self._moved(one.since)) for one in climb.unheard)
        return replace(climb, repeats=repeats, unheard=unheard)

    def _instant(self, instant: dt.datetime | None) -> dt.datetime | None:
        return None if instant is None else self._moved(instant)

    def _moved(self, instant: dt.datetime) -> dt.datetime:
        return instant - self._span if instant > self._now else instant
