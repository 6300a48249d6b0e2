"""A table before its columns mean anything: cells as text, line numbers, and what each format may hold."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from daemon.feeds.payload import Fault
from daemon.feeds.text import decode

MOST_ROWS = 1_000_000
MOST_COLUMNS = 200
LONGEST_LINE = 1 << 16
LONGEST_CELL = 4_000
MOST_LINES_A_ROW = 20

EXACT = 1e15
"""From here on a spreadsheet's number no longer keeps every digit."""

Shortfall = Callable[[Sequence[str]], int]
"""How far a row is from being the header that is sought: 0 if it is one."""


@dataclass(slots=True)
class Grid:
    """Rows of text under a header; cells are stripped of nothing, and rows may be shorter or longer than the header."""

    header: list[str]
    header_line: int
    rows: Iterable[list[str]]
    lines: Sequence[int]
    faults: list[Fault] = field(default_factory=list)
    """Rows that could not even be split into cells."""
    delimiter: str = ","
    made: int = 0
    """How many of the last columns are none of the source's own."""
    sheet: str | None = None
    """The sheet of a workbook that has several with cells."""


def is_blank(cells: Iterable[str]) -> bool:
    """Whether no cell holds anything."""
    return not any(cell and not cell.isspace() for cell in cells)


def too_wide(cells: int, columns: int) -> Fault:
    """Why a row with more cells than its table has columns is not taken: they have moved."""
    return Fault(f"has {cells} cells under {columns} columns", "put text with a delimiter in quotes")


def read_csv(content: bytes, encoding: str) -> Grid:
    """CSV with comma, semicolon or tab, whichever its header has most of; raises Fault when it is no such text.

    A quoted cell may span MOST_LINES_A_ROW lines; a quote never closed costs its own line, not the rest of the file.
    """
    text = decode(content, encoding)
    lines = _lines(text)
    first = next((at for at, line in enumerate(lines) if line.strip(" \t\r\n,;")), None)
    if first is None:
        raise Fault("is empty", "the first line must name the columns")
    delimiter = _declared_delimiter(lines[first])
    if delimiter is not None:
        first += 1
    delimiter = delimiter or _likely_delimiter(lines[first] if first < len(lines) else "")
    rest = lines[first:]
    if '"' in text:
        return _quoted_grid(rest, first, delimiter)
    header = next(csv.reader(rest[:1], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
    rows = _PlainRows(rest[1:], delimiter)
    numbers = range(first + 2, first + 1 + len(rest))
    return Grid(_header(header, first + 1), first + 1, rows, numbers, delimiter=delimiter)


class _PlainRows:
    """Rows without a quote, split anew at each iteration: a line of text costs a fifth of its cells."""

    def __init__(self, lines: list[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)


def _lines(text: str) -> list[str]:
    count = text.count("\n") + text.count("\r")
    if count > 2 * MOST_ROWS:
        raise Fault(f"has more than {MOST_ROWS} rows", "split the file")
    lines = split_lines(text)
    if len(lines) > MOST_ROWS:
        raise Fault(f"has more than {MOST_ROWS} rows", "split the file")
    return lines


def split_lines(text: str, skipped: int = 0) -> list[str]:
    """The lines of `text`, which `skipped` lines go before; raises Fault when one is too long."""
    lines = list(io.StringIO(text, newline=""))
    if max(map(len, lines), default=0) > LONGEST_LINE:
        at = next(at for at, line in enumerate(lines) if len(line) > LONGEST_LINE)
        raise Fault(f"has a line of more than {LONGEST_LINE} characters", line=skipped + at + 1)
    return lines


def _declared_delimiter(line: str) -> str | None:
    """What Excel's own first line `sep=;` says, if it is there."""
    match = re.fullmatch(r'"?sep=([,;\t])"?\s*', line, re.IGNORECASE)
    return match[1] if match else None


def _likely_delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def _header(cells: list[str], line: int) -> list[str]:
    if len(cells) > MOST_COLUMNS:
        raise Fault(f"has more than {MOST_COLUMNS} columns", line=line)
    return cells


class _Lines:
    """Lines one by one, so that a row which swallows too many of them can be given up."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.stop = MOST_LINES_A_ROW

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at >= self.stop:
            raise csv.Error("a quote is never closed")
        self.at += 1
        return self.lines[self.at - 1]


def split_rows(lines: list[str], skipped: int, delimiter: str) -> tuple[list[list[str]], list[int], list[Fault]]:
    """Rows with the lines they begin at, after `skipped` lines, and the lines that could not be split."""
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    while True:
        start = source.at
        source.stop = start + MOST_LINES_A_ROW
        try:
            row = next(reader)
        except StopIteration:
            return rows, numbers, faults
        except csv.Error:
            fault = Fault("its quotes do not close", "double a quote inside a quoted cell", line=skipped + start + 1)
            fault.cells = next(csv.reader(lines[start : start + 1], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
            faults.append(fault)
            source.at = start + 1
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            continue
        rows.append(row)
        numbers.append(skipped + start + 1)


def _quoted_grid(lines: list[str], skipped: int, delimiter: str) -> Grid:
    rows, numbers, faults = split_rows(lines, skipped, delimiter)
    if not rows or numbers[0] != skipped + 1:
        raise Fault("its header's quotes do not close", line=skipped + 1)
    return Grid(_header(rows[0], numbers[0]), numbers[0], rows[1:], numbers[1:], faults, delimiter)


def read_json_lines(content: bytes, encoding: str) -> Grid:
    """One flat JSON object a line; the header is every key met, in order. Raises Fault when nothing is an object."""
    lines = _lines(decode(content, encoding))
    objects: list[tuple[int, dict[str, str]]] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            objects.append((number, _object(line)))
        except Fault as fault:
            fault.line = number
            faults.append(fault)
    if not objects:
        raise faults[0] if faults else Fault("is empty", "one JSON object a line")
    header = list(dict.fromkeys(itertools.chain.from_iterable(one for _, one in objects)))
    _header(header, 0)
    rows = [[one.get(key, "") for key in header] for _, one in objects]
    return Grid(header, 0, rows, [number for number, _ in objects], faults)


def _object(line: str) -> dict[str, str]:
    try:
        said: object = json.loads(line, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except Fault:
        raise
    except (ValueError, RecursionError):
        raise Fault("is not JSON", "one object a line, nothing else") from None
    if not isinstance(said, dict):
        raise Fault("is not a JSON object", "one object a line, nothing around them")
    return said


def _no_constant(name: str) -> object:
    raise Fault(f"{name} is not a value")


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, str]:
    row: dict[str, str] = {}
    for key, value in pairs:
        if key in row:
            raise Fault("names a key twice", column=key[:40])
        row[key] = _scalar(key, value)
    return row


def _scalar(key: str, value: object) -> str:
    if isinstance(value, (dict, list)):
        raise Fault("is a list or object where a plain value belongs", column=key[:40])
    return cell_text(value)


def cell_text(value: object) -> str:
    """A typed cell as the text a CSV would hold; a number that lost digits shows it by its exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    return str(value)


def _number_text(value: float) -> str:
    if not abs(value) < EXACT:
        return f"{value:.15e}"
    return str(int(value)) if value.is_integer() else repr(value)
