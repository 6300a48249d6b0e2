"""The days and sessions behind a fact's value: which were counted, and of which it is a share; counts nothing anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import Fact, find
from rules.facts.evaluate import CHAIN_OF, RATE_OF, SUM_OF
from rules.facts.reading import Reading
from rules.records import Mark
from rules.register import EXCUSED, MISSED, SEEN, SKIP
from rules.runs import NO_COLUMN, Runs

Columns = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one fact's value rests on for one child.

    `days` (numbers in the calendar's grid) and `columns` (sessions) were counted; `of_days` and `of_columns` are those
    a share is of, empty where the fact is none. `since` is the day its window begins with; None without a window.
    """

    days: Columns = ()
    columns: Columns = ()
    of_days: Columns = ()
    of_columns: Columns = ()
    since: int | None = None


@dataclass(frozen=True)
class Witness:
    """One child of a reading, whose cells are looked at again; `runs` are those the reading was made with."""

    reading: Reading
    runs: Runs
    row: int

    def evidence(self, name: str) -> Evidence:
        """What the value of a fact rests on; nothing for facts of movements and of what the child is.

        Raises KeyError for a name that is no fact.
        """
        fact = find(name)
        if fact is None:
            raise KeyError(name)
        if fact.of_run:
            return self._of_run()
        if fact.stem in CHAIN_OF:
            return self._of_chain(fact)
        if fact.window is not None:
            return self._of_window(fact, *self._window(fact.window))
        if fact.stem == "absence_trend":
            return self._of_trend()
        if fact.stem in {"class_absence_share", "school_absence_share"}:
            last = int(self.reading.tally.upto[self._at])
            return Evidence((last // self._slots,), (last,)) if last >= 0 else Evidence()
        return self._resumed() if fact.stem == "resumption_days" else Evidence()

    @property
    def _slots(self) -> int:
        return self.reading.tally.calendar.slots

    @property
    def _at(self) -> int:
        return int(self.reading.rows[self.row])

    @property
    def _track(self) -> int:
        return int(self.reading.tally.tracks.of[self._at])

    @property
    def _heard(self) -> int:
        return int(self.reading.heard[self.row])

    # ---- which days ------------------------------------------------------------------------------------------------

    def _window(self, window: str) -> tuple[int, int]:
        starts = self.reading.windows.starts(window)
        return int(starts[self._track, self._heard]), self._heard

    def _grown(self, series: str, first: int, last: int) -> list[int]:
        """The days of `[first, last)` on which a series grew."""
        values = self.reading.tally.series[series][first : last + 1, self._at]
        return [first + int(n) for n in np.flatnonzero(np.diff(values) > 0)]

    def _chained(self, series: str) -> list[int]:
        """The days that make up the chain as it stands, in order."""
        values = self.reading.tally.series[series][:, self._at].tolist()
        opens = self.reading.tally.tracks.opens[self._track]
        days: list[int] = []
        for after in range(self._heard, 0, -1):
            begins = series == "no_show" and bool(opens[after - 1])
            begins |= series == "overrun" and bool(self._cells([after - 1], _TESTS["leave"]))
            if values[after] <= 0:
                break
            if begins or values[after] != values[after - 1]:
                days.append(after - 1)
                if values[after] == 1:
                    break
        return days[::-1]

    def _cells(self, days: Iterable[int], test: Callable[[int, int], bool]) -> Columns:
        """The sessions of `days` whose meaning and mark pass a test."""
        tally = self.reading.tally
        columns = (day * self._slots + slot for day in days for slot in range(self._slots))
        return tuple(column for column in columns if test(self._meaning(column), int(tally.marks[column, self._at])))

    def _meaning(self, column: int) -> int:
        """What a cell means; leave that no roll has reached does not count yet."""
        tally = self.reading.tally
        meaning = int(tally.meaning[column, self._at])
        return SKIP if meaning == EXCUSED and column > tally.upto[self._at] else meaning

    # ---- by kind of fact -------------------------------------------------------------------------------------------

    def _of_run(self) -> Evidence:
        first = int(self.runs.column[self.row])
        if first == NO_COLUMN:
            return Evidence()
        tally = self.reading.tally
        columns = np.flatnonzero(tally.meaning[first:, self._at] == MISSED) + first
        return Evidence(self._days_of(columns), tuple(columns.tolist()))

    def _days_of(self, columns: NDArray[np.intp]) -> Columns:
        return tuple(dict.fromkeys((columns // self._slots).tolist()))

    def _of_chain(self, fact: Fact) -> Evidence:
        days = self._chained(CHAIN_OF[fact.stem])
        return Evidence(tuple(days), self._cells(days, _TESTS[_CHAIN_CELLS[fact.stem]]))

    def _of_window(self, fact: Fact, first: int, last: int) -> Evidence:
        if fact.stem in RATE_OF:
            return self._of_rate(RATE_OF[fact.stem], first, last)
        if fact.stem in {"weekday_share", "weekday_p"}:
            edge, away = self._grown("edge_away_days", first, last), self._grown("away_days", first, last)
            return Evidence(tuple(edge), self._cells(edge, _TESTS["away"]), tuple(away), (), first)
        series = SUM_OF[fact.stem]
        days = self._grown(series, first, last)
        return Evidence(tuple(days), self._cells(days, _TESTS[_SUM_CELLS[series]]), since=first)

    def _of_rate(self, series: str, first: int, last: int) -> Evidence:
        days, known = self._grown(series, first, last), self._grown("known_days", first, last)
        counted, of = self._cells(days, _TESTS[_SUM_CELLS[series]]), self._cells(known, _TESTS["known"])
        return Evidence(tuple(days), counted, tuple(known), of, first)

    def _of_trend(self) -> Evidence:
        """The recent absences, of all sessions known of both windows."""
        near, far = self.reading.windows.trend
        recent = self._of_rate("away_sessions", int(near[self._track, self._heard]), self._heard)
        known = self._grown("known_days", int(far[self._track, self._heard]), self._heard)
        cells = self._cells(known, _TESTS["known"])
        return Evidence(recent.days, recent.columns, tuple(known), cells, int(far[self._track, self._heard]))

    def _resumed(self) -> Evidence:
        """The days missed since a suspension ended; none once the child was seen, or on leave."""
        resumed = int(self.reading.moves.resumed_on[self.row])
        ordinals = [day.toordinal() for day in self.reading.tally.calendar.dates]
        first = min(int(np.searchsorted(ordinals, resumed)), self._heard)
        if (
            resumed <= 0
            or self._grown("seen_days", first, self._heard)
            or self._grown("leave_days", first, self._heard)
        ):
            return Evidence()
        days = self._grown("missed_days", first, self._heard)
        return Evidence(tuple(days), self._cells(days, _TESTS["missed"]), since=first)


_TESTS: dict[str, Callable[[int, int], bool]] = {
    "away": lambda meaning, _: meaning in {MISSED, EXCUSED},
    "missed": lambda meaning, _: meaning == MISSED,
    "known": lambda meaning, _: meaning in {MISSED, EXCUSED, SEEN},
    "leave": lambda meaning, _: meaning == EXCUSED,
    "seen": lambda meaning, _: meaning == SEEN,
    "late": lambda meaning, mark: meaning == SEEN and mark in {Mark.LATE, Mark.LEFT_EARLY},
    "half": lambda meaning, _: meaning in {MISSED, SEEN},
    "called": lambda meaning, mark: meaning > SKIP and mark > Mark.UNTAKEN,
    "unnamed": lambda meaning, mark: meaning > SKIP and mark == Mark.UNKNOWN,
}
_SUM_CELLS = {
    "away_days": "away",
    "away_sessions": "away",
    "missed_days": "missed",
    "missed_sessions": "missed",
    "leave_days": "leave",
    "late_sessions": "late",
    "half_days": "half",
    "seen_days": "seen",
    "unseen_days": "called",
    "unnamed_days": "unnamed",
    "known_days": "known",
    "spells": "missed",
}
_CHAIN_CELLS = {
    "spell_days": "missed",
    "unheard_days": "unnamed",
    "gone_days": "called",
    "no_show_days": "called",
    "overrun_days": "missed",
    "long_leave_days": "leave",
    "relapse_days": "missed",
}
