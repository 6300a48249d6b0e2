"""Payload to records: pure, bounded, and refusing row by row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from zoneinfo import ZoneInfo

from daemon.config import FeedConfig, MappingConfig
from daemon.config.country import country_of
from daemon.feeds.columns import LAYOUTS
from daemon.feeds.dates import Dates
from daemon.feeds.grid import Grid, is_blank, read_csv, read_json_lines, too_wide
from daemon.feeds.listed import Listed
from daemon.feeds.marks import read_marks
from daemon.feeds.payload import Fault, Payload, Reading, Refused, RefusedMark
from daemon.feeds.reading import build, reading, refused
from daemon.feeds.rows import BUILDERS, Customs, Row
from daemon.feeds.shape import DATED, Shape, shape_of, shortfall
from daemon.feeds.whole import is_whole
from rules.records import MarkRecord, Record

TITLE_LINES = 20
"""A header that stands under so many lines of titles is named."""


def read(feed: FeedConfig, payload: Payload, zone: ZoneInfo) -> Reading:
    """What `payload` says, in order; local times are in `zone`.

    Never raises for what a source contains: a bad row is refused and the rest taken; a source that is no table of
    the feed's kind is refused as a whole, with one problem. Knows no roster: a child unknown to it may be named.
    """
    if payload.fault is not None:
        return Reading(problems=(Refused(payload.name, 0, None, payload.fault),))
    try:
        if feed.kind == "edfi":
            from daemon.feeds.edfi import read_edfi  # noqa: PLC0415 - most districts have none

            return read_edfi(feed, payload, zone, region_of(feed, zone))
        return _read_table(feed, payload, zone)
    except Fault as fault:
        return Reading(problems=(refused(payload.name, fault.line, fault),))


def _read_table(feed: FeedConfig, payload: Payload, zone: ZoneInfo) -> Reading:
    """All tables of a payload as one: its dates have one order, and what is listed twice is found across sheets."""
    found = _tables(feed, payload)
    if not found.tables:
        return _none_fits(feed, payload, found.others)
    shaped = [(_source(payload, table, found.several), shape_under(feed, table), table) for table in found.tables]
    grids = [(source, shape.grid(table), shape.places) for source, shape, table in shaped]
    candidates = partial(_all_cells, [(grid, places) for _, grid, places in grids])
    customs = Customs.of(feed.mapping, dates_of(feed.mapping, zone, candidates), region_of(feed, zone))
    listed = Listed()
    parts = [read_grid(feed, source, grid, places, customs, listed) for source, grid, places in grids]
    records = parts[0].records if len(parts) == 1 else _together(feed, [part.records for part in parts])
    problems = [problem for part in parts for problem in part.problems]
    _demand_an_end(feed, payload, problems)
    met = {day for part in parts for day in part.dates}
    about = [one for part in parts for one in part.refused_marks]
    notices = [_passed_over(feed, payload, sheet) for sheet in found.others]
    notices += [_hidden(payload, sheet) for sheet in found.hidden]
    return reading(records, problems, met, notices, about)


def _none_fits(feed: FeedConfig, payload: Payload, sheets: Sequence[Grid]) -> Reading:
    """A workbook none of whose sheets has the columns: refused by the one that is likest, the others are named."""
    layout, mapping = LAYOUTS[feed.records], feed.mapping
    likest, *others = sorted(sheets, key=lambda sheet: shortfall(sheet.header, layout, mapping))
    fault = _misfit(feed, likest)
    problem = refused(_source(payload, likest, several=bool(others)), fault.line, fault)
    return Reading(problems=(problem,), notices=tuple(_passed_over(feed, payload, sheet) for sheet in others))


def _together(feed: FeedConfig, parts: Sequence[Sequence[Record]]) -> list[Record]:
    """The records of several sheets; of two marks for one child and session the later sheet's counts, as a later line.

    Lines are those of each sheet, and would not tell.
    """
    records = list(chain.from_iterable(parts))
    if feed.records != "marks":
        return records
    last = {(*one[:3], one[4]): one for one in records if isinstance(one, MarkRecord)}
    return list(last.values())


def region_of(feed: FeedConfig, zone: ZoneInfo) -> str | None:
    """Return the country of telephone numbers without a country code: the feed's; of one made by hand, the zone's."""
    return (feed.country or None) if feed.country is not None else country_of(zone.key)


@dataclass(frozen=True, slots=True)
class GridReading:
    """What the rows of a table say: records, refusals, every date of marks met, what refused marks are about."""

    records: Sequence[Record]
    problems: list[Refused]
    dates: Collection[dt.date] = ()
    refused_marks: Sequence[RefusedMark] = ()


def read_grid(
    feed: FeedConfig,
    source: str,
    grid: Grid,
    places: Mapping[str, int],
    customs: Customs,
    listed: Listed | None = None,
) -> GridReading:
    """Read the rows of a table whose columns are known.

    `listed` knows what was listed before, in the same payload.
    """
    split_faults = [refused(source, fault.line, fault) for fault in grid.faults]
    if feed.records == "marks":
        tally = read_marks(grid, places, customs, feed.mapping.sessions)
        problems = [refused(source, line, fault, student) for line, fault, student in tally.faults]
        return GridReading(tally.records, split_faults + problems, tally.dates, tally.refused)
    records, problems = build(source, _rows(grid, places, customs), BUILDERS[feed.records], listed)
    return GridReading(records, split_faults + problems)


def _demand_an_end(feed: FeedConfig, payload: Payload, problems: Sequence[Refused]) -> None:
    """Refuse a text that stops within its last row: nobody knows how much is missing behind it.

    A file of a feed that names everybody may end so: who is not named there is unknown, not present.
    """
    if feed.url is None and feed.presence != "implied":
        return
    if is_whole(payload.content):
        return
    last = len(payload.content.splitlines())
    if any(problem.line == last for problem in problems):
        raise Fault("stops within its last row", "the rest is missing: send it again, with an end to its last line")


def shape_under(feed: FeedConfig, grid: Grid) -> Shape:
    """How rows under the header of `grid` are lengthened; raises Fault with the line of the header."""
    try:
        return shape_of(grid.header, LAYOUTS[feed.records], feed.mapping)
    except Fault as fault:
        fault.line = grid.header_line
        below = _header_below(feed, grid)
        if below:
            fault.hint = f"line {below} has the columns: delete the lines above it"
        raise


def _header_below(feed: FeedConfig, grid: Grid) -> int | None:
    """The line under titles that would be a header, whatever its delimiter."""
    for line, cells in islice(zip(grid.lines, grid.rows, strict=False), TITLE_LINES):
        names = re.split(r"[,;\t]", ",".join(cells))
        if not shortfall(names, LAYOUTS[feed.records], feed.mapping):
            return line
    return None


def dates_of(mapping: MappingConfig, zone: ZoneInfo, candidates: Callable[[], Iterable[str]]) -> Dates:
    """The dates of a source that `mapping` tells how to read."""
    origins = mapping.origin.days if mapping.origin is not None else {}
    return Dates(zone, mapping.dates, candidates, origins)


def form_of(feed: FeedConfig, start: bytes) -> str:
    """The form of a table: the one declared, or what its first 512 bytes show."""
    if feed.format != "auto":
        return feed.format
    text = start[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    packed = start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    return "xlsx" if packed else "jsonl" if text.startswith(b"{") else "csv"


@dataclass(frozen=True, slots=True)
class _Tables:
    """The tables of one payload, and its sheets that are none of the feed's kind."""

    tables: Sequence[Grid]
    others: Sequence[Grid] = ()
    hidden: Sequence[Grid] = ()

    @property
    def several(self) -> bool:
        return len(self.tables) + len(self.others) > 1


def _tables(feed: FeedConfig, payload: Payload) -> _Tables:
    """The payload as tables, in the form declared or the one its first bytes show."""
    content, form = payload.content, form_of(feed, payload.content)
    if form != "xlsx":
        read_text = read_json_lines if form == "jsonl" else read_csv
        return _Tables([read_text(content, feed.encoding)])
    from daemon.feeds.sheets import read_xlsx  # noqa: PLC0415 - most feeds are text

    book = read_xlsx(content, lambda cells: shortfall(cells, LAYOUTS[feed.records], feed.mapping))
    return _Tables(book.tables, book.others, book.hidden)


def _source(payload: Payload, grid: Grid, several: bool) -> str:  # noqa: FBT001 - both of one question
    return f"{payload.name}[{grid.sheet}]" if several else payload.name


def _passed_over(feed: FeedConfig, payload: Payload, sheet: Grid) -> Refused:
    """A sheet that is not read, and why."""
    fault = _misfit(feed, sheet)
    fault.fault = f"is not read: it {fault.fault}"
    return refused(_source(payload, sheet, several=True), fault.line, fault)


def _hidden(payload: Payload, sheet: Grid) -> Refused:
    """A sheet that is not read for it is hidden."""
    fault = Fault("is not read: it is hidden, and has the columns", "show the sheet, or delete it")
    return refused(_source(payload, sheet, several=True), 0, fault)


def _misfit(feed: FeedConfig, sheet: Grid) -> Fault:
    """Why the rows of a sheet are no records of the feed's kind."""
    try:
        shape_under(feed, sheet)
    except Fault as fault:
        return fault
    raise AssertionError("a sheet with a header is a table")


def _all_cells(grids: Sequence[tuple[Grid, Mapping[str, int]]]) -> Iterator[str]:
    return chain.from_iterable(_cells(grid, places) for grid, places in grids)


def _cells(grid: Grid, places: Mapping[str, int]) -> Iterator[str]:
    """Every cell that may hold a date."""
    columns = [places[name] for name in DATED if name in places]
    return (row[at] for row in grid.rows for at in columns if at < len(row))


def _rows(grid: Grid, places: Mapping[str, int], customs: Customs) -> Iterator[Row | tuple[int, Fault]]:
    width = len(grid.header)
    for line, cells in zip(grid.lines, grid.rows, strict=True):
        if is_blank(cells):
            continue
        if is_blank(cells[width:]):
            yield Row(cells, places, line, customs)
        else:
            yield line, too_wide(len(cells) - grid.made, width - grid.made)
