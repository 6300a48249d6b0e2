"""Rows of letters to dated marks, as the law's own table writes them; knows no child."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from daemon.config.values import quoted
from rules.calendar import Calendar
from rules.records import Mark

LETTERS: dict[str, Mark | None] = {
    "P": Mark.PRESENT,
    "A": Mark.ABSENT,
    "L": Mark.LEAVE,
    "T": Mark.LATE,
    "E": Mark.LEFT_EARLY,
    "?": Mark.UNKNOWN,
    "-": None,
}
"""What each letter says of a session: `?` that the roll was called and did not name the child, `-` nothing."""

LONGEST = 400
"""School days of one row."""

_DAY = re.compile(r"([A-Z?-]+)(?:\*([1-9]\d{0,2}))?", re.ASCII)
_WEEK = dt.timedelta(days=7)
_HINT = (
    'a day has a letter a session, P A L T (late) E (left early) ? (called, not named) - (untaken); "PP*5" is five days'
)


class Cell(NamedTuple):
    """One mark of a row."""

    date: dt.date
    session: str
    mark: Mark


class Misread(NamedTuple):
    """What is wrong with a row; `week` is the text it stands in, where there is one a week."""

    week: int | None
    fault: str
    hint: str


class Days:
    """The school days of one class from a day on; knows no marks."""

    def __init__(self, calendar: Calendar, variant: int, first: dt.date) -> None:
        self._table = calendar.tables[variant]
        self._first = first
        self.names = calendar.names(variant)

    def on(self) -> Iterator[dt.date]:
        """All of them, in order."""
        _, last = self._table.span()
        days = (self._first + dt.timedelta(days=n) for n in range((last - self._first).days + 1))
        return (day for day in days if self._table.expects(day))

    def of_week(self, number: int) -> list[dt.date]:
        """Those of one week, Monday to Sunday; the first day's week is number 0."""
        monday = self._first - dt.timedelta(days=self._first.weekday()) + number * _WEEK
        days = (monday + dt.timedelta(days=n) for n in range(7))
        return [day for day in days if day >= self._first and self._table.expects(day)]


def read_row(row: str | Sequence[str], days: Days) -> tuple[list[Cell], list[Misread]]:
    """The marks of a row: a text for all its school days, or a list with one for each week."""
    if isinstance(row, str):
        return _read_days(row, list(islice(days.on(), LONGEST)), days.names, None)
    cells: list[Cell] = []
    faults: list[Misread] = []
    for number, week in enumerate(row[:LONGEST]):
        found, wrong = _read_days(week, days.of_week(number), days.names, number)
        cells += found
        faults += wrong
    return cells, faults


def _read_days(
    text: str, days: Sequence[dt.date], names: Sequence[str], week: int | None
) -> tuple[list[Cell], list[Misread]]:
    words, faults = _words(text, len(names), week)
    if len(words) > len(days):
        there = "in that week" if week is not None else "to the end of the calendar"
        fault = f"has {len(words)} days, and there are {len(days)} school days {there}"
        faults.append(Misread(week, fault, "days without school have no letters"))
    cells = [
        Cell(day, name, mark)
        for day, word in zip(days, words, strict=False)
        for name, letter in zip(names, word, strict=False)
        if (mark := LETTERS[letter]) is not None
    ]
    return cells, faults


def _words(text: str, sessions: int, week: int | None) -> tuple[list[str], list[Misread]]:
    """The days of a text, those written once for several as often as they say."""
    words: list[str] = []
    faults: list[Misread] = []
    for word in text.split()[: LONGEST + 1]:
        found = _DAY.fullmatch(word)
        if found is None or any(letter not in LETTERS for letter in found[1]):
            faults.append(Misread(week, f"{quoted(word)} is no day", _HINT))
        elif len(found[1]) != sessions:
            faults.append(Misread(week, f"{quoted(word)} has {len(found[1])} letters for {sessions} sessions", _HINT))
        elif len(words) <= LONGEST:
            words += [found[1]] * int(found[2] or 1)
    return words, faults
