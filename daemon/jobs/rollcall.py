"""From the rows of a feed to rolls: which child, which class, which session; refuses what fits no session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.feeds.payload import Refused
from daemon.jobs.people import People
from daemon.store.rolls import Roll
from rules.calendar import Calendar, Session
from rules.instants import from_micros, to_micros
from rules.records import Mark, MarkRecord, PunchRecord

EARLY = dt.timedelta(hours=2)
"""A sighting this long before a session's start counts for it (absence.md, Raised)."""

WHOLE_DAY = ""
"""The session name of feeds that speak of days."""


_Marks = dict[int, tuple[int, int]]
"""Of one roll: ordinal to code and line."""
_Grouped = dict[tuple[int, int, int], _Marks]
"""Rolls in the making, by class, column and instant of recording."""


@dataclass
class Called:
    """What became of a batch of marks: rolls to be recorded, rows to be refused, rows that wait for the roster."""

    rolls: list[Roll] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    parked: list[MarkRecord | PunchRecord] = field(default_factory=list)
    outside: dict[int, set[int]] = field(default_factory=dict)
    """Children with marks outside every session, by class: many in one class speak of a wrong calendar."""


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
    whole: Callable[[Session], bool] = lambda _: False
    """Of an exception feed: whether this delivery speaks for the children it does not name in a session."""

    def call(self, records: Iterable[MarkRecord | PunchRecord]) -> Called:
        """Sort `records` into rolls; of two rows for one child in one roll the later line wins."""
        called = Called()
        grouped: _Grouped = {}
        of_sessions: dict[tuple[dt.date, str, dt.datetime | None], dict[int, list[_Marks] | None]] = {}
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
                of_classes[index] = self._rolls_of(record, index, grouped)
            rolls = of_classes[index]
            if rolls is None:
                called.outside.setdefault(index, set()).add(ordinal)
                called.refused.append(self._outside(line, "session", record.student_id))
                continue
            for roll in rolls:
                if ordinal not in roll or roll[ordinal][1] <= line:
                    roll[ordinal] = (mark, line)
        called.rolls += [self._roll(key, marks) for key, marks in grouped.items()]
        return called

    def cover(self, first: dt.date, last: dt.date, classes: Sequence[int], called: Called) -> None:
        """Add an empty roll for each class and session of an exception feed's span that no row named."""
        there = {(roll.class_id, roll.session_date, roll.session_name) for roll in called.rolls}
        for index in classes:
            for session in self._sessions(self.people.variants[index], first, last):
                key = (self.people.class_ids[index], session.date, session.name)
                if key not in there and self.whole(session):
                    called.rolls.append(self._empty(key, session))

    def _sessions(self, variant: int, first: dt.date, last: dt.date) -> Iterable[Session]:
        line = self.calendar.lines[variant]
        for column in line.columns:
            session = self.calendar.session(variant, int(column))
            if first <= session.date <= last:
                yield session

    def _empty(self, key: tuple[str, dt.date, str], session: Session) -> Roll:
        recorded = self.recorded(session)
        return Roll(*key, self.feed_id, self.rank, self.known_at, recorded, 0, implied=True, ordinals=[], codes=[])

    def _rolls_of(self, record: MarkRecord, index: int, grouped: _Grouped) -> list[_Marks] | None:
        """The rolls a mark of class `index` belongs in: one, or one a session of its day; None where none is held."""
        variant = self.people.variants[index]
        names = self.calendar.names(variant) if record.session == WHOLE_DAY else [record.session]
        columns = [self.calendar.column(variant, record.date, name) for name in names]
        rolls = []
        for column in columns:
            if column is None:
                return None
            session = self.calendar.session(variant, column)
            own = None if self.whole(session) else record.recorded_at
            recorded = own or self.recorded(session)
            rolls.append(grouped.setdefault((index, column, to_micros(recorded)), {}))
        return rolls

    def _punch(self, record: PunchRecord, ordinal: int, grouped: _Grouped, called: Called) -> None:
        day = record.at.astimezone(self.calendar.zone).date()
        index = self.people.class_on(ordinal, day)
        column = self.session_of(self.people.variants[index], record.at)
        if column is None:
            called.refused.append(self._outside(record.line, "at", record.student_id))
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
            implied=self.whole(session),
            ordinals=list(marks),
            codes=[int(code) for code, _ in marks.values()],
        )
