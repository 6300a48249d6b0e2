"""Mass absences as they became known: when a class or school had too many absent in one session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground
from rules.backtest.tracked import Turns
from rules.facts.shares import schools_of
from rules.incidents import STORM_LEAST, MassAbsence
from rules.instants import HOUR, from_micros
from rules.register import SKIP

LOOK_BACK = 7 * 24 * HOUR
"""Mass absences that show only so long after their session are history."""


@dataclass(frozen=True)
class Storm:
    """A mass absence, and the instant by which it showed, microseconds."""

    since: int
    absence: MassAbsence


def storms_of(ground: Ground, missed: Turns, share: float) -> list[Storm]:
    """The mass absences of the classes and schools of a ground that has been walked to its end, none of them judged.

    How many are expected is taken as it turned out.
    """
    if not missed.row:
        return []
    history = ground.group.history
    classes = ground.group.classes[:, -1]
    schools = schools_of(history.school_ids, len(history.class_ids))
    number = {int(schools[index]): school for index, school in enumerate(history.school_ids) if school is not None}
    found = _of_units(ground, missed, classes, dict(enumerate(history.class_ids)), share)
    return found + _of_units(ground, missed, schools[classes], number, share)


def _of_units(
    ground: Ground, missed: Turns, unit: NDArray[np.int64] | NDArray[np.int32], names: dict[int, str], share: float
) -> list[Storm]:
    row, column = np.concatenate(missed.row), np.concatenate(missed.column)
    key = unit[row].astype(np.int64) * ground.columns + column
    many = np.flatnonzero(np.bincount(key)[key] >= STORM_LEAST)
    if not len(many):
        return []
    time, by = np.concatenate(missed.time), np.concatenate(missed.by)
    kinds, index = np.unique(key[many], return_inverse=True)
    order = np.lexsort((time[many], index))
    of, at = index[order], time[many][order]
    total = np.cumsum(by[many][order].astype(np.int64))
    begins = np.flatnonzero(np.diff(of, prepend=-1))
    base = np.zeros(len(of), np.int64)
    base[begins] = np.diff(np.concatenate([[0], total[begins - 1] * (begins > 0)]))
    absent = total - np.cumsum(base)
    last = np.append((of[1:] != of[:-1]) | (at[1:] != at[:-1]), True)
    expected = _expected(ground, unit, kinds)[of]
    stormy = last & (absent >= STORM_LEAST) & (absent > share * expected)
    first = np.flatnonzero(stormy)[np.unique(of[stormy], return_index=True)[1]]
    return [
        storm
        for n in first.tolist()
        if (storm := _storm(ground, unit, names, int(kinds[of[n]]), int(at[n]))) is not None
    ]


def _expected(
    ground: Ground, unit: NDArray[np.int64] | NDArray[np.int32], kinds: NDArray[np.int64]
) -> NDArray[np.int64]:
    units, columns = np.divmod(kinds, ground.columns)
    found = np.zeros(len(kinds), np.int64)
    for column in np.unique(columns):
        here = columns == column
        of_unit = np.bincount(unit, ground.meaning[column] != SKIP, int(unit.max()) + 1)
        found[here] = of_unit[units[here]]
    return found


def _storm(
    ground: Ground, unit: NDArray[np.int64] | NDArray[np.int32], names: dict[int, str], kind: int, since: int
) -> Storm | None:
    of, column = divmod(kind, ground.columns)
    variant = int(ground.variant[np.flatnonzero(unit == of)[0]])
    start = int(ground.calendar.starts[variant, column])
    if of not in names or since >= start + LOOK_BACK:
        return None
    return Storm(since, MassAbsence(f"storm-{names[of]}-{column}", names[of], (from_micros(start),)))
