"""From everything said to the changes of single cells: what became known of which child's session, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rules.backtest.times import Times
from rules.history import History
from rules.instants import to_micros
from rules.records import Mark
from rules.rolls import BY_HAND, NO_FEED, Rolls, column_of, precedence


@dataclass(frozen=True)
class Cells:
    """Changes of cells, flat, those of one cell in order: at `time` the mark of `row` in `column` becomes `code`.

    int32, int32, int32 place among the instants of the history's `Times`, uint8. Of one cell and instant there is one
    change; what was overruled from the start, or says nothing new, is none.
    """

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    time: NDArray[np.int32]
    code: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.row)

    def where(self, wanted: NDArray[np.bool_] | NDArray[np.intp]) -> Cells:
        """Only these, in this order."""
        return Cells(self.row[wanted], self.column[wanted], self.time[wanted], self.code[wanted])


@dataclass(frozen=True)
class Group:
    """Some children of a history, whole schools of them where what they share is asked for.

    `rows` are their rows in the history, ascending; `classes` their class index by column, (rows, 1) or
    (rows, columns), `variant` the calendar variant likewise. `found` are the history's marks that speak of them, where
    they were looked for.
    """

    history: History
    times: Times
    rows: NDArray[np.intp]
    classes: NDArray[np.int32]
    variant: NDArray[np.intp]
    found: NDArray[np.int32] | None = None

    @property
    def marks(self) -> NDArray[np.int32]:
        """The history's marks that speak of these children; int32, and not kept: there are tens of millions."""
        if self.found is not None:
            return self.found
        mine = np.zeros(len(self.history.students) + 1, np.bool_)  # the last is for marks of nobody, whose row is -1
        mine[self.rows] = True
        of = self.history.rolls.row
        blocks = ((low, mine[of[low : low + _BLOCK]]) for low in range(0, len(of), _BLOCK))
        return np.concatenate(
            [np.zeros(0, np.int32), *(np.flatnonzero(one).astype(np.int32) + low for low, one in blocks)]
        )

    def part(self, rows: NDArray[np.intp] | slice, found: NDArray[np.int32] | None = None) -> Group:
        """Only these of its children, by position; `found` are their marks."""
        return Group(self.history, self.times, self.rows[rows], self.classes[rows], self.variant[rows], found)

    def parts(self, size: int) -> Iterator[tuple[int, Group]]:
        """Its children in runs of so many, each with the position of its first; one pass finds the marks of all."""
        of = np.full(len(self.history.students) + 1, -1, np.int16)
        of[self.rows] = np.arange(len(self.rows)) // size
        marks = self.marks
        which = of[self.history.rolls.row[marks]]
        for number in range(-(-len(self.rows) // size)):
            yield number * size, self.part(slice(number * size, (number + 1) * size), marks[which == number])


_BLOCK = 1 << 20
"""Marks looked through at once."""


def cells_of(group: Group) -> Cells:
    """Everything that became known of the cells of a group; a mark made ahead is known when its session begins."""
    said, size = _said(group), len(group.rows)
    cell = said.column.astype(np.intp) * size + said.row
    counts = np.bincount(cell, minlength=group.times.starts.shape[1] * size)
    single = (counts == 1)[cell]
    contested = np.flatnonzero(~single)
    kept = np.flatnonzero(single)
    alone = Cells(said.row[kept], said.column[kept], said.time[kept], said.code[kept])
    return _with_unnamed(group, alone, _precedence(said, contested, cell[contested]))


@dataclass(frozen=True)
class _Said:
    """Marks as delivered: which cell, when known, and the roll they stand in.

    Marks of the history's rolls come first; `hand` are those said by hand, whose `roll` counts on from there.
    """

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    time: NDArray[np.int32]
    code: NDArray[np.uint8]
    roll: NDArray[np.int32]
    rolls: Rolls
    """Those of the history and, behind them, one a word said by hand."""


def _joined(parts: Sequence[Cells]) -> Cells:
    kept = [part for part in parts if len(part)] or list(parts[:1])
    if len(kept) == 1:
        return kept[0]
    return Cells(*(np.concatenate([getattr(part, name) for part in kept]) for name in Cells.__dataclass_fields__))


def _said(group: Group) -> _Said:
    history = group.history
    local = np.full(len(history.students), -1, np.int32)
    local[group.rows] = np.arange(len(group.rows), dtype=np.int32)
    rolls, marks = history.rolls, group.marks
    roll, code, row = rolls.roll[marks], rolls.code[marks], local[rolls.row[marks]]
    if rolls.implied.any():
        more = _implied(group, rolls, roll, row)
        roll, row, code = np.append(roll, more[0]), np.append(row, more[1]), np.append(code, more[2])
    column = rolls.column[roll]
    if column.min(initial=0) < 0:
        usable = column >= 0
        roll, row, code, column = roll[usable], row[usable], code[usable], column[usable]
    if not code.all():
        roll, row, column, code = _with_refused(len(group.rows), rolls, roll, row, column, code)
    time = group.times.rolls[roll]
    if len(group.times.starts) > 1:
        time = np.maximum(time, _starts(group, row, column))
    said = _Said(row, column, time, code, roll, rolls)
    return _with_hand(group, said, local) if history.overlays else said


def _with_refused(
    size: int,
    rolls: Rolls,
    roll: NDArray[np.int32],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    code: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """The marks with `unknown` for rows that were refused; such a row counts nothing beside another of its child.

    Whatever was said later is held against it from the start: a refusal that stood for a while is not lived through.
    """
    cell = column.astype(np.int64) * size + row
    refused = code == Mark.UNTAKEN
    named = ~refused & ~rolls.implied[roll]
    kept = ~refused | ~np.isin(cell, cell[named])
    return roll[kept], row[kept], column[kept], np.where(refused, Mark.UNKNOWN, code).astype(np.uint8)[kept]


def _starts(group: Group, row: NDArray[np.int32], column: NDArray[np.int32]) -> NDArray[np.int32]:
    variant = group.variant[row, 0] if group.variant.shape[1] == 1 else group.variant[row, column]
    return np.asarray(group.times.starts[variant, column], np.int32)


def _implied(
    group: Group, rolls: Rolls, roll: NDArray[np.int32], row: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """A `present` for every child whom an exception feed's roll covers and does not name."""
    wanted = np.flatnonzero(rolls.implied & (rolls.column >= 0) & np.isin(rolls.class_index, np.unique(group.classes)))
    by_column = group.classes.shape[1] > 1
    members: list[NDArray[np.intp]] = [
        np.flatnonzero(group.classes[:, rolls.column[one] if by_column else 0] == rolls.class_index[one])
        for one in wanted
    ]
    of_roll = np.repeat(wanted, [len(one) for one in members]).astype(np.int64)
    of_row = np.concatenate(members) if members else np.zeros(0, np.intp)
    named = np.isin(of_roll * len(group.rows) + of_row, roll.astype(np.int64) * len(group.rows) + row)
    of_roll, of_row = of_roll[~named], of_row[~named]
    return of_roll.astype(np.int32), of_row.astype(np.int32), np.full(len(of_row), Mark.PRESENT, np.uint8)


def _with_hand(group: Group, said: _Said, local: NDArray[np.int32]) -> _Said:
    """And what somebody said by hand of a session: known when said, ranked above every feed."""
    overlays = group.history.overlays
    cells = [
        (n, row, column)
        for n, overlay in enumerate(overlays)
        for row in local[overlay.rows].tolist()
        if row >= 0
        for column in [column_of(group.history.calendar, overlay, group.variant[row])]
        if column is not None
    ]
    table = np.array(cells, np.int32).reshape(-1, 3)
    recorded = np.array([to_micros(one.said_at) for one in overlays], np.int64)
    codes = np.array([one.mark for one in overlays], np.uint8)
    of, row, at = table[:, 0], table[:, 1], table[:, 2]
    time = np.maximum(group.times.hand[of], _starts(group, row, at))
    return _Said(
        np.append(said.row, row),
        np.append(said.column, at),
        np.append(said.time, time),
        np.append(said.code, codes[of]),
        np.append(said.roll, of + np.int32(len(said.rolls.rank))),
        _with_rolls_by_hand(said.rolls, recorded),
    )


def _with_rolls_by_hand(rolls: Rolls, recorded: NDArray[np.int64]) -> Rolls:
    size = len(recorded)
    return replace(
        rolls,
        recorded_at=np.append(rolls.recorded_at, recorded),
        rank=np.append(rolls.rank, np.full(size, BY_HAND, np.int32)),
        line=np.append(rolls.line, np.arange(size)).astype(np.int64),
        feed=None if rolls.feed is None else np.append(rolls.feed, np.full(size, NO_FEED, np.int32)),
    )


def _precedence(said: _Said, which: NDArray[np.intp], cell: NDArray[np.int64]) -> Cells:
    """Of several marks of one cell those that ever counted, each from when it did.

    As known at an instant the one counts that precedence puts first among those known by then: along the time of
    knowing these are the records in precedence.
    """
    roll, code, time = said.roll[which], said.code[which], said.time[which]
    order = precedence(said.rolls, roll, code, cell)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    along = np.lexsort((place, time, cell))
    cell, time, place = cell[along], time[along], place[along]
    best = np.maximum.accumulate(place) == place  # places of a later cell are all higher, so one pass serves all
    last = np.ones(len(along), np.bool_)
    kept = np.flatnonzero(best)
    last[kept[:-1]] = (cell[kept[1:]] != cell[kept[:-1]]) | (time[kept[1:]] != time[kept[:-1]])
    chosen = which[along[kept[last[kept]]]]
    return Cells(said.row[chosen], said.column[chosen], said.time[chosen], said.code[chosen])


def _with_unnamed(group: Group, alone: Cells, won: Cells) -> Cells:
    """And an `unknown` for each child whom its class's first roll of a session does not name, until something does."""
    size = len(group.rows)
    called = _called(group)
    unnamed = (called != group.times.never).reshape(-1)
    for cells in (alone, won):
        cell = cells.column.astype(np.intp) * size + cells.row
        unnamed[cell[cells.time <= called.reshape(-1)[cell]]] = False
    column, row = np.nonzero(unnamed.reshape(called.shape))
    code = np.full(len(row), Mark.UNKNOWN, np.uint8)
    return _joined([Cells(row.astype(np.int32), column.astype(np.int32), called[column, row], code), alone, won])


def _called(group: Group) -> NDArray[np.int32]:
    """When the class of each child was first called in each column, as in `Times.called`; (columns, rows)."""
    if group.classes.shape[1] == 1:
        return group.times.called.T[:, group.classes[:, 0]]
    return group.times.called[group.classes, np.arange(group.classes.shape[1])].T
