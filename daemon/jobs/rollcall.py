"""From the rows of a feed to rolls: which child, which class, which session; refuses what fits no session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from daemon.feeds.payload import Refused, RefusedMark
from daemon.jobs.people import People
from daemon.store.rolls import Roll
from rules.calendar import Calendar, Session
from rules.instants import from_micros, to_micros
from rules.records import EARLY, FORETOLD, Mark, MarkRecord, PunchRecord

CLOCK_SKEW = dt.timedelta(minutes=10)
"""How far the clock of a gate may be ahead of ours."""

NEAR_FUTURE = dt.timedelta(hours=36)
"""A date without a time is read as that day's end; what claims to be recorded later than this is a fault."""

ALL_AHEAD = "the times of the feed may be in another zone: see mapping.dates and service.timezone"

WHOLE_DAY = ""
"""The session name of feeds that speak of days."""


_Marks = dict[int, tuple[int, int]]
"""Of one roll: ordinal to code and line."""
_Grouped = dict[tuple[int, int, int], _Marks]
"""Rolls in the making, by class, column and instant of recording."""


class _Place(NamedTuple):
    """Where a row's mark belongs: its rolls, and whether these begin too long after it to be called already.

    `whole`: the delivery speaks there for the children whom it does not name.
    """

    marks: list[_Marks]
    ahead: bool
    whole: bool


_OfSessions = dict[tuple[dt.date, str, dt.datetime | None], dict[int, _Place | None]]
"""The place of a row by session as it names it, and by class."""


@dataclass
class Called:
    """What became of a batch of marks: rolls to be recorded, rows to be refused, rows that wait for the roster."""

    rolls: list[Roll] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    parked: list[MarkRecord | PunchRecord] = field(default_factory=list)
    similar: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ids of the roster that look like one of those parked."""
    passed: int = 0
    """Passages that count for no session."""
    notices: list[Refused] = field(default_factory=list)
    dates_ahead: bool = False
    """Whether a mark claimed to be recorded after it was delivered."""
    ahead: list[Refused] = field(default_factory=list)
    """Of the refused rows those made too long before their session."""
    unplaced: list[RefusedMark] = field(default_factory=list)
    """What the rows are about that name no session of their day, or were made too long before it."""
    outside: dict[int, set[int]] = field(default_factory=dict)
    """Children with marks outside every session, by class: many in one class speak of a wrong calendar."""


def sessions_meant(calendar: Calendar, variant: int, one: RefusedMark) -> list[Session]:
    """Return the sessions that a refused row may speak of: the one it names, else all of its day, else none."""
    if one.date is None:
        return []
    columns = [calendar.column(variant, one.date, name) for name in calendar.names(variant)]
    held = [calendar.session(variant, column) for column in columns if column is not None]
    return [session for session in held if session.name == one.session] or held


@dataclass(frozen=True)
class Caller:
    """Calls the rolls of one delivery of one feed; knows people and calendar, touches no store.

    `recorded` says when a mark was recorded if its row does not, given its session.
    """

    people: People
    calendar: Calendar
    feed_id: str
    rank: int
    known_at: dt.datetime
    recorded: Callable[[Session], dt.datetime]
    source: str = ""
    whole: Callable[[Session, int], bool] = lambda _session, _index: False
    """Of an exception feed: whether this delivery speaks for the children of a class whom it does not name."""
    is_whole_delivery: bool = True
    """Whether all of a delivery is called at once; a simulation calls it in parts."""
    delivered_at: dt.datetime | None = None
    """When the file of the delivery was written; None: when it was taken in."""

    def call(self, records: Iterable[MarkRecord | PunchRecord], refused: Iterable[RefusedMark] = ()) -> Called:
        """Sort `records` into rolls; of two rows for one child in one roll the later line wins.

        The children of `refused` rows are named in their rolls, without a mark, where no other row says what it is.
        """
        called = Called()
        grouped: _Grouped = {}
        of_sessions: _OfSessions = {}
        ordinals, spells, class_on = self.people.roster.students.ordinals, self.people.spells, self.people.class_on
        for record in records:
            ordinal = ordinals.get(record.student_id)
            if ordinal is None:
                called.parked.append(record)
                continue
            if isinstance(record, PunchRecord):
                self._punch(record, ordinal, grouped, called)
                continue
            _, date, session, mark, recorded_at, _, _, line = record
            spell = spells[ordinal]
            index = spell[0].class_index if len(spell) == 1 else class_on(ordinal, date)
            of_classes = of_sessions.setdefault((date, session, recorded_at), {})
            if index not in of_classes:
                of_classes[index] = self._rolls_of(record, index, grouped, called)
            rolls = of_classes[index]
            if rolls is None:
                called.outside.setdefault(index, set()).add(ordinal)
                called.refused.append(self._outside(line, "session", record.student_id))
                called.unplaced.append(RefusedMark(record.student_id, date, None, recorded_at, line))
                continue
            if rolls.ahead and mark not in FORETOLD:
                called.ahead.append(self._ahead(line, record.student_id))
                if rolls.whole:
                    called.unplaced.append(RefusedMark(record.student_id, date, session, recorded_at, line))
                continue
            for roll in rolls.marks:
                if ordinal not in roll or roll[ordinal][1] <= line:
                    roll[ordinal] = (mark, line)
        self._name_refused([*refused, *called.unplaced], grouped)
        called.rolls += [self._roll(key, marks) for key, marks in grouped.items() if marks]
        said = any(mark for marks in grouped.values() for mark, _ in marks.values())
        all_ahead = len(called.ahead) > 1 and not said and self.is_whole_delivery
        called.refused += [replace(one, hint=ALL_AHEAD) for one in called.ahead] if all_ahead else called.ahead
        return called

    def cover(self, first: dt.date, last: dt.date, classes: Sequence[int], called: Called) -> None:
        """Add an empty roll for each class and session of an exception feed's span that no row named."""
        there = {(roll.class_id, roll.session_date, roll.session_name) for roll in called.rolls}
        for index in classes:
            for session in self._sessions(self.people.variants[index], first, last):
                key = (self.people.class_ids[index], session.date, session.name)
                if key not in there and self.whole(session, index):
                    called.rolls.append(self._empty(key, session))

    def _sessions(self, variant: int, first: dt.date, last: dt.date) -> Iterable[Session]:
        line = self.calendar.lines[variant]
        for column in line.columns:
            session = self.calendar.session(variant, int(column))
            if first <= session.date <= last:
                yield session

    def _empty(self, key: tuple[str, dt.date, str], session: Session) -> Roll:
        recorded = self.recorded(session)
        return Roll(
            *key,
            self.feed_id,
            self.rank,
            self.known_at,
            recorded,
            0,
            implied=True,
            ordinals=[],
            codes=[],
            delivered_at=self.delivered_at,
        )

    def _rolls_of(self, record: MarkRecord, index: int, grouped: _Grouped, called: Called) -> _Place | None:
        """The rolls a mark of class `index` belongs in: one, or one a session of its day; None where none is held."""
        variant = self.people.variants[index]
        names = self.calendar.names(variant) if record.session == WHOLE_DAY else [record.session]
        columns = [self.calendar.column(variant, record.date, name) for name in names]
        sessions = [self.calendar.session(variant, column) for column in columns if column is not None]
        if len(sessions) < len(names):
            return None
        own = record.recorded_at
        if own is not None and own > self.known_at:
            called.dates_ahead = True
            if own - self.known_at > NEAR_FUTURE:
                called.notices.append(self._recorded_later(record.line))
        rolls = []
        for session in sessions:
            recorded = (None if self.whole(session, index) else own) or self.recorded(session)
            key = (index, session.column, to_micros(min(recorded, self.known_at)))
            rolls.append(grouped.setdefault(key, {}))
        ahead = sessions[0].start - min(own or self.known_at, self.known_at) > EARLY
        return _Place(rolls, ahead, whole=any(self.whole(session, index) for session in sessions))

    def _name_refused(self, refused: Iterable[RefusedMark], grouped: _Grouped) -> None:
        """Name the child of each refused row in the sessions it may speak of, without saying what it is there."""
        for one in refused:
            ordinal = self.people.roster.students.ordinals.get(one.student_id or "")
            if ordinal is None or one.date is None:
                continue
            index = self.people.class_on(ordinal, one.date)
            for session in sessions_meant(self.calendar, self.people.variants[index], one):
                if session.start - self.known_at > EARLY:
                    continue
                recorded = (None if self.whole(session, index) else one.recorded_at) or self.recorded(session)
                roll = grouped.setdefault((index, session.column, to_micros(min(recorded, self.known_at))), {})
                roll.setdefault(ordinal, (int(Mark.UNTAKEN), one.line))

    def _punch(self, record: PunchRecord, ordinal: int, grouped: _Grouped, called: Called) -> None:
        if record.at - self.known_at > CLOCK_SKEW:
            called.refused.append(self._punched_later(record.line, record.student_id))
            return
        day = record.at.astimezone(self.calendar.zone).date()
        index = self.people.class_on(ordinal, day)
        column = self.session_of(self.people.variants[index], record.at)
        if column is None:
            called.passed += 1  # whoever leaves in the evening is no fault of the gate's
            return
        roll = grouped.setdefault((index, column, to_micros(record.at)), {})
        roll[ordinal] = (int(Mark.PRESENT), record.line)

    def session_of(self, variant: int, at: dt.datetime) -> int | None:
        """The column of the session a sighting counts for: in progress, or beginning within two hours."""
        line = self.calendar.lines[variant]
        instant = to_micros(at)
        index = line.at(instant)
        if index is None:
            index = line.first_from(instant)
            if index >= len(line.columns) or int(line.starts[index]) > to_micros(at + EARLY):
                return None
        return int(line.columns[index])

    def _ahead(self, line: int, student_id: str) -> Refused:
        return Refused(
            self.source,
            line,
            "date",
            "its session has not begun: a roll cannot be called in advance",
            "leave may be entered ahead, as leave",
            student_id,
        )

    def _punched_later(self, line: int, student_id: str) -> Refused:
        fault = "lies after the delivery: nobody has passed yet"
        return Refused(self.source, line, "at", fault, "set the gate's clock, or look at service.timezone", student_id)

    def _recorded_later(self, line: int) -> Refused:
        fault = "lies after the delivery, which is taken as the instant of recording"
        return Refused(self.source, line, "recorded_at", fault, "write when the mark was made, with its zone")

    def _outside(self, line: int, column: str, student_id: str) -> Refused:
        return Refused(
            self.source,
            line,
            column,
            "no session of the child's class is expected then",
            "check the calendar: holidays, make-up days and session names",
            student_id,
        )

    def _roll(self, key: tuple[int, int, int], marks: Mapping[int, tuple[int, int]]) -> Roll:
        index, column, recorded = key
        session = self.calendar.session(self.people.variants[index], column)
        return Roll(
            self.people.class_ids[index],
            session.date,
            session.name,
            self.feed_id,
            self.rank,
            self.known_at,
            from_micros(recorded),
            max(line for _, line in marks.values()),
            implied=self.whole(session, index),
            ordinals=list(marks),
            codes=[int(code) for code, _ in marks.values()],
            delivered_at=self.delivered_at,
        )
