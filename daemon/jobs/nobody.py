"""Whom a rung did not reach: the operator hears of it at once, and it is kept in mind until somebody can be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from daemon.jobs.announce import announce_several
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import operators
from daemon.jobs.tell import Hole, queue
from daemon.store import timers
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case
from rules.climb import Unheard
from rules.instants import to_micros
from rules.ladder import HOUSEHOLD_ROLES
from rules.standing import gravely_owed, owed

NOBODY_TO_TELL = "nobody_to_tell"
OWED = "owed"
"""Timer: those of whom nobody could be told may be told by now (subject: the case)."""
SOON = dt.timedelta(hours=1)
"""So often one looks without a cause; whenever the roster or the configuration changes it is looked at once."""
SELDOM = dt.timedelta(days=1)
MOST_CASES = 20
"""So many case numbers are told one by one; the rest are counted."""

Place = tuple[str, str]
"""A role, and the unit for which nobody is there to hold it."""


def arm_owed(tx: Tx, house: House, cases: Iterable[Case], now: dt.datetime) -> None:
    """Keep in mind those of these cases that owe somebody the telling; in a simulation nobody will come."""
    found = [Timer(OWED, case.case_id, now + gap(case)) for case in cases if owed(case) and not house.simulated]
    timers.arm(tx, found)


def gap(case: Case) -> dt.timedelta:
    """After how long to look again whether those that a case owes the telling can be told."""
    return SOON if gravely_owed(case) else SELDOM


def note_missed(tx: Tx, house: House, missed: Sequence[tuple[Case, Hole]], now: dt.datetime) -> None:
    """Tell the operator of the roles in which nobody could be told, as one message; once each for a case."""
    if house.simulated:
        return
    grave = [(case, one) for case, hole in missed for one in gravely_owed(case) if _is_new(one, hole, now)]
    if not grave:
        return
    people = house.people(tx)
    told = [
        (f"{role}/{unit}/{to_micros(now)}", _facts(people, role, unit, numbers))
        for (role, unit), numbers in by_place(people, grave).items()
    ]
    sought = operators(people)
    drafts = announce_several(tx, house, NOBODY_TO_TELL, told, sought, now, group=NOBODY_TO_TELL)
    queue(tx, house, drafts, now)


def _is_new(one: Unheard, hole: Hole, now: dt.datetime) -> bool:
    return one.since == now and hole.audience is not None and one.rung == hole.audience.rung and one.role in hole.roles


def by_place(people: People, owing: Iterable[tuple[Case, Unheard]]) -> dict[Place, list[str]]:
    """The numbers of the cases of which somebody is owed the telling, by role and by the unit that lacks one."""
    found: dict[Place, dict[str, None]] = {}
    for case, one in owing:
        found.setdefault((one.role, place_of(people, one.role, case.student_id)), {})[case.number] = None
    return {place: sorted(numbers) for place, numbers in found.items()}


def place_of(people: People, role: str, student_id: str) -> str:
    """The unit in which whoever holds a role for a child is looked for first."""
    child, directory = people.roster.students[student_id], people.directory
    near = directory.town(child.class_id, child.residence_id)[0] if role in HOUSEHOLD_ROLES else None
    unit = near or directory.school(child.class_id)
    return unit.unit_id if unit else child.class_id


def _facts(people: People, role: str, unit_id: str, numbers: Sequence[str]) -> Mapping[str, object]:
    unit = people.directory.units.get(unit_id)
    said = {"role": role, "unit": unit.name if unit else unit_id, "cases": numbers[:MOST_CASES], "count": len(numbers)}
    return {"owed": [said]}
