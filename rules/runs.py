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
    runs = Runs(
        np.full(len(meaning), NEVER, np.int64),
        np.full(len(meaning), NO_COLUMN, np.int64),
        np.zeros(len(meaning), np.int64),
        stop,
        stopped_by,
    )
    row, column = np.nonzero(missed)
    if len(row):
        _measure(runs, row, column, starts[row, column], day_of[column], run_break)
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
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    start: NDArray[np.int64],
    day: NDArray[np.int32],
    run_break: int,
) -> None:
    """From all absences, row by row in order of time: the last run of each row, begun anew after each longer gap."""
    other = np.ones(len(row), np.bool_)
    other[1:] = row[1:] != row[:-1]
    begins = other.copy()
    begins[1:] |= start[1:] - start[:-1] > run_break
    another_day = begins.copy()
    another_day[1:] |= day[1:] != day[:-1]
    days = np.cumsum(another_day)
    last = np.flatnonzero(np.append(other[1:], True))
    begun = np.maximum.accumulate(np.where(begins, np.arange(len(row)), 0))[last]
    of = row[last]
    runs.start[of], runs.column[of], runs.days[of] = start[begun], column[begun], days[last] - days[begun] + 1
