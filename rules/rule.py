"""One rule as accepted: whom it covers, when it holds, how long it waits, what it sets off; values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.predicate import Predicate
from rules.traits import Traits, grade_number

Days = NDArray[np.datetime64]
"""Dates, one a row; NaT where there is none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The children a rule is about: in one of `units`, in one of `grades` and with one of `tags`; empty: any."""

    units: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def everybody(self) -> bool:
        """Whether it leaves nobody out."""
        return not (self.units or self.grades or self.tags)

    def covers(self, traits: Traits) -> NDArray[np.bool_]:
        """Whom it covers; bool (rows,)."""
        covered = np.ones(traits.rows, np.bool_)
        if self.units:
            covered &= self.distance(traits) < OUTSIDE
        if self.grades:
            numbers = [number for number in map(grade_number, self.grades) if number]
            named = np.fromiter((text in self.grades for text in traits.grade_text), np.bool_, traits.rows)
            covered &= named | np.isin(traits.grade, numbers)
        if self.tags:
            covered &= np.any([traits.tagged(tag) for tag in self.tags], axis=0)
        return covered

    def distance(self, traits: Traits) -> NDArray[np.int64]:
        """How many units up the nearest of `units` is, 0 being the class; OUTSIDE where none is; int64 (rows,)."""
        wanted = frozenset(self.units)
        if not wanted:
            return np.full(traits.rows, OUTSIDE, np.int64)
        nearest = (
            next((steps for steps, unit in enumerate(units) if unit in wanted), OUTSIDE) for units in traits.units
        )
        return np.fromiter(nearest, np.int64, traits.rows)


OUTSIDE = 1_000
"""Farther than any unit is above a class."""


@dataclass(frozen=True, slots=True)
class Priority:
    """Children with one of `tags` wait only `after`; never flags anybody by itself."""

    tags: tuple[str, ...]
    after: dt.timedelta

    def covers(self, traits: Traits) -> NDArray[np.bool_]:
        """Who waits less; bool (rows,)."""
        return Scope(tags=self.tags).covers(traits)


@dataclass(frozen=True, slots=True)
class Rule:
    """One accepted rule; `version` changes with every character that matters."""

    rule_id: str
    title: Mapping[str, str]
    when: Predicate
    until: Predicate | None
    """When a sign that was raised is over; None: when `when` does not hold."""
    after: dt.timedelta
    since: str
    school_time: bool
    stage: str
    ladder: str | None
    rearm: dt.timedelta
    """How long a sign rests after it was raised before it may be raised again."""
    scope: Scope
    priority: Priority | None
    law: str | None
    """Where the duty comes from (`source` in the file)."""
    first: dt.date | None
    last: dt.date | None
    source: str
    line: int | None
    version: str
    body: str = ""
    """Everything its table says, as JSON: what `version` is a short name of."""

    @property
    def needs(self) -> frozenset[str]:
        """The names of the facts it speaks of."""
        return self.when.facts | (self.until.facts if self.until is not None else frozenset())

    def in_force(self, heard: Days) -> NDArray[np.bool_]:
        """Where the date last heard of lies within `from` and `to`; bool (rows,). No date counts as the latest."""
        known = ~np.isnat(heard)
        begun = heard >= np.datetime64(self.first, "D") if self.first is not None else np.ones(len(heard), np.bool_)
        ended = heard > np.datetime64(self.last, "D") if self.last is not None else np.zeros(len(heard), np.bool_)
        unknown = self.last is None
        return np.asarray(np.where(known, begun & ~ended, unknown), np.bool_)
