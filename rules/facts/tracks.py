"""Which timetable holds for each child day by day, and what its school days are by it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.calendar import Calendar
from rules.facts.families import HOLIDAY_DAYS


@dataclass(frozen=True)
class Tracks:
    """Timetables along the days of a calendar; knows no mark.

    `variants` intp (tracks, days) is the calendar variant that holds on each day, `of` intp (rows,) each child's track.
    Nearly all children keep one timetable and share a track; one that changed school has the days of both.
    """

    calendar: Calendar
    variants: NDArray[np.intp]
    of: NDArray[np.intp]

    @cached_property
    def only(self) -> int | None:
        """The track that all children share; None where they do not."""
        return int(self.of[0]) if len(self.of) and bool((self.of == self.of[0]).all()) else None

    @cached_property
    def taught(self) -> NDArray[np.bool_]:
        """Which days are school days; (tracks, days)."""
        calendar = self.calendar
        expected = calendar.expected.reshape(len(calendar.tables), len(calendar.dates), calendar.slots)
        return self.along(np.asarray(expected.any(axis=2), np.bool_))

    @cached_property
    def edges(self) -> NDArray[np.bool_]:
        """Which days are on the first or last weekday of the school's week, mostly Monday, Friday; (tracks, days)."""
        weekdays = np.array([day.isoweekday() for day in self.calendar.dates], np.int64)
        weeks = [table.weekdays or {1, 5} for table in self.calendar.tables]
        return self.along(np.array([(weekdays == min(week)) | (weekdays == max(week)) for week in weeks]))

    @cached_property
    def opens(self) -> NDArray[np.bool_]:
        """Which days open a term or end a holiday, that is HOLIDAY_DAYS without school; (tracks, days)."""
        opens = np.zeros(self.variants.shape, np.bool_)
        ordinals = np.array([day.toordinal() for day in self.calendar.dates], np.int64)
        for track, taught in enumerate(self.taught):
            days = np.flatnonzero(taught)
            opens[track, days[np.diff(ordinals[days], prepend=-HOLIDAY_DAYS) > HOLIDAY_DAYS]] = True
        return opens

    def along(self, by_variant: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What is so of each day by the timetable that holds on it, from (variants, days) to (tracks, days)."""
        return by_variant[self.variants, np.arange(self.variants.shape[1])]


def tracks_of(calendar: Calendar, variant: NDArray[np.intp]) -> Tracks:
    """The tracks of children whose calendar variants are (rows, 1), or (rows, columns) where one changed class."""
    days, tables = len(calendar.dates), np.arange(len(calendar.tables))
    unchanged = np.repeat(tables[:, None], days, axis=1)
    if not days:
        return Tracks(calendar, unchanged, np.zeros(len(variant), np.intp))
    daily = variant if variant.shape[1] == 1 else variant[:, :: calendar.slots]
    changed = np.flatnonzero((daily != daily[:, :1]).any(axis=1))
    if not len(changed):
        return Tracks(calendar, unchanged, daily[:, 0])
    kinds, which = np.unique(daily[changed], axis=0, return_inverse=True)
    of = daily[:, 0].copy()
    of[changed] = len(tables) + which.reshape(-1)
    return Tracks(calendar, np.concatenate([unchanged, kinds]), of)
