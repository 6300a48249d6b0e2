"""How likely it is by chance: the upper tail of a binomial distribution, for many children at once."""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

_BASE = 1 << 12
"""More than any number of school days."""


def binomial_tails(
    hits: NDArray[np.int64], tries: NDArray[np.int64], edge: NDArray[np.int64], known: NDArray[np.int64]
) -> NDArray[np.float64]:
    """P(X ≥ hits) for X binomial of `tries`, each with chance edge/known; all int64 (n,), `known` above 0.

    The same few combinations occur again and again, so each is worked out once.
    """
    packed = ((hits * _BASE + tries) * _BASE + edge) * _BASE + known
    kinds, index = np.unique(packed, return_inverse=True)
    return np.array([_tail(int(kind)) for kind in kinds], np.float64)[index]


@cache
def _tail(packed: int) -> float:
    rest, known = divmod(packed, _BASE)
    rest, edge = divmod(rest, _BASE)
    hits, tries = divmod(rest, _BASE)
    chance = edge / known
    terms = (comb(tries, n) * chance**n * (1 - chance) ** (tries - n) for n in range(hits, tries + 1))
    return min(sum(terms), 1.0)
