"""A child's school days as known, read off a register one cell at a time; what facts are made of, and no fact."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rules.calendar import Timetable
from rules.instants import from_micros
from rules.records import POSITIVE, Mark
from rules.register import Movement, Register

HOLIDAY = 7
"""Calendar days without school that end a term or make a holiday."""


@dataclass(frozen=True)
class Cell:
    """One session that has begun, of one child while it was on the roll."""

    column: int
    date: dt.date
    start: dt.datetime
    end: dt.datetime
    mark: Mark
    on_leave: bool

    @property
    def called(self) -> bool:
        """Whether a roll speaks of the child; that it does not name it is a word, too."""
        return self.mark is not Mark.UNTAKEN

    @property
    def seen(self) -> bool:
        return self.mark in POSITIVE

    @property
    def excused(self) -> bool:
        return not self.seen and (self.on_leave or self.mark is Mark.LEAVE)

    @property
    def missed(self) -> bool:
        return self.mark is Mark.ABSENT and not self.on_leave

    @property
    def known(self) -> bool:
        return self.seen or self.excused or self.missed


@dataclass(frozen=True)
class Day:
    """One school day of one child, with those of its sessions that have begun."""

    date: dt.date
    cells: tuple[Cell, ...]

    @cached_property
    def seen(self) -> bool:
        return any(cell.seen for cell in self.cells)

    @cached_property
    def excused(self) -> bool:
        return any(cell.excused for cell in self.cells)

    @cached_property
    def missed(self) -> bool:
        return any(cell.missed for cell in self.cells)

    @cached_property
    def called(self) -> bool:
        return any(cell.called for cell in self.cells)

    @property
    def known(self) -> bool:
        return self.seen or self.excused or self.missed

    @property
    def absent(self) -> bool:
        return self.missed or self.excused

    @property
    def whole(self) -> bool:
        """Missed without leave in all that is known of it."""
        return self.missed and not self.seen and not self.excused

    @property
    def gone(self) -> bool:
        return self.called and not self.seen and not self.excused

    @property
    def unheard(self) -> bool:
        return self.called and not self.known


class Child:
    """One row of a register at an instant: its days, in order."""

    def __init__(self, register: Register, row: int, now: int) -> None:
        self.register, self.row, self.now = register, row, from_micros(now)
        self.movements: Sequence[Movement] = register.movements.get(row, ())
        self._leaves = register.leaves.get(row, ())
        self._variants: list[int] = register.variant[row].tolist()
        self._classes: list[int] = register.classes[row].tolist()
        self._windows: dict[str, list[Day]] = {}
        self.begun = self._days()
        """The days up to now, with the sessions that have begun."""
        self.days = _heard(self.begun)
        """Those up to the last session heard of."""

    def _days(self) -> list[Day]:
        calendar, found = self.register.calendar, []
        begun = bisect_right(calendar.dates, self.now.astimezone(calendar.zone).date())
        for index, date in enumerate(calendar.dates[:begun]):
            columns = range(index * calendar.slots, (index + 1) * calendar.slots)
            cells = [self._cell(column, date) for column in columns if self._expected(column)]
            found.append(Day(date, tuple(cell for cell in cells if cell.start <= self.now)))
        return found

    def variant(self, column: int) -> int:
        """The timetable that holds for the child in `column`."""
        return self._variants[column if len(self._variants) > 1 else 0]

    def class_at(self, column: int) -> int:
        """The class the child is in, in `column`."""
        return self._classes[column if len(self._classes) > 1 else 0]

    def _expected(self, column: int) -> bool:
        enrolled = self.register.enrolled is None or bool(self.register.enrolled[self.row, column])
        return enrolled and bool(self.register.calendar.expected[self.variant(column), column])

    def _cell(self, column: int, date: dt.date) -> Cell:
        calendar, of = self.register.calendar, self.variant(column)
        start, end = from_micros(int(calendar.starts[of, column])), from_micros(int(calendar.ends[of, column]))
        on_leave = any(start < leave.ends and leave.starts < end for leave in self._leaves)
        return Cell(column, date, start, end, Mark(int(self.register.marks[self.row, column])), on_leave)

    @cached_property
    def cells(self) -> list[Cell]:
        """The sessions up to the last one heard of."""
        return [cell for day in self.days for cell in day.cells]

    @cached_property
    def last(self) -> Cell | None:
        """The last session heard of."""
        return self.cells[-1] if self.cells else None

    @cached_property
    def table(self) -> Timetable:
        """The timetable of the last day heard of."""
        return self.table_on(self.days[-1].date)

    def table_on(self, date: dt.date) -> Timetable:
        """The timetable of the school the child was in on a day of the calendar."""
        calendar = self.register.calendar
        day = bisect_right(calendar.dates, date) - 1
        return calendar.tables[self.variant(day * calendar.slots)]

    @cached_property
    def school_days(self) -> list[dt.date]:
        """The days on which its timetable expected children, whether or not it was on the roll."""
        return [day.date for day in self.days if self.table_on(day.date).expects(day.date)]

    def window(self, window: str) -> list[Day]:
        """The days in a window, which ends with the last one heard of."""
        if window not in self._windows:
            self._windows[window] = self._within(window) if self.days else []
        return self._windows[window]

    def _within(self, window: str) -> list[Day]:
        since = {"year": self._year, "term": self._term}.get(window, lambda: self._back(int(window)))()
        return [day for day in self.days if since is None or day.date >= since]

    def _year(self) -> dt.date:
        last = self.days[-1].date
        return dt.date(last.year if last.month >= 8 else last.year - 1, 8, 1)

    def _term(self) -> dt.date | None:
        return max((first for first, _ in self.table.terms if first <= self.days[-1].date), default=None)

    def _back(self, count: int) -> dt.date | None:
        return self.school_days[-count] if count <= len(self.school_days) else None

    def opening(self) -> dt.date:
        """The last school day with no school on the seven days before it."""
        pairs = zip(self.school_days[:-1], self.school_days[1:], strict=True)
        return max((day for before, day in pairs if (day - before).days > HOLIDAY), default=self.school_days[0])

    def edge(self, day: Day) -> bool:
        """Whether a day is of the first or last weekday of the school's week."""
        weekdays = self.table_on(day.date).weekdays
        return day.date.isoweekday() in {min(weekdays), max(weekdays)}


def _heard(days: Sequence[Day]) -> list[Day]:
    """The days up to the last session heard of, and of the last day no session after it."""
    found = list(days)
    while found and not found[-1].called:
        found.pop()
    if found:
        last = max(n for n, cell in enumerate(found[-1].cells) if cell.called)
        found[-1] = replace(found[-1], cells=found[-1].cells[: last + 1])
    return found


def in_a_row(days: Sequence[Day], counts: Callable[[Day], bool], ends: Callable[[Day], bool]) -> int:
    """How many days count, back from the last to one that ends the row; others are passed over."""
    found = 0
    for day in reversed(days):
        if counts(day):
            found += 1
        elif ends(day):
            break
    return found


def spells(days: Sequence[Day]) -> list[list[Day]]:
    """Rows of whole days missed without leave; a day of which nothing is known is passed over."""
    found: list[list[Day]] = []
    going = False
    for day in days:
        if day.whole:
            found += [] if going else [[]]
            found[-1].append(day)
        going = day.whole or (going and not day.known)
    return found


def rate(days: Sequence[Day], counts: Callable[[Cell], bool]) -> float | None:
    """Percentage of the known sessions that count; None while fewer than ten days are known."""
    known = [cell for day in days for cell in day.cells if cell.known]
    return 100 * sum(map(counts, known)) / len(known) if sum(day.known for day in days) >= 10 else None
