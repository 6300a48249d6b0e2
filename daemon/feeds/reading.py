"""From what was found in a source to the Reading that leaves the room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from daemon.feeds.ids import LONGEST_ID, an_id
from daemon.feeds.listed import Listed
from daemon.feeds.payload import Fault, Reading, Refused, RefusedMark
from daemon.feeds.rows import Row, key_of
from rules.records import Record

MOST_PROBLEMS = 10_000


def refused(source: str, line: int, fault: Fault, student: str = "") -> Refused:
    """Return `fault` with its place; `student` is the row's student cell, which is an id or is kept as written."""
    return Refused(source, line, fault.column, fault.fault, fault.hint, _student_id(student))


def _student_id(cell: str) -> str | None:
    try:
        return an_id(cell)
    except Fault:
        return cell.strip()[:LONGEST_ID] or None


def reading(
    records: Sequence[Record],
    problems: list[Refused],
    met: Iterable[dt.date] = (),
    notices: Iterable[Refused] = (),
    refused_marks: Iterable[RefusedMark] = (),
) -> Reading:
    """Return a Reading with its problems by line, at most MOST_PROBLEMS and the count of the rest."""
    dates = sorted(met)
    ordered = sorted(problems, key=lambda problem: problem.line)
    if len(ordered) > MOST_PROBLEMS:
        more = len(ordered) - MOST_PROBLEMS
        ordered[MOST_PROBLEMS:] = [Refused(ordered[0].source, 0, None, f"and {more} more problems like these")]
    first, last = (dates[0], dates[-1]) if dates else (None, None)
    return Reading(records, tuple(ordered), tuple(notices), first, last, tuple(refused_marks))


def build(
    name: str,
    source: Iterable[Row | tuple[int, Fault]],
    record_of: Callable[[Row], Record],
    listed: Listed | None = None,
) -> tuple[list[Record], list[Refused]]:
    """Return the records of rows and what was wrong with them; a bare Fault stands for a row that could not be made.

    `name` is the source's; `listed` knows what other tables of the same delivery list.
    """
    listed = listed or Listed()
    records: list[Record] = []
    problems: list[Refused] = []
    for row in source:
        if isinstance(row, tuple):
            problems.append(refused(name, *row))
            continue
        student = row.raw("student_id")
        try:
            record = listed.take(record_of(row), name)
        except Fault as fault:
            problems.append(replace(refused(name, row.line, fault, student), key=key_of(row)))
        else:
            records.extend([record] if record is not None else ())
            problems.extend(refused(name, row.line, doubt, student) for doubt in row.doubts)
    return records, problems
