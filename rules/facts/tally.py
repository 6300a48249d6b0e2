"""Day by day counts and chains of many children at once, from which every windowed fact is read off.

Everything lies day-major, (days + 1, rows): row `d` holds what is so before day `d`, so that a window is a difference
of two rows. A correction refreshes the days from it on, of the children it concerns, and of nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from rules.facts.families import LONG_SPELL, RELAPSE_WITHIN
from rules.facts.tracks import Tracks
from rules.records import Mark
from rules.register import EXCUSED, HOLE, MISSED, SEEN, SKIP

Rows = NDArray[np.intp] | slice
Flags = NDArray[np.bool_]
Day = dict[str, NDArray[np.int8]]

SUMS = (
    "away_sessions",
    "missed_sessions",
    "known_sessions",
    "late_sessions",
    "away_days",
    "missed_days",
    "leave_days",
    "half_days",
    "seen_days",
    "unseen_days",
    "unnamed_days",
    "known_days",
    "edge_away_days",
    "edge_known_days",
    "spells",
)
CHAINS = ("heard", "spell", "unheard", "gone", "leave_run", "no_show", "overrun", "back", "relapse")

_NEEDS = {"spells": ("spell",), "relapse": ("spell", "back"), "back": ("spell",)}
NOT_WAITING = -1
"""A chain that waits for something to begin: a term, the end of a leave."""


class Tally:
    """Counts and chains of `rows` children over the days of a calendar; knows cells, not who they are.

    `meaning` and `marks` uint8 (columns, rows) are what the register means and says; whoever changes a cell of them
    calls `refresh` from its day on. `upto` int32 (rows,) is the last column in which a roll speaks of the child:
    leave beyond it counts only when a roll reaches it, so that no fact changes by the passing of time.
    """

    def __init__(
        self,
        tracks: Tracks,
        marks: NDArray[np.uint8],
        meaning: NDArray[np.uint8],
        upto: NDArray[np.int32],
        wanted: Collection[str],
    ) -> None:
        self.calendar = tracks.calendar
        self.tracks = tracks
        self.marks = marks
        self.meaning = meaning
        self.upto = upto
        self.days = len(tracks.calendar.dates)
        self.reached = 0
        """The newest row of the series that is right: one more than the last day refreshed."""
        names = {"heard", *wanted}
        for name in wanted:
            names |= {*_NEEDS.get(name, ())}
        self._sums = [name for name in SUMS if name in names and name != "spells"]
        self._chains = [name for name in CHAINS if name in names]
        self._with_spells = "spells" in names
        shape = (self.days + 1, len(tracks.of))
        self.series = {name: np.zeros(shape, np.int16) for name in names}
        for name in ("no_show", "overrun"):
            if name in self.series:
                self.series[name][0] = NOT_WAITING

    def refresh(self, rows: Rows, first: int, last: int) -> None:
        """Count again the days `first` to `last`, both inclusive, of `rows`; the days before must be right."""
        self.reached = max(self.reached, last + 1)
        flags = self._flags(rows, first, last)
        for name in self._sums:
            series = self.series[name]
            if first == last:
                series[first + 1, rows] = series[first, rows] + flags[name][0]
                continue
            total = np.cumsum(flags[name], axis=0, dtype=np.int16)
            total += series[first, rows]
            series[first + 1 : last + 2, rows] = total
        if self._chains or self._with_spells:
            for day in range(first, last + 1):
                self._link(rows, day, {name: flag[day - first] for name, flag in flags.items()})

    def _flags(self, rows: Rows, first: int, last: int) -> Day:
        """What each day of the block says, one value a day and child: counts of sessions, and yes or no."""
        slots, length = self.calendar.slots, last - first + 1
        block = slice(first * slots, (last + 1) * slots)
        meaning, marks = self.meaning[block][:, rows], self.marks[block][:, rows]
        beyond = np.arange(block.start, block.stop)[:, None] > self.upto[rows][None, :]
        unreached = beyond & (meaning == EXCUSED)
        shape = (length, slots, meaning.shape[1])

        def count(cells: NDArray[np.bool_]) -> NDArray[np.int8]:
            split = cells.reshape(shape)
            total = split[:, 0].astype(np.int8)
            for slot in range(1, slots):
                total += split[:, slot]
            return total

        missed, seen = count(meaning == MISSED), count(meaning == SEEN)
        leave = count((meaning == EXCUSED) & ~unreached)
        spoken = count((marks > Mark.UNTAKEN) & (meaning > SKIP))
        unknown = count((marks == Mark.UNKNOWN) & (meaning > SKIP))
        late = count(((marks == Mark.LATE) | (marks == Mark.LEFT_EARLY)) & (meaning == SEEN))
        derived = self._derived(rows, first, last, missed, seen, leave, spoken, unknown, late)
        if "overrun" in self.series:
            derived |= _order_of_day(np.where(unreached, np.uint8(HOLE), meaning).reshape(shape))
        return derived

    def _derived(
        self,
        rows: Rows,
        first: int,
        last: int,
        missed: NDArray[np.int8],
        seen: NDArray[np.int8],
        leave: NDArray[np.int8],
        spoken: NDArray[np.int8],
        unknown: NDArray[np.int8],
        late: NDArray[np.int8],
    ) -> Day:
        away, known = missed + leave, missed + seen + leave
        some_missed, some_seen, some_leave, some_known = missed > 0, seen > 0, leave > 0, known > 0
        unseen = (spoken > 0) & ~some_seen & ~some_leave
        flags: dict[str, NDArray[np.bool_] | NDArray[np.int8]] = {
            "away_sessions": away,
            "missed_sessions": missed,
            "known_sessions": known,
            "late_sessions": late,
            "away_days": away > 0,
            "missed_days": some_missed,
            "leave_days": some_leave,
            "half_days": some_missed & some_seen,
            "seen_days": some_seen,
            "unseen_days": unseen,
            "unnamed_days": (unknown > 0) & ~some_known,
            "known_days": some_known,
            "spoken": spoken > 0,
            "whole_missed": some_missed & ~some_seen & ~some_leave,
        }
        if "edge_away_days" in self.series:
            edge = self.tracks.edges[self.tracks.of[rows], first : last + 1].T
            flags |= {"edge_away_days": edge & (away > 0), "edge_known_days": edge & some_known}
        if "no_show" in self.series:
            flags["opens"] = self.tracks.opens[self.tracks.of[rows], first : last + 1].T
        return {name: flag.view(np.int8) for name, flag in flags.items()}

    # ---- chains: what goes on from one day to the next ---------------------------------------------------------------

    def _link(self, rows: Rows, day: int, flag: dict[str, NDArray[np.int8]]) -> None:
        yes = {name: values.astype(np.bool_) for name, values in flag.items() if name in _READ}
        before = {name: self.series[name][day, rows] for name in self._chains}
        for name in self._chains:
            self.series[name][day + 1, rows] = _NEXT[name](before, yes, day)
        if self._with_spells:
            second = yes["whole_missed"] & (self.series["spell"][day + 1, rows] == SPELL)
            self.series["spells"][day + 1, rows] = self.series["spells"][day, rows] + second


SPELL = 2
"""Whole days in a row that make a spell."""

_READ = frozenset(
    {
        "spoken",
        "whole_missed",
        "seen_days",
        "leave_days",
        "missed_days",
        "unseen_days",
        "unnamed_days",
        "known_days",
        "opens",
        "leave_last",
        "seen_last",
        "missed_then",
    }
)


def _order_of_day(meaning: NDArray[np.uint8]) -> Day:
    """Of each day (days, slots, rows) which came last, leave or a sighting, and whether a session was missed then."""
    last = np.zeros_like(meaning[:, 0])
    missed = np.zeros(last.shape, np.bool_)
    for slot in range(meaning.shape[1]):
        here = meaning[:, slot]
        settles = (here == EXCUSED) | (here == SEEN)
        last = np.where(settles, here, last)
        missed = (missed & ~settles) | (here == MISSED)
    found = {"leave_last": last == EXCUSED, "seen_last": last == SEEN, "missed_then": missed}
    return {name: flag.view(np.int8) for name, flag in found.items()}


def _grown(before: NDArray[np.int16], more: Flags, ended: Flags) -> NDArray[np.int16]:
    """A chain that grows by one, ends, or waits for news."""
    after = before + more
    after[ended & ~more] = 0
    return after


def _waiting(before: NDArray[np.int16], more: Flags, settled: Flags) -> NDArray[np.int16]:
    """Likewise, but only from a beginning on, and only until settled."""
    after = before + (more & (before >= 0))
    after[settled & (before >= 0) & ~more] = NOT_WAITING
    return after


Before = dict[str, NDArray[np.int16]]
Yes = dict[str, Flags]


def _heard(before: Before, yes: Yes, day: int) -> NDArray[np.int16]:
    return np.where(yes["spoken"], np.int16(day + 1), before["heard"])


def _spell(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    return _grown(before["spell"], yes["whole_missed"], yes["seen_days"] | yes["leave_days"])


def _unheard(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    return _grown(before["unheard"], yes["unnamed_days"], yes["known_days"])


def _gone(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    return _grown(before["gone"], yes["unseen_days"], yes["seen_days"] | yes["leave_days"])


def _leave_run(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    ended = yes["seen_days"] | yes["missed_days"]
    return _grown(before["leave_run"], yes["leave_days"] & ~ended, ended)


def _no_show(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    opened = np.where(yes["opens"], np.int16(0), before["no_show"])
    return _waiting(opened, yes["unseen_days"], yes["seen_days"] | yes["leave_days"])


def _overrun(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    waiting = np.where(yes["seen_last"], np.int16(NOT_WAITING), before["overrun"])
    waiting[yes["leave_last"]] = 0
    return np.asarray(waiting + (yes["missed_then"] & (waiting >= 0)), np.int16)


def _back(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    """Known school days since the child came back from a long spell, up to RELAPSE_WITHIN; then 0."""
    after = before["back"] + (yes["known_days"] & (before["back"] > 0))
    after[after > RELAPSE_WITHIN] = 0
    after[yes["seen_days"] & (before["spell"] >= LONG_SPELL)] = 1
    return after


def _relapse(before: Before, yes: Yes, _: int) -> NDArray[np.int16]:
    begins = (before["spell"] == 0) & (before["back"] > 0)
    goes_on = (before["spell"] > 0) & (before["relapse"] > 0)
    grown = np.where(begins | goes_on, before["relapse"] + 1, 0).astype(np.int16)
    settled = yes["seen_days"] | yes["leave_days"]
    return np.where(yes["whole_missed"], grown, np.where(settled, np.int16(0), before["relapse"]))


_NEXT: dict[str, Callable[[Before, Yes, int], NDArray[np.int16]]] = {
    "heard": _heard,
    "spell": _spell,
    "unheard": _unheard,
    "gone": _gone,
    "leave_run": _leave_run,
    "no_show": _no_show,
    "overrun": _overrun,
    "back": _back,
    "relapse": _relapse,
}
