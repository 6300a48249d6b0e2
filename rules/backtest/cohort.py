"""The children of a backtest: when each was at risk, what became of whom, and how far that is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.backtest.replay import Looks, Replayed
from rules.history import History
from rules.instants import NEVER, from_micros, span, to_micros

WEEK = span(dt.timedelta(days=7))
DROPPED_OUT = "drop_out"


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

    def at_risk_at(self, looks: Looks) -> NDArray[np.bool_]:
        """At which looks the child was at risk; bool (looks,)."""
        return (looks.at >= self.enters[looks.row]) & (looks.at < self.leaves[looks.row])


def gather(
    replayed: Replayed, outcomes: Mapping[int, int], start: dt.datetime, end: dt.datetime, until: dt.datetime
) -> Cohort:
    """The cohort of the children of a replay; `outcomes` (microseconds) by row."""
    outcome = np.full(len(replayed.first_heard), NEVER, np.int64)
    for row, at in outcomes.items():
        outcome[row] = at
    enters = np.maximum(replayed.first_heard, to_micros(start))
    leaves = np.minimum(np.minimum(replayed.last_heard, to_micros(end)), outcome)
    ever = leaves > enters
    span_of = (to_micros(start), to_micros(end), to_micros(until))
    return Cohort(*span_of, np.where(ever, enters, 0), np.where(ever, leaves, 0), outcome)


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
