"""Rolls called from arrays of marks: those `rollcall` calls of single records, each known when a simulation says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from daemon.backtest.gathered import Calls, Numbers, Said, Times, grouped, joined
from daemon.config import FeedConfig
from daemon.feeds.bulk import Bulk
from daemon.jobs.people import People
from daemon.jobs.rollcall import WHOLE_DAY
from rules.calendar import Calendar
from rules.instants import NEVER, from_micros, span
from rules.records import EARLY, FORETOLD, Mark


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a source that nothing came of: how many, and the first of them."""

    count: int
    line: int


@dataclass(frozen=True)
class BulkCaller:
    """Calls the rolls of sources of one feed, for children (rows) `ordinals` by their numbers on the roster.

    Records are known when they were recorded, by default at their session's end, and never before `start`.
    """

    people: People
    calendar: Calendar
    feed: FeedConfig
    ordinals: Sequence[int]
    start: int

    def call(self, rows: Bulk, covers: tuple[dt.date, dt.date] | None) -> tuple[Calls, LeftOut, LeftOut]:
        """The rolls, the rows of children not on the roster, and those of no session or made ahead of theirs."""
        known = self.people.roster.students.ordinals
        row_of_ordinal = {ordinal: row for row, ordinal in enumerate(self.ordinals)}
        child = np.array([row_of_ordinal.get(known.get(one, -1), -1) for one in rows.students] or [-1], np.int32)
        row = child[rows.student]
        strangers = _left_out(rows, row < 0)
        placed = self._passages if self.feed.records == "punches" else self._marks
        said, outside = placed(rows, row)
        return self._called(said, covers), strangers, outside

    # ---- where each row belongs -----------------------------------------------------------------

    def _marks(self, rows: Bulk, row: Numbers) -> tuple[Said, LeftOut]:
        """Marks by the session they name; those of a whole day once for each session of it."""
        there = np.flatnonzero(row >= 0)
        day = rows.day[there].astype(np.int64)
        classes = self._classes(row[there], day)
        which, session = self._sessions(rows, there, classes)
        there, day, classes = there[which], day[which], classes[which]
        variant = self._variants[classes]
        column = self.calendar.columns(variant, day, self._names, session)
        known_at, line, code = rows.known_at[there], rows.line[there], rows.mark[there]
        whole = _of_whole_days(rows)[there]
        first = np.where(whole, self.calendar.columns(variant, day, self._names, self._first_session[variant]), column)
        outside, early = column < 0, self._is_ahead(variant, first, known_at, code)
        refused = outside | early
        if self.feed.presence == "implied":  # a child whom a refused row names is not present for not being named
            code = np.where(early, np.uint8(Mark.UNTAKEN), code)
            known_at = np.where(early, NEVER, known_at)
        else:
            outside = refused
        ends = self.calendar.ends[variant, np.maximum(column, 0)]
        said = Said(classes, column, ends, row[there], code, known_at, line)
        lost = np.zeros(len(rows), np.bool_)
        lost[there[refused]] = True
        return said.where(~outside), _left_out(rows, lost)

    def _sessions(
        self, rows: Bulk, there: NDArray[np.intp], classes: Numbers
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For each mark that is meant, which of `there` says so, and its session's number among `_names`."""
        number = {name: n for n, name in enumerate(self._names)}
        named = np.array([number.get(name, -1) for name in rows.sessions] or [-1], np.intp)
        whole = _of_whole_days(rows)[there]
        session = named[rows.session[there]]
        if not whole.any():
            return np.arange(len(there)), np.where(session < 0, len(self._names) - 1, session)
        of_variant = [[number[name] for name in self.calendar.names(n)] for n in range(len(self.calendar.tables))]
        days = np.flatnonzero(whole)
        parts = [(np.flatnonzero(~whole), session[~whole])]
        for variant, numbers in enumerate(of_variant):
            mine = days[self._variants[classes[days]] == variant]
            parts += [(mine, np.full(len(mine), one, np.intp)) for one in numbers]
        which, session = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(which, kind="stable")
        return which[order], np.where(session < 0, len(self._names) - 1, session)[order]

    def _is_ahead(
        self, variant: NDArray[np.intp], column: Numbers, known_at: Times, code: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Which marks were made too long before the session in `column`, of a whole day the first, to be taken."""
        starts = self.calendar.starts[variant, np.maximum(column, 0)]
        made_at = np.where(known_at == NEVER, starts, known_at)
        early = (column >= 0) & (starts - made_at > span(EARLY))
        return np.asarray(early & ~np.isin(code, [int(one) for one in FORETOLD]), np.bool_)

    @cached_property
    def _first_session(self) -> NDArray[np.intp]:
        """By variant the number among `_names` of a day's first session."""
        firsts = (self.calendar.names(n)[:1] for n in range(len(self.calendar.tables)))
        return np.array([self._names.index(names[0]) if names else len(self._names) - 1 for names in firsts], np.intp)

    @cached_property
    def _names(self) -> list[str]:
        """Every session's name, and behind them one that no session has."""
        variants = range(len(self.calendar.tables))
        return [*dict.fromkeys(name for variant in variants for name in self.calendar.names(variant)), "\n"]

    def _passages(self, rows: Bulk, row: Numbers) -> tuple[Said, LeftOut]:
        """Passages by the session in progress, or beginning within two hours."""
        there = np.flatnonzero(row >= 0)
        at, row = rows.known_at[there], row[there]
        classes = self._classes(row, self._local_days(at, row))
        column = np.full(len(there), -1, np.int32)
        for variant in np.unique(self._variants[classes]).tolist():
            mine = self._variants[classes] == variant
            column[mine] = _session_at(self.calendar, variant, at[mine])
        outside = column < 0
        ends = self.calendar.ends[self._variants[classes], np.maximum(column, 0)]
        said = Said(classes, column, ends, row, rows.mark[there], at, rows.line[there])
        lost = np.zeros(len(rows), np.bool_)
        lost[there[outside]] = True
        return said.where(~outside), _left_out(rows, lost)

    def _classes(self, row: Numbers, day: Numbers) -> Numbers:
        """The class of each child on a day (proleptic ordinals)."""
        classes = self._home[row]
        moved = np.flatnonzero(classes < 0)
        if len(moved):
            pairs, which = np.unique(np.stack([row[moved], day[moved]]), axis=1, return_inverse=True)
            found = [self.people.class_on(self.ordinals[one], dt.date.fromordinal(on)) for one, on in pairs.T.tolist()]
            classes[moved] = np.array(found, np.int32)[which.ravel()]
        return classes

    def _local_days(self, at: Times, row: Numbers) -> Numbers:
        """The school's date of each instant, of children who changed class; 0 of others, as it does not matter."""
        days = np.zeros(len(at), np.int64)
        for n in np.flatnonzero(self._home[row] < 0).tolist():
            days[n] = from_micros(int(at[n])).astimezone(self.calendar.zone).date().toordinal()
        return days

    @cached_property
    def _home(self) -> Numbers:
        """By row the one class a child was ever in; −1 for those who changed."""
        spells = [self.people.spells[ordinal] for ordinal in self.ordinals]
        return np.array([line[0].class_index if len(line) == 1 else -1 for line in spells], np.int32)

    @cached_property
    def _variants(self) -> NDArray[np.intp]:
        return np.asarray(self.people.variants, np.intp)

    # ---- what becomes known when -------------------------------------------------------------------

    def _called(self, said: Said, covers: tuple[dt.date, dt.date] | None) -> Calls:
        own = said.recorded_at != NEVER
        recorded = np.where(own, said.recorded_at, said.ends)
        known = np.maximum(recorded, self.start)
        if covers is None:
            return grouped(said, recorded, known, np.zeros(len(known), np.bool_))
        # Known before its session is over, it is named again when the feed speaks for everybody.
        over = np.maximum(said.ends, self.start)
        again = np.flatnonzero(known < over)
        said = joined(said, said.where(again))
        recorded, known = np.concatenate([recorded, recorded[again]]), np.concatenate([known, over[again]])
        whole = self._is_whole(said, known, covers)
        calls = grouped(said, np.where(whole, said.ends, recorded), known, whole)
        return self._with_unnamed(calls, covers)

    def _is_whole(self, said: Said, known: Times, covers: tuple[dt.date, dt.date]) -> NDArray[np.bool_]:
        """Whether the feed speaks for everybody where and when a mark is given: in each session once, at its end."""
        at_end = (said.ends == known) | ((known == self.start) & (said.ends <= known))
        instants, first, last = self._spans(covers)
        if not len(instants):
            return np.zeros(len(known), np.bool_)
        place = np.minimum(np.searchsorted(instants, known), len(instants) - 1)
        day = self.calendar.day_of[said.column]
        within = (first[place] <= day) & (day <= last[place])
        return np.asarray(at_end & (instants[place] == known) & within, np.bool_)

    def _spans(self, covers: tuple[dt.date, dt.date]) -> tuple[Times, Numbers, Numbers]:
        """The instants at which covered sessions end, and the first and last day of those that end then."""
        _, column, ends = self._covered(covers)
        instants, which = np.unique(np.maximum(ends, self.start), return_inverse=True)
        day = self.calendar.day_of[column].astype(np.int64)
        first, last = np.full(len(instants), NEVER, np.int64), np.full(len(instants), -1, np.int64)
        np.minimum.at(first, which, day)
        np.maximum.at(last, which, day)
        return instants, first, last

    def _covered(self, covers: tuple[dt.date, dt.date]) -> tuple[Numbers, Numbers, Times]:
        """Class, column and end of every session of the feed's classes in the days it covers."""
        first, last = covers[0].toordinal(), covers[1].toordinal()
        classes, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for index in self.people.classes_under(self.feed.units):
            line = self.calendar.lines[self.people.variants[index]].columns
            day = self.calendar.day_of[line]
            columns.append(line[(first <= day) & (day <= last)])
            classes.append(np.full(len(columns[-1]), index, np.int64))
        of_class, column = np.concatenate(classes), np.concatenate(columns)
        return of_class, column, self.calendar.ends[self._variants[of_class], column]

    def _with_unnamed(self, calls: Calls, covers: tuple[dt.date, dt.date]) -> Calls:
        """The rolls, and an empty one for each class and session of an exception feed that no row named."""
        of_class, column, ends = self._covered(covers)
        width = self.calendar.starts.shape[1]
        named = (calls.class_index.astype(np.int64) * width + calls.column)[calls.implied]
        fresh = np.flatnonzero(~np.isin(of_class * width + column, named))
        return Calls(
            np.append(calls.class_index, of_class[fresh].astype(np.int32)),
            np.append(calls.column, column[fresh].astype(np.int32)),
            np.append(calls.recorded_at, ends[fresh]),
            np.append(calls.known_at, np.maximum(ends[fresh], self.start)),
            np.append(calls.line, np.zeros(len(fresh), np.int32)),
            np.append(calls.implied, np.ones(len(fresh), np.bool_)),
            calls.roll,
            calls.row,
            calls.code,
        )


def _of_whole_days(rows: Bulk) -> NDArray[np.bool_]:
    return np.array([name == WHOLE_DAY for name in rows.sessions] or [False], np.bool_)[rows.session]


def _session_at(calendar: Calendar, variant: int, at: Times) -> Numbers:
    """The column of the session each sighting counts for; −1 where there is none."""
    line = calendar.lines[variant]
    if not len(line.columns):
        return np.full(len(at), -1, np.int64)
    under_way = np.searchsorted(line.starts, at, "right") - 1
    ahead = np.minimum(np.searchsorted(line.starts, at, "left"), len(line.columns) - 1)
    now = (under_way >= 0) & (at < line.ends[np.maximum(under_way, 0)])
    soon = (line.starts[ahead] >= at) & (line.starts[ahead] <= at + span(EARLY))
    return np.where(now, line.columns[np.maximum(under_way, 0)], np.where(soon, line.columns[ahead], -1))


def _left_out(rows: Bulk, which: NDArray[np.bool_]) -> LeftOut:
    places = np.flatnonzero(which)
    return LeftOut(int(rows.times[places].sum()), int(rows.line[places[0]]) if len(places) else 0)
