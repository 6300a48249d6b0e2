"""Rolls as delivered, laid over one another: the later word wins, and what nobody said stays open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.calendar import Calendar
from rules.instants import to_micros
from rules.records import POSITIVE, Mark

STRENGTH = np.array([1 if m is Mark.ABSENT else 2 if m in POSITIVE else 0 for m in Mark], np.uint8)
"""By code which of two marks that are equal otherwise wins: a positive one over absent."""


NO_CLASS = -1
"""Class index of what is no class's roll."""


NO_FEED = -1
"""Feed of what people say by hand."""

BY_HAND = 2**30
"""Rank of what people say by hand."""


@dataclass(frozen=True, slots=True)
class Rolls:
    """Rolls as delivered and known, flat.

    Per roll (length r): `class_index` int, `column` int (−1: outside the calendar, ignored), `recorded_at` int64
    microseconds, `rank` int, `line` int (where it stands among what its feed delivered), `implied` bool. Per mark
    (length q): `roll` int index into the above, `row` int row of the register (−1: not among its children, ignored),
    `code` uint8; UNTAKEN is a row that named the child and was refused. `feed` int per roll tells feeds of one rank
    apart; None where a rank is one feed's.
    """

    class_index: NDArray[np.int32]
    column: NDArray[np.int32]
    recorded_at: NDArray[np.int64]
    rank: NDArray[np.int32]
    line: NDArray[np.int32] | NDArray[np.int64]
    implied: NDArray[np.bool_]
    roll: NDArray[np.int32]
    row: NDArray[np.int32]
    code: NDArray[np.uint8]
    feed: NDArray[np.int32] | None = None

    def of_rolls(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        """The arrays with an entry a roll, only those `kept`, by name."""
        named = {name: getattr(self, name) for name in _OF_ROLLS}
        return {name: array[kept] for name, array in named.items() if array is not None}


_OF_ROLLS = ("class_index", "column", "recorded_at", "rank", "line", "implied", "feed")


@dataclass(frozen=True, slots=True)
class Overlay:
    """What somebody said by hand of one session of some rows: a confirmation, a mark, a mass absence judged.

    It is a mark like any other, recorded at `said_at` and ranked above every feed: what a feed records later wins.
    """

    rows: NDArray[np.int64]
    date: dt.date
    session: str
    mark: Mark
    said_at: dt.datetime


def lay_marks(
    calendar: Calendar,
    rolls: Rolls,
    overlays: Sequence[Overlay],
    classes: NDArray[np.int32],
    variant: NDArray[np.intp],
    class_count: int,
) -> NDArray[np.uint8]:
    """The mark of each child (rows of `classes`) in each session (columns), as uint8 `Mark` values."""
    marks = np.zeros((len(classes), calendar.starts.shape[1]), np.uint8)
    rolls = _with_overlays(calendar, rolls, overlays, variant)
    _lay_rolls(marks, rolls, classes, moved=classes.shape[1] > 1)
    _mark_unnamed(marks, rolls, classes, class_count)
    return marks


def _lay_rolls(marks: NDArray[np.uint8], rolls: Rolls, classes: NDArray[np.int32], *, moved: bool) -> None:
    said = _said(rolls, classes)
    contested = _contested(rolls)
    refused = said.code == Mark.UNTAKEN
    if not contested.any() and not moved and not refused.any():
        marks[said.row, said.column] = said.code
        return
    clash = np.ones(len(said.row), np.bool_) if moved else contested[said.roll] | refused
    if refused.any():
        cell = said.column.astype(np.int64) * len(classes) + said.row
        clash |= np.isin(cell, cell[refused])
    alone = ~clash
    marks[said.row[alone], said.column[alone]] = said.code[alone]
    _lay_contested(marks, rolls, said.where(clash))


def _lay_contested(marks: NDArray[np.uint8], rolls: Rolls, said: _Said) -> None:
    """Of several marks of one cell write the one that precedence puts last.

    A refused row makes the child unknown where nothing else is said of it, and where a feed that speaks for everybody
    left it out before; whatever another row says of the child stands.
    """
    cell = said.column.astype(np.int64) * len(marks) + said.row
    refused = said.code == Mark.UNTAKEN
    order = precedence(rolls, said.roll, said.code, cell)
    last = order[~refused[order]]
    marks[said.row[last], said.column[last]] = said.code[last]
    if not refused.any():
        return
    said_last = dict(zip(cell[last].tolist(), last.tolist(), strict=True))
    for one in order[refused[order]].tolist():
        winner = said_last.get(int(cell[one]))
        if winner is None or (said.implied[winner] and _recorded(rolls, said, winner) <= _recorded(rolls, said, one)):
            marks[said.row[one], said.column[one]] = Mark.UNKNOWN


def _recorded(rolls: Rolls, said: _Said, mark: int) -> int:
    return int(rolls.recorded_at[said.roll[mark]])


def precedence(
    rolls: Rolls, roll: NDArray[np.int32], code: NDArray[np.uint8], cell: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Return the order of marks in which, of two marks of one `cell`, the later counts (absence.md, Marks 1).

    `roll` int (n,) indexes `rolls`, `code` uint8 (n,), `cell` int64 (n,). Within a feed the later line counts, between
    feeds of one rank a positive mark.
    """
    recorded, rank, line = rolls.recorded_at[roll], rolls.rank[roll], rolls.line[roll]
    if rolls.feed is None:
        return np.lexsort((STRENGTH[code], line, rank, recorded, cell))
    feed = rolls.feed[roll]
    by_feed = np.lexsort((line, feed, rank, recorded, cell))
    counts = np.ones(len(by_feed), np.bool_)
    before, after = by_feed[:-1], by_feed[1:]
    counts[:-1] = np.logical_or.reduce([one[before] != one[after] for one in (feed, rank, recorded, cell)])
    last_of_feed = np.zeros(len(by_feed), np.bool_)
    last_of_feed[by_feed[counts]] = True
    return np.lexsort((line, STRENGTH[code] * last_of_feed, last_of_feed, rank, recorded, cell))


def _contested(rolls: Rolls) -> NDArray[np.bool_]:
    """Which rolls share class and session with another, or a session with a word by hand: precedence must decide."""
    by_hand = np.isin(rolls.column, rolls.column[rolls.class_index == NO_CLASS])
    key = rolls.class_index.astype(np.int64) << 32 | (rolls.column.astype(np.int64) & 0xFFFFFFFF)
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray((counts[inverse] > 1) | by_hand, np.bool_)


@dataclass(frozen=True, slots=True)
class _Said:
    """Marks that have a cell, with their rolls; `implied` are those of children whom their roll does not name."""

    roll: NDArray[np.int32]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    code: NDArray[np.uint8]
    implied: NDArray[np.bool_]

    def where(self, wanted: NDArray[np.bool_]) -> _Said:
        """Only these."""
        return _Said(*(getattr(self, name)[wanted] for name in _Said.__dataclass_fields__))


def _said(rolls: Rolls, classes: NDArray[np.int32]) -> _Said:
    roll, row, code = _with_implied(rolls, classes)
    column = rolls.column[roll]
    implied = np.arange(len(roll)) >= len(rolls.roll)
    usable = (row >= 0) & (column >= 0)
    said = _Said(roll, row, column, code, implied)
    return said if usable.all() else said.where(usable)


def _with_implied(
    rolls: Rolls, classes: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """The marks, and a `present` for every child an exception feed covered and did not name."""
    if not rolls.implied.any():
        return rolls.roll, rolls.row, rolls.code
    parts = [(rolls.roll, rolls.row, rolls.code)]
    order = np.argsort(rolls.roll, kind="stable")
    bounds = np.searchsorted(rolls.roll[order], np.arange(len(rolls.column) + 1))
    for index in np.flatnonzero(rolls.implied & (rolls.column >= 0)):
        at = rolls.column[index] if classes.shape[1] > 1 else 0
        members = np.flatnonzero(classes[:, at] == rolls.class_index[index]).astype(np.int32)
        named = rolls.row[order[bounds[index] : bounds[index + 1]]]
        unnamed = np.setdiff1d(members, named, assume_unique=False)
        size = len(unnamed)
        parts.append((np.full(size, index, np.int32), unnamed, np.full(size, Mark.PRESENT, np.uint8)))
    roll, row, code = (np.concatenate([part[n] for part in parts]) for n in range(3))
    return roll, row, code


def _mark_unnamed(marks: NDArray[np.uint8], rolls: Rolls, classes: NDArray[np.int32], class_count: int) -> None:
    """A child whom its class's roll does not name is `unknown` in it; untaken where there is no roll."""
    taken = np.zeros((class_count, marks.shape[1]), np.bool_)
    usable = (rolls.column >= 0) & (rolls.class_index != NO_CLASS)
    taken[rolls.class_index[usable], rolls.column[usable]] = True
    for column in np.flatnonzero(taken.any(axis=0)):
        unnamed = np.flatnonzero(marks[:, column] == Mark.UNTAKEN)
        if len(unnamed):
            of = classes[unnamed, column if classes.shape[1] > 1 else 0]
            marks[unnamed[taken[of, column]], column] = Mark.UNKNOWN


def _with_overlays(calendar: Calendar, rolls: Rolls, overlays: Sequence[Overlay], variant: NDArray[np.intp]) -> Rolls:
    """The rolls, and after them what people said by hand: marks of no class's roll, dated when they were said."""
    cells = [
        (n, int(row), column)
        for n, overlay in enumerate(overlays)
        for row in overlay.rows
        if (column := column_of(calendar, overlay, variant[row])) is not None
    ]
    if not cells:
        return rolls
    first, size = len(rolls.column), len(cells)
    said = [overlays[n] for n, _, _ in cells]
    return Rolls(
        np.append(rolls.class_index, np.full(size, NO_CLASS, np.int32)),
        np.append(rolls.column, np.array([column for _, _, column in cells], np.int32)),
        np.append(rolls.recorded_at, np.array([to_micros(one.said_at) for one in said], np.int64)),
        np.append(rolls.rank, np.full(size, BY_HAND, np.int32)),
        np.append(rolls.line, np.array([n for n, _, _ in cells], rolls.line.dtype)),
        np.append(rolls.implied, np.zeros(size, np.bool_)),
        np.append(rolls.roll, np.arange(first, first + size, dtype=np.int32)),
        np.append(rolls.row, np.array([row for _, row, _ in cells], np.int32)),
        np.append(rolls.code, np.array([one.mark for one in said], np.uint8)),
        None if rolls.feed is None else np.append(rolls.feed, np.full(size, NO_FEED, np.int32)),
    )


def column_of(calendar: Calendar, overlay: Overlay, variants: NDArray[np.intp]) -> int | None:
    """The column of an overlay's session in the calendar that is the child's then."""
    for which in dict.fromkeys(variants.tolist()):
        column = calendar.column(which, overlay.date, overlay.session)
        if column is not None and (len(variants) == 1 or variants[column] == which):
            return column
    return None
