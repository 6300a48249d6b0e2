"""Parts of a predicate that are true or false: how each is computed, and how it is tried for being always so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from rules.language.extremes import Shape, joined
from rules.language.numbers import Compiled, Facts

_EQUALITIES = (np.equal, np.not_equal)


@dataclass(frozen=True, slots=True)
class Truth:
    """A part that is true or false of every child, and the facts it speaks of."""

    test: Compiled
    shape: Shape
    facts: frozenset[str]


def negated(one: Truth) -> Truth:
    """What is true where the other is not."""

    def trial(points: Facts) -> NDArray[np.bool_]:
        return np.logical_not(one.shape.trial(points))

    return Truth(lambda facts: np.logical_not(one.test(facts)), joined((one.shape,), trial), one.facts)


def join(combine: np.ufunc, parts: Sequence[Truth]) -> Truth:
    """Parts joined by AND or OR."""

    def test(facts: Facts) -> NDArray[np.bool_]:
        return np.asarray(reduce(combine, (part.test(facts) for part in parts)))

    def trial(points: Facts) -> NDArray[np.bool_]:
        return np.asarray(reduce(combine, (part.shape.trial(points) for part in parts)))

    shape = joined(tuple(part.shape for part in parts), trial)
    return Truth(test, shape, frozenset[str]().union(*(part.facts for part in parts)))


def pair(compare: np.ufunc, left: Compiled, right: Compiled) -> Compiled:
    """The comparison of two numbers."""
    return lambda facts: np.asarray(compare(left(facts), right(facts)))


def decided_between(compare: np.ufunc, low: Fraction, high: Fraction) -> bool | None:
    """Whether a number from `low` to `high` always compares with zero the same way; None where not."""
    zero = Fraction(0)
    if compare in _EQUALITIES:
        outside = high < zero or low > zero
        return compare is np.not_equal if outside else (compare is np.equal if low == high else None)
    found = {bool(compare(low, zero)), bool(compare(high, zero))}
    return found.pop() if len(found) == 1 else None


def size_of(points: Facts) -> int:
    """How many points are tried."""
    return max(map(len, points.values()), default=1)
