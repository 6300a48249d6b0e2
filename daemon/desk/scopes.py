"""Whom rules cover: units and tags in their scopes that the roster does not know, and scopes that cover nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from daemon.problems import Problem, nearest
from rules.ladder import Directory
from rules.rule import Rule, Scope
from rules.traits import Traits, grade_number

Kind = tuple[str, str | None, bool, tuple[str, ...]]
"""What rules ask of a child: its class, its grade, whether it boards, its tags; many children are of one kind."""


def traits_of(kinds: Sequence[Kind], directory: Directory) -> Traits:
    """The traits of each kind of child."""
    tags = sorted({tag for *_, carried in kinds for tag in carried})
    return Traits(
        np.array([grade_number(grade) for _, grade, _, _ in kinds], np.int16),
        [grade for _, grade, _, _ in kinds],
        np.array([boards for _, _, boards, _ in kinds], np.bool_),
        {tag: np.array([tag in carried for *_, carried in kinds], np.bool_) for tag in tags},
        [_line(class_id, directory) for class_id, *_ in kinds],
    )


def _line(class_id: str, directory: Directory) -> tuple[str, ...]:
    """A class and every unit above it, nearest first."""
    return tuple(dict.fromkeys((class_id, *(one.unit_id for one in directory.upward(class_id)))))


def scope_problems(rules: Iterable[Rule], units: Collection[str], traits: Traits) -> Iterator[tuple[bool, Problem]]:
    """What is wrong with the scopes of `rules` for these children; each with whether it must be mended.

    A unit nobody knows is a slip of the pen; a scope that covers nobody may be waiting for next year's children.
    """
    for rule in rules:
        strangers = [unit for unit in rule.scope.units if unit not in units]
        yield from ((True, _stranger(rule, unit, units)) for unit in strangers)
        if not strangers and not rule.scope.everybody and not rule.scope.covers(traits).any():
            yield False, _problem(rule, "scope", f"'{rule.rule_id}' covers nobody", _about(rule.scope, traits))
        if rule.priority is not None and not rule.priority.covers(traits).any():
            hint = _about(Scope(tags=rule.priority.tags), traits)
            yield False, _problem(rule, "priority", f"'{rule.rule_id}' hurries for nobody", hint)


def _stranger(rule: Rule, unit: str, units: Collection[str]) -> Problem:
    meant = nearest(unit, units)
    hint = f"did you mean '{meant}'?" if meant else "add it to the units feed"
    return _problem(rule, "scope.units", f"no unit '{unit}', of rule '{rule.rule_id}'", hint)


def _about(scope: Scope, traits: Traits) -> str:
    """The tag that was probably meant, or what children there are."""
    for tag in scope.tags:
        if tag not in traits.tags and (meant := nearest(tag, traits.tags)):
            return f"no child is tagged '{tag}'; did you mean '{meant}'?"
    return "no child of the roster has these units, grades and tags"


def _problem(rule: Rule, key: str, fault: str, hint: str) -> Problem:
    return Problem(rule.source, rule.line, key, fault, hint)
