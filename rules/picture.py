"""One child's register as letters, a session a letter and a day a word, as the law's own table writes it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.records import Mark
from rules.register import EXCUSED, MISSED, SEEN, SKIP, Register

AWAY, AHEAD = ".", " "
"""Letters of a session in which the child is not on the roll, and of one that has not begun."""

_OF_MARK = {Mark.PRESENT: "P", Mark.LATE: "T", Mark.LEFT_EARLY: "E", Mark.UNKNOWN: "?", Mark.UNTAKEN: "-"}
_OF_MEANING = {MISSED: "A", EXCUSED: "L"}


@dataclass(frozen=True, slots=True)
class Page:
    """One school day of one child: its number in the grid, its date, and a letter a session."""

    day: int
    date: dt.date
    letters: str


def pages(register: Register, meaning: NDArray[np.uint8], row: int, first: int, last: int) -> list[Page]:
    """The school days `first` to `last` (numbers in the grid, both inclusive) of `row`, in order.

    `meaning` (rows, columns) is what the cells mean at an instant; a leave shows in place of an absence it excuses.
    """
    calendar = register.calendar
    found = []
    for day in range(max(first, 0), min(last, len(calendar.dates) - 1) + 1):
        columns = range(day * calendar.slots, (day + 1) * calendar.slots)
        taught = [column for column in columns if calendar.expected[register.variant_of(row, column), column]]
        letters = "".join(letter(register, meaning, row, column) for column in taught)
        if letters:
            found.append(Page(day, calendar.dates[day], letters))
    return found


def letter(register: Register, meaning: NDArray[np.uint8], row: int, column: int) -> str:
    """The letter of one session that the calendar has."""
    means = int(meaning[row, column])
    if means == SKIP:
        enrolled = register.enrolled is None or bool(register.enrolled[row, column])
        return AHEAD if enrolled else AWAY
    mark = Mark(int(register.marks[row, column]))
    return _OF_MARK[mark] if means == SEEN else _OF_MEANING.get(means, _OF_MARK.get(mark, "-"))
