"""How much of a child's class and school was absent in the last session heard of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rules.register import MISSED, SKIP, Register


def absent_shares(
    register: Register, meaning: NDArray[np.uint8], upto: NDArray[np.int32], schools: Sequence[str | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each row the percentage of its class and of its school absent without leave in column `upto`; 0 for −1.

    `schools` by class index; a class without one is its own school.
    """
    of_class = schools_of(schools, int(register.classes.max(initial=-1)) + 1)
    in_class, in_school = np.zeros(register.rows, np.float64), np.zeros(register.rows, np.float64)
    for column in np.unique(upto[upto >= 0]):
        classes = register.classes[:, column if register.classes.shape[1] > 1 else 0]
        rows = np.flatnonzero(upto == column)
        for units, found in ((classes, in_class), (of_class[classes], in_school)):
            absent = np.bincount(units, meaning[:, column] == MISSED)
            expected = np.bincount(units, meaning[:, column] != SKIP)
            mine = units[rows]
            found[rows] = 100.0 * absent[mine] / np.maximum(expected[mine], 1)
    return in_class, in_school


def schools_of(schools: Sequence[str | None], classes: int) -> NDArray[np.int64]:
    """A number for the school of each class, by class index; a class without one gets a number of its own."""
    numbers: dict[str, int] = {}
    named = [schools[n] if n < len(schools) else None for n in range(classes)]
    for school in named:
        if school is not None:
            numbers.setdefault(school, len(numbers))
    alone = len(numbers)
    return np.array([numbers[one] if one is not None else alone + n for n, one in enumerate(named)] or [0], np.int64)
