"""Passes through everything that became known of a group, slot by slot, and stops where somebody must be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.backtest.events import CELL, LEAVE, MOVEMENT, Events
from rules.backtest.ground import Ground, Rows
from rules.backtest.tracked import Tracked
from rules.register import MISSED, Leave


class Passage:
    """One group on its way; what is seen at a stop is for others to say. Runs once, from the first slot to the last.

    `tracked` follows every cell that comes to mean absent, or to be expected, or ceases to.
    """

    def __init__(self, ground: Ground, events: Events) -> None:
        self.ground, self.events = ground, events
        self.tracked = Tracked.none()

    def look(self, rows: Rows, now: NDArray[np.int64], slot: int) -> None:
        """Stop for these children at an instant each (microseconds), when all known by then is taken in."""

    def pass_slot(self, slot: int) -> None:
        """Take in everything that became known from one session's start to the next."""
        ground, events = self.ground, self.events
        day = int(events.days[slot])
        plain = np.flatnonzero(events.plain_code[slot])
        behind = plain[:0]
        if len(plain):
            columns = self._columns(slot, plain)
            reached, time = ground.upto[plain], events.plain_time(slot, plain)
            self._note(plain, columns, time, ground.say(columns, plain, events.plain_code[slot, plain]))
            behind = np.flatnonzero((ground.leave_end[plain] > 0) & (columns - reached > 1))
        self._count(day)
        if len(plain):
            if len(behind):
                first = np.maximum(reached[behind], 0) // ground.calendar.slots
                self._refresh(plain[behind], first.astype(np.int64), day)
            self.look(plain, time, slot)
        for which in events.rounds(slot):
            self._take_in(which, slot, day)

    def _count(self, day: int) -> None:
        """Count `day`, and the days up to it, of everybody."""
        for one in range(min(self.ground.tally.reached, day), day + 1):
            self.ground.tally.refresh(slice(None), one, one)

    def begun(self, slot: int) -> int:
        """The last column whose session may have begun in this slot; later ones hold only what is known ahead."""
        slots = self.ground.calendar.slots
        latest = (int(self.events.days[slot]) + 1) * slots
        starts = self.ground.calendar.starts[:, latest - slots : latest]
        begun = ((starts <= self.events.starts[slot]) & (starts > 0)).any(axis=0)
        return latest - slots + int(np.flatnonzero(begun)[-1])

    def _columns(self, slot: int, rows: Rows) -> NDArray[np.int32]:
        """The column of the session that begins with a slot, for each of these rows."""
        calendar, start = self.ground.calendar, self.events.starts[slot]
        day = int(self.events.days[slot])
        block = slice(day * calendar.slots, (day + 1) * calendar.slots)
        by_variant = np.argmax(calendar.starts[:, block] == start, axis=1) + block.start
        return np.asarray(by_variant[self.ground.variant[rows]], np.int32)

    def _take_in(self, which: NDArray[np.intp], slot: int, day: int) -> None:
        """One round: everything of one instant a child, which is looked at once all of it is taken in."""
        ground, events = self.ground, self.events
        slots = ground.calendar.slots
        rows, index = np.unique(events.row[which].astype(np.intp), return_inverse=True)
        first = np.full(len(rows), day + 1, np.int64)
        kind = events.kind[which]
        for n in np.flatnonzero((kind == LEAVE) | (kind == MOVEMENT)).tolist():
            column = self._change(int(which[n]))
            first[index[n]] = min(int(first[index[n]]), column // slots)
        said = which[kind == CELL]
        if len(said):
            column, row = events.what[said], events.row[said].astype(np.intp)
            reached = ground.upto[row]
            self._note(row, column, events.time[said], ground.say(column, row, events.code[said]))
            behind = (ground.leave_end[row] > 0) & (column - reached > 1)
            since = np.where(behind, np.minimum(np.maximum(reached, 0), column), column)
            np.minimum.at(first, index[kind == CELL], since // slots)
        time = np.zeros(len(rows), np.int64)
        time[index] = events.time[which]
        for n in np.flatnonzero(np.isin(rows, events.row[which[kind >= MOVEMENT]])).tolist():
            ground.pass_to(int(rows[n]), int(time[n]))
        self._refresh(rows, first, day)
        self.look(rows, time, slot)

    def _change(self, event: int) -> int:
        """A leave or a movement; the first column it changes."""
        ground, events = self.ground, self.events
        row = int(events.row[event])
        before, expected = ground.meaning[:, row] == MISSED, ground.expected[:, row].copy()
        if events.kind[event] == MOVEMENT:
            first = ground.move(row, events.movements[events.what[event]].movement)
        else:
            known = events.leaves[events.what[event]]
            leave = None if known.withdrawn else Leave(known.starts, known.ends, known.kind)
            first = ground.grant(row, known.leave_id, leave)
        time = int(events.time[event])
        self.tracked.missed.compare(row, time, before, ground.meaning[:, row] == MISSED)
        self.tracked.expected.compare(row, time, expected, ground.expected[:, row])
        return first

    def _note(self, row: Rows, column: NDArray[np.int32], time: NDArray[np.int64], turned: NDArray[np.int8]) -> None:
        new = np.flatnonzero(turned)
        if len(new):
            self.tracked.missed.note(row[new], column[new], time[new], turned[new])

    def _refresh(self, rows: Rows, first: NDArray[np.int64], day: int) -> None:
        """Count again from the first day that changed on: those changed lately apart from those changed long ago."""
        back = day - first
        for low, high in ((0, 10), (11, day)):
            mine = (back >= low) & (back <= high)
            if mine.any():
                self.ground.tally.refresh(rows[mine], int(first[mine].min()), day)
