"""A rule's `when`: what it may say, and that nothing else gets through, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.predicate import LONGEST, PredicateError, compile_predicate

DAYS = np.array([0, 1, 2, 3, 10], np.int64)


def holds(text: str) -> list[bool]:
    """Where it holds, for 0, 1, 2, 3 and 10 days."""
    found: list[bool] = compile_predicate(text)({"absent_days": DAYS}).tolist()
    return found


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("absent_days >= 2", [False, False, True, True, True]),
        ("缺勤天数 >= 2", [False, False, True, True, True]),
        ("absent_days = 2", [False, False, True, False, False]),
        ("absent_days <> 2", [True, True, False, True, True]),
        ("absent_days != 2", [True, True, False, True, True]),
        ("2 < absent_days", [False, False, False, True, True]),
        ("absent_days > 1 AND absent_days < 10", [False, False, True, True, False]),
        ("absent_days <= 1 OR absent_days = 10", [True, True, False, False, True]),
        ("NOT absent_days >= 2", [True, True, False, False, False]),
        ("NOT (absent_days = 1 OR absent_days = 2)", [True, False, False, True, True]),
        ("absent_days BETWEEN 1 AND 3", [False, True, True, True, False]),
        ("absent_days IN (0, 10)", [True, False, False, False, True]),
        ("absent_days NOT IN (0, 10)", [False, True, True, True, False]),
        ("absent_days * 2 - 1 >= 3 + 2", [False, False, False, True, True]),
        ("-absent_days < -2", [False, False, False, True, True]),
    ],
)
def test_comparisons_joined_as_one_likes(text: str, where: list[bool]) -> None:
    assert holds(text) == where


def test_both_names_of_a_fact_are_one() -> None:
    assert compile_predicate("缺勤天数 > 1 AND absent_days > 1").facts == {"absent_days"}


def test_a_fact_named_in_a_loop_is_compiled_for_any_number_of_children() -> None:
    predicate = compile_predicate("absent_days >= 2")

    assert predicate({"absent_days": np.zeros(0, np.int64)}).tolist() == []
    assert len(predicate({"absent_days": np.arange(100_000)})) == 100_000


@pytest.mark.parametrize(
    ("text", "fault", "column"),
    [
        ("absent_day >= 2", "unknown fact 'absent_day'", 1),
        ("absent_days >= 2 AND misbehaviour > 1", "unknown fact 'misbehaviour'", 22),
        ("absent_days", "is not a comparison", 1),
        ("absent_days >= '2'", "with text", None),
        ("absent_days >= 2.5", "not a whole number", None),
        ("absent_days >= 99999999999", "too large", None),
        ("absent_days / 2 > 1", "not allowed here", 1),
        ("absent_days ILIKE 'x'", "is not a comparison", 1),
        ("1 = 1", "speaks of no fact", None),
        ("s.absent_days > 1", "simple names", None),
        ("absent_days IN (SELECT 1)", "is not a comparison", None),
        ("(SELECT absent_days) > 1", "not allowed here", None),
        ("pg_sleep(10) > absent_days", "not allowed here", None),
        ("CAST(absent_days AS text) = 1", "not allowed here", None),
        ("absent_days > 1; DROP TABLE roll", "cannot be read", None),
        ("absent_days >", "cannot be read", None),
        ("", "", None),
        ("absent_days IS NULL", "is not a comparison", 1),
        ("absent_days > ALL (1)", "not allowed here", None),
        ("EXISTS (SELECT 1)", "is not a comparison", None),
        ("CASE WHEN absent_days > 1 THEN 1 END = 1", "not allowed here", None),
        ("absent_days > $1", "not allowed here", None),
        ("absent_days > :x", "not allowed here", None),
        ("absent_days IN ()", "", None),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, fault: str, column: int | None) -> None:
    with pytest.raises(PredicateError) as refused:
        compile_predicate(text)

    assert fault in refused.value.fault
    if column is not None:
        assert refused.value.column == column


def test_a_misspelt_fact_is_met_with_the_right_one() -> None:
    with pytest.raises(PredicateError) as refused:
        compile_predicate("absent_dayz >= 2")

    assert refused.value.hint == "did you mean 'absent_days'?"


def test_what_is_too_long_or_has_too_many_parts_or_is_nested_too_deeply_is_refused() -> None:
    for text, fault in (
        ("absent_days > 1" + " " * LONGEST, "longer than"),
        (" OR ".join(["absent_days > 1"] * 80), "parts"),
        ("(" * 900 + "absent_days > 1" + ")" * 900, ""),
        ("NOT " * 450 + "absent_days > 1", ""),
        ("-" * 1_900 + "absent_days > 1", ""),
    ):
        with pytest.raises(PredicateError) as refused:
            compile_predicate(text)
        assert fault in refused.value.fault


WORDS = st.sampled_from(
    [
        *("absent_days", "缺勤天数", "2", "-1", "0.5", "'x'", "NULL", "TRUE", "x", "y()", "$1"),
        *("AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "IS", "SELECT", "CASE", "WHEN", "END"),
        *(">=", "<=", "=", "<>", "*", "/", "+", "-", "%", "||", "::", ".", ",", ";", "--", "/*", "*/"),
        *("(", ")", "[", "]", "{", "}", "@", "#", "?", "\\", '"', "`"),
    ]
)


@settings(max_examples=600, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_a_predicate_or_a_fault(text: str) -> None:
    try:
        predicate = compile_predicate(text)
    except PredicateError as refused:
        assert refused.fault  # noqa: PT017 - either may happen
    else:
        assert predicate({"absent_days": DAYS}).shape == DAYS.shape
        assert predicate.facts == {"absent_days"}
