"""Whether a condition can be both true and false: tried at every point at which it may change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import Fact, Kind, find

MOST_POINTS = 100_000
"""Where there are more combinations, nothing is claimed."""

Points = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A condition to be tried: `edges` are the values of a fact at which it may change, by the fact's name.

    What compares several facts is given up as a question of its own (`open`, by its text), as true as false; so what
    is always or never true here is so for every child, though not everything that is so is found.
    """

    trial: Callable[[Points], NDArray[np.bool_]]
    edges: Mapping[str, frozenset[Fraction]] = field(default_factory=dict)
    open: frozenset[str] = frozenset()


def joined(shapes: tuple[Shape, ...], trial: Callable[[Points], NDArray[np.bool_]]) -> Shape:
    """A condition made of others."""
    edges: dict[str, frozenset[Fraction]] = {}
    for shape in shapes:
        for name, values in shape.edges.items():
            edges[name] = edges.get(name, frozenset()) | values
    return Shape(trial, edges, frozenset[str]().union(*(shape.open for shape in shapes)))


def verdict(shape: Shape) -> bool | None:
    """True where it is always true, False where never, None where it depends or cannot be told."""
    points = _points(shape)
    if points is None:
        return None
    found = np.asarray(shape.trial(points), np.bool_)
    if found.all():
        return True
    return None if found.any() else False


def _points(shape: Shape) -> Points | None:
    axes = {name: _axis(find(name), edges) for name, edges in shape.edges.items()}
    axes |= {name: np.array([False, True]) for name in shape.open}
    if math.prod(map(len, axes.values())) > MOST_POINTS:
        return None
    grids = np.meshgrid(*axes.values(), indexing="ij") if axes else []
    return {name: grid.ravel() for name, grid in zip(axes, grids, strict=True)}


def _axis(fact: Fact | None, edges: frozenset[Fraction]) -> NDArray[Any]:
    """Values of a fact on every side of its edges, ascending."""
    if fact is None or fact.kind is Kind.FLAG:
        return np.array([False, True])
    low, high = Fraction(fact.low), Fraction(fact.high)
    if fact.kind is Kind.COUNT:
        near = {math.floor(edge) + step for edge in edges for step in (-1, 0, 1, 2)}
        return np.array(sorted({int(low), int(high), *(one for one in near if low <= one <= high)}), np.int64)
    inside = sorted({low, high, *(edge for edge in edges if low <= edge <= high)})
    between = [(one + other) / 2 for one, other in pairwise(inside)]
    return np.array(sorted(map(float, (*inside, *between))), np.float64)
