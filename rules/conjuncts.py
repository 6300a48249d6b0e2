"""A condition in the parts that must all hold, so that one can say which does; compiles nothing new."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from rules.compiler import PredicateError, compile_predicate
from rules.language.text import parse, read_text
from rules.predicate import Predicate


def conjuncts(whole: Predicate) -> tuple[Predicate, ...]:
    """What `whole` joins by AND at its top, in order; itself where that is nothing."""
    parts = [node.sql(dialect="postgres") for node in _joined(parse(read_text(whole.text)))]
    try:
        return tuple(compile_predicate(part) for part in parts) if len(parts) > 1 else (whole,)
    except PredicateError:  # a part that cannot stand alone
        return (whole,)


def _joined(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Paren) and isinstance(node.this, exp.And | exp.Paren):
        yield from _joined(node.this)
    elif isinstance(node, exp.And):
        yield from _joined(node.left)
        yield from _joined(node.right)
    else:
        yield node
