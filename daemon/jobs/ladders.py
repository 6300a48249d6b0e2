"""Ladders and the cases that climb them: each case keeps the one it began on until somebody gives it another."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from daemon.desk.faults import DeskError
from daemon.desk.ledger import subject_of
from daemon.desk.reasons import who
from daemon.jobs.apply import write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.office import act, open_case
from daemon.problems import choose
from daemon.store import cases
from daemon.store.tx import Tx
from rules.case import Case, Decision, Entry, Standing
from rules.climb import transferred
from rules.instants import earliest
from rules.ladder import Ladder
from rules.signs import Sign
from rules.standing import wakes_of_report

APPLIED = "ladder applied"
"""Journal: the case climbs the ladder as it is configured now; the entry says who wanted it so."""


@dataclass(frozen=True, slots=True)
class Climbing:
    """How many open cases, reports or signs, are on a ladder, and how many on an earlier version of it."""

    cases: int
    outdated: int


@dataclass(frozen=True, slots=True)
class Applied:
    """One case on a ladder: the rung it would have climbed next, the one it climbs next now, and when it speaks.

    `changed` is False where it was on the ladder as it is already; rungs are those of its report.
    """

    number: str
    was: int
    rung: int
    next_at: dt.datetime | None
    changed: bool = True


def ladder_named(house: House, ladder_id: str) -> Ladder:
    """A ladder as it is configured; DeskError when there is none of that id."""
    known = house.law.ladders
    if ladder_id not in known:
        raise DeskError(f"ladder {ladder_id}", "is not configured", choose(ladder_id, sorted(known)))
    return known[ladder_id]


def climbing(tx: Tx, house: House) -> dict[str, Climbing]:
    """For each ladder that is configured, and each an open case is still on, who climbs it."""
    found: Counter[str] = Counter()
    outdated: Counter[str] = Counter()
    for row in cases.open_cases(tx):
        held = list(_held(from_row(row)))
        found.update({ladder.ladder_id for ladder in held})
        outdated.update({one.ladder_id for one in held if one != house.law.ladders.get(one.ladder_id)})
    names = [*house.law.ladders, *sorted(found.keys() - house.law.ladders.keys())]
    return {name: Climbing(found[name], outdated[name]) for name in names}


def _held(case: Case) -> Iterator[Ladder]:
    """The ladders something of a case is climbing."""
    if case.standing is Standing.RAISED:
        yield case.ladder
    yield from (sign.ladder for sign in case.signs if sign.ladder is not None and not sign.over)


def apply_ladder(house: House, ladder_id: str, by: str, now: dt.datetime, number: str | None = None) -> list[Applied]:
    """Let one case, or all that are on a ladder of that id, go on climbing it as it is configured now.

    What was heard of the old one is not said again: a case goes on after the delay of the last rung that was heard.
    What comes later on the new one speaks, at once where its time has passed. Safe to be run again. Raises DeskError
    for a ladder that is not configured, and for a case that is not on it.
    """
    ladder, person = ladder_named(house, ladder_id), who(by, f"ladder {ladder_id}")
    if number is not None:
        return [act(house, lambda tx: _apply(tx, house, number, ladder, person, now))]
    with house.store.read() as tx:
        numbers = [row.number for row in cases.open_cases(tx) if _is_on(from_row(row), ladder_id)]
    each = partial(_apply_if_on, house=house, ladder=ladder, by=person, now=now)
    return [act(house, partial(each, number=one)) for one in numbers]


def _is_on(case: Case, ladder_id: str) -> bool:
    return any(ladder.ladder_id == ladder_id for ladder in _held(case))


def _apply_if_on(tx: Tx, *, house: House, number: str, ladder: Ladder, by: str, now: dt.datetime) -> Applied:
    """As `_apply`, for a case that may have been closed, or have returned, meanwhile."""
    row = cases.by_number(tx, number)
    case = None if row is None or not row.is_open else from_row(row)
    if case is None or not _is_on(case, ladder.ladder_id):
        return Applied(number, 0, 0, None, changed=False)
    return _apply(tx, house, number, ladder, by, now)


def _apply(tx: Tx, house: House, number: str, ladder: Ladder, by: str, now: dt.datetime) -> Applied:
    case = open_case(tx, number)
    if not _is_on(case, ladder.ladder_id):
        hint = f"its report is on: {case.ladder.ladder_id or 'none'}"
        raise DeskError(subject_of(number), f"is not on the ladder {ladder.ladder_id}", hint)
    after = _moved(case, ladder, now)
    if after == case:
        return _applied(case, case, now, changed=False)
    body = {"ladder": ladder.ladder_id, "rung": after.climb.rung, "was": case.climb.rung, "by": by}
    after = replace(after, wake_at=now)
    write_decisions(tx, house, [Decision(after, (Entry(APPLIED, body),))], now)
    return _applied(case, after, now, changed=True)


def _moved(case: Case, ladder: Ladder, now: dt.datetime) -> Case:
    signs = tuple(_moved_sign(sign, ladder, now) for sign in case.signs)
    if case.standing is not Standing.RAISED or case.ladder.ladder_id != ladder.ladder_id or case.ladder == ladder:
        return replace(case, signs=signs)
    climb = transferred(case.climb, case.ladder, ladder, now)
    return replace(case, signs=signs, ladder=ladder, climb=climb)


def _moved_sign(sign: Sign, ladder: Ladder, now: dt.datetime) -> Sign:
    if sign.ladder is None or sign.over or sign.ladder.ladder_id != ladder.ladder_id or sign.ladder == ladder:
        return sign
    return replace(sign, ladder=ladder, climb=transferred(sign.climb, sign.ladder, ladder, now))


def _applied(before: Case, case: Case, now: dt.datetime, *, changed: bool) -> Applied:
    """Said of the report; a rung whose time has passed speaks now."""
    instants = [max(instant, now) for instant in wakes_of_report(case) if instant is not None]
    return Applied(case.number, before.climb.rung, case.climb.rung, earliest(*instants), changed)
