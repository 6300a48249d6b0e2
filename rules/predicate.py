"""A rule's `when`: parsed by sqlglot, walked against a whitelist, compiled for arrays of facts.

The whitelist is the safety, not the parser: what is not named here is refused, with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import sqlglot
from numpy.typing import NDArray
from sqlglot import exp
from sqlglot.errors import SqlglotError

from rules.facts.catalogue import find, names

_EXAMPLE = "write a comparison, such as absent_days >= 2"
LONGEST = 2_000
MOST_NODES = 200

Facts = Mapping[str, NDArray[np.int64]]
Compiled = Callable[[Facts], Any]


class PredicateError(ValueError):
    """A `when` that cannot be accepted; `column` (1-based) is where in the text, if that is known."""

    def __init__(self, fault: str, hint: str | None = None, column: int | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint
        self.column = column


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked `when`, and the facts it speaks of."""

    text: str
    facts: frozenset[str]
    test: Compiled

    def __call__(self, facts: Facts) -> NDArray[np.bool_]:
        """Where it holds: bool, one value a child, from int64 arrays of the same length."""
        return np.asarray(self.test(facts), np.bool_)


_COMPARE: dict[type[exp.Expr], np.ufunc] = {
    exp.EQ: np.equal,
    exp.NEQ: np.not_equal,
    exp.GT: np.greater,
    exp.GTE: np.greater_equal,
    exp.LT: np.less,
    exp.LTE: np.less_equal,
}
_CALCULATE: dict[type[exp.Expr], np.ufunc] = {exp.Add: np.add, exp.Sub: np.subtract, exp.Mul: np.multiply}
_JOIN: dict[type[exp.Expr], np.ufunc] = {exp.And: np.logical_and, exp.Or: np.logical_or}


def compile_predicate(text: str) -> Predicate:
    """Parse and check `text`; raises PredicateError with the fault, a hint and the place."""
    if len(text) > LONGEST:
        raise PredicateError(f"longer than {LONGEST} characters", "split it into two rules")
    try:
        tree = sqlglot.parse_one(text, into=exp.Condition, dialect="postgres")
        if tree is None:
            raise PredicateError("empty", _EXAMPLE)
        if sum(1 for _ in tree.walk()) > MOST_NODES:
            raise PredicateError(f"more than {MOST_NODES} parts", "split it into two rules")
        used: set[str] = set()
        test = _truth(tree, used)
    except SqlglotError as error:
        raise PredicateError("cannot be read as a condition", _EXAMPLE, _where(error)) from None
    except RecursionError:
        raise PredicateError("nested too deeply", "use fewer parentheses") from None
    if not used:
        raise PredicateError("speaks of no fact, so it is always or never true", f"facts: {', '.join(_names())}")
    return Predicate(text, frozenset(used), test)


def _where(error: SqlglotError) -> int | None:
    """The column sqlglot stopped at, where it says so."""
    stops = [stop for stop in getattr(error, "errors", []) if stop.get("line") == 1]
    return int(stops[0]["col"]) if stops and stops[0].get("col") else None


def _names() -> list[str]:
    return sorted(name for name in names() if name.isascii())


def _place(node: exp.Expr) -> int | None:
    start = min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=None)
    return None if start is None else int(start) + 1


def _truth(node: exp.Expr, used: set[str]) -> Compiled:
    """Compile what must be true or false."""
    if isinstance(node, exp.Paren):
        return _truth(node.this, used)
    if isinstance(node, exp.Not):
        inner = _truth(node.this, used)
        return lambda facts: np.logical_not(inner(facts))
    if isinstance(node, exp.Binary) and type(node) in _JOIN:
        return _pair(_JOIN[type(node)], _truth(node.left, used), _truth(node.right, used))
    if isinstance(node, exp.Binary) and type(node) in _COMPARE:
        return _pair(_COMPARE[type(node)], _number(node.left, used), _number(node.right, used))
    if isinstance(node, exp.Between):
        value, low, high = (_number(node.args[key], used) for key in ("this", "low", "high"))
        return lambda facts: np.logical_and(value(facts) >= low(facts), value(facts) <= high(facts))
    if isinstance(node, exp.In) and not node.args.get("query") and node.expressions:
        value, choices = _number(node.this, used), [_number(one, used) for one in node.expressions]
        return lambda facts: np.any([value(facts) == choice(facts) for choice in choices], axis=0)
    raise PredicateError(f"{_called(node)} is not a comparison", "compare a fact with a number", _place(node))


def _number(node: exp.Expr, used: set[str]) -> Compiled:
    """Compile what must be a number."""
    if isinstance(node, exp.Paren):
        return _number(node.this, used)
    if isinstance(node, exp.Binary) and type(node) in _CALCULATE:
        return _pair(_CALCULATE[type(node)], _number(node.left, used), _number(node.right, used))
    if isinstance(node, exp.Neg):
        inner = _number(node.this, used)
        return lambda facts: np.negative(inner(facts))
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Column):
        return _fact(node, used)
    raise PredicateError(
        f"{_called(node)} is not allowed here", "use facts, numbers, + - * and comparisons", _place(node)
    )


def _literal(node: exp.Literal) -> Compiled:
    if node.is_string:
        raise PredicateError("cannot compare a number with text", "write the number without quotes", _place(node))
    if not node.is_int:
        raise PredicateError(f"{node.this} is not a whole number", "facts are whole numbers", _place(node))
    value = int(node.this)
    if value > 2**31:
        raise PredicateError(f"{node.this} is too large", None, _place(node))
    return lambda _: np.int64(value)


def _fact(node: exp.Column, used: set[str]) -> Compiled:
    if node.table or not isinstance(node.this, exp.Identifier):
        raise PredicateError("facts have simple names", "leave out the part before the dot", _place(node))
    fact = find(node.name)
    if fact is None:
        near = get_close_matches(node.name, names(), 1)
        hint = f"did you mean '{near[0]}'?" if near else f"facts: {', '.join(_names())}"
        raise PredicateError(f"unknown fact '{node.name}'", hint, _place(node))
    used.add(fact.name)
    name = fact.name
    return lambda facts: facts[name]


def _pair(combine: np.ufunc, left: Compiled, right: Compiled) -> Compiled:
    return lambda facts: np.asarray(combine(left(facts), right(facts)))


def _called(node: exp.Expr) -> str:
    return type(node).__name__.lower()
