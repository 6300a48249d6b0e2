"""What a feed delivered, on its way into the store: its records by kind, what it speaks for, what became of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TypeVar, cast

from daemon.config import FeedConfig
from daemon.feeds.payload import Refused, RefusedMark
from daemon.jobs.people import People
from daemon.jobs.rollcall import WHOLE_DAY, Called
from rules.calendar import Calendar, Session
from rules.records import LeaveRecord, Mark, MarkRecord, MovementRecord, PunchRecord, Record

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass
class TakenIn:
    """What became of one delivery; counts rows, never quotes them."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    parked: list[Refused] = field(default_factory=list)
    """Rows that wait for a child who is not on the roster, each with the ids of the roster that look alike."""
    notices: list[Refused] = field(default_factory=list)
    """What was passed over without being refused: other sheets, files of a feed's folder that are no table of its."""
    held: list[Refused] = field(default_factory=list)
    """Deliveries that lack much of what was in force; they wait for a person, or for a day."""
    dates_ahead: bool = False
    """Whether a mark claimed to be recorded after it was delivered."""
    missing: list[str] = field(default_factory=list)
    """Children of whom a new roster file says nothing; they stay judged."""
    odd_classes: list[str] = field(default_factory=list)
    """Classes many of whose children have marks outside every session."""


@dataclass
class Delivery:
    """One payload's records on their way into the store."""

    feed: FeedConfig
    name: str
    payload_id: str
    known_at: dt.datetime
    records: Sequence[Record]
    covers: tuple[dt.date, dt.date] | None = None
    """The days an exception feed speaks for."""
    refused_marks: Sequence[RefusedMark] = ()
    """What its refused rows of marks are about."""
    kept: Collection[str] = ()
    """The ids of a roster that only rows name which were refused: they are not missing from it."""
    modified_at: dt.datetime | None = None
    """When its file was written; it orders what one feed delivered."""
    first_known_at: dt.datetime | None = None
    """When the same bytes were first delivered, if they are read anew: what they say was recorded then."""
    doubts: Doubts | None = None
    """The sessions it has rows of that nobody can place, where they are known beforehand."""
    dates_ahead: bool = False
    """Whether its feed has claimed before that marks were recorded after they were delivered."""
    covered_until: dt.datetime | None = None
    """The same was said at the last poll, when the sessions over by then were spoken for; None: it is news."""
    is_first: bool = False
    """A simulation begins with it: it brings everything known by then."""
    called: tuple[People, Called] | None = None
    """Its rolls, if they were called before the transaction, and by which roster."""
    takes_back: bool = field(init=False)
    """Whether a record may leave a child without a word that had one."""

    def __post_init__(self) -> None:
        unknown = any(record.mark is Mark.UNKNOWN for record in self.of(MarkRecord))
        self.takes_back = unknown or bool(self.of(LeaveRecord)) or bool(self.of(MovementRecord))

    def of(self, kind: type[AnyRecord]) -> list[AnyRecord]:
        """The records of one kind, in order."""
        return cast("list[AnyRecord]", self._by_kind.get(kind, []))

    @property
    def speaks_of_sessions(self) -> bool:
        """Whether there are rolls to be called from it."""
        named = bool(self.of(MarkRecord)) or bool(self.of(PunchRecord)) or bool(self.refused_marks)
        return named or self.covers is not None

    @cached_property
    def _by_kind(self) -> dict[type, list[Record]]:
        found: dict[type, list[Record]] = {}
        for kind, records in groupby(self.records, type):
            found.setdefault(kind, []).extend(records)
        return found


@dataclass(frozen=True)
class Doubts:
    """Of which sessions a delivery has rows whose child or session nobody can tell.

    `everything` where even the day is unknown; `of_all` are sessions (or days, with None) of all classes, `of_classes`
    of single ones.
    """

    everything: bool = False
    of_all: frozenset[tuple[dt.date, str | None]] = frozenset()
    of_classes: frozenset[tuple[int, dt.date, str | None]] = frozenset()

    def about(self, session: Session, index: int) -> bool:
        """Whether a row may have meant an unnamed child of class `index` in `session`."""
        whom = ((session.date, session.name), (session.date, None))
        return (
            self.everything
            or any(one in self.of_all for one in whom)
            or any((index, *one) in self.of_classes for one in whom)
        )


def doubts_of(delivery: Delivery, people: People, calendar: Calendar) -> Doubts:
    """Return the sessions in which an exception feed's delivery speaks for nobody it does not name (Marks 8)."""
    of_all, of_classes = set(), set()
    for one in (*delivery.refused_marks, *unplaced(delivery, people, calendar)):
        child = people.roster.students.ordinals.get(one.student_id or "")
        if one.date is None:
            return Doubts(everything=True)
        if one.student_id is None:
            of_all.add((one.date, one.session or None))
        elif child is not None and not _is_held(one, people, calendar):
            of_classes.add((people.class_on(child, one.date), one.date, None))
    return Doubts(of_all=frozenset(of_all), of_classes=frozenset(of_classes))


def unplaced(delivery: Delivery, people: People, calendar: Calendar) -> list[RefusedMark]:
    """Return what the marks of a delivery are about that name no session which their child's class has that day."""
    marks = (
        RefusedMark(one.student_id, one.date, one.session, one.recorded_at, one.line)
        for one in delivery.of(MarkRecord)
        if one.session != WHOLE_DAY
    )
    return [one for one in marks if not _is_held(one, people, calendar)]


def _is_held(one: RefusedMark, people: People, calendar: Calendar) -> bool:
    """Whether a row names a session that its child's class has that day; True where the child is not known."""
    child = people.roster.students.ordinals.get(one.student_id or "")
    if child is None or one.date is None or one.session == WHOLE_DAY:
        return True
    variant = people.variants[people.class_on(child, one.date)]
    if not any(calendar.column(variant, one.date, name) is not None for name in calendar.names(variant)):
        return True  # no session is held that day, so no child is spoken of
    return one.session is not None and calendar.column(variant, one.date, one.session) is not None


@dataclass(frozen=True)
class Whole:
    """In which sessions a delivery of an exception feed speaks for the children it does not name.

    Live, in those of the days it covers that were over when it came (and not yet at the poll before, if it said the
    same); simulated, in each once, at its own end. Never in those of which it has rows that nobody can place.
    """

    delivery: Delivery
    at_its_end: bool
    doubts: Doubts = Doubts()

    def __call__(self, session: Session, index: int) -> bool:
        """Whether `session` of class `index` is one of them."""
        covers, known_at = self.delivery.covers, self.delivery.known_at
        if covers is None or not covers[0] <= session.date <= covers[1] or session.end > known_at:
            return False
        since = self.delivery.covered_until
        if (since is not None and session.end <= since) or self.doubts.about(session, index):
            return False
        return not self.at_its_end or session.end == known_at or self.delivery.is_first


@dataclass(frozen=True)
class RecordedAt:
    """When a mark was recorded if its row does not say: live when we took it in, simulated at its session's end."""

    known_at: dt.datetime
    by_session: bool

    def __call__(self, session: Session) -> dt.datetime:
        """When a mark of `session` counts as recorded."""
        return session.end if self.by_session else self.known_at
