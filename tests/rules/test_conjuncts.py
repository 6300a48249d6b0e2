"""A condition taken apart says, part by part, what the whole says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.compiler import compile_predicate
from rules.conjuncts import conjuncts

PARTS = (
    "absent_days >= 2",
    "缺勤天数 < 9 OR boarding",
    "NOT (tag_orphan)",
    "unexcused_days_20 BETWEEN 1 AND 4",
    "grade IN (7, 8)",
    "NOT absent_days > 3",
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("absent_days >= 2", ["absent_days >= 2"]),
        ("absent_days >= 2 AND boarding", ["absent_days >= 2", "boarding"]),
        ("(absent_days >= 2 AND boarding) AND grade = 7", ["absent_days >= 2", "boarding", "grade = 7"]),
        ("absent_days >= 2 OR boarding", ["absent_days >= 2 OR boarding"]),
        ("NOT (absent_days >= 2 AND boarding)", ["NOT (absent_days >= 2 AND boarding)"]),
        ("缺勤天数 >= 2 AND NOT 寄宿", ["缺勤天数 >= 2", "NOT 寄宿"]),
    ],
)
def test_only_what_is_joined_by_and_at_the_top_comes_apart(text: str, parts: list[str]) -> None:
    assert [part.text for part in conjuncts(compile_predicate(text))] == parts


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4, unique=True), st.data())
def test_all_parts_hold_where_the_whole_holds(texts: list[str], data: st.DataObject) -> None:
    whole = compile_predicate(" AND ".join(f"({text})" for text in texts))
    facts = {
        "absent_days": np.array(data.draw(st.lists(st.integers(0, 10), min_size=5, max_size=5))),
        "unexcused_days_20": np.array(data.draw(st.lists(st.integers(0, 6), min_size=5, max_size=5))),
        "grade": np.array(data.draw(st.lists(st.integers(5, 9), min_size=5, max_size=5))),
        "boarding": np.array(data.draw(st.lists(st.booleans(), min_size=5, max_size=5))),
        "tag_orphan": np.array(data.draw(st.lists(st.booleans(), min_size=5, max_size=5))),
    }
    found = conjuncts(whole)

    assert np.array_equal(whole(facts), np.logical_and.reduce([part(facts) for part in found]))
    assert len(found) == len(texts)
