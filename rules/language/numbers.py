"""Numbers within a predicate: how each is computed from arrays of facts, and between what bounds it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import Fact, Kind, find

Facts = Mapping[str, NDArray[Any]]
Compiled = Callable[[Facts], Any]

LARGEST = 2**31
"""The largest number that may be written."""
WIDEST = 2**62
"""The largest that may come out, so that no sum overflows int64."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of every child: a constant, a fact, or sums and products of them.

    `factors` and `constant` are it as a sum of facts, where it is one (`linear`); `low` and `high` bound it.
    """

    test: Compiled
    low: Fraction
    high: Fraction
    facts: frozenset[str]
    exact: bool
    """Whether all its facts and constants are whole numbers."""
    linear: bool
    factors: Mapping[str, Fraction]
    constant: Fraction


def constant(text: str, *, whole: bool) -> Number:
    """A number as written."""
    value = Fraction(text)
    plain = np.int64(int(value)) if whole else np.float64(float(value))
    return Number(lambda _: plain, value, value, frozenset(), whole, linear=True, factors={}, constant=value)


def of_fact(fact: Fact) -> Number:
    """The values of a fact."""
    name, whole = fact.name, fact.kind is Kind.COUNT
    low, high = Fraction(fact.low), Fraction(fact.high)
    factors = {name: Fraction(1)}
    return Number(
        lambda facts: facts[name],
        low,
        high,
        frozenset({name}),
        whole,
        linear=True,
        factors=factors,
        constant=Fraction(0),
    )


def negative(one: Number) -> Number:
    """A number with its sign changed."""
    factors = {name: -factor for name, factor in one.factors.items()}
    return Number(
        lambda facts: np.negative(one.test(facts)),
        -one.high,
        -one.low,
        one.facts,
        one.exact,
        linear=one.linear,
        factors=factors,
        constant=-one.constant,
    )


def total(left: Number, right: Number) -> Number:
    """The sum of two numbers."""
    names = {*left.factors, *right.factors}
    factors = {name: left.factors.get(name, Fraction(0)) + right.factors.get(name, Fraction(0)) for name in names}
    return Number(
        lambda facts: np.add(left.test(facts), right.test(facts)),
        left.low + right.low,
        left.high + right.high,
        left.facts | right.facts,
        left.exact and right.exact,
        linear=left.linear and right.linear,
        factors={name: factor for name, factor in factors.items() if factor},
        constant=left.constant + right.constant,
    )


def product(left: Number, right: Number) -> Number:
    """The product of two numbers; a sum of facts no more where both hold one."""
    corners = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
    times, sums = (left.constant, right) if not left.facts else (right.constant, left)
    linear = left.linear and right.linear and not (left.facts and right.facts)
    return Number(
        lambda facts: np.multiply(left.test(facts), right.test(facts)),
        min(corners),
        max(corners),
        left.facts | right.facts,
        left.exact and right.exact,
        linear=linear,
        factors={name: factor * times for name, factor in sums.factors.items() if factor * times} if linear else {},
        constant=sums.constant * times if linear else Fraction(0),
    )


def bounds(one: Number) -> tuple[Fraction, Fraction]:
    """The least and the most a number can be; of a sum of facts exactly so."""
    if not one.linear:
        return one.low, one.high
    ends = [sorted((factor * low, factor * high)) for factor, low, high in _domains(one)]
    return (
        one.constant + sum((low for low, _ in ends), Fraction(0)),
        one.constant + sum((high for _, high in ends), Fraction(0)),
    )


def _domains(one: Number) -> list[tuple[Fraction, Fraction, Fraction]]:
    found = [(factor, find(name)) for name, factor in one.factors.items()]
    return [(factor, Fraction(fact.low), Fraction(fact.high)) for factor, fact in found if fact is not None]
