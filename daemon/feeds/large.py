"""Large CSV files of marks and passages: every distinct cell is understood once, by the row reader's parsers.

Whatever is not plain – a cell that means nothing, a quote within a quote, a row too short – goes through the row reader
itself. The daemon, whose deliveries are small, never comes here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from daemon.config import FeedConfig
from daemon.feeds.bulk import KINDS, BulkReading, Gathering
from daemon.feeds.fields import LONGEST_TEXT
from daemon.feeds.grid import Grid
from daemon.feeds.marks import cell_readers, student_of
from daemon.feeds.payload import Fault, Refused
from daemon.feeds.pieces import LONGEST_PLAIN, Odd, Plain, Table, combined, open_table
from daemon.feeds.read import dates_of, read_grid, shape_under
from daemon.feeds.reading import MOST_PROBLEMS, refused
from daemon.feeds.rows import Customs
from daemon.feeds.shape import DATED, Shape
from daemon.feeds.text import encoding_of
from rules.instants import NEVER, to_micros
from rules.records import Mark

BAD = int(np.iinfo(np.int64).min)
"""What a cell is worth that no parser understands."""

MOST_REMEMBERED = 1 << 18

Value = Callable[[str], int]


def read_large(feed: FeedConfig, path: Path, name: str, zone: ZoneInfo) -> BulkReading:
    """What the CSV file at `path`, called `name`, says of marks or passages: what `read` says of it, in arrays.

    Never raises for what it contains, and has no limit of rows; memory holds a few dozen bytes a row.
    """
    try:
        table = open_table(path, encoding_of(path, feed.encoding))
        taking = _Taking(feed, name, table, shape_under(feed, table.head), zone)
        for piece in table.pieces(taking.fits):
            taking.take(piece)
    except Fault as fault:
        return BulkReading(Gathering().bulk(), (refused(name, fault.line, fault),))
    return taking.reading()


class _Cells:
    """The cells of one plain piece: which are different, and what they make; forgets all with the piece."""

    def __init__(self, piece: Plain, encoding: str) -> None:
        self._piece = piece
        self._encoding = encoding
        self._known: dict[tuple[int, ...], tuple[NDArray[np.intp], NDArray[np.intp]]] = {}

    def distinct(self, parts: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """A row of each different combination of cells in the columns `parts`, and which of them each row has."""
        if parts not in self._known:
            if len(parts) == 1:
                self._known[parts] = self._piece.distinct(parts[0])
            else:
                self._known[parts] = combined(self.distinct(parts[:-1])[1], self.distinct(parts[-1:])[1])
        return self._known[parts]

    def texts(self, parts: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
        """The different combinations of cells in `parts`, each distinct cell decoded once."""
        first, _ = self.distinct(parts)
        columns = []
        for part in parts:
            rows, which = self.distinct((part,))
            texts = [self._piece.cell(row, part).decode(self._encoding) for row in rows.tolist()]
            columns.append([texts[n] for n in which[first].tolist()])
        return zip(*columns, strict=True)

    def values(self, parts: tuple[int, ...], value: Callable[[tuple[str, ...]], int]) -> NDArray[np.int64]:
        """What the cells in `parts` are worth, row by row."""
        if not parts:
            return np.full(len(self._piece), value(()), np.int64)
        first, which = self.distinct(parts)
        return np.fromiter(map(value, self.texts(parts)), np.int64, len(first))[which]

    def row(self, row: int, width: int) -> list[str]:
        """All cells of one row."""
        return [self._piece.cell(row, column).decode(self._encoding) for column in range(width)]


class _Taking:
    """One file being read, piece by piece."""

    def __init__(self, feed: FeedConfig, name: str, table: Table, shape: Shape, zone: ZoneInfo) -> None:
        self._feed, self._name, self._table, self._shape = feed, name, table, shape
        self._customs = Customs.of(feed.mapping, dates_of(feed.mapping, zone, self._date_cells))
        self._rows = Gathering()
        self._problems: list[Refused] = []
        self._more = 0
        self._dates: set[dt.date] = set()
        parsers = _marks if feed.records == "marks" else _passages
        self._values = {
            name: (None if (source := shape.source(column)) is None else (source[0], _worth(source[1], parse)))
            for name, (column, parse) in parsers(feed, self._customs, self._rows).items()
        }
        told_apart = [source[0] for source in self._values.values() if source is not None]
        self._narrow = {part for parts in told_apart for part in parts}.union(at for at, _ in shape.skips)
        free = [shape.source(column) for column in ("reason", "device", "direction")]
        self._free = [source[0] for source in free if source is not None]

    def fits(self, piece: Plain) -> bool:
        """Whether the cells that matter are short enough to be told apart, and free text is none too long."""
        longest = {part: int(piece.lengths(part).max()) for part in self._narrow.union(*self._free)}
        return all(longest[part] <= LONGEST_PLAIN for part in self._narrow) and all(
            sum(longest[part] + 1 for part in parts) <= LONGEST_TEXT for parts in self._free
        )

    def take(self, piece: Plain | Odd) -> None:
        """Take one piece."""
        if isinstance(piece, Odd):
            self._take_rows(piece)
            return
        cells = _Cells(piece, self._table.encoding)
        passed = _passed_over(cells, self._shape, len(piece))
        columns = {
            name: np.full(len(piece), NEVER, np.int64) if source is None else cells.values(*source)
            for name, source in self._values.items()
        }
        good = ~passed & np.logical_and.reduce([column != BAD for column in columns.values()])
        columns["line"] = piece.line + np.arange(len(piece))
        if self._feed.records == "marks":
            self._dates.update(map(dt.date.fromordinal, np.unique(columns["day"][good]).tolist()))
        else:
            columns["mark"] = np.full(len(piece), Mark.PRESENT, np.int64)
        self._rows.take({name: column[good] for name, column in columns.items() if name in KINDS})
        rows = np.flatnonzero(~good & ~passed).tolist()
        if rows:
            texts = [cells.row(row, self._shape.width) for row in rows]
            self._take_rows(Odd(texts, [piece.line + row for row in rows], []))

    def _date_cells(self) -> Iterator[str]:
        """Every different cell that may hold a date, piece by piece; see `Dates`."""
        places = [place for field in DATED if (place := self._shape.places.get(field)) is not None]
        sources = [source for field in DATED if (source := self._shape.source(field)) is not None]
        for piece in self._table.pieces(self.fits):
            if isinstance(piece, Odd):
                yield from (row[at] for row in self._grid(piece).rows for at in places if at < len(row))
                continue
            cells = _Cells(piece, self._table.encoding)
            kept = ~_passed_over(cells, self._shape, len(piece))
            for parts, make in sources:
                there = np.bincount(cells.distinct(parts)[1][kept]) > 0
                yield from (make(texts) for texts, is_there in zip(cells.texts(parts), there, strict=False) if is_there)

    def _grid(self, odd: Odd) -> Grid:
        head = self._table.head
        return self._shape.grid(Grid(head.header, head.header_line, odd.rows, odd.lines, odd.faults, head.delimiter))

    def _take_rows(self, odd: Odd) -> None:
        """Take rows as the row reader does."""
        grid = self._grid(odd)
        found = read_grid(self._feed, self._name, grid, self._shape.places, self._customs)
        problems = found.problems
        self._rows.add(found.records)
        self._dates.update(found.dates)
        kept = sorted(problems, key=lambda problem: problem.line)[: MOST_PROBLEMS - len(self._problems)]
        self._problems += kept
        self._more += len(problems) - len(kept)

    def reading(self) -> BulkReading:
        """Everything taken."""
        if self._more:
            self._problems.append(Refused(self._name, 0, None, f"and {self._more} more problems like these"))
        first, last = (min(self._dates), max(self._dates)) if self._dates else (None, None)
        return BulkReading(self._rows.bulk(), tuple(self._problems), first, last)


def _worth(make: Callable[[Sequence[str]], str], parse: Value) -> Callable[[tuple[str, ...]], int]:
    """What the cells of a field are worth: understood once, BAD where they mean nothing."""
    known: dict[tuple[str, ...], int] = {}

    def worth(cells: tuple[str, ...]) -> int:
        found = known.get(cells)
        if found is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            try:
                found = parse(make(cells).strip())
            except Fault:
                found = BAD
            known[cells] = found
        return found

    return worth


def _marks(feed: FeedConfig, customs: Customs, rows: Gathering) -> dict[str, tuple[str, Value]]:
    """The arrays of marks, each with the column it is read from and what a cell is worth; `came_at` is only judged."""
    read = cell_readers(customs, feed.mapping.sessions)
    recorded = read["recorded_at"]
    return {
        "student": ("student_id", lambda text: rows.student(student_of(text))),
        "day": ("date", lambda text: int(read["date"](text).toordinal())),
        "session": ("session", lambda text: rows.session(read["session"](text))),
        "mark": ("mark", lambda text: int(read["mark"](text))),
        "known_at": ("recorded_at", lambda text: NEVER if (at := recorded(text)) is None else to_micros(at)),
        "came_at": ("came_at", lambda text: int(read["came_at"](text) is None)),
    }


def _passages(_feed: FeedConfig, customs: Customs, rows: Gathering) -> dict[str, tuple[str, Value]]:
    """The arrays of passages, likewise."""
    return {
        "student": ("student_id", lambda text: rows.student(student_of(text))),
        "known_at": ("at", lambda text: to_micros(customs.dates.instant(text))),
    }


def _passed_over(cells: _Cells, shape: Shape, rows: int) -> NDArray[np.bool_]:
    """The rows that the mapping skips; bool (rows,)."""
    passed = np.zeros(rows, np.bool_)
    for at, skipped in shape.skips:
        passed |= cells.values((at,), lambda found, skipped=skipped: int(shape.cell(found[0]).strip() in skipped)) > 0  # type: ignore[misc]
    return passed
