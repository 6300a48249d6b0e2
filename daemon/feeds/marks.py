"""Rows of marks: the one kind there are hundreds of thousands of, so every distinct cell is understood once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from daemon.feeds import fields
from daemon.feeds.grid import Grid, is_blank, too_wide
from daemon.feeds.ids import LONGEST_ID, PLAIN_ID, an_id, plainer
from daemon.feeds.payload import Fault, RefusedMark, quote
from daemon.feeds.rows import LEFT_OUT, Customs
from daemon.problems import choose
from rules.records import MARK_NAMES, Mark, MarkRecord

Value = TypeVar("Value")

FIRST_YEAR = 2000
"""Marks before this are slips of a pen, and must not stretch what an exception feed covers."""

_COLUMNS = ("student_id", "date", "session", "mark", "recorded_at", "came_at", "reason")


@dataclass(slots=True)
class Tally:
    """What became of the rows of one source of marks: records, what was wrong with rows, and every date met."""

    records: list[MarkRecord] = field(default_factory=list)
    faults: list[tuple[int, Fault, str]] = field(default_factory=list)
    """Line, fault, and the row's student cell as it stands."""
    dates: set[dt.date] = field(default_factory=set)
    refused: list[RefusedMark] = field(default_factory=list)
    """What the rows that were not taken are about."""


class Once(dict[str, Value]):
    """A reader that remembers what it understood, a cell's text to its value."""

    def __init__(self, column: str, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._column = column
        self._read = read

    def __missing__(self, text: str) -> Value:
        try:
            value = self[text] = self._read(text.strip())
        except Fault as fault:
            fault.column = self._column
            raise
        return value


def read_marks(grid: Grid, places: Mapping[str, int], customs: Customs, sessions: Mapping[str, str]) -> Tally:
    """The marks of `grid`. A row is refused whole, but for a `came_at` nobody can read, which is left out and noted.

    A row's date counts for what the source covers even when the rest of the row is refused.
    """
    tally = Tally()
    width = len(grid.header)
    read_row = _row_reader(places, customs, sessions, (width, grid.made), tally.dates)
    take = tally.records.append
    for line, cells in zip(grid.lines, grid.rows, strict=True):
        if len(cells) != width:
            cells.extend([""] * (width - len(cells)))
        cells.append("")
        try:
            take(read_row(cells, line))
        except Fault as fault:
            if not is_blank(cells) and _refuse(tally, cells, line, fault, places, read_row):
                tally.refused.append(subject_of(cells, line, places, customs, sessions))
    for split in grid.faults:
        tally.refused.append(subject_of(split.cells, split.line, places, customs, sessions))
    return tally


def subject_of(
    cells: Sequence[str], line: int, places: Mapping[str, int], customs: Customs, sessions: Mapping[str, str]
) -> RefusedMark:
    """Return what a row that was not taken is about, as far as its cells can be understood one by one."""
    readers = cell_readers(customs, sessions)

    def understood(column: str, read: Callable[[str], Value]) -> Value | None:
        at = places.get(column)
        text = cells[at].strip().strip('"') if at is not None and at < len(cells) else ""
        try:
            return read(text)
        except Fault:
            return None

    return RefusedMark(
        understood("student_id", student_of),
        understood("date", readers["date"]),
        understood("session", readers["session"]),
        understood("recorded_at", readers["recorded_at"]),
        line,
    )


def _row_reader(
    places: Mapping[str, int], customs: Customs, sessions: Mapping[str, str], header: tuple[int, int], met: set[dt.date]
) -> Callable[[list[str], int], MarkRecord]:
    """A function from cells, one longer than the header and that one empty, to a record; it raises Fault.

    `header` is how many columns there are, and how many of them are none of the source's own.
    """
    width, made = header
    readers = cell_readers(customs, sessions)
    dates, names, marks = (Once(name, readers[name]) for name in ("date", "session", "mark"))
    known, came = (Once(name, readers[name]) for name in ("recorded_at", "came_at"))
    reasons = Once("reason", fields.words)
    id_at, date_at, session_at, mark_at, known_at, came_at, reason_at = (places.get(name, width) for name in _COLUMNS)
    longest = width + 1

    def read_row(cells: list[str], line: int) -> MarkRecord:
        date = dates[cells[date_at]]
        met.add(date)
        if len(cells) != longest and not is_blank(cells[width:]):
            raise too_wide(len(cells) - 1 - made, width - made)
        return MarkRecord(
            student_of(cells[id_at]),
            date,
            names[cells[session_at]],
            marks[cells[mark_at]],
            known[cells[known_at]],
            came[cells[came_at]],
            reasons[cells[reason_at]],
            line,
        )

    return read_row


def cell_readers(customs: Customs, sessions: Mapping[str, str]) -> Mapping[str, Callable[[str], Any]]:
    """What understands a trimmed cell, by its column; raises Fault."""
    renamed = {key.strip(): name for key, name in sessions.items()}
    return {
        "date": lambda text: _date(customs, text),
        "session": lambda text: _session(renamed, text),
        "mark": lambda text: mark_of(customs, text),
        "recorded_at": lambda text: customs.dates.known_at(text) if text else None,
        "came_at": lambda text: customs.dates.instant(text) if text else None,
    }


def student_of(text: str) -> str:
    """A child's id; not remembered as other cells are, for each row names another."""
    if PLAIN_ID.fullmatch(text):
        return text
    try:
        return an_id(text)
    except Fault as fault:
        fault.column = "student_id"
        raise


def _refuse(
    tally: Tally,
    cells: list[str],
    line: int,
    fault: Fault,
    places: Mapping[str, int],
    read_row: Callable[[list[str], int], MarkRecord],
) -> bool:
    """Note what was wrong and return whether the row is refused; one whose only fault was its `came_at` is not."""
    student = cells[places["student_id"]]
    if fault.column == "came_at":
        cells[places["came_at"]] = ""
        try:
            tally.records.append(read_row(cells, line))
        except Fault as other:
            fault = other
        else:
            fault.fault += LEFT_OUT
            tally.faults.append((line, fault, student))
            return False
    tally.faults.append((line, fault, student))
    return True


def mark_of(customs: Customs, text: str) -> Mark:
    """The mark a code stands for, through the mapping or by its own name; raises Fault."""
    meaning = customs.meaning(text)
    mark = MARK_NAMES.get(meaning) or MARK_NAMES.get(meaning.casefold())
    if mark is None:
        if not text:
            raise Fault("is missing")
        raise Fault(f"{quote(text)} is no mark", f"{choose(text, MARK_NAMES)} or add it to mapping.codes")
    return mark


def _date(customs: Customs, text: str) -> dt.date:
    if not text:
        raise Fault("is missing")
    date = customs.dates.date(text)
    if date.year < FIRST_YEAR:
        raise Fault(f"{quote(text)} is out of range")
    return date


def _session(sessions: Mapping[str, str], text: str) -> str:
    plain = plainer(text)
    name = sessions.get(text, sessions.get(plain, plain))
    if not name:
        raise Fault("is missing")
    if len(name) > LONGEST_ID or not name.isprintable():
        raise Fault("is not the name of a session")
    return name
