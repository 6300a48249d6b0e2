"""Where a window of school days begins for each child, given the last day of which anything was heard of it."""

from __future__ import annotations

import datetime as dt
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import TERM, YEAR
from rules.facts.families import EARLIER_WINDOW, RECENT_WINDOW
from rules.facts.tracks import Tracks

YEAR_BEGINS = 8
"""The month in which a school year begins."""


class Windows:
    """The windows along tracks; knows no child.

    A day is its number in the calendar's grid; a window ends with the last day heard of and its start is inclusive.
    """

    def __init__(self, tracks: Tracks) -> None:
        self.calendar = tracks.calendar
        self._tracks = tracks
        self._starts: dict[str, NDArray[np.int64]] = {}

    def starts(self, window: str) -> NDArray[np.int64]:
        """By track and number of days heard (0: none), the day the window begins with; (tracks, days + 1).

        A window longer than all that is behind begins with day 0.
        """
        if window not in self._starts:
            if window == TERM:
                found = self._from_dates([[first for first, _ in table.terms] for table in self.calendar.tables])
            elif window == YEAR:
                found = self._from_dates([self._years()] * len(self.calendar.tables))
            else:
                found = self._back(0, int(window))
            self._starts[window] = found
        return self._starts[window]

    @cached_property
    def trend(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts of the last RECENT_WINDOW school days and of the EARLIER_WINDOW before those."""
        return self._back(0, RECENT_WINDOW), self._back(RECENT_WINDOW, EARLIER_WINDOW)

    @cached_property
    def opened(self) -> NDArray[np.int64]:
        """By track and number of days heard, the start of the term or the first session after a holiday.

        Microseconds; 0 where nothing was heard. (tracks, days + 1).
        """
        opens, variants, calendar = self._tracks.opens, self._tracks.variants, self.calendar
        latest = np.iinfo(np.int64).max
        first = np.where(calendar.expected, calendar.starts, latest)
        begins = first.reshape(len(first), -1, calendar.slots).min(axis=2, initial=latest)
        found = np.zeros((len(opens), opens.shape[1] + 1), np.int64)
        for track, here in enumerate(opens):
            days = np.flatnonzero(here)
            index = np.searchsorted(days, np.arange(len(here)), "right") - 1
            if len(days):
                at = days[np.maximum(index, 0)]
                found[track, 1:] = np.where(index >= 0, begins[variants[track, at], at], 0)
        return found

    def _back(self, skip: int, length: int) -> NDArray[np.int64]:
        taught = self._tracks.taught
        starts = np.zeros((len(taught), taught.shape[1] + 1), np.int64)
        for track, here in enumerate(taught):
            days = np.flatnonzero(here)
            behind = np.searchsorted(days, np.arange(len(here) + 1)) - skip - length
            if len(days):
                starts[track] = np.where(behind >= 0, days[np.maximum(behind, 0)], 0)
        return starts

    def _from_dates(self, firsts: list[list[dt.date]]) -> NDArray[np.int64]:
        """The latest of the dates, by variant, at or before the last day heard."""
        dates = np.array([day.toordinal() for day in self.calendar.dates], np.int64)
        starts = np.zeros((len(firsts), len(dates)), np.int64)
        for variant, days in enumerate(firsts):
            at = np.searchsorted(dates, np.array(sorted(day.toordinal() for day in days), np.int64))
            index = np.searchsorted(at, np.arange(len(dates)), "right") - 1
            starts[variant] = np.where(index >= 0, at[np.maximum(index, 0)], 0)
        variants = self._tracks.variants
        heard = starts[variants, np.arange(len(dates))]
        return np.concatenate([np.zeros((len(variants), 1), np.int64), heard], axis=1)

    def _years(self) -> list[dt.date]:
        dates = self.calendar.dates
        years = range(dates[0].year - 1, dates[-1].year + 1) if dates else ()
        return [dt.date(year, YEAR_BEGINS, 1) for year in years]
