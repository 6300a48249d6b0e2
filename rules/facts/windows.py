"""Where a window of school days begins for each child, given the last day of which anything was heard of it."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import TERM, YEAR
from rules.facts.tally import openings, taught_days

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
        """By variant and number of days heard (0: none), the day the window begins with; (variants, days + 1)."""
        if window not in self._starts:
            if window == TERM:
                found = self._from_days([[first for first, _ in table.terms] for table in self.calendar.tables])
            elif window == YEAR:
                found = self._from_days([self._years()] * len(self.calendar.tables))
            else:
                found = self._back(0, int(window))
            self._starts[window] = found
        return self._starts[window]

    def before(self, near: int, far: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts of the last `near` school days and of the `far` before those."""
        return self._back(0, near), self._back(near, far)

    def _back(self, skip: int, length: int) -> NDArray[np.int64]:
        starts = np.zeros_like(self._passed)
        for variant, taught in enumerate(self._taught):
            if len(taught):
                starts[variant] = taught[np.clip(self._passed[variant] - skip - length, 0, len(taught) - 1)]
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
