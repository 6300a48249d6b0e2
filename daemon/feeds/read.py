"""Payload to records: pure, bounded, and refusing row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from daemon.config import FeedConfig
from daemon.feeds.columns import LAYOUTS, is_header, place
from daemon.feeds.dates import Dates
from daemon.feeds.grid import Grid, read_csv, read_json_lines
from daemon.feeds.marks import is_blank, read_marks
from daemon.feeds.payload import Fault, Payload, Reading, Refused
from daemon.feeds.reading import build, reading, refused
from daemon.feeds.rows import BUILDERS, Customs, Row

DATED = ("date", "recorded_at", "came_at", "birth_date", "status_since", "at", "from", "to")


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
        return Reading(problems=(refused(payload, fault.line, fault),))


def _read_table(feed: FeedConfig, payload: Payload, zone: ZoneInfo) -> Reading:
    grid = _grid(feed, payload)
    try:
        places = place(grid.header, LAYOUTS[feed.records], feed.mapping.columns)
    except Fault as fault:
        fault.line = grid.header_line
        raise
    dates = Dates(zone, feed.mapping.dates, lambda: _cells(grid, places))
    customs = Customs.of(feed.mapping, dates)
    split_faults = [refused(payload, fault.line, fault) for fault in grid.faults]
    if feed.records == "marks":
        tally = read_marks(grid, places, customs, feed.mapping.sessions)
        problems = [refused(payload, line, fault, student) for line, fault, student in tally.faults]
        return reading(tally.records, split_faults + problems, tally.dates)
    records, problems = build(payload, _rows(grid, places, customs), BUILDERS[feed.records])
    return reading(records, split_faults + problems)


def _grid(feed: FeedConfig, payload: Payload) -> Grid:
    """The payload as a table, in the form declared or the one its first bytes show."""
    content, form = payload.content, feed.format
    if form == "auto":
        start = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
        packed = content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
        form = "xlsx" if packed else "jsonl" if start.startswith(b"{") else "csv"
    if form == "xlsx":
        from daemon.feeds.sheets import read_xlsx  # noqa: PLC0415 - most feeds are text

        return read_xlsx(content, lambda cells: is_header(cells, LAYOUTS[feed.records], feed.mapping.columns))
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
            yield line, Fault(f"has {len(cells)} cells under {width} columns", "put text with a delimiter in quotes")
