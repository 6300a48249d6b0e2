"""Where a rule's clock begins for each child: the anchors a rule may name in `since`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rules.facts.reading import Reading
from rules.instants import NEVER, to_micros
from rules.register import EXCUSED, Register
from rules.runs import Runs


def anchors_of(
    register: Register, meaning: NDArray[np.uint8], runs: Runs, reading: Reading, since: str, now: int
) -> NDArray[np.int64] | None:
    """The instants at which the clock of rules with this `since` began, microseconds (rows,); NEVER where none did.

    `absence`: the start of the current run; `leave_end`: the end of the last leave that is over; `movement`: the
    latest transfer out or suspension; `term_start`: the first session of the term, or after the holiday, that the last
    day heard of lies in. None for `condition`, whose clock begins when `when` is found to hold.
    """
    finders: dict[str, Callable[[], NDArray[np.int64]]] = {
        "absence": lambda: runs.start,
        "leave_end": lambda: _leave_ends(register, meaning, reading.tally.upto, now),
        "movement": lambda: reading.moves.away_at[reading.rows],
        "term_start": lambda: term_starts(reading),
    }
    return finders[since]() if since in finders else None


def term_starts(reading: Reading) -> NDArray[np.int64]:
    """When the term, or what followed the last holiday, began for each row; NEVER where nothing was heard."""
    found = reading.by_heard(reading.windows.opened)
    return np.where(found > 0, found, NEVER)


def _leave_ends(register: Register, meaning: NDArray[np.uint8], upto: NDArray[np.int32], now: int) -> NDArray[np.int64]:
    """The end of the last session on leave that a roll has reached, or of the leave itself where that is later."""
    found = np.full(register.rows, NEVER, np.int64)
    reached = (meaning == EXCUSED) & (np.arange(meaning.shape[1]) <= upto[:, None])
    for row in np.flatnonzero(reached.any(axis=1)).tolist():
        column = int(np.flatnonzero(reached[row])[-1])
        found[row] = register.calendar.ends[register.variant_of(row, column), column]
    for row, leaves in register.leaves.items():
        ends = [to_micros(leave.ends) for leave in leaves if to_micros(leave.ends) <= now]
        if ends:
            found[row] = max(ends) if found[row] == NEVER else max(int(found[row]), *ends)
    return found
