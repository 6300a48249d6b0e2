"""What facts are read from: some rows of a tally at their last day heard, with their runs, movements and traits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.facts.moves import Moves
from rules.facts.tally import Tally
from rules.facts.windows import Windows
from rules.traits import Traits

NEAR, FAR = _TREND = ("near", "far")
"""The two windows of a trend, by the name `start_of` knows them."""


@dataclass(frozen=True)
class Days:
    """A day for each row: nearly all have one and the same, so that it need be looked up only once.

    `odd` are the positions of the others, `odd_days` theirs; all intp.
    """

    usual: int
    odd: NDArray[np.intp]
    odd_days: NDArray[np.intp]

    @classmethod
    def of(cls, days: NDArray[np.int64]) -> Days:
        """The days (rows,), numbers of days in the grid."""
        if not len(days):
            return cls(0, np.zeros(0, np.intp), np.zeros(0, np.intp))
        usual = int(np.bincount(days).argmax())
        odd = np.flatnonzero(days != usual)
        return cls(usual, odd, days[odd].astype(np.intp))


@dataclass(frozen=True)
class Reading:
    """What facts are read from, of some rows of a tally; reads nothing by itself.

    `rows` index the tally, and so do traits and movements; parallel to `rows` are `absent_days` and `absent_sessions`
    int64 of the current runs, `last_seen` int64 microseconds (0: never; right where a transfer is open), `class_share`
    and `school_share` float64 percent.
    """

    tally: Tally
    windows: Windows
    rows: NDArray[np.intp]
    traits: Traits
    absent_days: NDArray[np.int64]
    absent_sessions: NDArray[np.int64]
    moves: Moves
    last_seen: NDArray[np.int64]
    class_share: NDArray[np.float64] | None = None
    school_share: NDArray[np.float64] | None = None

    @cached_property
    def heard(self) -> NDArray[np.intp]:
        """One more than the last day of which anything was heard; 0 where nothing was. (rows,)."""
        return np.asarray(self.tally.series["heard"][self.tally.reached, self._which], np.intp)

    @cached_property
    def _which(self) -> NDArray[np.intp] | slice:
        whole = len(self.rows) == len(self.tally.tracks.of) and bool((self.rows == np.arange(len(self.rows))).all())
        return slice(None) if whole else self.rows

    @cached_property
    def last_day(self) -> Days:
        """The last day heard."""
        return Days.of(self.heard)

    def at(self, name: str, window: str | None = None) -> NDArray[np.int64]:
        """A series' value at the last day heard, or before the window that ends with it; (rows,)."""
        key = (name, window)
        if key not in self._found:
            self._found[key] = self.before(name, self.last_day if window is None else self.start_of(window))
        return self._found[key]

    @cached_property
    def _found(self) -> dict[tuple[str, str | None], NDArray[np.int64]]:
        return {}

    def before(self, name: str, days: Days) -> NDArray[np.int64]:
        """A series' value before the given days (rows,)."""
        series = self.tally.series[name]
        found = series[days.usual, self._which].astype(np.int64)
        if len(days.odd):
            found[days.odd] = series[days.odd_days, self.rows[days.odd]]
        return found

    def within(self, name: str, window: str) -> NDArray[np.int64]:
        """The sum of a series over a window that ends with the last day heard."""
        return self.at(name) - self.at(name, window)

    def start_of(self, window: str) -> Days:
        """The day a window begins with."""
        if window not in self._starts:
            table = self.windows.trend[_TREND.index(window)] if window in _TREND else self.windows.starts(window)
            self._starts[window] = self._looked_up(table)
        return self._starts[window]

    @cached_property
    def _starts(self) -> dict[str, Days]:
        return {}

    def _looked_up(self, table: NDArray[np.int64]) -> Days:
        """The days a table (tracks, days + 1) holds for each row."""
        heard, only = self.last_day, self.tally.tracks.only
        if only is None:
            return Days.of(self.by_heard(table))
        return Days(int(table[only, heard.usual]), heard.odd, table[only, heard.odd_days].astype(np.intp))

    def by_heard(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """What a table (tracks, days + 1) holds for each row's track and last day heard."""
        return np.asarray(table[self.tally.tracks.of[self._which], self.heard], np.int64)
