"""One test as the rules take it: its children and everything said of them, each thing with the instant it was known."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from daemon.ruletest.letters import Cell
from daemon.ruletest.models import ChildTable, TrialTable
from rules.calendar import Calendar
from rules.history import History, LeaveKnown, MovementKnown
from rules.instants import to_micros
from rules.records import MARK_NAMES, Mark
from rules.register import Movement, Spell
from rules.rolls import Rolls
from rules.traits import Traits, grade_number

STALE_AFTER = dt.timedelta(hours=2)
"""What a feed's `stale_after` is by default."""
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Class:
    """The class of a test's child, with the units above it, nearest first."""

    class_id: str
    school: str
    variant: int

    @staticmethod
    def of(child: str, table: ChildTable, calendar: Calendar) -> Class:
        """The class a child is in: that of its table, or one of its own."""
        class_id = table.class_ or f"class of {child}"
        return Class(class_id, table.school, calendar.variant([class_id, table.school, *table.units]))


class _Known(NamedTuple):
    """One mark with the instant it became known."""

    known_at: int
    class_index: int
    column: int
    row: int
    mark: Mark


def children_of(table: TrialTable) -> tuple[str, ...]:
    """The children a test speaks of: those described, and those with a row of marks."""
    return tuple(dict.fromkeys([*table.students, *table.marks]))


def child_of(table: TrialTable, named: str | None) -> str:
    """The child a table is about: the one named, or the only one there is."""
    return named if named is not None else children_of(table)[0]


def instant(value: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """An instant of the file in UTC; without an offset it is local to the schools."""
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(dt.UTC)


def boundary(value: dt.date, zone: ZoneInfo, *, after: int) -> dt.datetime:
    """The instant a span begins or ends at: `value`, or the midnight `after` days after its date's."""
    if isinstance(value, dt.datetime):
        return instant(value, zone)
    return instant(dt.datetime.combine(value + after * _DAY, dt.time()), zone)


@dataclass(frozen=True)
class Pupil:
    """One child of one test; children of different tests have nothing in common, whatever they are called."""

    test: int
    child: str
    described: ChildTable
    home: Class

    @property
    def student(self) -> str:
        """An id of its own."""
        return f"{self.test}:{self.child}"

    @property
    def class_id(self) -> str:
        """An id of its class, which it shares with children of its test only."""
        return f"{self.test}:{self.home.class_id}"


class Said(NamedTuple):
    """One test as read: its number, its table, and the marks of its rows by child."""

    test: int
    table: TrialTable
    cells: Mapping[str, Sequence[Cell]]

    def pupils(self, calendar: Calendar) -> list[Pupil]:
        """Its children."""
        described = [(child, self.table.students.get(child, ChildTable())) for child in children_of(self.table)]
        return [Pupil(self.test, child, one, Class.of(child, one, calendar)) for child, one in described]


def history_of(tests: Sequence[Said], calendar: Calendar) -> History:
    """Everything the tests say, as it became known: one county, of which each test has its own schools."""
    pupils = [pupil for test in tests for pupil in test.pupils(calendar)]
    row_of = {pupil.student: row for row, pupil in enumerate(pupils)}
    classes = {pupil.class_id: pupil for pupil in pupils}
    number = {class_id: n for n, class_id in enumerate(classes)}
    rolls, known_at = _rolls(
        [
            mark
            for test in tests
            for pupil in test.pupils(calendar)
            for mark in _marks(test, pupil, calendar, number[pupil.class_id], row_of[pupil.student])
        ]
    )
    return History(
        calendar=calendar,
        students=list(row_of),
        spells=[[Spell(number[pupil.class_id], None)] for pupil in pupils],
        class_ids=list(classes),
        school_ids=[f"{pupil.test}:{pupil.home.school}" for pupil in classes.values()],
        variants=[pupil.home.variant for pupil in classes.values()],
        rolls=rolls,
        known_at=known_at,
        traits=_traits(pupils),
        leaves=[leave for test in tests for leave in _leaves(test, row_of, calendar.zone)],
        movements=[move for test in tests for move in _movements(test, row_of, calendar.zone)],
        stale_after=dict.fromkeys(range(len(classes)), STALE_AFTER),
    )


def _marks(test: Said, pupil: Pupil, calendar: Calendar, index: int, row: int) -> Iterator[_Known]:
    """The marks of a child's row, and after them those with an instant of their own."""
    for cell in test.cells.get(pupil.child, ()):
        column = _column(calendar, pupil, cell.date, cell.session)
        known_at = int(calendar.starts[pupil.home.variant, column]) + test.table.roll_after // _MICROSECOND
        yield _Known(known_at, index, column, row, cell.mark)
    for one in test.table.mark:
        if child_of(test.table, one.student) == pupil.child:
            column = _column(calendar, pupil, one.date, one.session)
            yield _Known(to_micros(instant(one.at, calendar.zone)), index, column, row, MARK_NAMES[one.mark])


def _column(calendar: Calendar, pupil: Pupil, date: dt.date, session: str) -> int:
    column = calendar.column(pupil.home.variant, date, session)
    assert column is not None
    return column


_MICROSECOND = dt.timedelta(microseconds=1)


def _rolls(marks: Sequence[_Known]) -> tuple[Rolls, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The marks as rolls, one for what is known of a class and session at one instant; and when each was known."""
    grouped: dict[tuple[int, int, int, int], list[_Known]] = {}
    times: Counter[tuple[int, int, int, int]] = Counter()
    for mark in marks:
        again = times[mark[:4]]  # of two marks of one child and instant the later line counts
        times[mark[:4]] += 1
        grouped.setdefault((*mark[:3], again), []).append(mark)
    keys = np.array(list(grouped), np.int64).reshape(-1, 4)
    flat = [(n, said.row, int(said.mark)) for n, group in enumerate(grouped.values()) for said in group]
    cells = np.array(flat, np.int64).reshape(-1, 3)
    rolls = Rolls(
        class_index=keys[:, 1].astype(np.int32),
        column=keys[:, 2].astype(np.int32),
        recorded_at=keys[:, 0],
        rank=np.ones(len(keys), np.int32),
        line=np.arange(len(keys), dtype=np.int32),
        implied=np.zeros(len(keys), np.bool_),
        roll=cells[:, 0].astype(np.int32),
        row=cells[:, 1].astype(np.int32),
        code=cells[:, 2].astype(np.uint8),
    )
    return rolls, keys[:, 0].copy()


def _leaves(test: Said, row_of: Mapping[str, int], zone: ZoneInfo) -> Iterator[LeaveKnown]:
    for number, one in enumerate(test.table.leave):
        starts = boundary(one.from_, zone, after=0)
        yield LeaveKnown(
            row_of[f"{test.test}:{child_of(test.table, one.student)}"],
            one.id or f"leave {number}",
            starts,
            boundary(one.to, zone, after=1),
            one.kind,
            instant(one.known, zone) if one.known else starts,
            one.withdrawn,
        )


def _movements(test: Said, row_of: Mapping[str, int], zone: ZoneInfo) -> Iterator[MovementKnown]:
    for one in test.table.movement:
        yield MovementKnown(
            row_of[f"{test.test}:{child_of(test.table, one.student)}"],
            Movement(one.kind, instant(one.at, zone), one.evidence),
            instant(one.known or one.at, zone),
        )


def _traits(pupils: Sequence[Pupil]) -> Traits:
    described = [pupil.described for pupil in pupils]
    tags = {tag for child in described for tag in child.tags}
    return Traits(
        grade=np.array([grade_number(child.grade) for child in described], np.int16),
        grade_text=[child.grade for child in described],
        boarding=np.array([child.boarding for child in described], np.bool_),
        tags={tag: np.array([tag in child.tags for child in described], np.bool_) for tag in sorted(tags)},
        units=[(pupil.home.class_id, pupil.home.school, *pupil.described.units) for pupil in pupils],
    )
