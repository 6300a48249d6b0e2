"""Who may have been reported: children whose run, as known at some instant, was old enough and known enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground, Rows
from rules.instants import NEVER, span
from rules.register import MISSED
from rules.rule import Rule
from rules.runs import Runs

NO_LOOK_BACK = 120
"""Columns searched for the last signal; a child silent for longer is in doubt without search."""


class Doubt:
    """Holds for each child from when on a report could come due by itself; decides nothing.

    It may doubt too much, never too little: whoever is in doubt is replayed by the law itself.
    """

    def __init__(
        self, rows: int, reports: Sequence[Rule], of_row: NDArray[np.int64], stale_after: NDArray[np.int64]
    ) -> None:
        self.reports, self.of_row, self.stale_after = reports, of_row, stale_after
        self.waits = [_least(rule) for rule in reports]
        self.ripe = np.full(rows, NEVER, np.int64)
        self.doubted = np.zeros(rows, np.bool_)

    def look(
        self, ground: Ground, rows: Rows, now: NDArray[np.int64], runs: Runs, facts: Mapping[str, NDArray[Any]]
    ) -> None:
        """What was so until `now` (rows,) may have come due; then note what is so from now on."""
        self.doubted[rows] |= self.ripe[rows] <= now
        self.ripe[rows] = NEVER
        running = np.flatnonzero(runs.start != NEVER)
        if not len(running):
            return
        ripe = np.full(len(running), NEVER, np.int64)
        for n, rule in enumerate(self.reports):
            mine = self.of_row[rows[running]] == n
            old = runs.start[running] + self.waits[n]
            true = rule.when({name: facts[name][running] for name in rule.when.facts})
            silent = self._silent_from(ground, rows[running], now[running])
            ripe = np.where(mine, np.where(true, old, np.maximum(old, silent)), ripe)
        self.ripe[rows[running]] = ripe
        self.doubted[rows[running]] |= ripe <= now[running]

    def end(self, until: int) -> None:
        """Nothing more becomes known until then."""
        self.doubted |= self.ripe <= until

    def _silent_from(self, ground: Ground, rows: Rows, now: NDArray[np.int64]) -> NDArray[np.int64]:
        """From when each child is silent if nothing more becomes known; not later than that, in any case."""
        found = np.full(len(rows), NEVER, np.int64)
        begun = np.searchsorted(ground.calendar.starts.max(axis=0), now.max(), "right")
        low = max(int(begun) - NO_LOOK_BACK, 0)
        signals = ground.meaning[low : int(begun) + 1, rows] >= MISSED
        last = low + signals.shape[0] - 1 - np.argmax(signals[::-1], axis=0)
        last = np.where(signals.any(axis=0), last, -1)
        variant, stale = ground.variant[rows], self.stale_after[rows]
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
