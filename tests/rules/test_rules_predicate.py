"""A rule's `when`: what it may say, and that nothing else gets through, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest

from rules.compiler import LONGEST, PredicateError, compile_predicate
from rules.predicate import Predicate, ends

DAYS = np.array([0, 1, 2, 3, 10], np.int64)
FACTS = {
    "absent_days": DAYS,
    "unexcused_days_20": np.array([0, 5, 2, 1, 10], np.int64),
    "absence_rate_term": np.array([0.0, 2.5, 10.0, 12.5, 100.0]),
    "boarding": np.array([True, False, True, False, True]),
    "suspended": np.array([False, False, True, True, False]),
}
"""Five children."""


def holds(text: str) -> list[bool]:
    """Of which of the five children it holds."""
    found: list[bool] = compile_predicate(text)(FACTS).tolist()
    return found


def refused(text: str) -> PredicateError:
    with pytest.raises(PredicateError) as error:
        compile_predicate(text)
    return error.value


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("absent_days >= 2", [0, 0, 1, 1, 1]),
        ("缺勤天数 >= 2", [0, 0, 1, 1, 1]),
        ("absent_days = 2", [0, 0, 1, 0, 0]),
        ("absent_days <> 2", [1, 1, 0, 1, 1]),
        ("absent_days != 2", [1, 1, 0, 1, 1]),
        ("2 < absent_days", [0, 0, 0, 1, 1]),
        ("absent_days > 1 AND absent_days < 10", [0, 0, 1, 1, 0]),
        ("absent_days <= 1 OR absent_days = 10", [1, 1, 0, 0, 1]),
        ("NOT absent_days >= 2", [1, 1, 0, 0, 0]),
        ("NOT (absent_days = 1 OR absent_days = 2)", [1, 0, 0, 1, 1]),
        ("absent_days BETWEEN 1 AND 3", [0, 1, 1, 1, 0]),
        ("absent_days IN (0, 10)", [1, 0, 0, 0, 1]),
        ("absent_days NOT IN (0, 10)", [0, 1, 1, 1, 0]),
        ("absent_days * 2 - 1 >= 3 + 2", [0, 0, 0, 1, 1]),
        ("-absent_days < -2", [0, 0, 0, 1, 1]),
        ("unexcused_days_20 > absent_days", [0, 1, 0, 0, 0]),
        ("unexcused_days_20 * absent_days > 4", [0, 1, 0, 0, 1]),
        ("absence_rate_term >= 10", [0, 0, 1, 1, 1]),
        ("absence_rate_term > 2.4", [0, 1, 1, 1, 1]),
        ("absence_rate_term < 0.5", [1, 0, 0, 0, 0]),
        ("absence_rate_term * 2 + absent_days >= 25.5", [0, 0, 0, 1, 1]),
        ("boarding", [1, 0, 1, 0, 1]),
        ("NOT suspended AND boarding", [1, 0, 0, 0, 1]),
        ("boarding = true", [1, 0, 1, 0, 1]),
        ("true = boarding", [1, 0, 1, 0, 1]),
        ("boarding <> true", [0, 1, 0, 1, 0]),
        ("寄宿 = FALSE", [0, 1, 0, 1, 0]),
    ],
)
def test_facts_are_compared_and_joined_as_one_likes(text: str, where: list[int]) -> None:
    assert holds(text) == [bool(one) for one in where]


@pytest.mark.parametrize(
    ("wide", "plain"),
    [
        ("缺勤天数 ≥ 2", "absent_days >= 2"),
        ("缺勤天数＞＝2", "absent_days >= 2"),
        ("（缺勤天数 ≤ 3）AND（寄宿）", "absent_days <= 3 AND boarding"),
        ("缺勤天数 ≠ ２", "absent_days <> 2"),
        ("缺勤天数 IN （1，2、3）", "absent_days IN (1, 2, 3)"),
        ("旷课天数＿20　＞ 1", "unexcused_days_20 > 1"),
    ],
)
def test_signs_of_a_chinese_keyboard_are_read_as_plain_ones(wide: str, plain: str) -> None:
    assert holds(wide) == holds(plain)


def test_both_names_of_a_fact_are_one() -> None:
    assert compile_predicate("缺勤天数 > 1 AND absent_days > 2").facts == {"absent_days"}
    assert compile_predicate("旷课天数_学期 > 1").facts == {"unexcused_days_term"}


def test_a_predicate_is_compiled_for_any_number_of_children() -> None:
    predicate = compile_predicate("absent_days >= 2 AND NOT boarding")

    assert predicate({"absent_days": np.zeros(0, np.int64), "boarding": np.zeros(0, np.bool_)}).tolist() == []
    assert len(predicate({"absent_days": np.arange(100_000), "boarding": np.zeros(100_000, np.bool_)})) == 100_000


def test_a_predicate_is_a_text_its_facts_and_a_test() -> None:
    made = Predicate("boarding", frozenset({"boarding"}), lambda facts: facts["boarding"])
    assert made(FACTS).tolist() == holds("boarding")


@pytest.mark.parametrize(
    ("text", "fault", "hint", "place"),
    [
        # -- names --
        ("absent_day >= 2", "unknown fact 'absent_day'", "did you mean 'absent_days'?", (1, 1)),
        ("缺勤天 >= 2", "unknown fact '缺勤天'", "did you mean '缺勤天数'?", (1, 1)),
        ("absent_days > 1 AND misconduct > 1", "unknown fact 'misconduct'", "list them with", (1, 21)),
        ("unexcusd_days_35 > 2", "unknown fact", "did you mean 'unexcused_days_35'?", (1, 1)),
        ("unexcused_days > 2", "'unexcused_days' needs a window", "write unexcused_days_20 for 20 school days", (1, 1)),
        ("旷课天数 > 2", "'旷课天数' needs a window", "旷课天数_学期", (1, 1)),
        ("unexcused_days_week > 2", "'week' is no window", "unexcused_days_term or unexcused_days_year", (1, 1)),
        ("unexcused_days_999 > 2", "is too long", "at most 250 school days", (1, 1)),
        ("absent_days_20 > 2", "'absent_days' takes no window", "write absent_days, or absence_days_20", (1, 1)),
        ("absence_rate_20 > .5", "a number begins with a digit", "such as 0.5", (1, 19)),
        ("s.absent_days > 1", "simple names", "leave out the dot", (1, 2)),
        ("absent_days > 1 且 寄宿", "'且' is not allowed", "write AND", (1, 17)),
        # -- types --
        ("absent_days", "absent_days is a number, not yes or no", "such as absent_days >= 2", (1, 1)),
        ("absent_days = true", "absent_days is a number, not yes or no", "compare it with a number", (1, 1)),
        ("boarding = 1", "boarding is yes or no, not a number", "write boarding or NOT boarding", (1, 1)),
        ("absent_days > 1 OR 2 < boarding", "boarding is yes or no, not a number", "NOT boarding", (1, 24)),
        ("boarding > true", "only a fact that is yes or no", "NOT before it", (1, 1)),
        ("absent_days >= 2.5", "2.5 is not a whole number", "absent_days counts whole school days", (1, 16)),
        ("absent_days IN (1, 2.5)", "2.5 is not a whole number", "counts whole", (1, 20)),
        ("absent_days BETWEEN 1 AND 2.5", "2.5 is not a whole number", "counts whole", (1, 27)),
        ("absence_rate_20 = 10", "is a share", "write absence_rate_20 >= … or <= …", (1, 1)),
        ("absence_rate_20 <> 10", "is a share", "BETWEEN", (1, 1)),
        ("absence_rate_20 IN (10, 20)", "is a share", "BETWEEN", (1, 21)),
        ("grade = '七年级'", "cannot be compared with text", "without quotes", (1, 9)),
        ("grade = “七年级”", "cannot be compared with text", "without quotes", (1, 9)),
        ("absent_days >= 99999999999", "is too large", "the largest number is", (1, 16)),
        ("absent_days >= 1e3", "1e3 is not a plain number", "in digits", (1, 16)),
        ("absent_days * absent_days * absent_days > 5", "too large a number", "multiply fewer facts", (1, 1)),
        # -- always, never --
        ("absent_days >= 0", "'absent_days >= 0' is always true", "absent_days is at least 0", (1, 1)),
        ("absent_days < 0", "is never true", "absent_days is at least 0", (1, 1)),
        ("unexcused_days_20 > 20", "is never true", "is between 0 and 20", (1, 1)),
        ("boarding AND absence_rate_20 >= 100.5", "is never true", "is between 0 and 100", (1, 14)),
        ("absent_days BETWEEN 5 AND 3", "is never true", "at least 0", (1, 1)),
        ("grade IN (7, 99)", "'99' is never true", "grade is between 0 and 13", (1, 14)),
        ("absent_days * 2 = 3", "is never true", "at least 0", (1, 1)),
        ("absent_days - absent_days > 0", "is never true", "at least 0", (1, 1)),
        ("absent_days > 3 AND absent_days < 2", "is never true", "no child can fulfil", None),
        ("absent_days > 3 OR absent_days < 7", "is always true", "every child fulfils", None),
        ("boarding OR NOT boarding", "is always true", "every child fulfils", None),
        ("absence_rate_20 > 10 AND absence_rate_20 < 10", "is never true", "no child can fulfil", None),
        ("1 = 1", "'1 = 1' speaks of no fact", "compare a fact", (1, 1)),
        ("true", "is not a comparison", "compare a fact", None),
        # -- what is no part of the language --
        ("absent_days / 2 > 1", "'/' is not allowed", "multiply the other side instead", (1, 13)),
        ("absence_rate_20 > 10%", "'%' is not allowed", "per cent already", (1, 21)),
        ("absent_days > 1; DROP TABLE roll", "';' is not allowed", "one condition", (1, 16)),
        ("absent_days > 1 -- all", "comments are not allowed", "in the line above", (1, 17)),
        ("absent_days > 1 /* all */", "'/' is not allowed", "", (1, 17)),
        ("absent_days > 1 > 0", "'absent_days > 1' is not a number", "join two comparisons with AND", (1, 1)),
        ("(absent_days, grade) > 2", "is not a number", "use facts", (1, 2)),
        ("absent_days IN ()", "IN needs numbers", "grade IN (8, 9)", (1, 1)),
        ("absent_days IN (SELECT 1)", "'SELECT' is not allowed", "use facts", (1, 17)),
        ("(SELECT absent_days) > 1", "'SELECT' is not allowed", "use facts", (1, 2)),
        ("pg_sleep(10) > absent_days", "there is no function 'pg_sleep'", "use facts", (1, 1)),
        ("CAST(absent_days AS text) = 1", "there is no function 'CAST'", "use facts", (1, 1)),
        ("absent_days::text > 1", "':' is not allowed", "use facts", (1, 12)),
        ("absent_days IS NULL", "'IS' is not allowed", "always have a value", (1, 13)),
        ("absent_days > ALL (1)", "'ALL' is not allowed", "use facts", (1, 15)),
        ("EXISTS (SELECT 1)", "'EXISTS' is not allowed", "use facts", (1, 1)),
        ("CASE WHEN absent_days > 1 THEN 1 END = 1", "'CASE' is not allowed", "use facts", (1, 1)),
        ("absent_days > $1", "'$' is not allowed", "use facts", (1, 15)),
        ("absent_days > :x", "':' is not allowed", "use facts", (1, 15)),
        ("U&'\\0061' > 1", "'&' is not allowed", "write AND", (1, 2)),
        ("absent\x00days > 1", "the sign '\\x00' is not allowed", "use facts", (1, 7)),
        ("absent_days >", "cannot be read as a condition", "write a comparison", (1, 13)),
        ("absent_days > (1", "cannot be read as a condition", "write a comparison", (1, 16)),
        ("", "empty", "write a comparison", None),
        (" \n ", "empty", "write a comparison", None),
        # -- over several lines --
        ("absent_days >= 2\n  AND absent_day >= 2", "unknown fact 'absent_day'", "absent_days", (2, 7)),
        ("缺勤天数 ≥ 2\nAND 缺勤天数 ≤ 2.5", "2.5 is not a whole number", "counts whole", (2, 12)),
        ("absent_days\n>= 2\n;", "';' is not allowed", "one condition", (3, 1)),
    ],
)
def test_each_fault_is_said_with_its_place_and_what_to_write_instead(
    text: str, fault: str, hint: str, place: tuple[int, int] | None
) -> None:
    error = refused(text)

    assert fault in error.fault
    assert hint in (error.hint or "")
    assert (None if error.column is None else (error.line, error.column)) == place


def test_what_is_too_long_or_has_too_many_parts_or_is_nested_too_deeply_is_refused() -> None:
    for text, fault in (
        ("absent_days > 1" + " " * LONGEST, "longer than"),
        (" OR ".join(["absent_days > 1"] * 80), "parts"),
        ("(" * 80 + "absent_days > 1" + ")" * 80, "nested too deeply"),
        ("NOT " * 80 + "absent_days > 1", "nested too deeply"),
        ("- " * 80 + "absent_days > 1", "nested too deeply"),
    ):
        assert fault in refused(text).fault


def test_as_many_parts_as_are_allowed_are_accepted_at_any_depth_of_the_stack() -> None:
    def deeper(calls: int, text: str) -> Predicate:
        return deeper(calls - 1, text) if calls else compile_predicate(text)

    for text in (" OR ".join(f"absent_days = {n}" for n in range(50)), "(" * 8 + "absent_days > 1" + ")" * 8):
        assert deeper(300, text).facts == {"absent_days"}


@pytest.mark.parametrize(
    ("when", "until", "can_end"),
    [
        ("unexcused_days_20 >= 5", "unexcused_days_20 <= 2", True),
        ("unexcused_days_20 >= 5", "unexcused_days_20 < 5", True),
        ("unexcused_days_20 >= 5", "unexcused_days_20 >= 5", False),
        ("unexcused_days_20 >= 5", "unexcused_days_20 >= 7", False),
        ("unexcused_days_20 >= 5", "boarding", True),
        ("absence_rate_20 > 10", "absence_rate_20 > 10.5", False),
        ("absence_rate_20 > 10", "absence_rate_20 >= 10", True),
        ("unexcused_days_20 > seen_days_20", "unexcused_days_20 > seen_days_20", False),
    ],
)
def test_an_until_that_can_never_end_anything_is_known(when: str, until: str, can_end: bool) -> None:  # noqa: FBT001
    assert ends(compile_predicate(when), compile_predicate(until)) is can_end
