"""The absence clock's scan: the current run of every child, read off the register column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.instants import NEVER
from rules.register import EXCUSED, MISSED, SEEN

NO_COLUMN = -1


@dataclass(frozen=True, slots=True)
class Runs:
    """The current run of each row; arrays of length rows.

    `start` int64 microseconds (NEVER where there is no run), `column` the run's first column (NO_COLUMN),
    `days` the number of different school days with a known absence in it, `stop` the column of the last session that
    ended a run, and `stopped_by` what was in it (EXCUSED or SEEN; 0 where nothing was).
    """

    start: NDArray[np.int64]
    column: NDArray[np.int64]
    days: NDArray[np.int64]
    stop: NDArray[np.int64]
    stopped_by: NDArray[np.uint8]


def scan_runs(
    meaning: NDArray[np.uint8],
    starts: NDArray[np.int64],
    day_of: NDArray[np.int32],
    run_break: int,
    ended_from: NDArray[np.int64] | None = None,
) -> Runs:
    """Find each row's current run in `meaning` (rows, columns), as `register.states` gives it.

    A run is the absences since the last session that excused or showed the child; holes bridge it unless two known
    absences start more than `run_break` microseconds apart. Sessions before `ended_from` (microseconds a row) belong
    to no current run: a confirmed movement ended theirs.
    """
    stop, stopped_by = _last_stop(meaning)
    columns = np.arange(meaning.shape[1])
    missed = (meaning == MISSED) & (columns > stop[:, None])
    if ended_from is not None:
        missed &= starts >= ended_from[:, None]
    rows = np.flatnonzero(missed.any(axis=1))
    runs = Runs(
        np.full(len(meaning), NEVER, np.int64),
        np.full(len(meaning), NO_COLUMN, np.int64),
        np.zeros(len(meaning), np.int64),
        stop,
        stopped_by,
    )
    if len(rows):
        _measure(runs, rows, missed[rows], starts[rows], day_of, run_break)
    return runs


def _last_stop(meaning: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The last column of each row that ends a run, and what it holds."""
    stops = (meaning == SEEN) | (meaning == EXCUSED)
    if not meaning.shape[1]:
        return np.full(len(meaning), NO_COLUMN, np.int64), np.zeros(len(meaning), np.uint8)
    stop = meaning.shape[1] - 1 - np.argmax(stops[:, ::-1], axis=1)
    found = stops[np.arange(len(meaning)), stop]
    stopped_by = np.where(found, meaning[np.arange(len(meaning)), stop], 0).astype(np.uint8)
    return np.where(found, stop, NO_COLUMN), stopped_by


def _measure(
    runs: Runs,
    rows: NDArray[np.intp],
    missed: NDArray[np.bool_],
    starts: NDArray[np.int64],
    day_of: NDArray[np.int32],
    run_break: int,
) -> None:
    """Walk the absences of `rows` forward, beginning a new run after each gap longer than `run_break`."""
    start, column, days = runs.start[rows], runs.column[rows], runs.days[rows]
    last = np.full(len(rows), NEVER, np.int64)
    last_day = np.full(len(rows), -1, np.int32)
    for at in np.flatnonzero(missed.any(axis=0)):
        here, now = missed[:, at], starts[:, at]
        begins = here & ((start == NEVER) | (now - last > run_break))
        start[begins], column[begins], days[begins], last_day[begins] = now[begins], at, 0, -1
        days += here & (last_day != day_of[at])
        last[here], last_day[here] = now[here], day_of[at]
    runs.start[rows], runs.column[rows], runs.days[rows] = start, column, days
