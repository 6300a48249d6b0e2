"""What a mapping makes of a table before its cells are understood: columns joined, constant or numbered by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from daemon.config import MappingConfig
from daemon.feeds.columns import Layout, Missing, lacking, not_placed, place, their_column
from daemon.feeds.dates import is_day_number
from daemon.feeds.grid import Grid, is_blank
from daemon.feeds.payload import Fault

SEPARATOR = "-"
"""What stands between joined cells."""

DATED = ("date", "recorded_at", "came_at", "birth_date", "status_since", "at", "from", "to")
"""The fields whose cells may hold a date."""


@dataclass(frozen=True, slots=True)
class Made:
    """One field that is made of other cells of its row; `parts` are their places."""

    field: str
    parts: tuple[int, ...]
    make: Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the fields of a table stand once its rows have been lengthened by what the mapping makes.

    `skips` are places with the trimmed cells that make a row pass over; cells among `empty` are read as empty before
    anything else. Does not understand any cell.
    """

    width: int
    places: Mapping[str, int]
    made: tuple[Made, ...] = ()
    skips: tuple[tuple[int, frozenset[str]], ...] = ()
    empty: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether rows stay as they are."""
        return not self.made and not self.skips and not self.empty

    def source(self, field: str) -> tuple[tuple[int, ...], Callable[[Sequence[str]], str]] | None:
        """The places of the source's own cells that `field` is read from, and how; None where there is none."""
        at = self.places.get(field)
        if at is None:
            return None
        one = Made(field, (at,), _itself) if at < self.width else self.made[at - self.width]
        return one.parts, (partial(_made_of_filled, self, one.make) if self.empty else one.make)

    def cell(self, text: str) -> str:
        """A cell, or nothing where its word stands for nothing."""
        return "" if text.strip() in self.empty else text

    def row(self, cells: list[str]) -> list[str]:
        """A row of the source with the made cells behind its own; blank where it is passed over."""
        if is_blank(cells):
            return cells
        if self.empty:
            cells = [self.cell(cell) for cell in cells]
        own = [*cells[: self.width], *[""] * (self.width - len(cells))]
        if any(own[at].strip() in passed for at, passed in self.skips):
            return []
        return [*own, *(one.make([own[part] for part in one.parts]) for one in self.made), *cells[self.width :]]

    def grid(self, grid: Grid) -> Grid:
        """The table as its readers want it."""
        if self.plain:
            return grid
        header = [*grid.header, *(one.field for one in self.made)]
        rows = _ShapedRows(grid, self)
        return Grid(header, grid.header_line, rows, grid.lines, grid.faults, grid.delimiter, len(self.made))


@dataclass(frozen=True, slots=True)
class _ShapedRows:
    """Rows shaped anew at each iteration, as rows of plain text are split anew."""

    source: Grid
    shape: Shape

    def __iter__(self) -> Iterator[list[str]]:
        return map(self.shape.row, self.source.rows)


def shape_of(header: Sequence[str], layout: Layout, mapping: MappingConfig) -> Shape:
    """Return how tables under `header` are lengthened; raises Fault for all missing columns, or one claimed twice."""
    found = _Found(header, layout, mapping)
    if found.missing:
        raise lacking(header, found.missing)
    places = found.places
    made = [Made(field, tuple(found.theirs[name] for name in names), _joined) for field, names in mapping.join.items()]
    made += [Made(field, (), partial(_constant, word)) for field, word in mapping.constant.items()]
    if mapping.origin is not None and mapping.origin.column is not None:
        of = found.theirs[mapping.origin.column]
        made += [Made(field, (places[field], of), _numbered) for field in DATED if field in places]
    skips = tuple((found.skipped(name), _trimmed(cells)) for name, cells in mapping.skip.items())
    ends = {one.field: len(header) + n for n, one in enumerate(made)}
    return Shape(len(header), places | ends, tuple(made), skips, frozenset(mapping.empty))


def shortfall(header: Sequence[str], layout: Layout, mapping: MappingConfig) -> int:
    """Return how far `header` is from being one: 0 if it is, more the more columns it lacks, less if one is double."""
    try:
        return 2 * len(_Found(header, layout, mapping).missing)
    except Fault:
        return 1


class _Found:
    """What a mapping needs of a header: our fields, columns of theirs, and which of both are not there."""

    def __init__(self, header: Sequence[str], layout: Layout, mapping: MappingConfig) -> None:
        self.places = place(header, layout, mapping.columns, given(mapping))
        self.theirs: dict[str, int] = {}
        self.missing = not_placed(layout, {*self.places, *given(mapping)})
        for name, field in _their_names(mapping, self.places):
            at = their_column(header, name, field)
            if at is not None:
                self.theirs[name] = at
            elif name not in {one.names[0] for one in self.missing}:
                self.missing.append(Missing((name,), field, is_theirs=True))

    def skipped(self, name: str) -> int:
        """Return the place of a column that rows are passed over by: a field of ours, or else a column of theirs."""
        return self.places[name] if name in self.places else self.theirs[name]


def _their_names(mapping: MappingConfig, places: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The source's own columns that a mapping speaks of, each with what it is for."""
    for field, names in mapping.join.items():
        yield from ((name, field) for name in names)
    if mapping.origin is not None and mapping.origin.column is not None:
        yield mapping.origin.column, "mapping.origin"
    yield from ((name, "mapping.skip") for name in mapping.skip if name not in places)


def given(mapping: MappingConfig) -> frozenset[str]:
    """Return the fields for which no column of the source is looked for."""
    return frozenset({*mapping.join, *mapping.constant})


def _trimmed(cells: Sequence[str]) -> frozenset[str]:
    return frozenset(cell.strip() for cell in cells)


def _itself(cells: Sequence[str]) -> str:
    return cells[0]


def _made_of_filled(shape: Shape, make: Callable[[Sequence[str]], str], cells: Sequence[str]) -> str:
    return make([shape.cell(cell) for cell in cells])


def _joined(cells: Sequence[str]) -> str:
    """The cells with a separator between them; nothing where one of them is empty, for it would name another."""
    parts = [cell.strip() for cell in cells]
    return SEPARATOR.join(parts) if all(parts) else ""


def _constant(word: str, _cells: Sequence[str]) -> str:
    return word


def _numbered(cells: Sequence[str]) -> str:
    """A number of days with what its day 0 goes by; anything else as it stands."""
    text, of = cells
    return f"{text.strip()} since {of.strip()}" if is_day_number(text) else text
