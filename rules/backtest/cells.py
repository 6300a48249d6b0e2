"""From everything said to the changes of single cells: what became known of which child's session, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.history import History
from rules.instants import NEVER, to_micros
from rules.records import Mark
from rules.rolls import BY_HAND, NO_CLASS, STRENGTH, Overlay, Rolls, column_of


@dataclass(frozen=True)
class Cells:
    """Changes of cells, flat and in no order: at `time` the mark of `row` in `column` becomes `code`.

    int32, int32, int64 microseconds, uint8. Of one cell and instant there is one change; what was overruled from the
    start, or says nothing new, is none.
    """

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    time: NDArray[np.int64]
    code: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.row)

    def where(self, wanted: NDArray[np.bool_]) -> Cells:
        """Only these."""
        return Cells(self.row[wanted], self.column[wanted], self.time[wanted], self.code[wanted])


@dataclass(frozen=True)
class Group:
    """Some children of a history, whole schools of them, and the marks that speak of them.

    `rows` are their rows in the history, `classes` their class index by column, (rows, 1) or (rows, columns),
    `variant` the calendar variant likewise; `marks` index the history's marks.
    """

    history: History
    rows: NDArray[np.intp]
    classes: NDArray[np.int32]
    variant: NDArray[np.intp]
    marks: NDArray[np.intp]


def cells_of(group: Group) -> Cells:
    """Everything that became known of the cells of a group; a mark made ahead is known when its session begins."""
    said = _said(group)
    width = group.history.calendar.starts.shape[1]
    cell = said.row.astype(np.int64) * width + said.column
    counts = np.bincount(cell, minlength=len(group.rows) * width).astype(np.uint16)
    contested = counts[cell] > 1
    single = Cells(said.row[~contested], said.column[~contested], said.time[~contested], said.code[~contested])
    won = _precedence(_part(said, contested), cell[contested])
    return _with_unnamed(group, _joined([single, won]))


@dataclass(frozen=True)
class _Said:
    """Marks as delivered: which cell, when known, and what decides between them."""

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    time: NDArray[np.int64]
    code: NDArray[np.uint8]
    recorded_at: NDArray[np.int64]
    rank: NDArray[np.int32]
    line: NDArray[np.int32]


def _part(said: _Said, wanted: NDArray[np.bool_]) -> _Said:
    return _Said(*(getattr(said, name)[wanted] for name in _Said.__dataclass_fields__))


def _joined(parts: Sequence[Cells]) -> Cells:
    return Cells(*(np.concatenate([getattr(part, name) for part in parts]) for name in Cells.__dataclass_fields__))


def _said(group: Group) -> _Said:
    history = group.history
    local = np.full(len(history.students), -1, np.int32)
    local[group.rows] = np.arange(len(group.rows), dtype=np.int32)
    rolls = history.rolls
    roll, code = rolls.roll[group.marks], rolls.code[group.marks]
    row = local[rolls.row[group.marks]]
    parts = [_from_rolls(group, roll, row, code)]
    if rolls.implied.any():
        parts.append(_from_rolls(group, *_implied(group, rolls, roll, row)))
    parts += [_by_hand(group, n, one, local) for n, one in enumerate(history.overlays)]
    return _Said(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Said.__dataclass_fields__))


def _from_rolls(group: Group, roll: NDArray[np.int32], row: NDArray[np.int32], code: NDArray[np.uint8]) -> _Said:
    rolls, known = group.history.rolls, group.history.known_at
    column = rolls.column[roll]
    usable = (column >= 0) & (row >= 0)
    if not usable.all():
        roll, row, code, column = roll[usable], row[usable], code[usable], column[usable]
    time = np.maximum(known[roll], _starts(group, row, column))
    return _Said(row, column, time, code, rolls.recorded_at[roll], rolls.rank[roll], rolls.line[roll])


def _starts(group: Group, row: NDArray[np.int32], column: NDArray[np.int32]) -> NDArray[np.int64]:
    calendar = group.history.calendar
    if len(calendar.tables) == 1:
        return calendar.starts[0][column]
    variant = group.variant[row, 0] if group.variant.shape[1] == 1 else group.variant[row, column]
    return calendar.starts[variant, column]


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


def _by_hand(group: Group, number: int, overlay: Overlay, local: NDArray[np.int32]) -> _Said:
    """What somebody said by hand of a session: known when said, ranked above every feed."""
    rows = local[overlay.rows]
    cells = [
        (row, column)
        for row in rows[rows >= 0].tolist()
        if (column := column_of(group.history.calendar, overlay, group.variant[row])) is not None
    ]
    table = np.array(cells, np.int32).reshape(-1, 2)
    size, said_at = len(cells), to_micros(overlay.said_at)
    recorded = np.full(size, said_at, np.int64)
    return _Said(
        table[:, 0],
        table[:, 1],
        np.maximum(recorded, _starts(group, table[:, 0], table[:, 1])),
        np.full(size, overlay.mark, np.uint8),
        recorded,
        np.full(size, BY_HAND, np.int32),
        np.full(size, number, np.int32),
    )


def _precedence(said: _Said, cell: NDArray[np.int64]) -> Cells:
    """Of several marks of one cell those that ever counted, each from when it did.

    As known at an instant the one counts that precedence puts first among those known by then: along the time of
    knowing these are the records in precedence.
    """
    order = np.lexsort((STRENGTH[said.code], said.line, said.rank, said.recorded_at, cell))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    along = np.lexsort((place, said.time, cell))
    cell, time, place = cell[along], said.time[along], place[along]
    best = np.maximum.accumulate(place) == place  # places of a later cell are all higher, so one pass serves all
    last = np.ones(len(along), np.bool_)
    kept = np.flatnonzero(best)
    last[kept[:-1]] = (cell[kept[1:]] != cell[kept[:-1]]) | (time[kept[1:]] != time[kept[:-1]])
    chosen = along[kept[last[kept]]]
    return Cells(said.row[chosen], said.column[chosen], said.time[chosen], said.code[chosen])


def _with_unnamed(group: Group, cells: Cells) -> Cells:
    """And an `unknown` for each child whom its class's first roll of a session does not name, until something does."""
    width = group.history.calendar.starts.shape[1]
    taken = _first_rolls(group)
    first = np.full((len(group.rows), width), NEVER, np.int64)
    np.minimum.at(first, (cells.row, cells.column), cells.time)
    if group.classes.shape[1] == 1:
        called = taken[group.classes[:, 0]]
    else:
        called = taken[group.classes, np.arange(width)]
    row, column = np.nonzero(called < first)
    unknown = np.full(len(row), Mark.UNKNOWN, np.uint8)
    return _joined([cells, Cells(row.astype(np.int32), column.astype(np.int32), called[row, column], unknown)])


def _first_rolls(group: Group) -> NDArray[np.int64]:
    """When the first roll of each class and column was known, microseconds; (classes, columns), NEVER where none."""
    history, rolls = group.history, group.history.rolls
    calendar = history.calendar
    taken = np.full((len(history.class_ids), calendar.starts.shape[1]), NEVER, np.int64)
    mine = (rolls.column >= 0) & (rolls.class_index != NO_CLASS)
    classes, columns = rolls.class_index[mine], rolls.column[mine]
    variants = np.asarray(history.variants, np.intp)[classes]
    np.minimum.at(taken, (classes, columns), np.maximum(history.known_at[mine], calendar.starts[variants, columns]))
    return taken
