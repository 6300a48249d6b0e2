"""Marks of a backtest gathered into rolls: one for each class, session, instant of recording and of becoming known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.feeds.pieces import combined
from rules.records import Mark

Times = NDArray[np.int64]
Numbers = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calls:
    """Rolls of one source, each with when it became known, and the marks in them; see `rules.rolls.Rolls`."""

    class_index: NDArray[np.int32]
    column: NDArray[np.int32]
    recorded_at: Times
    known_at: Times
    line: NDArray[np.int32]
    implied: NDArray[np.bool_]
    roll: NDArray[np.int32]
    row: NDArray[np.int32]
    code: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Said:
    """Marks with class, session and child, when their source knew them (NEVER: not said), and their line."""

    class_index: Numbers
    column: Numbers
    ends: Times
    row: Numbers
    code: NDArray[np.uint8]
    recorded_at: Times
    line: Numbers

    def where(self, wanted: NDArray[np.bool_] | NDArray[np.intp]) -> Said:
        """Only these."""
        return Said(*(getattr(self, name)[wanted] for name in Said.__dataclass_fields__))


def joined(one: Said, other: Said) -> Said:
    """Marks of both, one behind the other."""
    names = Said.__dataclass_fields__
    return Said(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))


def grouped(said: Said, recorded: Times, known: Times, implied: NDArray[np.bool_]) -> Calls:
    """Marks in rolls, one for each class, session, instant of recording and of becoming known.

    Of two marks for one child in one roll the later line counts, that of a refused row (UNTAKEN) only if there is no
    other; a roll's line is its last.
    """
    _, first, roll = np.unique(said.class_index, return_index=True, return_inverse=True)
    for other in (said.column, recorded, known):
        first, roll = combined(roll, np.unique(other, return_inverse=True)[1])
    order = np.lexsort((said.line, said.code != Mark.UNTAKEN, said.row, roll))
    last = np.ones(len(order), np.bool_)
    last[:-1] = (roll[order[1:]] != roll[order[:-1]]) | (said.row[order[1:]] != said.row[order[:-1]])
    kept = order[last]
    line = np.zeros(len(first), np.int64)
    np.maximum.at(line, roll[kept], said.line[kept])
    return Calls(
        said.class_index[first].astype(np.int32),
        said.column[first].astype(np.int32),
        recorded[first],
        known[first],
        line.astype(np.int32),
        implied[first],
        roll[kept].astype(np.int32),
        said.row[kept].astype(np.int32),
        said.code[kept],
    )
