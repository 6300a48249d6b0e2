"""The spans from the start of one session of a group to the next, and what falls into which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Group
from rules.backtest.times import Times
from rules.instants import NEVER


@dataclass(frozen=True)
class Slots:
    """The slots of a group; what became known before the first belongs to it.

    `starts` int64 microseconds (slots,) are the beginnings, `days` intp (slots,) the days of the grid they lie on.
    `of_instant` int32 is the slot of each instant of `times`, `low` intp (slots + 1,) the place of the first of each;
    `of_session` int32 (variants, columns) the slot that begins with each session, −1 where none does.
    """

    times: Times
    starts: NDArray[np.int64]
    days: NDArray[np.intp]
    of_instant: NDArray[np.int32]
    low: NDArray[np.intp]
    of_session: NDArray[np.int32]

    @cached_property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest that holds the place of an instant within its slot."""
        return np.dtype(np.min_scalar_type(int(np.diff(self.low).max(initial=0))))

    @cached_property
    def instants(self) -> Sequence[NDArray[np.int64]]:
        """The instants of each slot, microseconds."""
        return np.split(self.times.instants, self.low[1:-1])

    def at(self, time: NDArray[np.int64]) -> NDArray[np.int32]:
        """The slots of any instants, microseconds."""
        return _slot_of(self.starts, time)

    def place(self, slot: NDArray[np.int32], time: NDArray[np.int64]) -> NDArray[np.intp]:
        """The places of instants of `times`, microseconds, within their slots."""
        return np.searchsorted(self.times.instants, time) - self.low[slot]


def slots_of(group: Group) -> Slots:
    """The slots of a group."""
    calendar, times, of = group.history.calendar, group.times, np.unique(group.variant)
    starts = np.unique(calendar.starts[of][calendar.expected[of]])
    days = np.searchsorted(_day_starts(group, of), starts, "right") - 1
    slot = _slot_of(starts, times.instants)
    low = np.searchsorted(slot, np.arange(len(starts) + 1))
    begins = np.searchsorted(times.instants, starts)
    of_session = np.where(np.isin(times.starts, begins), slot[times.starts], np.int32(-1))
    return Slots(times, starts, days, slot, low, of_session)


def _slot_of(starts: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.maximum(np.searchsorted(starts, time, "right") - 1, 0).astype(np.int32)


def _day_starts(group: Group, of: NDArray[np.intp]) -> NDArray[np.int64]:
    """The first start of each day of the grid among these variants, none before the day before's; microseconds."""
    calendar = group.history.calendar
    begins = np.where(calendar.expected[of], calendar.starts[of], NEVER).reshape(len(of), -1, calendar.slots)
    first = begins.min(axis=(0, 2))
    # A day none of these variants expects anybody on begins with the next that one does.
    return np.minimum.accumulate(first[::-1])[::-1]
