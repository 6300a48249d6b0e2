"""The register of a group as it becomes known, change by change, with the tally its facts are read from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.ahead import covered_at
from rules.backtest.cells import Group
from rules.facts.evaluate import series_for
from rules.facts.moves import no_moves
from rules.facts.tally import Tally
from rules.facts.tracks import tracks_of
from rules.facts.windows import Windows
from rules.history import LeaveKnown
from rules.instants import NEVER, to_micros
from rules.records import Mark
from rules.register import (
    EXCUSED,
    MEANING,
    MISSED,
    SEEN,
    SKIP,
    Leave,
    Movement,
    Out,
    Register,
    confirmed_outs,
    memberships,
)

Rows = NDArray[np.intp]


class Turn(NamedTuple):
    """The beginning (microseconds) of the day from which a child follows another calendar variant; its nth such day."""

    row: int
    nth: int
    at: int
    variant: int


def turns_of(group: Group) -> Iterator[Turn]:
    """The turns of those children of a group who changed to a school with another calendar, each child's in order."""
    of, calendar = group.variant, group.history.calendar
    for row in np.flatnonzero((of != of[:, :1]).any(axis=1)).tolist():
        for nth, column in enumerate((np.flatnonzero(of[row, 1:] != of[row, :-1]) + 1).tolist()):
            day = calendar.dates[column // calendar.slots]
            yield Turn(row, nth, to_micros(calendar.local_midnight(day)), int(of[row, column]))


def takes_effect(group: Group, row: int, leave: LeaveKnown) -> list[int]:
    """The instants (microseconds) at which a leave of a row of the group takes effect, after it became known."""
    if leave.withdrawn:
        return []
    known, starts, ends = to_micros(leave.known_at), to_micros(leave.starts), to_micros(leave.ends)
    line = group.history.calendar.lines[int(group.variant[row, -1])]
    return [at for at in (starts, ends, covered_at(line, starts, ends, known)) if at is not None and at > known]


class Ground:
    """What is known of a group so far; decides nothing.

    `marks` and `meaning` uint8 (columns, rows), as in a register turned on its side; cells to come may hold leave that
    is known already, so whoever looks at them looks no further than the present session.
    """

    def __init__(self, group: Group, wanted: Collection[str]) -> None:
        history = group.history
        self.group, self.calendar = group, history.calendar
        self.rows = len(group.rows)
        self.columns = self.calendar.starts.shape[1]
        spells = [history.spells[row] for row in group.rows]
        _, enrolled = memberships(self.calendar, spells)
        self.variant = group.variant[:, -1]
        """The last of each child."""
        expected = self.calendar.expected[group.variant[:, 0]] if group.variant.shape[1] == 1 else self._expected()
        self.enrolled = expected if enrolled is None else expected & enrolled
        """Who is expected where before any movement is known; bool (rows, columns)."""
        self.expected = self.enrolled.T.copy()  # never a view: `enrolled` stays as it was
        self.marks = np.zeros((self.columns, self.rows), np.uint8)
        self.meaning = np.where(self.expected, MEANING[0], SKIP).astype(np.uint8)
        self.cover: NDArray[np.uint8] | None = None
        self.upto = np.full(self.rows, -1, np.int32)
        self.ever_missed = np.zeros(self.rows, np.bool_)
        """Who was ever marked absent, whatever became of it."""
        self.ended = np.zeros(self.rows, np.int64)
        """The last confirmed movement out that has taken effect, microseconds; 0 where there is none."""
        self.leave_end = np.zeros(self.rows, np.int64)
        """When the last leave known of ends, withdrawn or not; 0 where there is none."""
        self.leaves: dict[int, dict[str, Leave]] = {}
        self.movements: dict[int, list[Movement]] = {}
        self.outs: dict[int, tuple[Out, ...]] = {}
        self.moves = no_moves(self.rows)
        tracks = tracks_of(self.calendar, group.variant)
        self.windows = Windows(tracks)
        self.tally = Tally(tracks, self.marks, self.meaning, self.upto, series_for(wanted))
        self._marks, self._means, self._there = (one.reshape(-1) for one in (self.marks, self.meaning, self.expected))
        """The same arrays, flat: one index finds a cell several times as fast as two."""

    def _expected(self) -> NDArray[np.bool_]:
        return self.calendar.expected[self.group.variant, np.arange(self.columns)]

    def starts_of(self, row: int) -> NDArray[np.int64]:
        """When each session of a child begins, microseconds; (columns,)."""
        variant = self.group.variant[row]
        if len(variant) == 1:
            return np.asarray(self.calendar.starts[variant[0]], np.int64)
        return np.asarray(self.calendar.starts[variant, np.arange(self.columns)], np.int64)

    def starts_all(self, rows: Rows) -> NDArray[np.int64]:
        """The same of many children; (columns, rows)."""
        variant = self.group.variant[rows]
        if variant.shape[1] == 1:
            return np.asarray(self.calendar.starts[variant[:, 0]].T, np.int64)
        return np.asarray(self.calendar.starts[variant, np.arange(self.columns)].T, np.int64)

    def ends_of(self, row: int) -> NDArray[np.int64]:
        """When each ends."""
        variant = self.group.variant[row]
        if len(variant) == 1:
            return np.asarray(self.calendar.ends[variant[0]], np.int64)
        return np.asarray(self.calendar.ends[variant, np.arange(self.columns)], np.int64)

    def variant_at(self, rows: Rows, now: NDArray[np.int64]) -> NDArray[np.intp]:
        """The variant each of these children follows on the day of an instant of its own."""
        found = self.group.variant[rows, 0]
        for at, variant in self._turns:
            found = np.where(at[rows] <= now, variant[rows], found)
        return np.asarray(found, np.intp)

    @cached_property
    def _turns(self) -> list[tuple[NDArray[np.int64], NDArray[np.intp]]]:
        """When children turn to another variant for the first time, the second …, and to which; NEVER: they do not."""
        turns: list[tuple[NDArray[np.int64], NDArray[np.intp]]] = []
        for turn in turns_of(self.group):
            if turn.nth == len(turns):
                turns.append((np.full(self.rows, NEVER, np.int64), np.zeros(self.rows, np.intp)))
            at, variant = turns[turn.nth]
            at[turn.row], variant[turn.row] = turn.at, turn.variant
        return turns

    # ---- changes ----------------------------------------------------------------------------------------------------

    def say(self, column: NDArray[np.int32], row: Rows, code: NDArray[np.uint8]) -> NDArray[np.int8]:
        """These cells are said to be `code` from now on; one change a cell, or the last of several counts.

        How each turned: 1 where it came to be missed, −1 where it ceased to, else 0.
        """
        place = column.astype(np.intp) * self.rows + row
        self._marks[place] = code
        self.ever_missed[row[np.flatnonzero(code == Mark.ABSENT)]] = True
        before = self._means[place] == MISSED
        meaning = self._mean(place)
        there = meaning != SKIP
        if not there.all():
            row, column = row[there], column[there]
        np.maximum.at(self.upto, row, column)
        return np.asarray((meaning == MISSED).view(np.int8) - before.view(np.int8), np.int8)

    def mean(self, column: NDArray[np.int32], row: Rows) -> None:
        """Work out again what these cells mean."""
        self._mean(column.astype(np.intp) * self.rows + row)

    def _mean(self, place: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The same by their places in the flat arrays; what they mean now."""
        meaning = MEANING[self._marks[place]]
        if self.cover is not None:
            covered = self.cover.reshape(-1)[place] > 0
            meaning[covered & (meaning != SEEN)] = EXCUSED
        meaning[~self._there[place]] = SKIP
        self._means[place] = meaning
        return meaning

    def grant(self, row: int, leave_id: str, leave: Leave | None) -> int:
        """A leave, another version of one, or its withdrawal (None); the first column changed, or their number."""
        if self.cover is None:
            self.cover = np.zeros((self.columns, self.rows), np.uint8)
        held = self.leaves.setdefault(row, {})
        touched = []
        if (old := held.pop(leave_id, None)) is not None:
            touched.append(self._cover(row, old, -1))
        if leave is not None:
            held[leave_id] = leave
            self.leave_end[row] = max(int(self.leave_end[row]), to_micros(leave.ends))
            touched.append(self._cover(row, leave, 1))
        changed = np.concatenate(touched) if touched else np.zeros(0, np.int32)
        self.mean(changed, np.full(len(changed), row))
        return int(changed.min(initial=self.columns))

    def _cover(self, row: int, leave: Leave, by: int) -> NDArray[np.int32]:
        ends = self.ends_of(row)
        covered = (self.starts_of(row) < to_micros(leave.ends)) & (ends > to_micros(leave.starts)) & (ends > 0)
        columns = np.flatnonzero(covered).astype(np.int32)
        assert self.cover is not None
        self.cover[columns, row] += np.uint8(by % 256)
        return columns

    def move(self, row: int, movement: Movement) -> int:
        """A movement is known; the first column that counts otherwise by it."""
        known = self.movements.setdefault(row, [])
        known.append(movement)
        self.moves.note(row, known, self.calendar.zone)
        self.outs[row] = confirmed_outs(known)
        starts, before = self.starts_of(row), self.expected[:, row].copy()
        expected = self.enrolled[row].copy()
        for out in self.outs[row]:
            until = NEVER if out.until is None else to_micros(out.until)
            expected &= ~((starts >= to_micros(out.at)) & (starts < until))
        self.expected[:, row] = expected
        changed = np.flatnonzero(expected != before).astype(np.int32)
        self.mean(changed, np.full(len(changed), row))
        spoken, reached = np.flatnonzero((self.marks[:, row] > Mark.UNTAKEN) & expected), int(self.upto[row])
        self.upto[row] = spoken[-1] if len(spoken) else -1
        if reached != self.upto[row]:  # leave between the two counts from now on, or no longer
            changed = np.append(changed, min(reached, self.upto[row]) + 1)
        return int(changed.min(initial=self.columns))

    def pass_to(self, row: int, now: int) -> None:
        """Confirmed movements of a child that have taken effect by `now` end its run."""
        outs = self.outs.get(row, ())
        self.ended[row] = max((to_micros(out.at) for out in outs if to_micros(out.at) <= now), default=0)

    def is_out(self, row: int, now: int) -> bool:
        """Whether a confirmed movement keeps the child off the roll."""
        outs = self.outs.get(row, ())
        return any(to_micros(out.at) <= now and (out.until is None or now < to_micros(out.until)) for out in outs)

    # ---- looked at --------------------------------------------------------------------------------------------------

    def on_leave(self, row: int, now: int) -> bool:
        """Whether a known leave of the child is in force."""
        held = self.leaves.get(row, {}).values()
        return any(to_micros(leave.starts) <= now < to_micros(leave.ends) for leave in held)

    def last_leave_end(self, row: int, now: int) -> int:
        """The end of the last leave that is over, or of the last session on leave that a roll has reached; or NEVER."""
        ends = [end for leave in self.leaves.get(row, {}).values() if (end := to_micros(leave.ends)) <= now]
        reached = np.flatnonzero(self.meaning[: self.upto[row] + 1, row] == EXCUSED)
        if len(reached):
            ends.append(int(self.ends_of(row)[reached[-1]]))
        return max(ends, default=NEVER)

    def last_seen(self, rows: Rows) -> NDArray[np.int64]:
        """The start of the last session each was seen in, of those with a transfer open; 0 for everybody else."""
        found = np.zeros(len(rows), np.int64)
        for n in np.flatnonzero(self.moves.transfer_at[rows] != NEVER).tolist():
            row = int(rows[n])
            seen = np.flatnonzero(self.meaning[:, row] == SEEN)
            found[n] = self.starts_of(row)[seen[-1]] if len(seen) else 0
        return found

    def register(self, rows: Rows) -> Register:
        """The register of these rows as known now, as a sweep is given it."""
        of = [int(row) for row in rows]
        return Register(
            self.calendar,
            np.ascontiguousarray(self.marks[:, rows].T),
            self.group.variant[rows],
            self.group.classes[rows],
            np.ascontiguousarray(self.expected[:, rows].T),
            {n: list(held.values()) for n, row in enumerate(of) if (held := self.leaves.get(row))},
            {n: self.movements[row] for n, row in enumerate(of) if row in self.movements},
            {n: outs for n, row in enumerate(of) if (outs := self.outs.get(row))},
        )
