"""Looks whether what feeds say of children can be taken: who is on the roster, which sessions there are, and when."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from daemon.check.reading import Looked
from daemon.desk.promises import Findings
from daemon.desk.reach import Roster
from daemon.desk.waiting import waiting_problem, with_meant
from daemon.feeds.payload import Refused, quote
from daemon.problems import Problem, choose
from rules.calendar import Calendar
from rules.instants import to_micros
from rules.ladder import Directory
from rules.records import EARLY, FORETOLD, LeaveRecord, MarkRecord, MovementRecord, PunchRecord

_USUAL = "they wait until the students feed names the child; mend the id, or add the child there"
_DAYS = 3
"""So many days are named in one line."""

OfChild = MarkRecord | PunchRecord | LeaveRecord | MovementRecord
_OF_CHILDREN = (MarkRecord, PunchRecord, LeaveRecord, MovementRecord)


@dataclass
class _Sessions:
    """What the calendar says of the sessions that marks name; each class, day and name is asked for once."""

    calendar: Calendar
    variant_of: Callable[[str], int]
    known: dict[tuple[str, dt.date, str], int | None] = field(default_factory=dict)

    def start(self, class_id: str, record: MarkRecord) -> int | None:
        """The start of the session a mark is about, in microseconds; None where none is expected."""
        key = (class_id, record.date, record.session)
        if key not in self.known:
            self.known[key] = self._start(*key)
        return self.known[key]

    def _start(self, class_id: str, day: dt.date, session: str) -> int | None:
        variant = self.variant_of(class_id)
        names = [session] if session else self.calendar.names(variant)
        column = self.calendar.column(variant, day, names[0])
        return None if column is None else int(self.calendar.starts[variant, column])

    def names(self, class_id: str) -> list[str]:
        """The sessions of a school day of a class."""
        return self.calendar.names(self.variant_of(class_id))


@dataclass
class _Tally:
    """Marks that no session takes, by what is wrong: the first of each, and how many there are."""

    names: dict[str, Refused] = field(default_factory=dict)
    days: dict[dt.date, Refused] = field(default_factory=dict)
    ahead: Refused | None = None
    counts: Counter[str | dt.date | None] = field(default_factory=Counter)
    marks: int = 0


def examine_records(
    looked: Looked,
    found: Findings,
    roster: Roster,
    calendar: Calendar,
    now: dt.datetime,
    elsewhere: Callable[[Collection[str]], Collection[str]],
) -> None:
    """Find the rows of a feed that would wait or be refused though each can be read.

    `elsewhere` answers which of the children it is given are known though no feed names them now.
    """
    classes = {student: class_id for student, class_id, _ in roster.children}
    strangers = _strangers(looked, classes)
    there = elsewhere({one.student_id for one in strangers if one.student_id}) if strangers else ()
    strangers = [one for one in strangers if one.student_id not in there]
    if strangers:
        found.findings.append(waiting_problem(with_meant(strangers, classes)))
    found.findings += _session_problems(looked, classes, _sessions(roster, calendar), now)


def _strangers(looked: Looked, classes: Mapping[str, str]) -> list[Refused]:
    """The rows whose child is in no students feed."""
    return [
        Refused(name, record.line, "student_id", "the child is in no students feed", _USUAL, record.student_id)
        for name, record in _of_children(looked)
        if record.student_id not in classes
    ]


def _of_children(looked: Looked) -> Iterator[tuple[str, OfChild]]:
    for name, reading in looked.readings:
        for record in reading.records:
            if isinstance(record, _OF_CHILDREN):
                yield name, record


# ---- sessions -----------------------------------------------------------------------------------------------------


def _sessions(roster: Roster, calendar: Calendar) -> _Sessions:
    directory = Directory(roster.units, ())
    known: dict[str, int] = {}

    def variant_of(class_id: str) -> int:
        if class_id not in known:
            known[class_id] = calendar.variant([one.unit_id for one in directory.upward(class_id)] or [class_id])
        return known[class_id]

    return _Sessions(calendar, variant_of)


def _session_problems(
    looked: Looked, classes: Mapping[str, str], sessions: _Sessions, now: dt.datetime
) -> Iterator[Problem]:
    tally = _Tally()
    for name, reading in looked.readings:
        for record in reading.records:
            if isinstance(record, MarkRecord) and (class_id := classes.get(record.student_id)) is not None:
                tally.marks += 1
                _count(tally, sessions, name, record, class_id, now)
    yield from _unknown_names(tally)
    yield from _unexpected_days(tally)
    yield from _in_advance(tally)


def _count(tally: _Tally, sessions: _Sessions, name: str, record: MarkRecord, class_id: str, now: dt.datetime) -> None:
    start = sessions.start(class_id, record)
    if start is None:
        if record.session and record.session not in sessions.names(class_id):
            hint = f"{choose(record.session, sessions.names(class_id))} or add it to mapping.sessions"
            tally.names.setdefault(record.session, Refused(name, record.line, "session", "", hint))
            tally.counts[record.session] += 1
        else:
            tally.days.setdefault(record.date, Refused(name, record.line, "date", ""))
            tally.counts[record.date] += 1
    elif record.mark not in FORETOLD and start > to_micros(min(record.recorded_at or now, now) + EARLY):
        tally.ahead = tally.ahead or Refused(name, record.line, "date", "")
        tally.counts[None] += 1


def _unknown_names(tally: _Tally) -> Iterator[Problem]:
    for session, first in tally.names.items():
        fault = f"{_rows(tally.counts[session])}: {quote(session)} is no session of the calendar"
        yield Problem(first.source, first.line, "session", fault, first.hint)


def _unexpected_days(tally: _Tally) -> Iterator[Problem]:
    if not tally.days:
        return
    first = next(iter(tally.days.values()))
    days = sorted(tally.days)
    more = " …" if len(days) > _DAYS else ""
    which = f"{', '.join(map(str, days[:_DAYS]))}{more}"
    fault = f"{_rows(sum(tally.counts[day] for day in days))}: nobody is expected on {which}"
    hint = "look at [calendar]: terms, weekdays, holidays, closed, open"
    yield Problem(first.source, first.line, "date", fault, hint)


def _in_advance(tally: _Tally) -> Iterator[Problem]:
    count = tally.counts[None]
    if tally.ahead is None:
        return
    fault = f"{_rows(count)} made before their sessions began: a roll cannot be called in advance"
    whole = "are its dates and times in another zone?"
    usual = "leave these marks out until the session begins; leave may be entered ahead"
    hint = whole if count == tally.marks else usual
    yield Problem(tally.ahead.source, tally.ahead.line, "date", fault, hint)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
