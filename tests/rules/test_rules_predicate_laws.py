"""Laws of predicates: they say what their words say, are refused only for cause, and nothing hostile gets through."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rules.compiler import PredicateError, compile_predicate
from rules.facts.catalogue import Kind, find

_COUNTS = st.sampled_from(["absent_days", "unexcused_days_5", "grade", "spells_30"])
_SHARES = st.sampled_from(["absence_rate_20", "absence_trend", "weekday_p_term"])
_SIGNS = st.sampled_from([">", ">=", "<", "<=", "=", "<>"])
_WHOLE = st.integers(-3, 15).map(str)
_BROKEN = st.integers(-200, 1_100).map(lambda tenths: f"{tenths / 10}")
_SHARE_SIGNS = st.sampled_from([">", ">=", "<", "<="])
_ATOMS = st.one_of(
    st.tuples(_COUNTS, _SIGNS, _WHOLE).map(" ".join),
    st.tuples(_SHARES, _SHARE_SIGNS, _BROKEN).map(" ".join),
    st.tuples(_COUNTS, st.just("*"), st.sampled_from("23"), _SIGNS, _WHOLE).map(" ".join),
    st.tuples(_COUNTS, _SIGNS, _COUNTS).map(" ".join),
    st.sampled_from(["boarding", "suspended"]),
)
CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(lambda three: f"({''.join(three)})"),
        inner.map(lambda one: f"NOT {one}" if one.startswith("(") else f"NOT ({one})"),
    ),
    max_leaves=4,
)


def anybody(names: frozenset[str], seed: int, count: int = 200) -> dict[str, NDArray[Any]]:
    """Children with every value a fact can have."""
    chance = np.random.default_rng(seed)
    values: dict[str, NDArray[Any]] = {}
    for name in sorted(names):
        fact = find(name)
        assert fact is not None
        if fact.kind is Kind.FLAG:
            values[name] = chance.random(count) < 0.5
        elif fact.kind is Kind.COUNT:
            values[name] = chance.integers(int(fact.low), int(min(fact.high, 20)) + 1, count)
        else:
            values[name] = chance.uniform(fact.low, fact.high, count)
    return values


def said_plainly(text: str, children: dict[str, NDArray[Any]]) -> list[bool]:
    """The same condition in Python, child by child."""
    plain = text.replace(" = ", " == ").replace("<>", "!=")
    for word in ("AND", "OR", "NOT"):
        plain = plain.replace(word, word.lower())
    rows = zip(*(values.tolist() for values in children.values()), strict=True)
    return [bool(eval(plain, {}, dict(zip(children, row, strict=True)))) for row in rows]  # noqa: S307 - our own words


SPOKEN_OF = frozenset(
    {
        *("absent_days", "unexcused_days_5", "grade", "spells_30", "absence_rate_20", "absence_trend"),
        *("weekday_p_term", "boarding", "suspended"),
    }
)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(CONDITIONS, st.integers(0, 9))
def test_a_condition_says_of_each_child_what_its_words_say_and_is_refused_only_if_that_is_always_the_same(
    text: str, seed: int
) -> None:
    children = anybody(SPOKEN_OF, seed)
    plainly = said_plainly(text, children)
    try:
        predicate = compile_predicate(text)
    except PredicateError as error:
        if " true" in error.fault and error.column is None:
            assert set(plainly) == {"always" in error.fault}  # noqa: PT017
    else:
        assert predicate(children).tolist() == plainly


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(_ATOMS.filter(lambda atom: " " in atom)), st.integers(0, 9))
def test_a_comparison_is_refused_only_if_it_is_the_same_for_everybody(text: str, seed: int) -> None:
    try:
        compile_predicate(text)
    except PredicateError as error:
        if " true" in error.fault:
            assert set(said_plainly(text, anybody(SPOKEN_OF, seed))) == {"always" in error.fault}  # noqa: PT017


WORDS = st.sampled_from(
    [
        *("absent_days", "缺勤天数", "absence_rate_20", "boarding", "tag_left_behind", "unexcused_days", "x", "y()"),
        *("2", "-1", "0.5", "1e99", "9" * 40, "0x1F", "'x'", "NULL", "TRUE", "false", "$1", "$x$", "U&''", "²", "٣"),
        *("AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "IS", "SELECT", "FROM", "CASE", "WHEN", "END", "CAST"),
        *(">=", "<=", "=", "<>", "*", "/", "+", "-", "%", "||", "::", ".", ",", ";", "--", "/*", "*/", "->", "<=>"),
        *("(", ")", "（", "）", "≥", "＝", "[", "]", "{", "}", "@", "#", "?", "\\", '"', "`", "\x00", "\r", "\n"),
    ]
)
NESTED = st.tuples(st.sampled_from(["(", "NOT ", "- ", "((SELECT "]), st.integers(1, 700))


@settings(max_examples=800, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(WORDS, max_size=14).map(" ".join),
        st.lists(WORDS, max_size=30).map("".join),
        NESTED.map(lambda two: two[0] * two[1]),
    )
)
def test_any_text_is_a_predicate_or_a_fault_and_soon(text: str) -> None:
    begun = time.process_time()
    try:
        predicate = compile_predicate(text)
    except PredicateError as error:
        assert error.fault  # noqa: PT017 - either may happen
        assert error.column is None or error.column >= 1  # noqa: PT017
    else:
        children = anybody(predicate.facts, 0)
        assert predicate(children).shape == (200,)
        assert predicate.facts
    assert time.process_time() - begun < 1
