"""Walks a group through everything as it became known: which signs were raised, and who may have been reported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.doubt import Doubt
from rules.backtest.events import CELL, LEAVE, MOVEMENT, Events
from rules.backtest.ground import Ground, Rows
from rules.backtest.states import Raised, States
from rules.backtest.storms import Missed
from rules.case import Law
from rules.facts.anchors import term_starts
from rules.facts.evaluate import read_facts
from rules.facts.reading import Reading
from rules.instants import NEVER, span
from rules.register import MISSED, SEEN, SKIP, Leave
from rules.rule import Rule
from rules.runs import Runs, scan_runs
from rules.traits import Traits

RECENT = 24
"""Columns in which nearly every run is found whole."""


class Walk:
    """One group on its way; `raised` collects signs by rule, `doubt` who must be replayed for a report.

    `wanted` are the names of all facts that rules, and whoever looks, ask for.
    """

    def __init__(
        self,
        ground: Ground,
        events: Events,
        signs: Sequence[Rule],
        doubt: Doubt,
        traits: Traits,
        law: Law,
        wanted: frozenset[str],
    ) -> None:
        self.ground, self.events, self.doubt = ground, events, doubt
        self.signs, self.traits, self.clock = signs, traits, law.clock
        self.wanted = wanted
        self.covers = [rule.scope.covers(traits) for rule in signs]
        self.states = [
            States.none(rule, rule.priority.covers(traits) if rule.priority else np.zeros(ground.rows, np.bool_))
            for rule in signs
        ]
        self.raised: list[list[Raised]] = [[] for _ in signs]
        self.missed = Missed.none()
        self.everybody: Rows = np.arange(ground.rows)
        self._asks_sessions = bool(wanted & {"absent_sessions", "缺勤节次"})
        self._dates = np.array(ground.calendar.dates, "datetime64[D]")

    def pass_slot(self, slot: int) -> None:
        """Take in everything that became known from one session's start to the next."""
        ground, events = self.ground, self.events
        day = int(events.days[slot])
        plain = np.flatnonzero(events.plain_code[slot])
        behind = plain[:0]
        if len(plain):
            columns = self._columns(slot, plain)
            before, reached = ground.meaning[columns, plain] == MISSED, ground.upto[plain]
            ground.say(columns, plain, events.plain_code[slot, plain])
            self._note(plain, columns, events.plain_time[slot, plain], before)
            behind = np.flatnonzero((ground.leave_end[plain] > 0) & (columns - reached > 1))
        self._count(day)
        if len(plain):
            if len(behind):
                first = np.maximum(reached[behind], 0) // ground.calendar.slots
                self._refresh(plain[behind], first.astype(np.int64), day)
            self._look(plain, events.plain_time[slot, plain], slot)
        for which in events.rounds(slot):
            self._take_in(which, slot, day)

    def _count(self, day: int) -> None:
        """Count `day`, and the days up to it, of everybody."""
        for one in range(min(self.ground.tally.reached, day), day + 1):
            self.ground.tally.refresh(slice(None), one, one)

    def end(self, until: int) -> None:
        """Whatever is armed for an instant up to the end comes due."""
        self._pass_deadlines(np.full(self.ground.rows, until + 1, np.int64))
        self.doubt.end(until)

    def _pass_deadlines(self, now: NDArray[np.int64]) -> None:
        for states, raised in zip(self.states, self.raised, strict=True):
            if (late := states.passed(now)) is not None:
                raised.append(late)

    def read(self, slot: int, now: int, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
        """The values of `wanted` facts of everybody, as known at the end of a slot."""
        instants = np.full(self.ground.rows, now, np.int64)
        return read_facts(
            self._reading(self.everybody, self._runs(self.everybody, instants, self._begun(slot))), wanted
        )

    # ---- taking in --------------------------------------------------------------------------------------------------

    def _columns(self, slot: int, rows: Rows) -> NDArray[np.int32]:
        """The column of the session that begins with a slot, for each of these rows."""
        calendar, start = self.ground.calendar, self.events.starts[slot]
        day = int(self.events.days[slot])
        block = slice(day * calendar.slots, (day + 1) * calendar.slots)
        by_variant = np.argmax(calendar.starts[:, block] == start, axis=1) + block.start
        return by_variant[self.ground.variant[rows]].astype(np.int32)

    def _take_in(self, which: NDArray[np.intp], slot: int, day: int) -> None:
        """One round: everything of one instant a child, which is looked at once all of it is taken in."""
        ground, events = self.ground, self.events
        slots = ground.calendar.slots
        rows, index = np.unique(events.row[which], return_inverse=True)
        first = np.full(len(rows), day + 1, np.int64)
        kind = events.kind[which]
        for n in np.flatnonzero((kind == LEAVE) | (kind == MOVEMENT)).tolist():
            column = self._change(int(which[n]))
            first[index[n]] = min(int(first[index[n]]), column // slots)
        said = which[kind == CELL]
        if len(said):
            column, row = events.what[said], events.row[said].astype(np.intp)
            before, reached = ground.meaning[column, row] == MISSED, ground.upto[row]
            ground.say(column, row, events.code[said])
            self._note(row, column, events.time[said], before)
            behind = (ground.leave_end[row] > 0) & (column - reached > 1)
            since = np.where(behind, np.minimum(np.maximum(reached, 0), column), column)
            np.minimum.at(first, index[kind == CELL], since // slots)
        time = np.zeros(len(rows), np.int64)
        time[index] = events.time[which]
        for n in np.flatnonzero(np.isin(rows, events.row[which[kind >= MOVEMENT]])).tolist():
            ground.pass_to(int(rows[n]), int(time[n]))
        self._refresh(rows, first, day)
        self._look(rows, time, slot)

    def _change(self, event: int) -> int:
        """A leave or a movement; the first column it changes."""
        ground, events = self.ground, self.events
        row = int(events.row[event])
        before = ground.meaning[:, row] == MISSED
        if events.kind[event] == MOVEMENT:
            first = ground.move(row, events.movements[events.what[event]].movement)
        else:
            known = events.leaves[events.what[event]]
            leave = None if known.withdrawn else Leave(known.starts, known.ends, known.kind)
            first = ground.grant(row, known.leave_id, leave)
        after = ground.meaning[:, row] == MISSED
        changed = np.flatnonzero(before != after).astype(np.int32)
        if len(changed):
            by = np.where(after[changed], 1, -1).astype(np.int8)
            time = np.full(len(changed), events.time[event], np.int64)
            self.missed.note(np.full(len(changed), row), changed, time, by)
        return first

    def _note(self, row: Rows, column: NDArray[np.int32], time: NDArray[np.int64], before: NDArray[np.bool_]) -> None:
        after = self.ground.meaning[column, row] == MISSED
        new = before != after
        if new.any():
            self.missed.note(row[new], column[new], time[new], np.where(after[new], 1, -1).astype(np.int8))

    def _refresh(self, rows: Rows, first: NDArray[np.int64], day: int) -> None:
        """Count again from the first day that changed on: those changed lately apart from those changed long ago."""
        back = day - first
        for low, high in ((0, 10), (11, day)):
            mine = (back >= low) & (back <= high)
            if mine.any():
                self.ground.tally.refresh(rows[mine], int(first[mine].min()), day)

    # ---- looking ----------------------------------------------------------------------------------------------------

    def _look(self, rows: Rows, now: NDArray[np.int64], slot: int) -> None:
        """Look at these children at an instant each: deadlines that passed, then what is known now."""
        if self.signs:
            at = np.full(self.ground.rows, -1, np.int64)
            at[rows] = now
            self._pass_deadlines(at)
        runs = self._runs(rows, now, self._begun(slot))
        reading = self._reading(rows, runs)
        facts = read_facts(reading, self.wanted)
        self.doubt.look(self.ground, rows, now, runs, facts)
        if self.signs:
            self._judge_signs(rows, now, runs, reading, facts)

    def _begun(self, slot: int) -> int:
        """The last column whose session may have begun in this slot; later ones hold only what is known ahead."""
        slots = self.ground.calendar.slots
        latest = (int(self.events.days[slot]) + 1) * slots
        starts = self.ground.calendar.starts[:, latest - slots : latest]
        begun = ((starts <= self.events.starts[slot]) & (starts > 0)).any(axis=0)
        return latest - slots + int(np.flatnonzero(begun)[-1])

    def _judge_signs(
        self, rows: Rows, now: NDArray[np.int64], runs: Runs, reading: Reading, facts: dict[str, NDArray[Any]]
    ) -> None:
        heard = None
        away, gone = self._away(rows, now, runs), self._gone(rows, now)
        lines, variant = self.ground.calendar.lines, self.ground.variant[rows]
        for n, rule in enumerate(self.signs):
            true = rule.when(facts)
            holds = true & self.covers[n][rows]
            if rule.first is not None or rule.last is not None:
                heard = self._heard(reading) if heard is None else heard
                holds &= rule.in_force(heard)
            anchor = self._anchor(rule, rows, now, runs, reading, holds)
            if anchor is not None:
                holds = holds & (anchor != NEVER)
            if rule.since == "absence":
                holds = holds & ~away
            over = ~true if rule.until is None else rule.until(facts)
            if gone is not None and rule.since != "movement":
                holds, over = holds & ~gone, over | gone
            raised = self.states[n].advance(rows, holds, over, anchor, now, lines, variant)
            if raised is not None:
                self.raised[n].append(raised)

    def _anchor(
        self, rule: Rule, rows: Rows, now: NDArray[np.int64], runs: Runs, reading: Reading, holds: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        if rule.since == "condition":
            return None
        if rule.since == "absence":
            return runs.start
        if rule.since == "movement":
            return reading.moves.away_at[rows]
        if rule.since == "term_start":
            return term_starts(reading)
        found = np.full(len(rows), NEVER, np.int64)
        for n in np.flatnonzero(holds).tolist():
            found[n] = self.ground.last_leave_end(int(rows[n]), int(now[n]))
        return found

    def _heard(self, reading: Reading) -> NDArray[np.datetime64]:
        dates = np.concatenate([np.array(["NaT"], "datetime64[D]"), self._dates])
        return dates[reading.heard]

    def _away(self, rows: Rows, now: NDArray[np.int64], runs: Runs) -> NDArray[np.bool_]:
        """Of whom a leave is in force, among those with a run."""
        away = np.zeros(len(rows), np.bool_)
        for n in np.flatnonzero((self.ground.leave_end[rows] > now) & (runs.start != NEVER)).tolist():
            away[n] = self.ground.on_leave(int(rows[n]), int(now[n]))
        return away

    def _gone(self, rows: Rows, now: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Whom a confirmed movement keeps off the roll; None where nobody ever moved."""
        if not self.ground.outs:
            return None
        gone = np.zeros(len(rows), np.bool_)
        for n in np.flatnonzero(np.isin(rows, list(self.ground.outs))).tolist():
            gone[n] = self.ground.is_out(int(rows[n]), int(now[n]))
        return gone

    def _reading(self, rows: Rows, runs: Runs) -> Reading:
        ground = self.ground
        return Reading(
            ground.tally,
            ground.windows,
            rows,
            self.traits,
            runs.days,
            self._sessions(rows, runs),
            ground.moves,
            ground.last_seen(rows),
        )

    def _sessions(self, rows: Rows, runs: Runs) -> NDArray[np.int64]:
        found = np.zeros(len(rows), np.int64)
        if self._asks_sessions:
            for n in np.flatnonzero(runs.start != NEVER).tolist():
                found[n] = int((self.ground.meaning[int(runs.column[n]) :, int(rows[n])] == MISSED).sum())
        return found

    def _runs(self, rows: Rows, now: NDArray[np.int64], begun: int) -> Runs:
        """The current runs of these rows, of which those never missed, or seen last, have none."""
        runs = _no_runs(len(rows))
        here = np.flatnonzero(self.ground.ever_missed[rows] & (self.ground.meaning[begun, rows] != SEEN))
        low = max(begun - RECENT + 1, 0)
        cut = self._scan(rows[here], now[here], low, begun)
        _put(runs, here, cut, low)
        again = here[cut.stop < 0] if low else here[:0]
        if len(again):
            _put(runs, again, self._scan(rows[again], now[again], 0, begun), 0)
        return runs

    def _scan(self, rows: Rows, now: NDArray[np.int64], low: int, begun: int) -> Runs:
        ground, columns = self.ground, slice(low, begun + 1)
        meaning = np.ascontiguousarray(ground.meaning[columns, rows].T)
        variants, calendar = ground.group.variant[rows], ground.calendar
        if variants.shape[1] == 1:
            starts = calendar.starts[variants[:, 0], columns]
        else:
            starts = calendar.starts[variants, np.arange(ground.columns)][:, columns]
        meaning[starts > now[:, None]] = SKIP
        return scan_runs(meaning, starts, calendar.day_of[columns], span(self.clock.run_break), ground.ended[rows])


def _no_runs(rows: int) -> Runs:
    never = np.full(rows, NEVER, np.int64)
    column, stop = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    return Runs(never, column, np.zeros(rows, np.int64), stop, np.zeros(rows, np.uint8))


def _put(runs: Runs, where: NDArray[np.intp], found: Runs, low: int) -> None:
    runs.start[where], runs.days[where] = found.start, found.days
    runs.column[where] = np.where(found.column >= 0, found.column + low, found.column)
