"""Terms, holidays, make-up days and timetables, turned into the sessions in which children are expected."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from rules.instants import HOUR, NEVER, from_micros, span, to_micros

SILENCE_CAP = dt.timedelta(hours=72)
"""The longest a span of session time may take on the wall clock (absence.md, Silence)."""


@dataclass(frozen=True, slots=True)
class Period:
    """One entry of a timetable: a named half-day with local start and end; not bound to any date."""

    name: str
    start: dt.time
    end: dt.time


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a unit expects its children, as its operator wrote it; knows nothing of time zones.

    `days_off` and `make_up` are national holidays and the weekend days worked in exchange (调休);
    `closed` and `open` are the unit's own and win over both.
    """

    terms: tuple[tuple[dt.date, dt.date], ...]
    periods: tuple[Period, ...]
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    days_off: frozenset[dt.date] = frozenset()
    make_up: frozenset[dt.date] = frozenset()
    closed: frozenset[dt.date] = frozenset()
    open: frozenset[dt.date] = frozenset()

    def expects(self, day: dt.date) -> bool:
        """Whether `day` is a school day of this unit."""
        if day in self.closed:
            return False
        if day in self.open:
            return True
        if not any(first <= day <= last for first, last in self.terms) or day in self.days_off:
            return False
        return day in self.make_up or day.isoweekday() in self.weekdays

    def span(self) -> tuple[dt.date, dt.date]:
        """The first and last date this timetable speaks about, both inclusive."""
        days = [day for term in self.terms for day in term] + sorted(self.open)
        return min(days), max(days)


@dataclass(frozen=True, slots=True)
class Session:
    """One half-day in which a unit's children are expected; instants in UTC."""

    column: int
    date: dt.date
    name: str
    start: dt.datetime
    end: dt.datetime


class Calendar:
    """Every unit's sessions on one common grid of columns; knows no child and no mark.

    Columns are (date, position in the unit's day), so that they run forward in time for every unit whatever its
    sessions are called. Units that share a timetable share a *variant*, a row of `starts`, `ends` and `expected`,
    all of shape (variants, columns); instants are microseconds in UTC, 0 where nothing is expected.
    """

    def __init__(self, zone: ZoneInfo, common: Timetable, own: Mapping[str, Timetable] | None = None) -> None:
        self.zone = zone
        tables = [common]
        self._variant_of: dict[str, int] = {}
        for unit, table in sorted((own or {}).items()):
            if table not in tables:
                tables.append(table)
            self._variant_of[unit] = tables.index(table)
        self.tables: tuple[Timetable, ...] = tuple(tables)
        self._lay_out()

    def _lay_out(self) -> None:
        spans = [table.span() for table in self.tables]
        first, last = min(low for low, _ in spans), max(high for _, high in spans)
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        self.dates = [day for day in days if any(table.expects(day) for table in self.tables)]
        self._date_index = {day: index for index, day in enumerate(self.dates)}
        self.slots = max(len(table.periods) for table in self.tables)
        shape = (len(self.tables), len(self.dates) * self.slots)
        self.starts: NDArray[np.int64] = np.zeros(shape, np.int64)
        self.ends: NDArray[np.int64] = np.zeros(shape, np.int64)
        for variant, table in enumerate(self.tables):
            self._fill(variant, table)
        self.expected: NDArray[np.bool_] = self.ends > 0
        ordinals = [day.toordinal() for day in self.dates]
        self.day_of: NDArray[np.int32] = np.repeat(np.array(ordinals, np.int32), self.slots)
        self.lines = [Line(self, variant) for variant in range(len(self.tables))]

    def _fill(self, variant: int, table: Timetable) -> None:
        periods = sorted(table.periods, key=lambda period: period.start)
        for index, day in enumerate(self.dates):
            if not table.expects(day):
                continue
            for slot, period in enumerate(periods):
                column = index * self.slots + slot
                self.starts[variant, column] = self._instant(day, period.start)
                self.ends[variant, column] = self._instant(day, period.end)

    def _instant(self, day: dt.date, time: dt.time) -> int:
        return to_micros(dt.datetime.combine(day, time, self.zone))

    def variant(self, units: Sequence[str]) -> int:
        """The variant of a class, given it and the units above it, nearest first."""
        return next((self._variant_of[unit] for unit in units if unit in self._variant_of), 0)

    def until(self, day: dt.date) -> Calendar:
        """The same calendar with its grid cut after `day`; its lines still know the sessions to come."""
        kept = bisect_right(self.dates, day)
        if kept == len(self.dates):
            return self
        cut = copy(self)
        cut.dates = self.dates[:kept]
        columns = kept * self.slots
        cut.starts, cut.ends = self.starts[:, :columns], self.ends[:, :columns]
        cut.expected, cut.day_of = self.expected[:, :columns], self.day_of[:columns]
        return cut

    def columns(
        self, variants: NDArray[np.intp], days: NDArray[np.int64], names: Sequence[str], name: NDArray[np.intp]
    ) -> NDArray[np.int32]:
        """Many columns at once: of sessions `names[name]` on `days` (proleptic ordinals); −1 where none is expected."""
        ordinals = np.array([day.toordinal() for day in self.dates], np.int64)
        if not len(days) or not len(ordinals):
            return np.full(len(days), -1, np.int32)
        slots = np.array([[table.get(one, -1) for one in names] for table in self._slots], np.int64)
        index = np.minimum(np.searchsorted(ordinals, days), len(ordinals) - 1)
        slot = slots[variants, name]
        column = index * self.slots + slot
        found = (ordinals[index] == days) & (slot >= 0) & self.expected[variants, np.maximum(column, 0)]
        return np.where(found, column, -1).astype(np.int32)

    def column(self, variant: int, day: dt.date, name: str) -> int | None:
        """The column of the session called `name` on `day`, or None where that unit expects nobody."""
        index = self._date_index.get(day)
        slot = self._slots[variant].get(name)
        if index is None or slot is None or index >= len(self.dates):
            return None
        column = index * self.slots + slot
        return column if self.expected[variant, column] else None

    @cached_property
    def _slots(self) -> list[dict[str, int]]:
        ordered = [sorted(table.periods, key=lambda period: period.start) for table in self.tables]
        return [{period.name: slot for slot, period in enumerate(periods)} for periods in ordered]

    @cached_property
    def _names(self) -> list[list[str]]:
        return [list(slots) for slots in self._slots]

    def names(self, variant: int) -> list[str]:
        """The names of a school day's sessions, in order."""
        return self._names[variant]

    def session(self, variant: int, column: int) -> Session:
        """The session in `column`, which must be expected by `variant`."""
        return Session(
            column,
            self.dates[column // self.slots],
            self._names[variant][column % self.slots],
            from_micros(self.starts[variant, column]),
            from_micros(self.ends[variant, column]),
        )

    def local_midnight(self, day: dt.date) -> dt.datetime:
        """The instant at which `day` begins where the schools are."""
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)


class Line:
    """One variant's sessions in a row, and arithmetic in session time and in school days along it.

    `columns`, `starts` and `ends` have one entry an expected session, in order of time.
    """

    def __init__(self, calendar: Calendar, variant: int) -> None:
        self._calendar = calendar
        self.columns: NDArray[np.int64] = np.flatnonzero(calendar.expected[variant])
        self.starts: NDArray[np.int64] = calendar.starts[variant, self.columns]
        self.ends: NDArray[np.int64] = calendar.ends[variant, self.columns]
        self._taught: NDArray[np.int64] = np.concatenate([[0], np.cumsum(self.ends - self.starts)])
        self._starts = self.starts.tolist()
        self._days: list[int] = sorted({int(day) for day in calendar.day_of[self.columns]})
        self._stale: dict[int, NDArray[np.int64]] = {}

    def session_time(self, instants: NDArray[np.int64]) -> NDArray[np.int64]:
        """Session time passed since the first session, at each of `instants`; microseconds."""
        index = np.searchsorted(self.starts, instants, "right")
        last = np.maximum(index - 1, 0)
        if not len(self.starts):
            return np.zeros_like(instants)
        within = np.clip(instants - self.starts[last], 0, self.ends[last] - self.starts[last])
        return np.where(index > 0, self._taught[last] + within, 0)

    def after_session_time(
        self, instants: NDArray[np.int64], duration: dt.timedelta, cap: dt.timedelta = SILENCE_CAP
    ) -> NDArray[np.int64]:
        """The first instants by which `duration` of session time, or `cap` on the wall, has passed since `instants`."""
        target = self.session_time(instants) + span(duration)
        index = np.searchsorted(self._taught[1:], target, "left")
        inside = np.minimum(index, max(len(self.starts) - 1, 0))
        reached = np.full_like(instants, NEVER)
        if len(self.starts):
            there = self.starts[inside] + target - self._taught[inside]
            reached = np.where(index < len(self.starts), there, NEVER)
        return np.minimum(np.maximum(reached, instants), instants + span(cap))

    def stale_at(self, stale_after: dt.timedelta) -> NDArray[np.int64]:
        """For each session the first instant at which it ended at least `stale_after` of session time ago."""
        key = span(stale_after)
        if key not in self._stale:
            self._stale[key] = self.after_session_time(self.ends, stale_after)
        return self._stale[key]

    def at(self, instant: int) -> int | None:
        """The index along this line of the session that begins at `instant` or is in progress then, or None."""
        index = bisect_right(self._starts, instant) - 1
        return index if index >= 0 and instant < int(self.ends[index]) else None

    def begun(self, instant: int) -> int:
        """How many sessions have begun at or before `instant`."""
        return bisect_right(self._starts, instant)

    def first_from(self, instant: int) -> int:
        """The index of the first session that starts at or after `instant`; the length of the line if none does."""
        return bisect_left(self._starts, instant)

    def after_school_days(self, day: dt.date, count: int) -> dt.date | None:
        """The school day that is `count` school days after `day`, or None where the calendar ends before."""
        index = bisect_right(self._days, day.toordinal()) + count - 1
        return dt.date.fromordinal(self._days[index]) if index < len(self._days) else None

    def after_school_time(self, instant: int, duration: dt.timedelta) -> int:
        """`instant` plus `duration` counted as 24 hours a school day and none on others; NEVER past the calendar."""
        left = span(duration)
        first = from_micros(instant).astimezone(self._calendar.zone).date().toordinal()
        for ordinal in self._days[bisect_left(self._days, first) :]:
            begin = to_micros(self._calendar.local_midnight(dt.date.fromordinal(ordinal)))
            passed = max(instant - begin, 0)
            if left <= 24 * HOUR - passed:
                return begin + passed + left
            left -= max(24 * HOUR - passed, 0)
        return NEVER
