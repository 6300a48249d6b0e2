"""A CSV file of any length in pieces: cells as places in its bytes where it is plain, else as the row reader splits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.feeds.grid import LONGEST_LINE, MOST_LINES_A_ROW, Grid, read_csv, split_lines, split_rows
from daemon.feeds.payload import Fault

SIZE = 1 << 22
"""Bytes read at once; a few dozen of the longest lines."""

HEAD = 1_000
"""Lines within which a header must end."""

WORD = 8
LONGEST_PLAIN = 8 * WORD
"""Only cells up to this length are told apart."""

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Plain:
    """Rows of equally many cells without a quote, delimiter or line end within.

    `body` uint8 with LONGEST_PLAIN zeros behind it; `starts` and `ends` int64 (rows, columns); the first row is `line`.
    """

    body: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    line: int

    def __len__(self) -> int:
        return len(self.starts)

    def lengths(self, column: int) -> NDArray[np.int64]:
        """Bytes of each cell of a column."""
        return self.ends[:, column] - self.starts[:, column]

    def cell(self, row: int, column: int) -> bytes:
        """One cell as it stands."""
        return self.body[self.starts[row, column] : self.ends[row, column]].tobytes()

    def distinct(self, column: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """A row of each different cell of a column, and for every row which of them it has."""
        starts, lengths = self.starts[:, column], self.lengths(column)
        longest = int(lengths.max())
        _, first, which = np.unique(self._word(starts, lengths, 0), return_index=True, return_inverse=True)
        for begin in range(WORD, longest, WORD):
            _, more = np.unique(self._word(starts, lengths, begin), return_inverse=True)
            first, which = combined(which, more)
        return first, which

    def _word(self, starts: NDArray[np.int64], lengths: NDArray[np.int64], begin: int) -> NDArray[np.uint64]:
        """Eight bytes of each cell from its byte `begin` on, zeros behind its end, as one number."""
        word = np.zeros(len(self), np.uint64)
        for at in range(begin, min(begin + WORD, int(lengths.max()))):
            byte = self.body[starts + at].astype(np.uint64)
            byte[lengths <= at] = 0
            word |= byte << np.uint64(8 * (at - begin))
        return word


@dataclass(frozen=True, slots=True)
class Odd:
    """Rows that had to be split one by one, with the lines they begin at, and lines that could not be split."""

    rows: list[list[str]]
    lines: list[int]
    faults: list[Fault]


def combined(one: NDArray[np.intp], other: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A row of each different pair of two numbers a row, and for every row which pair it has; numbers are < rows."""
    _, first, which = np.unique(one * (int(other.max(initial=0)) + 1) + other, return_index=True, return_inverse=True)
    return first, which


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file whose header has been read; `offset` is where its rows begin, at `line`."""

    path: Path
    encoding: str
    head: Grid
    offset: int
    line: int

    def pieces(self, fits: Callable[[Plain], bool]) -> Iterator[Plain | Odd]:
        """All its rows, in order, as Odd what does not fit; raises Fault when a line is too long."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            line, rest = self.line, b""
            while True:
                block = file.read(SIZE)
                rest += block
                is_last = len(block) < SIZE
                cut = len(rest) if is_last else rest.rfind(b"\n") + 1
                if cut:
                    piece, used, passed = self._piece(rest[:cut], line, fits, is_last=is_last)
                    line, rest = line + passed, rest[used:]
                    if piece is not None:
                        yield piece
                if is_last and not rest:
                    return

    def _piece(
        self, content: bytes, line: int, fits: Callable[[Plain], bool], *, is_last: bool
    ) -> tuple[Plain | Odd | None, int, int]:
        """The rows that surely begin and end in `content`, and how many bytes and lines they are."""
        plain = _plain(content, len(self.head.header), ord(self.head.delimiter), line)
        if plain is not None and fits(plain):
            return plain, len(content), len(plain)
        lines = split_lines(content.decode(self.encoding), line - 1)
        rows, numbers, faults = split_rows(lines, line - 1, self.head.delimiter)
        if is_last:
            return Odd(rows, numbers, faults), len(content), len(lines)
        # A row may reach over the lines after it: one that begins in the last of these is left to the next piece.
        sure = line + len(lines) - MOST_LINES_A_ROW
        begun = sorted([*numbers, *(fault.line for fault in faults)])
        until = next((number for number in begun if number >= sure), line)
        kept = sum(number < until for number in numbers)
        odd = Odd(rows[:kept], numbers[:kept], [fault for fault in faults if fault.line < until])
        return (odd if until > line else None), _after_lines(content, until - line), until - line


def open_table(path: Path, encoding: str) -> Table:
    """The file at `path`, decoded by `encoding`, up to its first row; raises Fault when it is no table."""
    with path.open("rb") as file:
        content = file.read(SIZE)
    cut = len(content) if len(content) < SIZE else (content.rfind(b"\n") + 1 or content.rfind(b"\r") + 1)
    cut = min(cut or len(content), _after_lines(content, HEAD))
    head = read_csv(content[:cut], encoding)
    begun = [*itertools.islice(head.lines, 1), *(fault.line for fault in head.faults)]
    line = min(begun, default=len(_LINE_END.findall(content[:cut])) + 1)
    return Table(path, encoding, head, _after_lines(content, line - 1) if begun else cut, line)


def _after_lines(content: bytes, count: int) -> int:
    """Where the line after the first `count` begins; the end where there are fewer."""
    if not count:
        return 0
    ends = itertools.islice(_LINE_END.finditer(content), count - 1, None)
    return next((found.end() for found in ends), len(content))


def _plain(content: bytes, width: int, delimiter: int, line: int) -> Plain | None:
    """The cells of `content`, if it is plain; else None. Two passes over bytes: a tenth of what splitting costs."""
    whole = content if content.endswith(b"\n") else content + b"\n"
    padded = np.frombuffer(whole + bytes(LONGEST_PLAIN), np.uint8)
    body = padded[: len(whole)]
    found = np.flatnonzero((body == delimiter) | (body == _NEWLINE))
    if len(found) % width or np.count_nonzero(body == _NEWLINE) != len(found) // width:
        return None
    starts: NDArray[np.int64] = np.concatenate([[0], found[:-1] + 1]).reshape(-1, width)
    ends = found.reshape(-1, width)
    last = ends[:, -1].copy()
    if not (body[last] == _NEWLINE).all() or np.diff(last, prepend=-1).max() > LONGEST_LINE:
        return None
    if not (_without_returns(body, ends) and _without_quotes(body, starts, ends)):
        return None
    return Plain(padded, starts, ends, line)


def _without_returns(body: NDArray[np.uint8], ends: NDArray[np.int64]) -> bool:
    """Take carriage returns off the ends of lines; whether there are no others."""
    count = np.count_nonzero(body == _RETURN)
    if count:
        ends[:, -1] -= body[ends[:, -1] - 1] == _RETURN
        return bool(np.count_nonzero(body[ends[:, -1]] == _RETURN) == count)
    return True


def _without_quotes(body: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bool:
    """Take quotes off around cells; whether there are no others, which is what makes delimiters within impossible."""
    count = np.count_nonzero(body == _QUOTE)
    if count:
        quoted = (body[starts] == _QUOTE) & (body[ends - 1] == _QUOTE) & (ends - starts > 1)
        starts += quoted
        ends -= quoted
        return bool(2 * np.count_nonzero(quoted) == count)
    return True
