"""From what was found in a source to the Reading that leaves the room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

from daemon.feeds.fields import LONGEST_ID
from daemon.feeds.payload import Fault, Reading, Refused, RefusedMark
from daemon.feeds.rows import Row
from rules.records import Record

MOST_PROBLEMS = 10_000


def refused(source: str, line: int, fault: Fault, student: str = "") -> Refused:
    """`fault` with its place; `student` is the row's student as written."""
    student_id = student.strip()[:LONGEST_ID] or None
    return Refused(source, line, fault.column, fault.fault, fault.hint, student_id)


def reading(
    records: Sequence[Record],
    problems: list[Refused],
    met: Iterable[dt.date] = (),
    refused_marks: Iterable[RefusedMark] = (),
) -> Reading:
    """A Reading with its problems by line, at most MOST_PROBLEMS and the count of the rest."""
    dates = sorted(met)
    ordered = sorted(problems, key=lambda problem: problem.line)
    if len(ordered) > MOST_PROBLEMS:
        more = len(ordered) - MOST_PROBLEMS
        ordered[MOST_PROBLEMS:] = [Refused(ordered[0].source, 0, None, f"and {more} more problems like these")]
    first, last = (dates[0], dates[-1]) if dates else (None, None)
    return Reading(records, tuple(ordered), (), first, last, tuple(refused_marks))


def build(
    name: str, source: Iterable[Row | tuple[int, Fault]], record_of: Callable[[Row], Record]
) -> tuple[list[Record], list[Refused]]:
    """The records of rows and what was wrong with them; a bare Fault stands for a row that could not be made.

    `name` is the source's.
    """
    records: list[Record] = []
    problems: list[Refused] = []
    for row in source:
        if isinstance(row, tuple):
            problems.append(refused(name, *row))
            continue
        student = row.raw("student_id")
        try:
            records.append(record_of(row))
        except Fault as fault:
            problems.append(refused(name, row.line, fault, student))
        else:
            problems.extend(refused(name, row.line, doubt, student) for doubt in row.doubts)
    return records, problems
