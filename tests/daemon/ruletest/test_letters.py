"""Rows of letters are read day by day, whatever the week looks like."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from daemon.ruletest.letters import LETTERS, Days, read_row
from rules.records import Mark
from tests.rules.small import MONDAY, calendar, timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = dt.timedelta(days=1)
WORDS = st.lists(st.text("".join(LETTERS), min_size=2, max_size=2), min_size=1, max_size=20)


def days(first: dt.date = MONDAY, closed: Sequence[dt.date] = ()) -> Days:
    return Days(calendar(timetable(closed=frozenset(closed))), 0, first)


@given(WORDS)
def test_every_letter_but_the_dash_is_a_mark_of_its_session(words: list[str]) -> None:
    cells, faults = read_row(" ".join(words), days())

    taught = [MONDAY + n * DAY for n in range(40) if n % 7 < 5]
    assert faults == []
    assert [(cell.date, cell.session, cell.mark) for cell in cells] == [
        (day, session, mark)
        for day, word in zip(taught, words, strict=False)
        for session, letter in zip(("am", "pm"), word, strict=True)
        if (mark := LETTERS[letter]) is not None
    ]


@given(WORDS, st.integers(1, 5))
def test_a_number_says_how_many_such_days(words: list[str], times: int) -> None:
    words = words[:5]
    assert read_row(" ".join(f"{word}*{times}" for word in words), days()) == read_row(
        " ".join(word for word in words for _ in range(times)), days()
    )


def test_a_list_has_a_text_a_week_and_days_without_school_have_no_word() -> None:
    tuesday, friday = MONDAY + DAY, MONDAY + 4 * DAY
    cells, faults = read_row(["AA PP", "", "A-"], days(tuesday, closed=[MONDAY + 2 * DAY]))

    assert faults == []
    assert [(cell.date, cell.mark) for cell in cells] == [
        (tuesday, Mark.ABSENT),
        (tuesday, Mark.ABSENT),
        (friday - DAY, Mark.PRESENT),
        (friday - DAY, Mark.PRESENT),
        (MONDAY + 14 * DAY, Mark.ABSENT),
    ]


def test_every_fault_of_a_row_is_told_with_its_week() -> None:
    _, faults = read_row(["AX", "AAA PP", "PP*6"], days())
    assert [(one.week, one.fault) for one in faults] == [
        (0, '"AX" is no day'),
        (1, '"AAA" has 3 letters for 2 sessions'),
        (2, "has 6 days, and there are 5 school days in that week"),
    ]
