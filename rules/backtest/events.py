"""What becomes known of a group in order: for most children and sessions one roll in its own time, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Cells, Group, cells_of
from rules.backtest.ground import takes_effect, turns_of
from rules.backtest.slots import Slots, slots_of
from rules.history import LeaveKnown, MovementKnown
from rules.instants import to_micros

CELL, LEAVE, MOVEMENT, LOOK = range(4)
"""Kinds of events; a look is an instant at which something known takes effect."""


@dataclass(frozen=True)
class Events:
    """Everything that becomes known of a group, by slots: the spans from one session's start to the next.

    `starts` int64 microseconds (slots,) are the beginnings. Plain events are the one thing known of a child in a slot,
    a mark of the session that began with it: `plain_code` uint8 (slots, rows), 0 for none, and of as few bytes as will
    do `plain_place` (slots, rows), the place of its time among the `instants` of the slot.
    All others lie in the flat arrays, ordered by slot, child and instant; `first` (slots + 1,) are the bounds of slots.
    """

    starts: NDArray[np.int64]
    days: NDArray[np.intp]
    instants: Sequence[NDArray[np.int64]]
    plain_place: NDArray[np.unsignedinteger[Any]]
    plain_code: NDArray[np.uint8]
    row: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    what: NDArray[np.int32]
    code: NDArray[np.uint8]
    first: NDArray[np.intp]
    leaves: list[LeaveKnown]
    movements: list[MovementKnown]

    def plain_time(self, slot: int, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """When the plain events of these rows in a slot, who must have one, became known; microseconds."""
        return np.asarray(self.instants[slot][self.plain_place[slot, rows]], np.int64)

    def rounds(self, slot: int) -> Iterator[NDArray[np.intp]]:
        """The other events of a slot, those of each child one instant after the other: indices of one round each."""
        low, high = int(self.first[slot]), int(self.first[slot + 1])
        if low == high:
            return
        row, time = self.row[low:high], self.time[low:high]
        anew = np.ones(high - low, np.bool_)
        anew[1:] = row[1:] != row[:-1]
        steps = anew.copy()
        steps[1:] |= time[1:] != time[:-1]
        index = np.cumsum(steps)
        turn: NDArray[np.int64] = index - np.maximum.accumulate(np.where(anew, index, 0))
        for one in range(int(turn.max()) + 1):
            yield low + np.flatnonzero(turn == one)


@dataclass
class _Rest:
    """Events that are no plain ones, flat."""

    slot: NDArray[np.int32]
    row: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    what: NDArray[np.int32]
    code: NDArray[np.uint8]
    own: NDArray[np.bool_]
    """Whether it is a mark that became known in its session's time."""

    def where(self, wanted: NDArray[np.bool_] | NDArray[np.intp]) -> _Rest:
        """Only these, in this order."""
        return _Rest(*(getattr(self, name)[wanted] for name in _Rest.__dataclass_fields__))


PART = 5_000
"""Children whose events are put in order at once: what that takes beside the events is some hundred bytes a mark."""


def events_of(group: Group, *, together: bool = False) -> Events:
    """Put everything known of a group in order; `together` has a class looked at whenever anything of it is known."""
    size, slots = len(group.rows), slots_of(group)
    local = {int(row): n for n, row in enumerate(group.rows)}
    leaves = [one for one in group.history.leaves if one.row in local]
    movements = [one for one in group.history.movements if one.row in local]
    others = _others(group, slots, local, leaves, movements)
    shape = (len(slots.starts), size)
    place, code = np.zeros(shape, slots.dtype), np.zeros(shape, np.uint8)
    found = []
    for first, part in group.parts(size if together else PART):
        columns = slice(first, first + len(part.rows))
        plain, rest = _put_in_order(part, first, slots, others, together=together)
        place[:, columns], code[:, columns] = plain
        found.append(rest)
    rest = _joined(found)  # in order of the children, and each child's in order
    rest = rest.where(np.argsort(rest.slot, kind="stable"))
    bounds = np.searchsorted(rest.slot, np.arange(len(slots.starts) + 1))
    flat = (rest.row, rest.time, rest.kind, rest.what, rest.code)
    return Events(slots.starts, slots.days, slots.instants, place, code, *flat, bounds, leaves, movements)


def _put_in_order(
    part: Group, first: int, slots: Slots, others: _Rest, *, together: bool
) -> tuple[tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.uint8]], _Rest]:
    """Place and code of the plain events of some children; all their others, ordered by slot, child and instant.

    The first of the children is row `first` of those of `others`, and of those given back.
    """
    size, shape = len(part.rows), (len(slots.starts), len(part.rows))
    cells = cells_of(part)
    mine = (others.row >= first) & (others.row < first + size)
    rest = replace(others.where(mine), row=others.row[mine] - np.int32(first))
    if together:
        rest = _joined([rest, _of_classmates(part, slots, cells, rest)])
    slot = slots.of_instant[cells.time]
    where = slot.astype(np.intp) * size + cells.row
    crowd = np.bincount(where, minlength=shape[0] * size) > 1
    crowd[rest.slot.astype(np.intp) * size + rest.row] = True
    own = _in_its_time(part, slots, slot, cells)
    alone = own & ~crowd[where]
    place, code = np.zeros(shape[0] * size, slots.dtype), np.zeros(shape[0] * size, np.uint8)
    kept = np.flatnonzero(alone)
    at, time = where[kept], cells.time[kept]
    place[at], code[at] = time - slots.low[slot[kept]], cells.code[kept]
    kept = np.flatnonzero(~alone)
    rest = _joined([rest, _no_plain(part, slot[kept], cells.where(kept), own[kept])])
    rest = rest.where(np.lexsort((rest.time, rest.slot.astype(np.intp) * size + rest.row)))
    begins = _first_of_turn(rest)
    plain = rest.where(begins)
    at = plain.slot.astype(np.intp) * size + plain.row
    place[at], code[at] = slots.place(plain.slot, plain.time), plain.code
    return (place.reshape(shape), code.reshape(shape)), replace(
        rest.where(~begins), row=rest.row[~begins] + np.int32(first)
    )


def _no_plain(part: Group, slot: NDArray[np.int32], cells: Cells, own: NDArray[np.bool_]) -> _Rest:
    kind = np.full(len(cells), CELL, np.uint8)
    return _Rest(slot, cells.row, part.times.instants[cells.time], kind, cells.column, cells.code, own)


def _of_classmates(group: Group, slots: Slots, cells: Cells, rest: _Rest) -> _Rest:
    """A look at every child of a class at each instant at which anything became known of one of them."""
    classes = group.classes[:, -1]
    row, time = np.append(cells.row, rest.row), np.append(group.times.instants[cells.time], rest.time)
    rows, times = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    of = classes[row]
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.unique(classes), "left")
    for which, known in zip(np.unique(classes), np.split(time[order], bounds[1:]), strict=True):
        mine, instants = np.flatnonzero(classes == which).astype(np.int32), np.unique(known)
        rows.append(np.repeat(mine, len(instants)))
        times.append(np.tile(instants, len(mine)))
    return _looks(slots, np.concatenate(rows), np.concatenate(times))


def _looks(slots: Slots, row: NDArray[np.int32], time: NDArray[np.int64]) -> _Rest:
    kind, none = np.full(len(row), LOOK, np.uint8), np.zeros(len(row), np.int32)
    return _Rest(slots.at(time), row, time, kind, none, none.astype(np.uint8), none.astype(np.bool_))


def _joined(parts: Sequence[_Rest]) -> _Rest:
    return _Rest(*(np.concatenate([getattr(one, name) for one in parts]) for name in _Rest.__dataclass_fields__))


def _in_its_time(group: Group, slots: Slots, slot: NDArray[np.int32], cells: Cells) -> NDArray[np.bool_]:
    """Which marks became known between the start of their session and the next; `slot` is when they did."""
    of, variant = slots.of_session, group.variant
    if len(of) == 1:
        return np.asarray(of[0][cells.column] == slot, np.bool_)
    steady = (variant == variant[:, -1:]).all(axis=1)
    own = of[variant[cells.row, 0 if variant.shape[1] == 1 else cells.column], cells.column] == slot
    return np.asarray(own if steady.all() else own & steady[cells.row], np.bool_)


def _first_of_turn(rest: _Rest) -> NDArray[np.bool_]:
    """Of what is ordered, the marks in their time that are all that is known first of a child in a slot."""
    if not len(rest.row):
        return np.zeros(0, np.bool_)
    anew = np.ones(len(rest.row), np.bool_)
    anew[1:] = (rest.slot[1:] != rest.slot[:-1]) | (rest.row[1:] != rest.row[:-1])
    alone = np.ones(len(rest.row), np.bool_)
    alone[:-1] = anew[1:] | (rest.time[1:] != rest.time[:-1])
    return anew & alone & rest.own


def _others(
    group: Group, slots: Slots, local: dict[int, int], leaves: list[LeaveKnown], movements: list[MovementKnown]
) -> _Rest:
    """Leaves and movements as they become known, and the instants at which they, or a change of school, take effect."""
    rows = [(turn.row, turn.at, LOOK, 0) for turn in turns_of(group)]
    for n, leave in enumerate(leaves):
        row, known = local[leave.row], to_micros(leave.known_at)
        rows.append((row, known, LEAVE, n))
        rows += [(row, at, LOOK, 0) for at in takes_effect(group, row, leave)]
    for n, move in enumerate(movements):
        row, known, at = local[move.row], to_micros(move.known_at), to_micros(move.movement.at)
        rows.append((row, known, MOVEMENT, n))
        rows += [(row, at, LOOK, 0)] if at > known else []
    table = np.array(rows, np.int64).reshape(-1, 4)
    looks = _looks(slots, table[:, 0].astype(np.int32), table[:, 1])
    return replace(looks, kind=table[:, 2].astype(np.uint8), what=table[:, 3].astype(np.int32))
