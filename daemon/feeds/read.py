"""Payload to records: pure, bounded, and refusing row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.config import FeedConfig, MappingConfig
from daemon.feeds.columns import LAYOUTS, is_header
from daemon.feeds.dates import Dates
from daemon.feeds.grid import Grid, is_blank, read_csv, read_json_lines, too_wide
from daemon.feeds.marks import read_marks
from daemon.feeds.payload import Fault, Payload, Reading, Refused, RefusedMark
from daemon.feeds.reading import build, reading, refused
from daemon.feeds.rows import BUILDERS, Customs, Row
from daemon.feeds.shape import DATED, Shape, given, shape_of
from daemon.feeds.whole import is_whole
from rules.records import Record


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

            return read_edfi(feed, payload, zone)
        return _read_table(feed, payload, zone)
    except Fault as fault:
        return Reading(problems=(refused(payload.name, fault.line, fault),))


def _read_table(feed: FeedConfig, payload: Payload, zone: ZoneInfo) -> Reading:
    table = _grid(feed, payload)
    shape = shape_under(feed, table)
    grid, places = shape.grid(table), shape.places
    customs = Customs.of(feed.mapping, dates_of(feed.mapping, zone, lambda: _cells(grid, places)))
    found = read_grid(feed, payload.name, grid, places, customs)
    _demand_an_end(feed, payload, found)
    return reading(found.records, found.problems, found.dates, found.refused_marks)


@dataclass(frozen=True, slots=True)
class GridReading:
    """What the rows of a table say: records, refusals, every date of marks met, what refused marks are about."""

    records: Sequence[Record]
    problems: list[Refused]
    dates: Collection[dt.date] = ()
    refused_marks: Sequence[RefusedMark] = ()


def read_grid(feed: FeedConfig, source: str, grid: Grid, places: Mapping[str, int], customs: Customs) -> GridReading:
    """Read the rows of a table whose columns are known."""
    split_faults = [refused(source, fault.line, fault) for fault in grid.faults]
    if feed.records == "marks":
        tally = read_marks(grid, places, customs, feed.mapping.sessions)
        problems = [refused(source, line, fault, student) for line, fault, student in tally.faults]
        return GridReading(tally.records, split_faults + problems, tally.dates, tally.refused)
    records, problems = build(source, _rows(grid, places, customs), BUILDERS[feed.records])
    return GridReading(records, split_faults + problems)


def _demand_an_end(feed: FeedConfig, payload: Payload, found: GridReading) -> None:
    """Refuse a text that stops within its last row: nobody knows how much is missing behind it.

    A file of a feed that names everybody may end so: who is not named there is unknown, not present.
    """
    if feed.url is None and feed.presence != "implied":
        return
    if is_whole(payload.content):
        return
    last = len(payload.content.splitlines())
    if any(problem.line == last for problem in found.problems):
        raise Fault("stops within its last row", "the rest is missing: send it again, with an end to its last line")


def shape_under(feed: FeedConfig, grid: Grid) -> Shape:
    """How rows under the header of `grid` are lengthened; raises Fault with the line of the header."""
    try:
        return shape_of(grid.header, LAYOUTS[feed.records], feed.mapping)
    except Fault as fault:
        fault.line = grid.header_line
        raise


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


def _grid(feed: FeedConfig, payload: Payload) -> Grid:
    """The payload as a table, in the form declared or the one its first bytes show."""
    content, form = payload.content, form_of(feed, payload.content)
    if form == "xlsx":
        from daemon.feeds.sheets import read_xlsx  # noqa: PLC0415 - most feeds are text

        layout, mapping = LAYOUTS[feed.records], feed.mapping
        return read_xlsx(content, lambda cells: is_header(cells, layout, mapping.columns, given(mapping)))
    return read_json_lines(content, feed.encoding) if form == "jsonl" else read_csv(content, feed.encoding)


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
