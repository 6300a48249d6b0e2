"""Two sets of rules over one past: which children which of them flags, and when first; judges neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rules.backtest.flags import Flag


@dataclass(frozen=True, slots=True)
class Differing:
    """One child as two rules flag it first; None where one never does."""

    student: str
    old: dt.datetime | None
    new: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The children flagged by one rule as it was, as it is to be, or by both, each in order of its id."""

    rule: str
    both: tuple[Differing, ...]
    only_old: tuple[Differing, ...]
    only_new: tuple[Differing, ...]


def first_flags(flags: Iterable[Flag]) -> dict[str, dict[str, dt.datetime]]:
    """By rule and student the instant of the first flag."""
    found: dict[str, dict[str, dt.datetime]] = {}
    for flag in flags:
        of_rule = found.setdefault(flag.rule, {})
        of_rule[flag.student] = min(flag.raised_at, of_rule.get(flag.student, flag.raised_at))
    return found


def compare(rules: Sequence[str], old: Iterable[Flag], new: Iterable[Flag]) -> tuple[Comparison, ...]:
    """How the flags of each of `rules` differ, rule by rule, child by child."""
    before, after = first_flags(old), first_flags(new)
    return tuple(_compare(rule, before.get(rule, {}), after.get(rule, {})) for rule in rules)


def _compare(rule: str, old: dict[str, dt.datetime], new: dict[str, dt.datetime]) -> Comparison:
    children = [Differing(student, old.get(student), new.get(student)) for student in sorted({*old, *new})]
    return Comparison(
        rule,
        tuple(one for one in children if one.old is not None and one.new is not None),
        tuple(one for one in children if one.new is None),
        tuple(one for one in children if one.old is None),
    )
