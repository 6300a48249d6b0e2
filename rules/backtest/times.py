"""When everything said in a history became known: as places in one row of instants, half as long as the instants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.history import History
from rules.instants import to_micros
from rules.rolls import NO_CLASS


@dataclass(frozen=True)
class Times:
    """The instants (int64 microseconds, ascending, each once) at which anything said of a session may become known.

    All else are int32 places among them: `rolls` of when each roll was known, `hand` of when each overlay was said,
    `starts` (variants, columns) of each session, `called` (classes, columns) of when the first roll of each class and
    column was known, `never` where there was none. No roll is known before its session begins: `rolls` heeds it where
    there is one timetable only, since by several it depends on the child.
    """

    instants: NDArray[np.int64]
    rolls: NDArray[np.int32]
    hand: NDArray[np.int32]
    starts: NDArray[np.int32]
    called: NDArray[np.int32]

    @property
    def never(self) -> int:
        """The place after the last."""
        return len(self.instants)


def times_of(history: History) -> Times:
    """The instants of a history."""
    calendar = history.calendar
    said = np.array([to_micros(one.said_at) for one in history.overlays], np.int64)
    instants = np.unique(np.concatenate([history.known_at, said, calendar.starts.reshape(-1)]))

    def place(at: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.searchsorted(instants, at).astype(np.int32)

    rolls, starts = place(history.known_at), place(calendar.starts)
    if len(starts) == 1:
        rolls = np.maximum(rolls, starts[0][np.maximum(history.rolls.column, 0)])
    return Times(instants, rolls, place(said), starts, _called(history, rolls, starts, len(instants)))


def _called(history: History, known: NDArray[np.int32], starts: NDArray[np.int32], never: int) -> NDArray[np.int32]:
    rolls = history.rolls
    called = np.full((len(history.class_ids), starts.shape[1]), never, np.int32)
    mine = (rolls.column >= 0) & (rolls.class_index != NO_CLASS)
    classes, columns = rolls.class_index[mine], rolls.column[mine]
    variants = np.asarray(history.variants, np.intp)[classes]
    np.minimum.at(called, (classes, columns), np.maximum(known[mine], starts[variants, columns]))
    return called
