"""Who may have been reported: children whose run, as known at some instant, was old enough and known enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground, Rows
from rules.instants import NEVER, span
from rules.register import MISSED
from rules.rule import Rule
from rules.rulebook import Rulebook
from rules.runs import Runs

NO_LOOK_BACK = 120
"""Columns searched for the last signal; a child silent for longer is in doubt without search."""


class Instant(NamedTuple):
    """An instant, microseconds, at which a child is to be looked at, and the start of its run then.

    `due` where a report may come due; otherwise only a report that was taken back, or a stage, may matter.
    """

    at: int
    row: int
    due: bool
    run: int


class Doubt:
    """Holds for each child from when on a report could come due by itself; decides nothing.

    It may doubt too much, never too little: whoever is in doubt is replayed by the law itself, and is looked at at
    every instant noted here. Those are the instants at which a run is old enough, is found known enough, falls silent,
    or comes to be enough for a stage.
    """

    def __init__(self, rows: int, book: Rulebook, of_row: NDArray[np.int64], stale_after: NDArray[np.int64]) -> None:
        self.reports, self.stages = book.reports, book.stages
        self.of_row, self.stale_after = of_row, stale_after
        self.waits = np.array([_least(rule) for rule in book.reports], np.int64)
        self.ripe = np.full(rows, NEVER, np.int64)
        """From when on a report may be due, if nothing more becomes known."""
        self.doubted = np.zeros(rows, np.bool_)
        self._pending = [np.full(rows, NEVER, np.int64) for _ in range(2)]
        self._state = np.zeros(rows, np.int64)
        """What was noted last of the run: which stages' and the report's conditions hold."""
        self._run = np.full(rows, NEVER, np.int64)
        self._noted: list[tuple[Rows, NDArray[np.int64], NDArray[np.int64], bool]] = []

    def look(
        self, ground: Ground, rows: Rows, now: NDArray[np.int64], runs: Runs, facts: Mapping[str, NDArray[Any]]
    ) -> None:
        """What was so until `now` (rows,) may have come due; then note what is so from now on."""
        running = np.flatnonzero(runs.start != NEVER)
        who, at, start = rows[running], now[running], runs.start[running]
        before, ripe_before = self._run[who], self.ripe[who]
        self._pass(rows, now)
        self._run[rows] = NEVER
        if not len(running):
            return
        true, state = self._conditions(who, running, facts)
        old = start + self.waits[self.of_row[who]]
        ripe, unsure = old.copy(), np.flatnonzero(~true)
        begun = int(np.searchsorted(ground.calendar.starts.max(axis=0), at.max(), "right"))
        ripe[unsure] = np.maximum(old[unsure], self._silent_from(ground, who[unsure], at[unsure], begun))
        anew, fresh = before != start, self._state[who] != state
        self._note_now(who, at, old <= at, ripe <= at, anew, fresh, ripe != ripe_before)
        for held, instants in zip(self._pending, (old, ripe), strict=True):
            held[who] = np.where(instants > at, instants, NEVER)
        self.ripe[who], self._run[who], self._state[who] = ripe, start, state

    def _note_now(
        self,
        who: Rows,
        at: NDArray[np.int64],
        old: NDArray[np.bool_],
        due: NDArray[np.bool_],
        anew: NDArray[np.bool_],
        fresh: NDArray[np.bool_],
        moved: NDArray[np.bool_],
    ) -> None:
        """What is known now may decide something at once: a run begins, is known otherwise, or is due already."""
        comes_due = due & (anew | fresh | moved)
        changes = ~comes_due & ((old & (anew | fresh)) | (self.doubted[who] & anew))
        self._note(who[comes_due], at[comes_due], due=True)
        self._note(who[changes], at[changes], due=False)

    def _conditions(
        self, who: Rows, running: NDArray[np.intp], facts: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Whether each child's report rule holds, and that with the stages' conditions as one number."""
        true = np.zeros(len(who), np.bool_)
        for n, rule in enumerate(self.reports):
            mine = self.of_row[who] == n
            true |= mine & rule.when({name: facts[name][running] for name in rule.when.facts})
        state = true.astype(np.int64)
        for n, rule in enumerate(self.stages):
            state |= rule.when({name: facts[name][running] for name in rule.when.facts}).astype(np.int64) << (n + 1)
        return true, state

    def _pass(self, rows: Rows, now: NDArray[np.int64]) -> None:
        """Instants that came before `now` are noted; nothing is waited for any more."""
        self.doubted[rows] |= self.ripe[rows] <= now
        self.ripe[rows] = NEVER
        for held, due in zip(self._pending, (False, True), strict=True):
            passed = held[rows] <= now
            if passed.any():
                self._note(rows[passed], held[rows[passed]], due=due)
            held[rows] = NEVER

    def _note(self, rows: Rows, instants: NDArray[np.int64], *, due: bool) -> None:
        if len(rows):
            self._noted.append((rows, instants, self._run[rows], due))

    def end(self, until: int) -> None:
        """Nothing more becomes known until then."""
        everybody = np.arange(len(self.doubted))
        self._pass(everybody, np.full(len(everybody), until, np.int64))

    def instants_of(self, rows: Rows) -> list[Instant]:
        """At which instants each of `rows`, by position, is to be looked at, in order."""
        place = np.full(len(self.doubted), -1, np.int64)
        place[rows] = np.arange(len(rows))
        who, at, start = (np.concatenate([noted[n] for noted in self._noted]) for n in range(3))
        due = np.concatenate([np.full(len(noted[0]), noted[3]) for noted in self._noted])
        mine = place[who] >= 0
        found = np.unique(np.stack([at[mine], place[who[mine]], due[mine], start[mine]], axis=1), axis=0)
        return [Instant(at, row, bool(due), start) for at, row, due, start in found.tolist()]

    def _silent_from(self, ground: Ground, rows: Rows, now: NDArray[np.int64], begun: int) -> NDArray[np.int64]:
        """From when each child is silent if nothing more becomes known; not later than that, in any case.

        `begun` is how many columns may have begun.
        """
        found = np.full(len(rows), NEVER, np.int64)
        low = max(begun - NO_LOOK_BACK, 0)
        signals = ground.meaning[low : begun + 1, rows] >= MISSED
        last = low + signals.shape[0] - 1 - np.argmax(signals[::-1], axis=0)
        last = np.where(signals.any(axis=0), last, -1)
        variant, stale = ground.variant_at(rows, now), self.stale_after[rows]
        for of, after in {*zip(variant.tolist(), stale.tolist(), strict=True)}:
            line = ground.calendar.lines[of]
            mine = np.flatnonzero((variant == of) & (stale == after))
            at = np.append(line.stale_at(dt.timedelta(microseconds=after)), NEVER)
            found[mine] = at[np.searchsorted(line.columns, last[mine], "right")]
        return found


def _least(rule: Rule) -> int:
    """The least a run must have lasted for this rule, microseconds: school time never passes faster than the clock."""
    shortest = rule.after if rule.priority is None else min(rule.after, rule.priority.after)
    return span(shortest)
