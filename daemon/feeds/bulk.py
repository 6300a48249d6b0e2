"""Marks and passages as arrays: what a file of millions of rows says, in a few dozen bytes a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.feeds.payload import Refused
from rules.instants import NEVER, to_micros
from rules.records import Mark, MarkRecord, PunchRecord, Record

MANY = 1 << 22
"""So many rows are looked through for those about one child, session and instant that do not lie together."""

_ABOUT = ("student", "day", "session", "known_at")
"""What two rows must agree in for the later one to win."""

KINDS = {"student": "i4", "day": "i4", "session": "i4", "mark": "u1", "known_at": "i8", "line": "i4", "times": "i4"}
"""The arrays of a Bulk, with their types."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """Marks or passages as parallel arrays, by line; knows no roster.

    An entry stands for `times` rows about one child, session and instant: for the last of them, which wins.

    `student` and `session` int32 into `students` and `sessions`; `day` int32 proleptic ordinals; `mark` uint8;
    `known_at` int64 microseconds, of marks when they were recorded (NEVER: not said), of passages when they were made;
    `line` and `times` int32. Passages have no day and no session: both are 0.
    """

    students: tuple[str, ...]
    sessions: tuple[str, ...]
    student: NDArray[np.int32]
    day: NDArray[np.int32]
    session: NDArray[np.int32]
    mark: NDArray[np.uint8]
    known_at: NDArray[np.int64]
    line: NDArray[np.int32]
    times: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.line)


@dataclass(frozen=True, slots=True)
class BulkReading:
    """What one file said: the rows taken, what was refused (see `reading`), and the dates its marks span."""

    rows: Bulk
    problems: tuple[Refused, ...] = ()
    first_date: dt.date | None = None
    last_date: dt.date | None = None


class Gathering:
    """Rows on their way into a Bulk: those of records, and those that are arrays already."""

    def __init__(self) -> None:
        self._students: dict[str, int] = {}
        self._sessions: dict[str, int] = {}
        self._parts = {name: [np.empty(0, kind)] for name, kind in KINDS.items()}
        self._count = 0
        self._room = MANY

    def student(self, student_id: str) -> int:
        """The number of a child."""
        return self._students.setdefault(student_id, len(self._students))

    def session(self, name: str) -> int:
        """The number of a session."""
        return self._sessions.setdefault(name, len(self._sessions))

    def add(self, records: Iterable[Record]) -> None:
        """Take marks and passages."""
        rows = [self._row(one) for one in records if isinstance(one, MarkRecord | PunchRecord)]
        if rows:
            table = np.array(rows, np.int64).T
            self.take(dict(zip(KINDS, table, strict=False)))

    def take(self, columns: dict[str, NDArray[np.int64]]) -> None:
        """Take rows as columns, in order; a column left out is 0."""
        zeros = np.zeros(len(columns["line"]), np.int64)
        last = np.ones(len(zeros), np.bool_)
        told = [columns[name] for name in _ABOUT if name in columns]
        last[:-1] = np.logical_or.reduce([column[1:] != column[:-1] for column in told])
        kept = np.flatnonzero(last)
        columns = {**columns, "times": zeros}
        for name, kind in KINDS.items():
            self._parts[name].append(columns.get(name, zeros)[kept].astype(kind))
        self._parts["times"][-1] = np.diff(kept, prepend=-1).astype("i4")
        self._count += len(kept)
        if self._count > self._room:
            self._compact()

    def _compact(self) -> None:
        """Of rows about one child, session and instant that lie apart keep the last; look again when twice as many."""
        whole = {name: np.concatenate(self._parts[name]) for name in KINDS}
        order = np.lexsort((whole["line"], *(whole[name] for name in _ABOUT)))
        last = np.ones(len(order), np.bool_)
        last[:-1] = np.logical_or.reduce([np.diff(whole[name][order]) != 0 for name in _ABOUT])
        ends = np.flatnonzero(last)
        whole["times"][order[ends]] = np.add.reduceat(whole["times"][order], np.append(0, ends[:-1] + 1))
        kept = np.sort(order[ends])
        self._parts = {name: [column[kept]] for name, column in whole.items()}
        self._count, self._room = len(kept), max(MANY, 2 * len(kept))

    def bulk(self) -> Bulk:
        """All rows, by line."""
        line = np.concatenate(self._parts["line"])
        order = None if (np.diff(line) >= 0).all() else np.argsort(line, kind="stable")
        whole = {}
        for name in KINDS:
            column = np.concatenate(self._parts.pop(name))
            whole[name] = column if order is None else column[order]
        return Bulk(tuple(self._students), tuple(self._sessions), **whole)

    def _row(self, record: MarkRecord | PunchRecord) -> tuple[int, ...]:
        student = self.student(record.student_id)
        if isinstance(record, PunchRecord):
            return student, 0, 0, int(Mark.PRESENT), to_micros(record.at), record.line
        known_at = NEVER if record.recorded_at is None else to_micros(record.recorded_at)
        day, session = record.date.toordinal(), self.session(record.session)
        return student, day, session, int(record.mark), known_at, record.line
