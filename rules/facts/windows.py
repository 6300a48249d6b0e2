"""Where a window of school days begins for each child, given the last day of which anything was heard of it."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import TERM, YEAR
from rules.facts.families import EARLIER_WINDOW, HOLIDAY_DAYS, RECENT_WINDOW

if TYPE_CHECKING:
    from rules.calendar import Calendar

YEAR_BEGINS = 8
"""The month in which a school year begins."""


class Windows:
    """The windows of a calendar; knows no child.

    A day is its number in the calendar's grid; a window ends with the last day heard of and its start is inclusive.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._starts: dict[str, NDArray[np.int64]] = {}

    @cached_property
    def _taught(self) -> list[NDArray[np.intp]]:
        return [taught_days(self.calendar, variant) for variant in range(len(self.calendar.tables))]

    @cached_property
    def _passed(self) -> NDArray[np.int64]:
        """By variant and day how many of its school days lie before that day; (variants, days + 1)."""
        days = np.arange(len(self.calendar.dates) + 1)
        return np.array([np.searchsorted(taught, days) for taught in self._taught])

    def starts(self, window: str) -> NDArray[np.int64]:
        """By variant and number of days heard (0: none), the day the window begins with; (variants, days + 1).

        A window longer than all that is behind begins with day 0, so that days at a former school lie in it, too.
        """
        if window not in self._starts:
            if window == TERM:
                found = self._from_days([[first for first, _ in table.terms] for table in self.calendar.tables])
            elif window == YEAR:
                found = self._from_days([self._years()] * len(self.calendar.tables))
            else:
                found = self._back(0, int(window))
            self._starts[window] = found
        return self._starts[window]

    @cached_property
    def trend(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts of the last RECENT_WINDOW school days and of the EARLIER_WINDOW before those."""
        return self._back(0, RECENT_WINDOW), self._back(RECENT_WINDOW, EARLIER_WINDOW)

    def _back(self, skip: int, length: int) -> NDArray[np.int64]:
        starts = np.zeros_like(self._passed)
        for variant, taught in enumerate(self._taught):
            behind = self._passed[variant] - skip - length
            if len(taught):
                starts[variant] = np.where(behind >= 0, taught[np.maximum(behind, 0)], 0)
        return starts

    def _from_days(self, firsts: list[list[dt.date]]) -> NDArray[np.int64]:
        """The latest of the given dates at or before the last day heard."""
        dates = np.array([day.toordinal() for day in self.calendar.dates], np.int64)
        starts = np.zeros((len(firsts), len(dates) + 1), np.int64)
        for variant, days in enumerate(firsts):
            at = np.searchsorted(dates, np.array(sorted(day.toordinal() for day in days), np.int64))
            index = np.searchsorted(at, np.arange(len(dates)), "right") - 1
            starts[variant, 1:] = np.where(index >= 0, at[np.maximum(index, 0)], 0)
        return starts

    def _years(self) -> list[dt.date]:
        first, last = self.calendar.dates[0].year - 1, self.calendar.dates[-1].year
        return [dt.date(year, YEAR_BEGINS, 1) for year in range(first, last + 1)]

    @cached_property
    def opened(self) -> NDArray[np.int64]:
        """By variant and number of days heard, the start of the term or the first session after a holiday.

        Microseconds; 0 where nothing was heard. (variants, days + 1).
        """
        opens = openings(self.calendar)
        found = np.zeros((len(opens), opens.shape[1] + 1), np.int64)
        first = np.where(self.calendar.expected, self.calendar.starts, np.iinfo(np.int64).max)
        begins = first.reshape(len(opens), -1, self.calendar.slots).min(axis=2)
        for variant in range(len(opens)):
            days = np.flatnonzero(opens[variant])
            index = np.searchsorted(days, np.arange(opens.shape[1]), "right") - 1
            if len(days):
                found[variant, 1:] = np.where(index >= 0, begins[variant, days[np.maximum(index, 0)]], 0)
        return found


def week_edges(calendar: Calendar) -> NDArray[np.bool_]:
    """By variant and day: whether it is the first or last weekday of that unit's week (Monday and Friday, mostly)."""
    edges = np.zeros((len(calendar.tables), len(calendar.dates)), np.bool_)
    for variant, table in enumerate(calendar.tables):
        outer = {min(table.weekdays, default=1), max(table.weekdays, default=5)}
        edges[variant] = [day.isoweekday() in outer for day in calendar.dates]
    return edges


def openings(calendar: Calendar) -> NDArray[np.bool_]:
    """By variant and day: whether it opens a term or ends a holiday, that is HOLIDAY_DAYS without school."""
    opens = np.zeros((len(calendar.tables), len(calendar.dates)), np.bool_)
    for variant in range(len(calendar.tables)):
        taught = taught_days(calendar, variant)
        ordinals = np.array([calendar.dates[day].toordinal() for day in taught], np.int64)
        gaps = np.diff(ordinals, prepend=-(10**6)) > HOLIDAY_DAYS
        opens[variant, taught[gaps]] = True
    return opens


def taught_days(calendar: Calendar, variant: int) -> NDArray[np.intp]:
    """The days of the grid on which a variant expects children, in order."""
    expected = calendar.expected[variant].reshape(len(calendar.dates), calendar.slots)
    return np.flatnonzero(expected.any(axis=1))
