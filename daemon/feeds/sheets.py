"""XLSX workbooks, unpacked under limits of our own before anything else looks at them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetVisibleEnum,
)

from daemon.feeds.grid import MOST_COLUMNS, MOST_ROWS, Grid, Shortfall, cell_text
from daemon.feeds.payload import Fault

PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MOST_PARTS = 1_000
MOST_UNPACKED = 512 << 20
MOST_CELLS = 10_000_000
LONGEST_REFERENCE = 10
TITLE_ROWS = 20
"""A header may stand under this many rows of titles."""

_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z0-9]+)["']""")
_PLACE = re.compile(rb"([A-Za-z]*)([0-9]*)")
_ROW = re.compile(rb"<(?:[\w.-]+:)?row\b")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_ERROR = re.compile(rb"""(<(?:[\w.-]+:)?c\s(?:[^<>]*?\s)?t\s*=\s*["'])e(["'])""")
"""A cell with an error (#N/A), which the parser would take for an empty one."""
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, RuntimeError)
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Book:
    """The tables of a workbook, in order, and its other visible sheets with cells: the likest header of each.

    `hidden` are the sheets that would be tables if somebody had not hidden them.
    """

    tables: list[Grid]
    others: list[Grid]
    hidden: list[Grid] = field(default_factory=list)


def read_xlsx(content: bytes, shortfall: Shortfall) -> Book:
    """Return every visible sheet that has a header without `shortfall`, below at most TITLE_ROWS titles.

    Dates come as ISO text (a date at midnight as a date), numbers as plain digits while they kept them all, errors as
    they are shown. Raises Fault for what is no workbook, for one that unpacks beyond the limits or holds more than one
    table may, and for one without cells.
    """
    if content.startswith(_OLD_EXCEL):
        raise Fault("is an old .xls workbook or has a password", "save it as .xlsx")
    book = _open(_repacked(content))
    found = Book([], [])
    rows = cells = 0
    with book:
        for name, is_visible in _sheets(book):
            grid, is_table = _grid(_sheet(book, name), name, shortfall)
            if grid is None or not is_visible:
                found.hidden.extend([grid] if grid is not None and is_table else ())
                continue
            (found.tables if is_table else found.others).append(grid)
            rows, cells = rows + is_table * len(grid.lines), cells + is_table * len(grid.lines) * len(grid.header)
            if rows > MOST_ROWS or cells > MOST_CELLS:
                raise Fault(f"has more than {MOST_ROWS} rows or {MOST_CELLS} cells in its sheets", "split the file")
    if not found.tables and not found.others:
        raise Fault("has no sheet with cells")
    return found


def _sheets(book: CalamineWorkbook) -> list[tuple[str, bool]]:
    """The names of the sheets, in order, each with whether it is shown."""
    return [(sheet.name, sheet.visible is SheetVisibleEnum.Visible) for sheet in book.sheets_metadata]


def _open(content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except CalamineError:
        raise Fault("is not a workbook that can be read", "save it as .xlsx again") from None


def _sheet(book: CalamineWorkbook, name: str) -> CalamineSheet | None:
    try:
        return book.get_sheet_by_name(name)
    except CalamineError:
        return None  # a chart or macro sheet has no cells


def _repacked(content: bytes) -> bytes:
    """The same workbook, uncompressed and within limits: what was measured is what will be parsed."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(out, "w") as plain:
            for name, body in _parts(packed):
                plain.writestr(zipfile.ZipInfo(name), body)
    except Fault:
        raise
    except _BROKEN:
        raise Fault("is not a whole workbook", "save it as .xlsx again") from None
    return out.getvalue()


def _parts(packed: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """The parts that can hold cells, unpacked; pictures and the like are left behind."""
    parts = [part for part in packed.infolist() if part.filename.endswith((".xml", ".rels"))]
    if len(parts) > MOST_PARTS:
        raise Fault(f"has more than {MOST_PARTS} parts")
    names = {part.filename for part in parts}
    if len(names) < len(parts) or any(part.compress_type not in PACKINGS for part in parts):
        raise Fault("is packed as no spreadsheet is", "save it as .xlsx again")
    left = MOST_UNPACKED
    for part in parts:
        body = _unpacked(packed, part, left)
        left -= len(body)
        if b"sheetData" in body:
            _measure(body)
            if b'"e"' in body or b"'e'" in body:
                body = _ERROR.sub(rb"\1str\2", body)
        yield part.filename, body


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> bytes:
    with packed.open(part) as stream:
        body = stream.read(left + 1)
    if len(body) > left:
        raise Fault(f"unpacks to more than {MOST_UNPACKED >> 20} MiB")
    if b"\0" in body:
        raise Fault("has a part that is not UTF-8", "save it as .xlsx again")
    return body


def _measure(body: bytes) -> None:
    """Refuse a sheet whose outermost cells span too much: the parser lays out every cell between them.

    Cells may name their place or just follow one another; both are counted.
    """
    in_order = [len(_CELL.findall(row)) for row in _ROW.split(body)[1:]]
    rows, columns = len(in_order), max(in_order, default=0)
    for reference in set(_REFERENCE.findall(body)):
        place = _PLACE.fullmatch(reference)
        if place is None or len(reference) > LONGEST_REFERENCE:
            raise Fault("has a cell with an impossible place")
        rows = max(rows, int(place[2] or 0))
        columns = max(columns, _column_number(place[1]))
    if rows * columns > MOST_CELLS:
        raise Fault(f"has a sheet that spans {rows} rows and {columns} columns", "delete the empty rows and columns")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _grid(sheet: CalamineSheet | None, name: str, shortfall: Shortfall) -> tuple[Grid | None, bool]:
    """The sheet's grid, and whether its header was found; without one, the row that is likest to it, and no rows."""
    if sheet is None or sheet.start is None:
        return None, False
    if sheet.total_height > MOST_ROWS or sheet.height > MOST_ROWS:
        raise Fault(f"has more than {MOST_ROWS} rows", "split the file")
    rows = [[cell_text(cell) for cell in row] for row in sheet.iter_rows()]
    places = [at for at, row in enumerate(rows) if any(row)]
    if not places:
        return None, False
    first = [at for at in places if at < TITLE_ROWS] or places[:1]
    lacks = {at: shortfall(rows[at]) for at in first}
    at = min(first, key=lambda place: (lacks[place], place))
    if lacks[at]:
        return Grid(rows[at], at + 1, [], [], sheet=name), False
    if len(rows[at]) > MOST_COLUMNS and any(cell.strip() for cell in rows[at][MOST_COLUMNS:]):
        raise Fault(f"has more than {MOST_COLUMNS} columns", line=at + 1)
    return Grid(rows[at], at + 1, rows[at + 1 :], range(at + 2, len(rows) + 1), sheet=name), True
