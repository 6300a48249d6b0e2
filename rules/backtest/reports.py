"""Replays the law itself for children in doubt: every instant at which something of them was known or waited for."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Cells, Group, cells_of
from rules.backtest.doubt import Instant
from rules.backtest.ground import Ground, takes_effect, turns_of
from rules.backtest.storms import Storm
from rules.case import Case, Entry, Standing
from rules.instants import NEVER, from_micros, to_micros
from rules.judge import Judgement
from rules.laws import Laws
from rules.records import POSITIVE, Mark
from rules.register import Leave, Register
from rules.sweep import Scene, sweep

AHEAD = dt.timedelta(days=2)
"""How far beyond today the grid goes, as in a sweep."""


@dataclass(frozen=True)
class Decided:
    """One journal entry of a replayed case."""

    row: int
    at: dt.datetime
    entry: Entry
    episode: int


class Replay:
    """The cases of one group's children in doubt, from the first thing known to the last; runs once.

    `laws` are those of the reports and stages alone: signs have no part in what becomes of a report. `instants` are
    those at which a run of a child may have become due, or a report may change: at no other does a child come to matter
    who is not watched.
    """

    def __init__(self, group: Group, laws: Laws, storms: Sequence[Storm], instants: Sequence[Instant]) -> None:
        self.ground = Ground(group, ())
        self.group, self.laws = group, laws
        self.storms = sorted(storms, key=lambda storm: storm.since)
        self.cases: dict[int, Case] = {}
        self.decided: list[Decided] = []
        self._cells = _by_time(cells_of(group))
        self._times = group.times.instants[self._cells.time]
        self._changes = self._leaves_and_movements()
        self._wakes = list(instants)
        """A heap; those given are in order."""
        self._heeds = np.full(len(group.rows), _NOTHING, np.uint8)
        """Which marks may decide something by themselves about each child, if it has a case."""
        self._opened = 0
        self._traits = group.history.traits.part(group.rows)
        self._until = cache(self.ground.calendar.until)

    def run(self, until: int) -> list[Decided]:
        """Live through all of it, up to and including an instant (microseconds)."""
        known = np.unique(np.concatenate([self._times, [at for at, _, _ in self._changes]]).astype(np.int64))
        place, change = 0, 0
        for at in [*known[known <= until].tolist(), until + 1]:
            while self._wakes and self._wakes[0][0] < at:
                self._sweep(self._wakes[0][0], set())
            if at > until:
                break
            end = int(np.searchsorted(self._times, at, "right"))
            touched = self._say(slice(place, end))
            place = end
            while change < len(self._changes) and self._changes[change][0] == at:
                touched.add(self._changes[change][1])
                self._changes[change][2]()
                self._heed(self._changes[change][1])
                change += 1
            self._sweep(at, touched)
        return self.decided

    def _leaves_and_movements(self) -> list[tuple[int, int, Callable[[], object]]]:
        ground, local = self.ground, {int(row): n for n, row in enumerate(self.group.rows)}
        changes: list[tuple[int, int, Callable[[], object]]] = []
        for one in self.group.history.leaves:
            if (row := local.get(one.row)) is not None:
                leave = None if one.withdrawn else Leave(one.starts, one.ends, one.kind)
                grant = _later(ground.grant, row, one.leave_id, leave)
                changes.append((to_micros(one.known_at), row, grant))
                changes += [(at, row, _nothing) for at in takes_effect(self.group, row, one)]
        for move in self.group.history.movements:
            if (row := local.get(move.row)) is not None:
                known, at = to_micros(move.known_at), to_micros(move.movement.at)
                changes.append((known, row, _later(ground.move, row, move.movement)))
                changes += [(at, row, _nothing)] if at > known else []
        changes += [(turn.at, turn.row, _nothing) for turn in turns_of(self.group)]
        return sorted(changes, key=lambda change: change[0])

    def _say(self, which: slice) -> set[int]:
        """Take in marks; the children about whom they may decide something by themselves."""
        ground = self.ground
        row, column, code = self._cells.row[which].astype(np.intp), self._cells.column[which], self._cells.code[which]
        known, heeds = column <= ground.upto[row], self._heeds[row]
        ground.say(column, row, code)
        return set(row[(heeds == _ANY) | ((heeds == _NEWS) & (known | _SEEN[code]))].tolist())

    def _heed(self, row: int) -> None:
        """Which marks can decide anything about a case: one more absence of a report that stands cannot.

        What makes a stage, or a run due, or takes a return back, has an instant of its own.
        """
        case, found = self.cases.get(row), _NOTHING
        if case is not None and case.standing is Standing.RAISED:
            found = _ANY if case.corrected or self.ground.leaves.get(row) else _NEWS
        elif case is not None and _watched(case):
            found = _ANY
        self._heeds[row] = found

    def _sweep(self, at: int, touched: set[int]) -> None:
        while self._wakes and self._wakes[0][0] == at:
            wake = heapq.heappop(self._wakes)
            touched |= {wake.row} if self._matters(wake) else set()
        if touched:
            now = from_micros(at)
            for part, law in self.laws.parts(self._scene(np.array(sorted(touched), np.intp), now)):
                for decision in sweep(part, now, law, self._new_case):
                    self._apply(decision.case, decision.entries, now)

    def _matters(self, wake: Instant) -> bool:
        """Whether anything can be decided: for a child that came back, only if its run began before it did."""
        case = self.cases.get(wake.row)
        if wake.due or case is None:
            return wake.due
        back = case.returned_session
        return _watched(case) or back is None or wake.run < to_micros(back)

    def _scene(self, rows: NDArray[np.intp], now: dt.datetime) -> Scene:
        history = self.group.history
        calendar = self._until((now + AHEAD).astimezone(history.calendar.zone).date())
        register, width = self.ground.register(rows), calendar.starts.shape[1]
        register = Register(
            calendar,
            register.marks[:, :width],
            register.variant[:, :width],
            register.classes[:, :width],
            None if register.enrolled is None else register.enrolled[:, :width],
            register.leaves,
            register.movements,
            register.outs,
        )
        default = self.laws.default
        judgement = Judgement(
            register,
            default.clock,
            self.laws.book.rules[default.rule].when,
            now,
            history.stale_after,
            traits=self._traits.part(rows),
            rules=self.laws.beside,
            schools=history.school_ids,
        )
        cases = {n: self.cases[row] for n, row in enumerate(rows.tolist()) if row in self.cases}
        storms = [storm.absence for storm in self.storms if storm.since <= judgement.now]
        return Scene(judgement, [str(row) for row in rows], history.class_ids, history.school_ids, cases, storms)

    def _new_case(self, student: str, now: dt.datetime) -> Case:
        self._opened += 1
        return Case(f"{self._opened}", f"{self._opened}", student, now)

    def _apply(self, case: Case, entries: Sequence[Entry], now: dt.datetime) -> None:
        """Keep the case while it may matter; what is armed for an unwatched one has an instant of its own."""
        row = int(case.student_id)
        self.decided += [Decided(row, now, entry, case.episode) for entry in entries]
        if (silent := _falls_silent(case, now)) is not None:
            heapq.heappush(self._wakes, Instant(to_micros(silent), row, due=True, run=NEVER))
        if not case.is_open or not (_watched(case) or case.episode):
            self.cases.pop(row, None)
            self._heeds[row] = _NOTHING
            return
        self.cases[row] = case if _watched(case) else case.but(armed_at=None)
        self._heed(row)
        if _watched(case) and case.wake_at is not None:
            heapq.heappush(self._wakes, Instant(to_micros(case.wake_at), row, due=True, run=NEVER))


def _falls_silent(case: Case, now: dt.datetime) -> dt.datetime | None:
    """When a child whose run is old enough, but of one day only, falls silent: later than thought where it moved."""
    known = case.finding
    waits = case.is_open and not known.satisfied and known.ripe_at is not None and known.ripe_at <= now
    return known.silent_from if waits and known.silent_from is not None and known.silent_from > now else None


def _watched(case: Case) -> bool:
    """Whether a report stands, waits, or is asked about: then everything about the child may decide something."""
    return case.standing is Standing.RAISED or case.pending_at is not None or case.asked_at is not None


_NOTHING, _NEWS, _ANY = range(3)
"""No mark; one that says a child was seen, or speaks of a session spoken of before; any."""

_SEEN = np.isin(np.arange(len(Mark)), [int(mark) for mark in POSITIVE])
"""By mark."""


def _later(call: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: call(*given)


def _nothing() -> None:
    """An instant at which something known takes effect: nothing changes but the time."""


def _by_time(cells: Cells) -> Cells:
    return cells.where(np.argsort(cells.time, kind="stable"))
