"""Replays the law itself for the children in doubt: every instant at which something of them was known or waited for."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Cells, Group, cells_of
from rules.backtest.ground import Ground
from rules.backtest.storms import Storm
from rules.case import Case, Entry, Stage
from rules.instants import from_micros, to_micros
from rules.judge import Judgement
from rules.laws import Laws
from rules.register import SEEN, Leave, Register
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

    `laws` are those of the reports and stages alone: signs have no part in what becomes of a report.
    """

    def __init__(self, group: Group, laws: Laws, storms: Sequence[Storm]) -> None:
        self.ground = Ground(group, ())
        self.group, self.laws = group, laws
        self.storms = sorted(storms, key=lambda storm: storm.since)
        self.cases: dict[int, Case] = {}
        self.decided: list[Decided] = []
        self._cells = _by_time(cells_of(group))
        self._changes = self._leaves_and_movements()
        self._wakes: list[tuple[int, int]] = []
        self._opened = 0
        self._traits = group.history.traits.part(group.rows)
        self._until = cache(self.ground.calendar.until)

    def run(self, until: int) -> list[Decided]:
        """Live through all of it, up to and including an instant (microseconds)."""
        times = np.unique(np.concatenate([self._cells.time, [at for at, _, _ in self._changes]]).astype(np.int64))
        place, change = 0, 0
        for at in [*times.tolist(), until + 1]:
            while self._wakes and self._wakes[0][0] < at:
                self._wake(self._wakes[0][0])
            if at > until:
                break
            touched: set[int] = set()
            end = int(np.searchsorted(self._cells.time, at, "right"))
            touched |= self._say(slice(place, end))
            place = end
            while change < len(self._changes) and self._changes[change][0] == at:
                touched.add(self._changes[change][1])
                self._changes[change][2]()
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
                ahead = () if leave is None else (to_micros(leave.starts), to_micros(leave.ends))
                changes += [(at, row, _nothing) for at in ahead if at > to_micros(one.known_at)]
        for move in self.group.history.movements:
            if (row := local.get(move.row)) is not None:
                known, at = to_micros(move.known_at), to_micros(move.movement.at)
                changes.append((known, row, _later(ground.move, row, move.movement)))
                changes += [(at, row, _nothing)] if at > known else []
        return sorted(changes, key=lambda change: change[0])

    def _say(self, which: slice) -> set[int]:
        row = self._cells.row[which].astype(np.intp)
        self.ground.say(self._cells.column[which], row, self._cells.code[which])
        return set(row.tolist())

    def _wake(self, at: int) -> None:
        rows = set()
        while self._wakes and self._wakes[0][0] == at:
            row = heapq.heappop(self._wakes)[1]
            case = self.cases.get(row)
            if case is not None and case.wake_at is not None and to_micros(case.wake_at) == at:
                rows.add(row)
        self._sweep(at, rows)

    def _sweep(self, at: int, touched: set[int]) -> None:
        while self._wakes and self._wakes[0][0] == at:
            touched.add(heapq.heappop(self._wakes)[1])
        rows = [row for row in sorted(touched) if row in self.cases or self._may_run(row)]
        if not rows:
            return
        now = from_micros(at)
        scene = self._scene(np.array(rows, np.intp), now)
        for part, law in self.laws.parts(scene):
            for decision in sweep(part, now, law, self._new_case):
                self._apply(decision.case, decision.entries, now)

    def _may_run(self, row: int) -> bool:
        """Whether a child without a case may have a run: it was missed once, and not seen last."""
        ground, last = self.ground, int(self.ground.upto[row])
        return bool(ground.ever_missed[row]) and last >= 0 and ground.meaning[last, row] != SEEN

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
        row = int(case.student_id)
        if case.stage is Stage.CLOSED:
            self.cases.pop(row, None)
        else:
            self.cases[row] = case
            if case.wake_at is not None:
                heapq.heappush(self._wakes, (to_micros(case.wake_at), row))
        self.decided += [Decided(row, now, entry, case.episode) for entry in entries]


def _later(call: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: call(*given)


def _nothing() -> None:
    """An instant at which something known takes effect: nothing changes but the time."""


def _by_time(cells: Cells) -> Cells:
    order = np.argsort(cells.time, kind="stable")
    return Cells(cells.row[order], cells.column[order], cells.time[order], cells.code[order])
