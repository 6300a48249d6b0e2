"""A checked `when` or `until` of a rule: what it says of arrays of facts; the parser of its text is not needed here."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.language.extremes import Shape, joined, verdict
from rules.language.numbers import Compiled, Facts


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked `when` or `until`, and the facts it speaks of."""

    text: str
    facts: frozenset[str]
    test: Compiled
    shape: Shape | None = field(default=None, repr=False, compare=False)

    def __call__(self, facts: Facts) -> NDArray[np.bool_]:
        """Where it holds: bool, one value a child, from arrays of the same length by the name of the fact."""
        return np.asarray(self.test(facts), np.bool_)


def ends(when: Predicate, until: Predicate) -> bool:
    """Whether `until` can be true while `when` is not, so that what was raised can ever be over."""
    if when.shape is None or until.shape is None:
        return True
    one, other = when.shape, until.shape
    over = joined((one, other), lambda points: np.logical_and(other.trial(points), np.logical_not(one.trial(points))))
    return verdict(over) is not False
