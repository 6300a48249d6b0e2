"""How much of a class and school was absent in a session, as known at an instant: from the turns of their cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground, Rows
from rules.backtest.tracked import Tracked, Turns
from rules.facts.shares import schools_of

_RANK = 32
"""Bits of a key that are an instant's place among all instants."""


class Counted:
    """Turns counted by unit and column along time; answers how many there were at an instant."""

    def __init__(self, turns: Turns, unit: NDArray[np.int64], columns: int) -> None:
        row, column, time, by = turns.all()
        self.times = np.unique(time)
        key = (unit[row, column if unit.shape[1] > 1 else 0] * columns + column) << _RANK
        key += np.searchsorted(self.times, time)
        order = np.argsort(key, kind="stable")
        self._keys, self._total = key[order], np.concatenate([[0], np.cumsum(by[order].astype(np.int64))])

    def at(self, place: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many there were in each place (unit × columns + column) by each instant."""
        rank = np.searchsorted(self.times, now, "right")
        upto = np.searchsorted(self._keys, (place << _RANK) + rank, "left")
        begins = np.searchsorted(self._keys, place << _RANK, "left")
        return np.asarray(self._total[upto] - self._total[begins], np.int64)


class Shares:
    """The shares of every class and school of a ground, once everything that became known of it has been passed."""

    def __init__(self, ground: Ground, tracked: Tracked) -> None:
        history = ground.group.history
        classes = ground.group.classes.astype(np.int64)
        self._units = [classes, schools_of(history.school_ids, len(history.class_ids))[classes]]
        self._columns = ground.columns
        self._absent = [Counted(tracked.missed, unit, ground.columns) for unit in self._units]
        self._moved = [Counted(tracked.expected, unit, ground.columns) for unit in self._units]
        self._base = [_expected(ground, unit) for unit in self._units]

    def of(
        self, rows: Rows, column: NDArray[np.int32], now: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The percentages of the class and of the school of each child absent in a column, by `now`; 0 for −1."""
        in_class, in_school = (self._share(n, rows, column.astype(np.int64), now) for n in range(2))
        return in_class, in_school

    def _share(self, which: int, rows: Rows, column: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.float64]:
        unit, at = self._units[which], np.maximum(column, 0)
        place = unit[rows, at if unit.shape[1] > 1 else 0] * self._columns + at
        absent = self._absent[which].at(place, now)
        expected = self._base[which][place] + self._moved[which].at(place, now)
        return np.where(column >= 0, 100.0 * absent / np.maximum(expected, 1), 0.0)


def _expected(ground: Ground, unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of each unit are expected in each column before any movement is known; flat."""
    found = np.zeros((int(unit.max(initial=0)) + 1) * ground.columns, np.int64)
    for column in range(ground.columns):
        of = unit[:, column if unit.shape[1] > 1 else 0]
        np.add.at(found, of * ground.columns + column, ground.enrolled[:, column])
    return found
