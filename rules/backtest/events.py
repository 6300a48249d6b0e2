"""What becomes known of a group in order: for most children and sessions one roll in its own time, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Cells, Group, cells_of, first_rolls
from rules.backtest.ground import takes_effect, turns_of
from rules.history import LeaveKnown, MovementKnown
from rules.instants import NEVER, to_micros

CELL, LEAVE, MOVEMENT, LOOK = range(4)
"""Kinds of events; a look is an instant at which something known takes effect."""


@dataclass(frozen=True)
class Events:
    """Everything that becomes known of a group, by slots: the spans from one session's start to the next.

    `starts` int64 microseconds (slots,) are the beginnings. Plain events are the one thing known of a child in a slot,
    a mark of the session that began with it: `plain_time` int64 and `plain_code` uint8 (slots, rows), code 0 for none.
    All others lie in the flat arrays, ordered by slot, child and instant; `first` (slots + 1,) are the bounds of slots.
    """

    starts: NDArray[np.int64]
    days: NDArray[np.intp]
    plain_time: NDArray[np.int64]
    plain_code: NDArray[np.uint8]
    row: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    what: NDArray[np.int32]
    code: NDArray[np.uint8]
    first: NDArray[np.intp]
    leaves: list[LeaveKnown]
    movements: list[MovementKnown]

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
    calendar, size = group.history.calendar, len(group.rows)
    of = np.unique(group.variant)
    starts = np.unique(calendar.starts[of][calendar.expected[of]])
    local = {int(row): n for n, row in enumerate(group.rows)}
    leaves = [one for one in group.history.leaves if one.row in local]
    movements = [one for one in group.history.movements if one.row in local]
    plain = _Plain(starts, np.full((len(starts), size), NEVER, np.int64), np.zeros((len(starts), size), np.uint8))
    others, taken = _others(group, local, leaves, movements), first_rolls(group.history)
    found = [
        _put_in_order(part, first, plain, others, taken, together=together)
        for first, part in group.parts(size if together else PART)
    ]
    rest = _sorted(starts, _joined(found))
    bounds = np.searchsorted(_slot_of(starts, rest.time), np.arange(len(starts) + 1))
    days = np.searchsorted(_day_starts(group, of), starts, "right") - 1
    flat = (rest.row, rest.time, rest.kind, rest.what, rest.code)
    return Events(starts, days, plain.time, plain.code, *flat, bounds, leaves, movements)


@dataclass(frozen=True)
class _Plain:
    """Plain events in the making; arrays as those of Events."""

    starts: NDArray[np.int64]
    time: NDArray[np.int64]
    code: NDArray[np.uint8]


def _put_in_order(
    part: Group, first: int, plain: _Plain, others: _Rest, taken: NDArray[np.int64], *, together: bool
) -> _Rest:
    """Fill in the plain events of some children, the first of whom is row `first`; all their others, as rows from 0."""
    starts, size = plain.starts, len(part.rows)
    cells = cells_of(part, taken)
    mine = (others.row >= first) & (others.row < first + size)
    rest = replace(others.where(mine), row=others.row[mine] - np.int32(first))
    if together:
        rest = _joined([rest, _of_classmates(part, cells, rest)])
    columns = slice(first, first + size)
    slot = _slot_of(starts, cells.time)
    place = slot * size + cells.row
    own = _in_its_time(part, starts[slot], cells)
    alone = own & ~_crowd(place, _slot_of(starts, rest.time) * size + rest.row, len(starts) * size)[place]
    plain.time[:, columns][slot[alone], cells.row[alone]] = cells.time[alone]
    plain.code[:, columns][slot[alone], cells.row[alone]] = cells.code[alone]
    rest = _ordered(starts, rest, cells.where(~alone), own[~alone])
    begins = _first_of_turn(starts, rest)
    slot, row = _slot_of(starts, rest.time[begins]), rest.row[begins]
    plain.time[:, columns][slot, row] = rest.time[begins]
    plain.code[:, columns][slot, row] = rest.code[begins]
    return replace(rest.where(~begins), row=rest.row[~begins] + np.int32(first))


def _of_classmates(group: Group, cells: Cells, rest: _Rest) -> _Rest:
    """A look at every child of a class at each instant at which anything became known of one of them."""
    classes = group.classes[:, -1]
    row, time = np.append(cells.row, rest.row), np.append(cells.time, rest.time)
    rows, times = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    of = classes[row]
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.unique(classes), "left")
    for which, known in zip(np.unique(classes), np.split(time[order], bounds[1:]), strict=True):
        mine, instants = np.flatnonzero(classes == which).astype(np.int32), np.unique(known)
        rows.append(np.repeat(mine, len(instants)))
        times.append(np.tile(instants, len(mine)))
    size = sum(map(len, rows))
    kind, none = np.full(size, LOOK, np.uint8), np.zeros(size, np.int32)
    return _Rest(np.concatenate(rows), np.concatenate(times), kind, none, none.astype(np.uint8), none.astype(np.bool_))


def _joined(parts: Sequence[_Rest]) -> _Rest:
    return _Rest(*(np.concatenate([getattr(one, name) for one in parts]) for name in _Rest.__dataclass_fields__))


def _crowd(one: NDArray[np.int64], other: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """Where more than one thing becomes known of a child in a slot; flat, slot by slot, as the places given."""
    counts = np.bincount(one, minlength=size)
    if len(other):
        counts += np.bincount(other, minlength=size)
    return np.asarray(counts > 1, np.bool_)


def _in_its_time(group: Group, begun: NDArray[np.int64], cells: Cells) -> NDArray[np.bool_]:
    """Which marks became known between the start of their session and the next; `begun` is when their slots did."""
    steady = (group.variant == group.variant[:, -1:]).all(axis=1)
    own = _session_starts(group, cells) == begun
    return np.asarray(own if steady.all() else own & steady[cells.row], np.bool_)


def _first_of_turn(starts: NDArray[np.int64], rest: _Rest) -> NDArray[np.bool_]:
    """Of what is ordered, the marks in their time that are all that is known first of a child in a slot."""
    if not len(rest.row):
        return np.zeros(0, np.bool_)
    slot = _slot_of(starts, rest.time)
    anew = np.ones(len(rest.row), np.bool_)
    anew[1:] = (slot[1:] != slot[:-1]) | (rest.row[1:] != rest.row[:-1])
    alone = np.ones(len(rest.row), np.bool_)
    alone[:-1] = anew[1:] | (rest.time[1:] != rest.time[:-1])
    return anew & alone & rest.own


def _slot_of(starts: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.maximum(np.searchsorted(starts, time, "right") - 1, 0), np.int64)


def _session_starts(group: Group, cells: Cells) -> NDArray[np.int64]:
    calendar, variant = group.history.calendar, group.variant
    if len(calendar.tables) == 1:
        return np.asarray(calendar.starts[0][cells.column], np.int64)
    of = variant[cells.row, 0] if variant.shape[1] == 1 else variant[cells.row, cells.column]
    return np.asarray(calendar.starts[of, cells.column], np.int64)


def _day_starts(group: Group, of: NDArray[np.intp]) -> NDArray[np.int64]:
    """The first start of each day of the grid among these variants, none before the day before's; microseconds."""
    calendar = group.history.calendar
    begins = np.where(calendar.expected[of], calendar.starts[of], NEVER).reshape(len(of), -1, calendar.slots)
    first = begins.min(axis=(0, 2))
    # A day none of these variants expects anybody on begins with the next that one does.
    return np.minimum.accumulate(first[::-1])[::-1]


def _others(group: Group, local: dict[int, int], leaves: list[LeaveKnown], movements: list[MovementKnown]) -> _Rest:
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
    return _Rest(
        table[:, 0].astype(np.int32),
        table[:, 1],
        table[:, 2].astype(np.uint8),
        table[:, 3].astype(np.int32),
        np.zeros(len(table), np.uint8),
        np.zeros(len(table), np.bool_),
    )


def _ordered(starts: NDArray[np.int64], rest: _Rest, cells: Cells, own: NDArray[np.bool_]) -> _Rest:
    """All that is not plain, by slot, child and instant; of one instant in the order of delivery."""
    kind = np.full(len(cells), CELL, np.uint8)
    return _sorted(starts, _joined([rest, _Rest(cells.row, cells.time, kind, cells.column, cells.code, own)]))


def _sorted(starts: NDArray[np.int64], rest: _Rest) -> _Rest:
    order = np.lexsort((rest.time, rest.row, _slot_of(starts, rest.time)))
    return rest.where(order)
