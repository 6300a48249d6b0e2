"""From the store to a scene: everything known about some classes, laid out for the rules."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.store import absences, cases, incidents, overlays, rolls
from daemon.store.tx import Tx
from rules.calendar import Calendar
from rules.incidents import MassAbsence
from rules.instants import from_micros
from rules.judge import Judgement
from rules.register import Leave, Movement, Register, build_register
from rules.rolls import Overlay, Rolls
from rules.rule import Rule
from rules.signs import Sign
from rules.sweep import Scene, to_open, unsettled
from rules.traits import Traits
from rules.views import needs_history

AHEAD = dt.timedelta(days=2)
"""How far beyond today the grid goes: marks made early are known before their session begins."""


LOOK_BACK = dt.timedelta(days=7)
"""Mass absences in older sessions are history: no report that began in them still waits."""

RECENT = 10
"""School days that settle the state of nearly every child; only of the others the whole history is read."""


def load_scenes(
    tx: Tx, house: House, classes: Collection[int], now: dt.datetime, wanted: Collection[int] | None = None
) -> list[Scene]:
    """All children who are or were in `classes`, by their recent sessions, and those whom these do not settle again.

    Of all these, those who are or were in `wanted` (None: all of them) can be decided about; deciding by the scenes is
    deciding by `load_scene`. Where nobody needs more than recent sessions, there is one.
    """
    people = house.people(tx)
    ordinals = people.children_of(classes)
    since = _recently(house.calendar, now)
    rules = house.laws.beside
    if since is not None and needs_history(rules):
        known = people.children_of(_spoken_of(people, rules, classes if wanted is None else wanted))
        counted = _counted(tx, house, people, ordinals, now, since)
        return [counted, _scene(tx, house, people, known, now, rules=rules)]
    recent = _scene(tx, house, people, ordinals, now, since, rules)
    if since is None or not (rows := unsettled(recent)):
        return [recent]
    whole = _scene(tx, house, people, [ordinals[row] for row in rows], now, rules=rules)
    return [replace(recent, others=frozenset(rows)), whole]


def load_scene(tx: Tx, house: House, classes: Iterable[int], now: dt.datetime) -> Scene:
    """Everything known by `now` of the children who are or were in `classes`."""
    people = house.people(tx)
    return _scene(tx, house, people, people.children_of(classes), now, rules=house.laws.beside)


def _spoken_of(people: People, rules: Iterable[Rule], wanted: Collection[int]) -> Collection[int]:
    """The classes whose children must be rows, so that what is said of the class or school of those wanted is right."""
    needs = frozenset[str]().union(*(rule.needs for rule in rules))
    if not needs & {"class_absence_share", "school_absence_share"}:
        return wanted
    classes = people.classes_of(people.children_of(wanted))
    if "school_absence_share" in needs:
        schools = {school for index in classes if (school := people.school_ids[index]) is not None}
        classes = classes.union(*(people.classes_of_school[school] for school in schools))
    return classes


def _counted(tx: Tx, house: House, people: People, ordinals: Sequence[int], now: dt.datetime, since: dt.date) -> Scene:
    """Children among whom mass absences are looked for, and of whom nothing is decided."""
    judgement = load_judgement(tx, house, people, ordinals, now, since)
    students = [people.student_of[ordinal] for ordinal in ordinals]
    nobody = range(len(ordinals))
    return Scene(judgement, students, people.class_ids, people.school_ids, {}, open_storms(tx), others=nobody)


def _scene(
    tx: Tx,
    house: House,
    people: People,
    ordinals: Sequence[int],
    now: dt.datetime,
    since: dt.date | None = None,
    rules: Sequence[Rule] = (),
) -> Scene:
    students = [people.student_of[ordinal] for ordinal in ordinals]
    judgement = load_judgement(tx, house, people, ordinals, now, since, people.traits(ordinals), rules)
    row_of = {student: row for row, student in enumerate(students)}
    open_cases = {row_of[found.student_id]: from_row(found) for found in cases.open_cases(tx, students)}
    rested = _rested(tx, {students[row]: row for row in to_open(judgement) if row not in open_cases})
    return Scene(judgement, students, people.class_ids, people.school_ids, open_cases, open_storms(tx), rested=rested)


def _rested(tx: Tx, row_of: Mapping[str, int]) -> dict[int, tuple[Sign, ...]]:
    """The signs of the last case of each of some children."""
    last = cases.last_cases(tx, list(row_of))
    return {row_of[found.student_id]: signs for found in last if (signs := from_row(found).signs)}


def _recently(calendar: Calendar, now: dt.datetime) -> dt.date | None:
    """The day from which sessions are recent, those in which a mass absence still counts among them; None for all."""
    begun = bisect_right(calendar.dates, now.astimezone(calendar.zone).date())
    if begun <= RECENT:
        return None
    return min(calendar.dates[begun - RECENT], (now - LOOK_BACK).astimezone(calendar.zone).date())


def load_judgement(
    tx: Tx,
    house: House,
    people: People,
    ordinals: Sequence[int],
    now: dt.datetime,
    since: dt.date | None = None,
    traits: Traits | None = None,
    rules: Sequence[Rule] = (),
) -> Judgement:
    """Judge the register of `ordinals` as known at `now`, by `rules` too; `since` leaves earlier sessions untaken."""
    return Judgement(
        load_register(tx, house, people, ordinals, now, since),
        house.law.clock,
        house.terms.when,
        now,
        stale_after(house, people),
        traits=traits,
        rules=rules,
        schools=people.school_ids,
    )


def load_register(
    tx: Tx, house: House, people: People, ordinals: Sequence[int], now: dt.datetime, since: dt.date | None = None
) -> Register:
    """Load the register of `ordinals` as known at `now`; `since` leaves earlier sessions untaken."""
    today = now.astimezone(house.calendar.zone).date()
    calendar = house.calendar.until(today + AHEAD)
    students = [people.student_of[ordinal] for ordinal in ordinals]
    wanted = [people.class_ids[index] for index in sorted(people.classes_of(ordinals))]
    row_of = people.with_earlier({student: row for row, student in enumerate(students)})
    first = since or house.calendar.dates[0]
    block = rolls.load_rolls(tx, wanted, first, today + AHEAD, now)
    return build_register(
        calendar,
        [people.spells[ordinal] for ordinal in ordinals],
        people.variants,
        to_rolls(block, people, calendar, ordinals),
        overlays=overlays_of(tx, people, ordinals, (first, today + AHEAD), now),
        leaves=_leaves(tx, row_of, now),
        movements=_movements(tx, people, row_of, now),
    )


def stale_after(house: House, people: People) -> Mapping[int, dt.timedelta]:
    """For each class that some feed owes the rolls of, after how much session time it is silent: the shortest."""
    spans = tuple((feed.units, feed.stale_after) for feed in house.config.feed if feed.records in {"marks", "punches"})
    return people.shortest_of_class(spans)


def to_rolls(block: rolls.RollBlock, people: People, calendar: Calendar, ordinals: Sequence[int]) -> Rolls:
    """Stored rolls as the register wants them: classes by number, sessions by column, children by row."""
    number = np.array([people.class_index.get(class_id, -1) for class_id in block.classes] or [-1], np.int32)
    class_index = number[block.class_index] if len(block) else np.zeros(0, np.int32)
    known = class_index >= 0
    variants = np.where(known, np.asarray(people.variants, np.intp)[class_index], 0)
    days = block.date.astype("datetime64[D]").astype(np.int64) + _EPOCH_ORDINAL
    column = calendar.columns(variants, days, block.sessions, block.session_index.astype(np.intp))
    highest = int(max(max(ordinals, default=0), int(block.ordinal.max()) if len(block.ordinal) else 0))
    rows = np.full(highest + 1, -1, np.int32)
    rows[np.asarray(ordinals, np.int64)] = np.arange(len(ordinals), dtype=np.int32)
    _name_merged(rows, people)
    return Rolls(
        class_index,
        np.where(known, column, -1).astype(np.int32),
        block.recorded_at,
        block.rank,
        block.delivered_at,
        block.implied,
        block.roll_index,
        rows[block.ordinal],
        block.code,
        block.feed_index,
    )


def _name_merged(rows: NDArray[np.int32], people: People) -> None:
    """Let what is said of a child under an earlier number be said of the child."""
    earlier, present = people.merged.earlier, people.merged.present
    if len(earlier):
        told = (earlier < len(rows)) & (present < len(rows))
        rows[earlier[told]] = rows[present[told]]


_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


def open_storms(tx: Tx) -> tuple[MassAbsence, ...]:
    """The mass absences in which a run may have begun whose report still waits."""
    found = incidents.list_incidents(tx, "mass_absence")
    real: Mapping[str | None, bool | None] = {"real": True, "not_real": False, None: None}
    return tuple(
        MassAbsence(
            one.incident_id, one.subject, tuple(from_micros(at) for at in one.state["starts"]), real[one.verdict]
        )
        for one in found
    )


def overlays_of(
    tx: Tx, people: People, ordinals: Sequence[int], days: tuple[dt.date, dt.date], now: dt.datetime
) -> list[Overlay]:
    """What people had said by hand, by `now`, about these children (by row) in sessions of `days`."""
    index = np.asarray(ordinals, np.int64)
    found = []
    for one in overlays.load_overlays(tx, *days, now):
        rows = _rows_of(one, people, index)
        if len(rows):
            found.append(Overlay(rows, one.session_date, one.session_name, one.mark, one.known_at))
    return found


def _rows_of(one: overlays.Overlay, people: People, ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    if one.student_id is not None:
        child = people.roster.students.get(one.student_id)
        wanted = [child.ordinal] if child else []
    else:
        assert one.unit_id is not None
        classes = set(people.classes_under([one.unit_id]))
        wanted = [n for n in ordinals.tolist() if people.class_on(n, one.session_date) in classes]
    return np.flatnonzero(np.isin(ordinals, wanted))


def _leaves(tx: Tx, row_of: Mapping[str, int], now: dt.datetime) -> dict[int, list[Leave]]:
    found: dict[int, list[Leave]] = {}
    for one in absences.load_leaves(tx, row_of, now):
        found.setdefault(row_of[one.student_id], []).append(Leave(one.starts, one.ends, one.kind))
    return found


def _movements(tx: Tx, people: People, row_of: Mapping[str, int], now: dt.datetime) -> dict[int, list[Movement]]:
    found: dict[int, list[Movement]] = {}
    for one in absences.load_movements(tx, row_of, now):
        found.setdefault(row_of[one.student_id], []).extend(people.merged.movements(one))
    return found
