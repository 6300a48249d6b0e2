"""Single children out of a history: what was known of one child at one instant, without laying open all others."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rules.finding import Finding
from rules.history import History
from rules.judge import Judgement
from rules.laws import Laws
from rules.rehearsal import register_at
from rules.rolls import Rolls


class Singles:
    """The children of one history one by one; an index is made once, and nothing is decided."""

    def __init__(self, history: History, laws: Laws) -> None:
        self._history, self._laws = history, laws
        self.calendar = history.calendar
        self._order = np.argsort(history.rolls.row, kind="stable")
        self._ends = np.searchsorted(history.rolls.row[self._order], np.arange(len(history.students) + 1))

    def finding(self, row: int, at: dt.datetime) -> Finding:
        """The current run of a child as known at an instant, and all else the clock sees; no rule but the report's."""
        law, register = self._laws.default, register_at(self.history(row), at)
        when = self._laws.book.rules[law.rule].when
        traits = self._history.traits.part([row])
        return Judgement(register, law.clock, when, at, traits=traits).findings([0], {})[0]

    def history(self, row: int) -> History:
        """What is on record of one child, as a history of one row; classmates are left out of its rolls."""
        whole = self._history
        marks = self._order[self._ends[row] : self._ends[row + 1]]
        spoken = np.union1d(whole.rolls.roll[marks], self._implied(row)).astype(np.intp)
        return replace(
            whole,
            students=[whole.students[row]],
            spells=[whole.spells[row]],
            rolls=_part(whole.rolls, spoken, marks),
            known_at=whole.known_at[spoken],
            traits=whole.traits.part([row]),
            overlays=[replace(one, rows=np.zeros(1, np.int64)) for one in whole.overlays if row in one.rows],
            leaves=[whole.leaves[n]._replace(row=0) for n in self._of_row[0].get(row, ())],
            movements=[whole.movements[n]._replace(row=0) for n in self._of_row[1].get(row, ())],
        )

    def _implied(self, row: int) -> NDArray[np.intp]:
        """The rolls of the child's classes that speak for those they do not name."""
        classes = [spell.class_index for spell in self._history.spells[row]]
        found = self._speaking
        return found[np.isin(self._history.rolls.class_index[found], classes)]

    @cached_property
    def _speaking(self) -> NDArray[np.intp]:
        return np.flatnonzero(self._history.rolls.implied)

    @cached_property
    def _of_row(self) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """The places of each child's leaves and movements."""
        return _places(one.row for one in self._history.leaves), _places(one.row for one in self._history.movements)


def _places(rows: Iterable[int]) -> dict[int, list[int]]:
    found = defaultdict(list)
    for place, row in enumerate(rows):
        found[row].append(place)
    return found


def _part(rolls: Rolls, kept: NDArray[np.intp], marks: NDArray[np.intp]) -> Rolls:
    """Only the rolls `kept`, ascending, with `marks` of them, all of the row 0."""
    return Rolls(
        **rolls.of_rolls(kept),
        roll=np.searchsorted(kept, rolls.roll[marks]).astype(np.int32),
        row=np.zeros(len(marks), np.int32),
        code=rolls.code[marks],
    )
