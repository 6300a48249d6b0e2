"""The children of a backtest: when each was at risk, what became of whom, and how far that is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.history import History
from rules.instants import NEVER, from_micros, span, to_micros
from rules.records import Mark
from rules.register import HOLE, SEEN, SKIP, Register, states

WEEK = span(dt.timedelta(days=7))
DROPPED_OUT = "drop_out"
BACK, AWAY, UNHEARD = 1, 0, -1
"""What is known of a child's next session: seen, not seen, nothing."""


@dataclass(frozen=True)
class Cohort:
    """Children (rows), each at risk in `[enters, leaves)`; holds no mark and no name.

    `enters`, `leaves` and `outcome` are int64 (rows,) microseconds. A child is at risk from the first session to the
    last in which anything is heard of it, within the span, and no longer once its outcome has come; never at risk:
    both are equal. `outcome` is NEVER where there is none. Nothing is known of what came after `until`.
    """

    start: int
    end: int
    until: int
    enters: NDArray[np.int64]
    leaves: NDArray[np.int64]
    outcome: NDArray[np.int64]

    @property
    def at_risk(self) -> NDArray[np.bool_]:
        """Who was at risk at all; bool (rows,)."""
        return self.leaves > self.enters

    @property
    def child_weeks(self) -> float:
        """Weeks at risk, of all children together."""
        return float((self.leaves - self.enters).sum()) / WEEK

    @property
    def outcomes(self) -> NDArray[np.bool_]:
        """Whose outcome came within the span, after the child was at risk; bool (rows,)."""
        return self.at_risk & (self.outcome <= self.end)


def gather(
    register: Register, outcomes: Mapping[int, int], start: dt.datetime, end: dt.datetime, until: dt.datetime
) -> Cohort:
    """The cohort of the children of `register`, which holds all that is known; `outcomes` (microseconds) by row."""
    first, last = _heard(register)
    outcome = np.full(register.rows, NEVER, np.int64)
    for row, at in outcomes.items():
        outcome[row] = at
    enters = np.maximum(first, to_micros(start))
    leaves = np.minimum(np.minimum(last, to_micros(end)), outcome)
    ever = leaves > enters
    span_of = (to_micros(start), to_micros(end), to_micros(until))
    return Cohort(*span_of, np.where(ever, enters, 0), np.where(ever, leaves, 0), outcome)


def _heard(register: Register) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start of the first and end of the last session in which anything was heard of each row; both 0 where never."""
    heard = (register.marks != Mark.UNTAKEN) & register.expected()
    rows = np.arange(register.rows)
    if not heard.shape[1]:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    first, last = np.argmax(heard, axis=1), heard.shape[1] - 1 - np.argmax(heard[:, ::-1], axis=1)
    ever = heard.any(axis=1)
    variants = register.variant if register.variant.shape[1] > 1 else np.broadcast_to(register.variant, heard.shape)
    calendar = register.calendar
    starts = calendar.starts[variants[rows, first], first]
    ends = calendar.ends[variants[rows, last], last]
    return np.where(ever, starts, 0), np.where(ever, ends, 0)


def recorded_outcomes(history: History) -> dict[str, int]:
    """Each child's first drop-out on record, in microseconds, whenever it became known."""
    found: dict[str, int] = {}
    for row, movement, _ in history.movements:
        if movement.kind == DROPPED_OUT:
            student, at = history.students[row], to_micros(movement.at)
            found[student] = min(at, found.get(student, at))
    return found


def known_until(history: History, outcomes: Iterable[int]) -> dt.datetime | None:
    """The last instant at which anything became known, or an outcome came; None where nothing ever did."""
    known = [int(history.known_at.max())] if len(history.known_at) else []
    known += [to_micros(leave.known_at) for leave in history.leaves]
    known += [to_micros(movement.known_at) for movement in history.movements]
    known += [to_micros(overlay.said_at) for overlay in history.overlays]
    latest = max((*known, *outcomes), default=None)
    return None if latest is None else from_micros(latest)


def weekly(start: int, end: int) -> NDArray[np.int64]:
    """The instants of looks: a week after `start`, and every week from there to `end`; int64 microseconds."""
    return np.arange(start + WEEK, end + 1, WEEK, dtype=np.int64)


def seen_next(register: Register, row: NDArray[np.intp], at: NDArray[np.int64], until: int) -> NDArray[np.int8]:
    """Whether each child of `row` was seen in its first session from `at` (microseconds) on; BACK, AWAY or UNHEARD.

    `register` holds all that is known by `until`; a session on leave is AWAY, one of which nothing is known UNHEARD.
    """
    answer = np.full(len(row), UNHEARD, np.int8)
    for first in range(0, len(row), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        part = register.part(row[some].tolist())
        meaning = states(part, until)
        ahead = (meaning != SKIP) & (part.starts() >= at[some, None])
        there = ahead.any(axis=1)
        cells = meaning[np.flatnonzero(there), np.argmax(ahead, axis=1)[there]]
        answer[some][there] = np.where(cells == SEEN, BACK, np.where(cells == HOLE, UNHEARD, AWAY))
    return answer


_AT_ONCE = 4_096
"""Rows laid open at a time: a matrix of instants for every flag at once would take a gigabyte."""
