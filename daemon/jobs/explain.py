"""What the rules see in one child at one instant: facts and what is behind them, what holds, what is armed next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from daemon.desk.faults import DeskError
from daemon.jobs.house import House
from daemon.jobs.people import People, child_of
from daemon.jobs.scenes import load_scene
from daemon.jobs.stood import Stood, stood_at, stood_now
from daemon.problems import choose
from daemon.store.tx import Tx
from rules.facts.evaluate import read_facts, reading_of
from rules.facts.evidence import Witness
from rules.facts.reading import Reading
from rules.finding import Finding
from rules.instants import NEVER, from_micros
from rules.judge import Judgement
from rules.predicate import Predicate
from rules.rule import Rule
from rules.signs import Value, View
from rules.sweep import Scene
from rules.views import heard_on


@dataclass(frozen=True)
class Explained:
    """One child at one instant, with everything the rules read; words are for others to find."""

    house: House
    people: People
    student: str
    now: dt.datetime
    scene: Scene
    row: int
    finding: Finding
    stood: Stood
    rules: tuple[Rule, ...]
    report: Rule
    """The rule by which the child would be reported."""

    @property
    def judgement(self) -> Judgement:
        """The register of the child's classmates as known then, judged."""
        return self.scene.judgement

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The facts the rules speak of, in the order in which they are first spoken of."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in sorted(rule.needs)))

    @cached_property
    def _reading(self) -> Reading:
        judged = self.judgement
        return reading_of(
            judged.register, judged.meaning, judged.runs, judged.traits, self.names, self.people.school_ids
        )

    @cached_property
    def values(self) -> dict[str, Value]:
        """The child's facts by name."""
        return {name: found[self.row].item() for name, found in read_facts(self._reading, self.names).items()}

    @property
    def heard(self) -> int:
        """The last day (a number in the grid) of which anything was heard of the child; −1 where nothing was."""
        return int(self._reading.heard[self.row]) - 1

    @cached_property
    def witness(self) -> Witness:
        """Who knows which sessions were counted."""
        return Witness(self._reading, self.judgement.runs, self.row)

    def holds(self, part: Predicate) -> bool:
        """Whether a condition is true of the child."""
        return bool(part({name: np.array([self.values[name]]) for name in part.facts})[0])

    def view(self, rule: Rule) -> View | None:
        """What a rule beside the report's says of the child."""
        views = self.judgement.views
        number = next((n for n, one in enumerate(views.rules if views else ()) if one.rule_id == rule.rule_id), None)
        if views is None or number is None:
            return None
        anchor = int(views.anchors[number, self.row])
        return View(
            rule.rule_id,
            bool(views.holds[number, self.row]),
            bool(views.over[number, self.row]),
            None if anchor == NEVER else from_micros(anchor),
            bool(views.hurried[number, self.row]),
        )

    def why_not(self, rule: Rule) -> str | None:
        """Why a rule is not about this child now: `scope`, `dates`, or `other` where another rule reports it."""
        judged = self.judgement
        if not rule.scope.covers(judged.traits)[self.row]:
            return "scope"
        if not rule.in_force(heard_on(judged.register, judged.meaning))[self.row]:
            return "dates"
        return "other" if rule.stage == "reported" and rule.rule_id != self.report.rule_id else None


def explain(
    tx: Tx, house: House, student: str, now: dt.datetime, *, rule: str | None = None, present: bool = True
) -> Explained:
    """What the rules see in a child at `now`; with `rule` only that one's. Writes nothing.

    Unless `present`, the state is what the journal tells of then. DeskError for a child or rule there is none of.
    """
    people = house.people(tx)
    child = child_of(people, student)
    student = child.student_id
    rules = _asked(house, rule)
    classes = people.classes_of([child.ordinal])
    schools = {school for index in classes if (school := people.school_ids[index]) is not None}
    scene = load_scene(tx, house, classes.union(*(people.classes_of_school[school] for school in schools)), now)
    row = list(scene.students).index(student)
    stood = stood_now(tx, student) if present else stood_at(tx, student, now)
    finding, report = _judged(house, scene, row)
    return Explained(house, people, student, now, scene, row, finding, stood, rules, report)


def _asked(house: House, rule: str | None) -> tuple[Rule, ...]:
    rules = house.terms.rulebook.rules
    if rule is None:
        return tuple(rules.values())
    if rule not in rules:
        raise DeskError("--rule", f'"{rule}" is no rule in force', choose(rule, rules))
    return (rules[rule],)


def _judged(house: House, scene: Scene, row: int) -> tuple[Finding, Rule]:
    """The finding of one row by the law it is under, and that law's rule."""
    judged, book = scene.judgement, house.terms.rulebook
    heard = heard_on(judged.register, judged.meaning)[[row]]
    rule = book.reports[int(book.reported_for(judged.traits.part([row]), heard)[0])]
    clock = house.laws.by_rule[rule.rule_id].clock
    return judged.under([row], rule.rule_id, clock, rule.when).findings([0], {})[0], rule
