"""The current runs of many children, each at an instant of its own, as far as a ground knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground, Rows
from rules.finding import Clock
from rules.instants import NEVER, span
from rules.register import MISSED, SEEN, SKIP
from rules.runs import Runs, scan_runs

RECENT = (24, 120)
"""Columns in which nearly every run is found whole; and those looked through for the others, before all are."""


def current_runs(ground: Ground, rows: Rows, now: NDArray[np.int64], begun: int, clock: Clock) -> Runs:
    """The runs of these rows at `now` (microseconds a row); `begun` is the last column that may have begun.

    Those never missed, or seen last, have none.
    """
    runs = _no_runs(len(rows))
    here = np.flatnonzero(ground.ever_missed[rows] & (ground.meaning[begun][rows] != SEEN))
    for width in (*RECENT, begun + 1):
        low = max(begun - width + 1, 0)
        found = _scan(ground, rows[here], now[here], low, begun, clock)
        _put(runs, here, found, low)
        here = here[found.stop < 0] if low else here[:0]
        if not len(here):
            break
    return runs


def run_sessions(ground: Ground, rows: Rows, runs: Runs) -> NDArray[np.int64]:
    """How many sessions of its current run each child missed; 0 where there is none. (rows,)."""
    found = np.zeros(len(rows), np.int64)
    for n in np.flatnonzero(runs.start != NEVER).tolist():
        found[n] = int((ground.meaning[int(runs.column[n]) :, int(rows[n])] == MISSED).sum())
    return found


def _scan(ground: Ground, rows: Rows, now: NDArray[np.int64], low: int, begun: int, clock: Clock) -> Runs:
    columns = slice(low, begun + 1)
    meaning = np.ascontiguousarray(ground.meaning[columns, rows].T)
    variants, calendar = ground.group.variant[rows], ground.calendar
    if variants.shape[1] == 1:
        starts = calendar.starts[variants[:, 0], columns]
    else:
        starts = calendar.starts[variants, np.arange(ground.columns)][:, columns]
    meaning[starts > now[:, None]] = SKIP
    return scan_runs(meaning, starts, calendar.day_of[columns], span(clock.run_break), ground.ended[rows])


def _no_runs(rows: int) -> Runs:
    never = np.full(rows, NEVER, np.int64)
    column, stop = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    return Runs(never, column, np.zeros(rows, np.int64), stop, np.zeros(rows, np.uint8))


def _put(runs: Runs, where: NDArray[np.intp], found: Runs, low: int) -> None:
    runs.start[where], runs.days[where] = found.start, found.days
    runs.column[where] = np.where(found.column >= 0, found.column + low, found.column)
