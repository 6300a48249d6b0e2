"""Silence of feeds and mass absences: what concerns units rather than children."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.instants import from_micros
from rules.judge import Judgement
from rules.register import MISSED, SKIP, Register

STORM_LEAST = 20
"""Fewer absent children than this are no mass absence, whatever their share."""


@dataclass(frozen=True, slots=True)
class MassAbsence:
    """A class or school most of whose children were absent at once, until somebody judges it; no verdict on any child.

    `starts` are the starts of its sessions; `real` is None while unjudged.
    """

    incident_id: str
    unit_id: str
    starts: tuple[dt.datetime, ...]
    real: bool | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Absent and expected children of one unit in one session."""

    unit_id: str
    column: int
    absent: int
    expected: int


def mass_absences(
    judgement: Judgement, unit_of_row: Sequence[str | None], columns: Sequence[int], share: float
) -> list[Count]:
    """The units of `unit_of_row` in which more than `share`, and at least STORM_LEAST, are absent in one of `columns`.

    A child on leave is expected but not absent.
    """
    units, index = np.unique([unit or "" for unit in unit_of_row], return_inverse=True)
    found = []
    for column in columns:
        cell = judgement.meaning[:, column]
        absent = np.bincount(index, cell == MISSED, len(units)).astype(int)
        expected = np.bincount(index, cell != SKIP, len(units)).astype(int)
        many = np.flatnonzero((absent >= STORM_LEAST) & (absent > share * expected))
        found += [Count(str(units[n]), column, int(absent[n]), int(expected[n])) for n in many if units[n]]
    return found


def silent_rows(judgement: Judgement, stale_after: Mapping[int, dt.timedelta]) -> NDArray[np.bool_]:
    """Which children are silent; bool (rows,). `stale_after` by class index; classes not in it are never silent."""
    register = judgement.register
    last_signal = _last(judgement.meaning >= MISSED)
    silent = np.zeros(register.rows, np.bool_)
    classes = register.classes[:, -1]
    for class_index, after in stale_after.items():
        rows = np.flatnonzero(classes == class_index)
        if len(rows):
            silent[rows] = _stale_column(register, rows, after, judgement.now) > last_signal[rows]
    return silent


def _stale_column(register: Register, rows: NDArray[np.intp], after: dt.timedelta, now: int) -> NDArray[np.int64]:
    """For each row its latest expected session that ended `after` ago in session time; −1 where there is none."""
    line = register.calendar.lines[register.variant_of(int(rows[0]))]
    passed = line.columns[: int(np.searchsorted(line.stale_at(after), now, "right"))]
    passed = passed[passed < register.marks.shape[1]]
    if register.enrolled is None or not len(passed):
        return np.full(len(rows), passed[-1] if len(passed) else -1, np.int64)
    last = _last(register.enrolled[np.ix_(rows, passed)])
    return np.where(last >= 0, passed[last], -1)


def _last(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The last true column of each row; −1 where there is none."""
    if not flags.shape[1]:
        return np.full(len(flags), -1, np.int64)
    last = flags.shape[1] - 1 - np.argmax(flags[:, ::-1], axis=1)
    return np.where(flags[np.arange(len(flags)), last], last, -1)


def silent_classes(judgement: Judgement, stale_after: Mapping[int, dt.timedelta]) -> set[int]:
    """The classes all of whose children on the roll now are silent; a class without such children is not."""
    register = judgement.register
    silent = silent_rows(judgement, stale_after)
    present = np.ones(register.rows, np.bool_)
    for row, outs in register.outs.items():
        present[row] = not any(
            out.at <= _now(judgement) and (out.until is None or _now(judgement) < out.until) for out in outs
        )
    classes = register.classes[:, -1]
    return {one for one in stale_after if (mine := (classes == one) & present).any() and bool(silent[mine].all())}


def has_word(judgement: Judgement, classes: Collection[int]) -> bool:
    """Return whether a mark or a leave of any child of `classes` is known."""
    rows = _rows_of(judgement, classes)
    return bool(len(rows)) and int(_last(judgement.meaning[rows] >= MISSED).max()) >= 0


def silent_since(judgement: Judgement, classes: Collection[int]) -> dt.datetime | None:
    """Return the start of the first session expected of `classes` after the last word of them; None where none is.

    Where nothing was ever known it is the first session of all, so `judgement` must reach back to a word (`has_word`).
    """
    rows = _rows_of(judgement, classes)
    if not len(rows):
        return None
    cells = judgement.meaning[rows]
    after = int(_last(cells >= MISSED).max()) + 1
    expected = cells[:, after:] != SKIP
    starts = judgement.register.starts()[rows][:, after:][expected]
    return from_micros(int(starts.min())) if len(starts) else None


def _rows_of(judgement: Judgement, classes: Collection[int]) -> NDArray[np.intp]:
    return np.flatnonzero(np.isin(judgement.register.classes[:, -1], list(classes)))


def _now(judgement: Judgement) -> dt.datetime:
    return from_micros(judgement.now)
