"""Cells that came to mean something, and ceased to, each with its instant: what units are counted by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Turns:
    """Turns of cells, flat: whose, which, when (int64 microseconds), and +1 or −1."""

    row: list[NDArray[np.int32]]
    column: list[NDArray[np.int32]]
    time: list[NDArray[np.int64]]
    by: list[NDArray[np.int8]]

    @classmethod
    def none(cls) -> Turns:
        """Nothing yet."""
        return cls([], [], [], [])

    def note(
        self, row: NDArray[np.intp], column: NDArray[np.int32], time: NDArray[np.int64], by: NDArray[np.int8]
    ) -> None:
        """Add some."""
        self.row.append(row.astype(np.int32))
        self.column.append(column.astype(np.int32))
        self.time.append(time)
        self.by.append(by)

    def compare(self, row: int, time: int, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> None:
        """Add what changed in the columns of one child at an instant."""
        changed = np.flatnonzero(before != after)
        if len(changed):
            by = np.where(after[changed], 1, -1).astype(np.int8)
            size = len(changed)
            self.note(np.full(size, row), changed.astype(np.int32), np.full(size, time, np.int64), by)

    def all(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int8]]:
        """Row, column, time and sign of all of them."""
        return (
            np.concatenate([np.zeros(0, np.int32), *self.row]),
            np.concatenate([np.zeros(0, np.int32), *self.column]),
            np.concatenate([np.zeros(0, np.int64), *self.time]),
            np.concatenate([np.zeros(0, np.int8), *self.by]),
        )


@dataclass
class Tracked:
    """What is followed of a group: who is absent without leave, and who is expected."""

    missed: Turns
    expected: Turns

    @classmethod
    def none(cls) -> Tracked:
        """Nothing yet."""
        return cls(Turns.none(), Turns.none())
