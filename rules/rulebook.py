"""The rules in force together: which reports a child's absence, which set a stage, which are signs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.faults import RuleFault
from rules.rule import Days, Priority, Rule, Scope
from rules.rulefile import read_file
from rules.traits import Traits

__all__ = [
    "Priority",
    "Rule",
    "RuleFault",
    "Rulebook",
    "RulebookError",
    "Scope",
    "read_rules",
]

_STAGES = ("dropped_out", "suspected")
"""The farther first."""


@dataclass(frozen=True)
class Rulebook:
    """The accepted rules by id; decides nothing."""

    rules: Mapping[str, Rule]

    @cached_property
    def reports(self) -> tuple[Rule, ...]:
        """The rules that report an absence; the one for everybody first."""
        found = [rule for rule in self.rules.values() if rule.stage == "reported"]
        return tuple(sorted(found, key=lambda rule: not rule.scope.everybody))

    @cached_property
    def stages(self) -> tuple[Rule, ...]:
        """The rules by which a reported case is suspected, or dropped out; the farther stage first."""
        found = [rule for rule in self.rules.values() if rule.stage in _STAGES]
        return tuple(sorted(found, key=lambda rule: _STAGES.index(rule.stage)))

    @cached_property
    def signs(self) -> tuple[Rule, ...]:
        """The rules that neither report nor set a stage: at-risk signs and the deadlines before and beside a report."""
        return tuple(rule for rule in self.rules.values() if rule.stage in {"watch", "first_absence"})

    @cached_property
    def needs(self) -> frozenset[str]:
        """The names of all facts the rules speak of."""
        return frozenset[str]().union(*(rule.needs for rule in self.rules.values()))

    def reported_for(self, traits: Traits, heard: Days | None = None) -> NDArray[np.int64]:
        """By which of `reports` each child is reported, an index; int64 (rows,).

        The narrowest scope that covers it, of the rules in force on the date last heard of it: units beat none, a
        nearer unit a farther one, then more conditions fewer, then the shorter wait the longer. Without dates every
        rule counts as in force.
        """
        chosen = np.zeros(traits.rows, np.int64)
        best = np.full(traits.rows, np.iinfo(np.int64).max, np.int64)
        for index, rule in sorted(enumerate(self.reports), key=lambda one: (one[1].after, one[0])):
            covered = rule.scope.covers(traits)
            if heard is not None:
                covered &= rule.in_force(heard)
            width = rule.scope.distance(traits) * 4 - bool(rule.scope.grades) - bool(rule.scope.tags)
            better = covered & (width < best)
            chosen[better], best[better] = index, width[better]
        return chosen


class RulebookError(Exception):
    """The rule files cannot be accepted; `faults` says everything that is wrong with them."""

    def __init__(self, faults: Iterable[RuleFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{len(self.faults)} faults in the rule files")


def read_rules(sources: Iterable[tuple[str, str]], ladders: Iterable[str]) -> Rulebook:
    """The rules of `sources` (name, text), later ones replacing earlier ones of the same id.

    `ladders` are the ids a rule may name. Raises RulebookError with every fault of every file.
    """
    faults: list[RuleFault] = []
    rules: dict[str, Rule] = {}
    known = tuple(ladders)
    for name, text in sources:
        rules |= read_file(name, text, known, faults)
    book = Rulebook(rules)
    if not faults:
        faults += _reporting(book.reports)
    if faults:
        raise RulebookError(faults)
    return book


def _reporting(reports: Sequence[Rule]) -> list[RuleFault]:
    """What is wrong with the reporting rules together: two of one scope at one time, or a time without one for all."""
    faults = [
        _beside(second, first)
        for number, second in enumerate(reports)
        for first in reports[:number]
        if first.scope == second.scope and _first(first) <= _last(second) and _first(second) <= _last(first)
    ]
    return faults or _gaps([rule for rule in reports if rule.scope.everybody])


def _beside(second: Rule, first: Rule) -> RuleFault:
    fault = f"a second rule of stage 'reported' for the same children: '{second.rule_id}' beside '{first.rule_id}'"
    hint = f"give it the id {first.rule_id} to replace the other, or a scope, or from and to of its own"
    return RuleFault(second.source, second.line, "id", fault, hint)


def _gaps(everybody: Sequence[Rule]) -> list[RuleFault]:
    """A fault where some day has no rule that reports every child."""
    if not everybody:
        hint = 'packs = ["statutory"] has one; a rule with a scope is only for some'
        return [RuleFault("", None, "packs", "no rule of stage 'reported' for every child", hint)]
    ordered = sorted(everybody, key=_first)
    ends = [dt.date.min, *(_last(rule) for rule in ordered)]
    begins = [*(_first(rule) for rule in ordered), dt.date.max]
    gaps = [
        (ended, begun, rule)
        for ended, begun, rule in zip(ends, begins, [*ordered, ordered[-1]], strict=True)
        if (begun - ended).days > 1
    ]
    return [
        RuleFault(
            rule.source,
            rule.line,
            "from" if rule.first == begun else "to",
            f"no rule of stage 'reported' for every child {_between(ended, begun)}",
            "let the rules follow one another without a gap, the first without from, the last without to",
        )
        for ended, begun, rule in gaps
    ]


def _between(ended: dt.date, begun: dt.date) -> str:
    if ended == dt.date.min:
        return f"before {begun}"
    return f"after {ended}" if begun == dt.date.max else f"between {ended} and {begun}"


def _first(rule: Rule) -> dt.date:
    return rule.first or dt.date.min


def _last(rule: Rule) -> dt.date:
    return rule.last or dt.date.max
