"""What leaving shadow mode would send, and what a live district owes now: to whom, and about which cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from daemon.jobs.casefile import from_row
from daemon.jobs.golive import IN_SHADOW, owed_corrections, owed_of_units, recorded_mode, untold_cases
from daemon.jobs.house import House
from daemon.jobs.nobody import place_of
from daemon.jobs.routing import Routing
from daemon.store import cases, falling
from daemon.store.tx import Tx
from rules.case import Case
from rules.climb import START, step
from rules.ladder import Audience
from rules.standing import audience, care_of, owed


@dataclass(frozen=True, slots=True)
class Unsent:
    """What one role of one unit is to be told; holds no name and no address.

    `reached` is False where nobody in the role can be told. `cases` are numbers; none for what is about a unit.
    """

    kind: str
    role: str
    unit: str | None
    reached: bool
    count: int
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _One:
    kind: str
    role: str
    unit: str | None
    reached: bool
    case: str | None


def unsent(tx: Tx, house: House, now: dt.datetime) -> list[Unsent]:
    """What the switch to live would send where the district is in shadow; else what it owes now. Changes nothing."""
    in_shadow = house.shadow or recorded_mode(tx, house) == IN_SHADOW
    return _together(_by_the_switch(tx, house, now) if in_shadow else _owed_now(tx, house, now))


def _together(found: Iterable[_One]) -> list[Unsent]:
    counted: dict[tuple[str, str, str | None, bool], list[str | None]] = {}
    for one in found:
        counted.setdefault((one.kind, one.role, one.unit, one.reached), []).append(one.case)
    return [
        Unsent(kind, role, unit, reached, len(numbers), tuple(sorted({one for one in numbers if one})))
        for (kind, role, unit, reached), numbers in sorted(counted.items(), key=lambda each: (each[0][3], str(each[0])))
    ]


def _by_the_switch(tx: Tx, house: House, now: dt.datetime) -> Iterator[_One]:
    """Every report that stands and that nobody was told of, by the rungs that speak at once; and what is taken back."""
    recorded = falling.legs_recorded(tx)
    wanted = []
    for case in untold_cases(tx, recorded):
        ladder = house.laws.of(case.finding).ladder
        speaks = step(ladder, START, now, now, care_of(case, case.raised_at or now))
        wanted += [(case, role, one) for one in audience(ladder, speaks) for role in one.roles]
    yield from _asked(tx, house, "report", wanted, now)
    for draft in (*owed_corrections(tx, recorded, now), *owed_of_units(tx, recorded, now)):
        number = str(draft.facts["case"]) if draft.case_id else None
        yield _One(draft.kind, draft.role, draft.unit_id, reached=True, case=number)


def _owed_now(tx: Tx, house: House, now: dt.datetime) -> Iterator[_One]:
    """Everybody whom a rung did not reach."""
    found = [case for case in map(from_row, cases.open_cases(tx)) if case.finding.leave_until is None]
    wanted = [(case, one.role, case.ladder.rungs[one.rung].audience) for case in found for one in owed(case)]
    yield from _asked(tx, house, "owed", wanted, now)


def _asked(
    tx: Tx, house: House, kind: str, wanted: Sequence[tuple[Case, str, Audience]], now: dt.datetime
) -> Iterator[_One]:
    """Each role of each case, by the unit for which it is held, and whether anybody in it can be told."""
    people = house.people(tx)
    routing = Routing(house, people, now)
    there = [one for one in wanted if one[0].student_id in people.roster.students]
    sought = [routing.sought(*one) for one in there]
    routing.look_up(tx, sought)
    for (case, role, _), who in zip(there, sought, strict=True):
        unit = next((one.unit_id for one in who.holders if one.unit_id), None)
        unit = unit or place_of(people, role, case.student_id)
        yield _One(kind, role, unit, reached=routing.reaches(who), case=case.number)
