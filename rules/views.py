"""What the rules beside the report's say of every row of a judged register, all rows at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.facts.anchors import anchors_of
from rules.facts.catalogue import find
from rules.facts.evaluate import last_spoken, read_facts, read_trait, reading_of, run_sessions
from rules.instants import NEVER, from_micros, to_micros
from rules.register import Register
from rules.rule import Days, Rule
from rules.runs import Runs
from rules.signs import Value, View
from rules.traits import Traits

Values = Mapping[str, NDArray[Any]]
SIGN_STAGES = frozenset({"watch", "first_absence"})
_READ_OFF_RUNS = frozenset({"absence", "condition"})
"""The anchors that take no reading of the past."""


@dataclass(frozen=True)
class Views:
    """What each of `rules` says of each row; decides nothing.

    `holds`, `over` and `hurried` bool (rules, rows); `anchors` int64 microseconds (rules, rows), NEVER where the clock
    begins with the condition itself; `facts` by name, one value a row.
    """

    rules: tuple[Rule, ...]
    facts: Values
    holds: NDArray[np.bool_]
    over: NDArray[np.bool_]
    hurried: NDArray[np.bool_]
    anchors: NDArray[np.int64]

    @cached_property
    def shown(self) -> NDArray[np.intp]:
        """The rows of whom some sign's rule holds; stages are nothing to look at a child for."""
        signs = [n for n, rule in enumerate(self.rules) if rule.stage in SIGN_STAGES]
        return np.flatnonzero(self.holds[signs].any(axis=0))

    def of(self, row: int, kept: Collection[str] = ()) -> tuple[View, ...]:
        """The views of one row: of rules that hold, and of those `kept`, by id, that are not over."""
        which = set(self._holding.get(row, ()))
        numbers = self._numbers
        which |= {n for rule in kept if (n := numbers.get(rule)) is not None and not self.over[n, row]}
        return tuple(self._view(n, row) for n in sorted(which))

    def steady(self, row: int, standing: Collection[str]) -> bool:
        """Whether every rule that holds is among `standing`, by id, and none of these is over."""
        if any(self.rules[n].rule_id not in standing for n in self._holding.get(row, ())):
            return False
        known = [self._numbers.get(rule) for rule in standing]
        return all(n is not None and (self.holds[n, row] or not self.over[n, row]) for n in known)

    def part(self, rows: Sequence[int]) -> Views:
        """The views of only `rows`, renumbered."""
        index = np.asarray(rows, np.intp)
        facts = {name: values[index] for name, values in self.facts.items()}
        holds, over, hurried = self.holds[:, index], self.over[:, index], self.hurried[:, index]
        return Views(self.rules, facts, holds, over, hurried, self.anchors[:, index])

    @cached_property
    def _holding(self) -> dict[int, list[int]]:
        """By row which rules hold; nothing for a row of which none does."""
        found: dict[int, list[int]] = {}
        for row, rule in np.argwhere(self.holds.T).tolist():
            found.setdefault(row, []).append(rule)
        return found

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {rule.rule_id: n for n, rule in enumerate(self.rules)}

    def _view(self, n: int, row: int) -> View:
        rule, anchor, holds = self.rules[n], int(self.anchors[n, row]), bool(self.holds[n, row])
        values: dict[str, Value] = {}
        if holds:
            values = {name: self.facts[name][row].item() for name in sorted(rule.when.facts)}
        return View(
            rule.rule_id,
            holds,
            bool(self.over[n, row]),
            None if anchor == NEVER else from_micros(anchor),
            bool(self.hurried[n, row]),
            values,
        )


def look(
    rules: Sequence[Rule],
    register: Register,
    meaning: NDArray[np.uint8],
    runs: Runs,
    traits: Traits,
    now: int,
    schools: Sequence[str | None] = (),
) -> Views:
    """The views of all rows of `register`, whose cells mean `meaning` and whose current runs are `runs`, at `now`.

    `schools` by class index. Facts are read once for all `rules`.
    """
    shape = (len(rules), register.rows)
    holds, over, hurried = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    anchors = np.full(shape, NEVER, np.int64)
    facts, begun = _read(rules, register, meaning, runs, traits, now, schools)
    heard = heard_on(register, meaning) if any(rule.first or rule.last for rule in rules) else None
    away, gone = _on_leave(register, now), _off_roll(register, now)
    for n, rule in enumerate(rules):
        true = rule.when(facts)
        holds[n] = true & rule.scope.covers(traits)
        over[n] = ~true if rule.until is None else rule.until(facts)
        anchor = begun[rule.since]
        if anchor is not None:
            anchors[n] = anchor
            holds[n] &= anchor != NEVER
        if heard is not None:
            holds[n] &= rule.in_force(heard)
        if rule.since == "absence" and rule.stage in SIGN_STAGES:
            holds[n] &= ~away
        if rule.since != "movement" and rule.stage in SIGN_STAGES:
            holds[n] &= ~gone
            over[n] |= gone
        if rule.priority is not None:
            hurried[n] = rule.priority.covers(traits)
    return Views(tuple(rules), facts, holds, over, hurried, anchors)


def needs_history(rules: Sequence[Rule]) -> bool:
    """Whether some rule looks further back than the current run."""
    facts = [find(name) for rule in rules for name in rule.needs]
    beyond = any(fact is not None and not (fact.of_run or fact.trait) for fact in facts)
    return beyond or any(rule.since not in _READ_OFF_RUNS for rule in rules)


def heard_on(register: Register, meaning: NDArray[np.uint8]) -> Days:
    """The date of the last session in which a roll spoke of each child; NaT where none did. (rows,)."""
    last = last_spoken(register.marks, meaning)
    dates = np.array([*register.calendar.dates, "NaT"], "datetime64[D]")
    return dates[np.where(last >= 0, last // register.calendar.slots, len(dates) - 1)]


def run_facts(wanted: Collection[str], meaning: NDArray[np.uint8], runs: Runs, traits: Traits) -> dict[str, Any]:
    """The wanted facts of current runs and of traits, by name, one value a row; no other is read."""
    facts: dict[str, NDArray[Any]] = {}
    for name in wanted:
        if name == "absent_days":
            facts[name] = runs.days
        elif name == "absent_sessions":
            facts[name] = run_sessions(meaning, runs)
        else:
            facts[name] = read_trait(traits, name)
    return facts


def _read(
    rules: Sequence[Rule],
    register: Register,
    meaning: NDArray[np.uint8],
    runs: Runs,
    traits: Traits,
    now: int,
    schools: Sequence[str | None],
) -> tuple[Values, dict[str, NDArray[np.int64] | None]]:
    """The facts of all rules by name, and where their clocks begin by `since`; None: with the condition."""
    wanted = frozenset[str]().union(*(rule.needs for rule in rules))
    if not needs_history(rules):
        return run_facts(wanted, meaning, runs, traits), {"absence": runs.start, "condition": None}
    reading = reading_of(register, meaning, runs, traits, wanted, schools)
    anchors = {
        since: anchors_of(register, meaning, runs, reading, since, now) for since in {rule.since for rule in rules}
    }
    return read_facts(reading, wanted), anchors


def _on_leave(register: Register, now: int) -> NDArray[np.bool_]:
    """Of whom a known leave is in force; bool (rows,)."""
    away = np.zeros(register.rows, np.bool_)
    for row, leaves in register.leaves.items():
        away[row] = any(to_micros(leave.starts) <= now < to_micros(leave.ends) for leave in leaves)
    return away


def _off_roll(register: Register, now: int) -> NDArray[np.bool_]:
    """Whom a confirmed movement keeps off the roll; bool (rows,)."""
    gone = np.zeros(register.rows, np.bool_)
    for row, outs in register.outs.items():
        gone[row] = any(to_micros(out.at) <= now and (out.until is None or now < to_micros(out.until)) for out in outs)
    return gone
