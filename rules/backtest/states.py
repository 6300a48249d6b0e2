"""How one rule stands with many children at once: `rules.signs.advance` for arrays, in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.calendar import Line
from rules.instants import NEVER, span
from rules.rule import Rule

Rows = NDArray[np.intp]


class Raised(NamedTuple):
    """Signs of one rule raised together: whose (rows), when they were due and raised (microseconds), which time."""

    row: Rows
    due_at: NDArray[np.int64]
    raised_at: NDArray[np.int64]
    times: NDArray[np.int32]


@dataclass
class States:
    """The signs of one rule, one a row: instants in int64 microseconds, NEVER where there is none."""

    rule: Rule
    since: NDArray[np.int64]
    armed: NDArray[np.int64]
    raised: NDArray[np.int64]
    times: NDArray[np.int32]
    stands: NDArray[np.bool_]
    hurried: NDArray[np.bool_]
    waits: NDArray[np.bool_]
    """Whose clock runs, though no sign stands yet."""
    soonest: int = NEVER
    """No sign is armed for an instant before this."""

    @classmethod
    def none(cls, rule: Rule, hurried: NDArray[np.bool_]) -> States:
        """No sign of anybody."""
        rows = len(hurried)
        since, armed, raised = (np.full(rows, NEVER, np.int64) for _ in range(3))
        times, stands, waits = np.zeros(rows, np.int32), np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        return cls(rule, since, armed, raised, times, stands, hurried, waits)

    def passed(self, rows: Rows, now: NDArray[np.int64]) -> Raised | None:
        """Raise what was armed and came due before `now`, an instant a row, at its own; None where nothing did."""
        which = rows[np.flatnonzero(self.armed[rows] < now)]
        found = self._raise(which, self.armed[which], self.armed[which]) if len(which) else None
        self.soonest = int(self.armed.min(initial=NEVER))
        return found

    def advance(
        self,
        rows: Rows,
        holds: NDArray[np.bool_],
        over: NDArray[np.bool_],
        anchor: NDArray[np.int64] | None,
        now: NDArray[np.int64],
        lines: list[Line],
        variant: NDArray[np.intp],
    ) -> Raised | None:
        """Let the signs of `rows` go on; the arrays are parallel to `rows`, `anchor` None for the condition itself."""
        changes = np.flatnonzero(self.stands[rows] != holds)
        begins = holds[changes]
        on, ends = changes[begins], changes[~begins]
        ends = rows[ends[over[ends]]]
        self.stands[ends], self.since[ends] = False, NEVER
        if self.waits.any():
            off = rows[np.flatnonzero(self.waits[rows] & ~holds)]
            self.since[off], self.armed[off], self.waits[off] = NEVER, NEVER, False
        if not len(on):
            return None
        which, at = rows[on], now[on]
        self.waits[which] = True
        since = np.where(self.since[which] == NEVER, at, self.since[which])
        self.since[which] = since
        begun = since if anchor is None else anchor[on]
        rested = np.where(self.raised[which] == NEVER, since, self.raised[which] + span(self.rule.rearm))
        due = np.maximum(np.maximum(since, rested), self._ripe(which, begun, lines, variant[on]))
        waits = due > at
        self.armed[which] = np.where(waits, due, NEVER)
        self.soonest = min(self.soonest, int(due[waits].min(initial=NEVER)))
        fires = ~waits
        return self._raise(which[fires], due[fires], at[fires]) if fires.any() else None

    def _raise(self, which: Rows, due: NDArray[np.int64], at: NDArray[np.int64]) -> Raised:
        due, at = due.copy(), at.copy()
        self.raised[which], self.armed[which] = at, NEVER
        self.stands[which], self.waits[which] = True, False
        self.times[which] += 1
        return Raised(which, due, at, self.times[which])

    def _ripe(
        self, which: Rows, begun: NDArray[np.int64], lines: list[Line], variant: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        after = np.full(len(which), span(self.rule.after), np.int64)
        if self.rule.priority is not None:
            after[self.hurried[which]] = span(self.rule.priority.after)
        if not self.rule.school_time:
            return np.asarray(begun + after, np.int64)
        return _in_school_time(self.rule, self.hurried[which], begun, lines, variant)


def _in_school_time(
    rule: Rule, hurried: NDArray[np.bool_], begun: NDArray[np.int64], lines: list[Line], variant: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The same by the school's clock; the few instants at which clocks begin are worked out once each."""
    ripe = np.empty(len(begun), np.int64)
    for of in np.unique(variant).tolist():
        for hurry in (False, True):
            mine = np.flatnonzero((variant == of) & (hurried == hurry))
            starts, index = np.unique(begun[mine], return_inverse=True)
            after = rule.priority.after if hurry and rule.priority is not None else rule.after
            ends = [lines[of].after_school_time(int(start), after) for start in starts]
            ripe[mine] = np.array(ends, np.int64)[index]
    return ripe
