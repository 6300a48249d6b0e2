"""A rule's `when` and `until`: parsed by sqlglot, walked against a whitelist, compiled for arrays of facts.

The whitelist is the safety, not the parser: what is not named here is refused, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlglot import exp

from rules.facts.catalogue import Fact, Kind, find
from rules.language import numbers
from rules.language.extremes import Shape, verdict
from rules.language.names import ALLOWED, domain, is_share, unknown_name
from rules.language.numbers import LARGEST, WIDEST, Compiled, Number
from rules.language.text import LONGEST, MOST_PARTS, PredicateError, Text, parse, place, read_text
from rules.language.truth import Truth, decided_between, join, negated, pair, size_of
from rules.predicate import Predicate

__all__ = ["LONGEST", "MOST_PARTS", "PredicateError", "compile_predicate"]

_WHOLE = re.compile(r"\d+", re.ASCII)
_DECIMAL = re.compile(r"\d*\.\d+|\d+\.", re.ASCII)


def compile_predicate(text: str) -> Predicate:
    """Parse and check `text`; raises PredicateError with the fault, a hint and the place."""
    read = read_text(text)
    compiler = _Compiler(read)
    try:
        truth = compiler.truth(parse(read))
    except RecursionError:
        raise PredicateError("nested too deeply", "use fewer parentheses") from None
    always = verdict(truth.shape)
    if always is not None:
        hint = "what every child fulfils" if always else "what no child can fulfil"
        raise PredicateError(f"is {_ever(always)} true", f"it would ask for {hint}; look at its AND, OR and NOT")
    return Predicate(text, truth.facts, truth.test, truth.shape)


def _ever(always: bool) -> str:  # noqa: FBT001 - the verdict itself
    return "always" if always else "never"


_COMPARE: dict[type[exp.Expr], np.ufunc] = {
    exp.EQ: np.equal,
    exp.NEQ: np.not_equal,
    exp.GT: np.greater,
    exp.GTE: np.greater_equal,
    exp.LT: np.less,
    exp.LTE: np.less_equal,
}
_JOIN: dict[type[exp.Expr], np.ufunc] = {exp.And: np.logical_and, exp.Or: np.logical_or}
_CALCULATE: dict[type[exp.Expr], Callable[[Number, Number], Number]] = {
    exp.Add: numbers.total,
    exp.Sub: lambda left, right: numbers.total(left, numbers.negative(right)),
    exp.Mul: numbers.product,
}


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Walks the tree of one text."""

    text: Text

    def truth(self, node: exp.Expr) -> Truth:
        """Compile what must be true or false."""
        if isinstance(node, exp.Paren):
            return self.truth(node.this)
        if isinstance(node, exp.Not):
            return negated(self.truth(node.this))
        if isinstance(node, exp.Binary) and type(node) in _JOIN:
            return join(_JOIN[type(node)], (self.truth(node.left), self.truth(node.right)))
        return self._flag(node) if isinstance(node, exp.Column) else self._compared_some_way(node)

    def _compared_some_way(self, node: exp.Expr) -> Truth:
        if isinstance(node, exp.Binary) and type(node) in _COMPARE:
            return self._comparison(node)
        if isinstance(node, exp.Between):
            return self._between(node)
        if isinstance(node, exp.In) and not node.args.get("query"):
            return self._choice(node)
        raise self._fault(f"'{self.text.of(node)}' is not a comparison", "compare a fact with a number", node)

    def _fault(self, fault: str, hint: str, node: exp.Expr) -> PredicateError:
        return self.text.fault(fault, hint, place(node))

    # ---- yes and no -------------------------------------------------------------------------------------------

    def _flag(self, node: exp.Column) -> Truth:
        fact = self._fact(node)
        if fact.kind is not Kind.FLAG:
            hint = f"compare it with a number, such as {fact.name} >= 2"
            raise self._fault(f"{node.name} is a number, not yes or no", hint, node)
        name = fact.name
        return Truth(
            lambda facts: facts[name], Shape(lambda facts: facts[name], {name: frozenset()}), frozenset({name})
        )

    def _comparison(self, node: exp.Binary) -> Truth:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(other, exp.Boolean):
                return self._said(node, one, other)
        left, right = self.number(node.left), self.number(node.right)
        return self._checked(self._compared(node, type(node), left, right), node)

    def _said(self, node: exp.Binary, one: exp.Expr, said: exp.Boolean) -> Truth:
        """`boarding = true` and its like."""
        if type(node) not in {exp.EQ, exp.NEQ} or not isinstance(one, exp.Column):
            hint = "write the fact by itself, or NOT before it"
            raise self._fault("only a fact that is yes or no can be compared with true or false", hint, node)
        truth = self._flag(one)
        return truth if bool(said.this) == (type(node) is exp.EQ) else negated(truth)

    # ---- numbers ------------------------------------------------------------------------------------------------

    def _between(self, node: exp.Between) -> Truth:
        value, low, high = (self.number(node.args[key]) for key in ("this", "low", "high"))
        parts = (self._compared(node, exp.GTE, value, low), self._compared(node, exp.LTE, value, high))
        return self._checked(join(np.logical_and, parts), node)

    def _choice(self, node: exp.In) -> Truth:
        value = self.number(node.this)
        if not node.expressions:
            raise self._fault("IN needs numbers", "such as grade IN (8, 9)", node)
        parts = [self._compared(one, exp.EQ, value, self.number(one)) for one in node.expressions]
        for part, one in zip(parts, node.expressions, strict=True):
            self._checked(part, one)
        return join(np.logical_or, parts)

    def _compared(self, node: exp.Expr, sign: type[exp.Expr], left: Number, right: Number) -> Truth:
        facts = left.facts | right.facts
        if not facts:
            raise self._fault(f"'{self.text.of(node)}' speaks of no fact", "compare a fact with a number", node)
        shares = [name for name in sorted(facts) if is_share(name)]
        if shares and sign in {exp.EQ, exp.NEQ}:
            hint = f"write {shares[0]} >= … or <= …, or BETWEEN"
            raise self._fault(f"{shares[0]} is a share, which is hardly ever equal to a number", hint, node)
        if not shares:
            self._whole(node, facts)
        compare = _COMPARE[sign]
        test = pair(compare, left.test, right.test)
        return Truth(test, self._shape(node, compare, numbers.total(left, numbers.negative(right)), test), facts)

    def _whole(self, node: exp.Expr, facts: frozenset[str]) -> None:
        """Counts are compared with whole numbers."""
        for part in node.parent.walk() if isinstance(node, exp.Literal) and node.parent else node.walk():
            if isinstance(part, exp.Literal) and not part.is_int:
                name = min(facts)
                fact = find(name)
                hint = f"{name} counts whole {fact.unit if fact else 'numbers'}"
                raise self._fault(f"{part.this} is not a whole number", hint, part)

    def _shape(self, node: exp.Expr, compare: np.ufunc, gap: Number, test: Compiled) -> Shape:
        """Return how to try a comparison: `gap` is what its left side is more than its right one."""
        low, high = numbers.bounds(gap)
        if max(abs(low), abs(high)) > WIDEST:
            raise self._fault(f"'{self.text.of(node)}' may become too large a number", "multiply fewer facts", node)
        decided = decided_between(compare, low, high)
        if decided is not None:
            return Shape(lambda points: np.full(size_of(points), decided))
        if gap.linear and len(gap.factors) == 1:
            ((name, factor),) = gap.factors.items()
            if gap.facts == {name}:
                return Shape(test, {name: frozenset({-gap.constant / factor})})
        question = f"{compare.__name__} {self.text.of(node)}"
        return Shape(lambda points: points[question], {}, frozenset({question}))

    def _checked(self, truth: Truth, node: exp.Expr) -> Truth:
        """A comparison that can be both true and false; refuses others."""
        always = verdict(truth.shape)
        if always is None:
            return truth
        domains = "; ".join(map(domain, sorted(truth.facts)))
        raise self._fault(f"'{self.text.of(node)}' is {_ever(always)} true", domains, node)

    def number(self, node: exp.Expr) -> Number:
        """Compile what must be a number."""
        if isinstance(node, exp.Paren):
            return self.number(node.this)
        if isinstance(node, exp.Binary) and type(node) in _CALCULATE:
            found = _CALCULATE[type(node)](self.number(node.left), self.number(node.right))
            if max(abs(found.low), abs(found.high)) > WIDEST:
                raise self._fault(f"'{self.text.of(node)}' may become too large a number", "multiply fewer facts", node)
            return found
        if isinstance(node, exp.Neg):
            return numbers.negative(self.number(node.this))
        if isinstance(node, exp.Literal):
            return self._literal(node)
        if isinstance(node, exp.Column):
            return self._measure(node)
        hint = "join two comparisons with AND" if type(node) in {*_COMPARE, exp.Between, exp.In} else ALLOWED
        raise self._fault(f"'{self.text.of(node)}' is not a number", hint, node)

    def _literal(self, node: exp.Literal) -> Number:
        written = str(node.this)
        whole = _WHOLE.fullmatch(written) is not None
        if not whole and not _DECIMAL.fullmatch(written):
            raise self._fault(f"{written} is not a plain number", "write it in digits, such as 20 or 2.5", node)
        value = numbers.constant(written, whole=whole) if len(written) <= _DIGITS else None
        if value is None or value.low > LARGEST:
            raise self._fault(f"{written[:_DIGITS]} is too large", f"the largest number is {LARGEST}", node)
        return value

    def _measure(self, node: exp.Column) -> Number:
        fact = self._fact(node)
        if fact.kind is Kind.FLAG:
            raise self._fault(f"{node.name} is yes or no, not a number", f"write {node.name} or NOT {node.name}", node)
        return numbers.of_fact(fact)

    def _fact(self, node: exp.Column) -> Fact:
        if node.table or not isinstance(node.this, exp.Identifier):
            raise self._fault("facts have simple names", "leave out the dot and what stands before it", node)
        fact = find(node.name)
        if fact is None:
            raise self._fault(*unknown_name(node.name), node)
        return fact


_DIGITS = 20
