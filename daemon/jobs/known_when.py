"""When a simulation learns what: a delivery's records in parts, each with the instant at which it becomes known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daemon.config import FeedConfig
from daemon.feeds.payload import RefusedMark
from daemon.jobs.delivery import Delivery, doubts_of, unplaced
from daemon.jobs.people import People
from daemon.jobs.rollcall import WHOLE_DAY, sessions_meant
from rules.calendar import Calendar, Session
from rules.records import EARLY, LeaveRecord, MarkRecord, MovementRecord, PunchRecord, Record


@dataclass(frozen=True)
class KnownWhen:
    """Parts deliveries of one roster by when their records were recorded; nothing is known before `start`."""

    people: People
    calendar: Calendar
    start: dt.datetime

    def parts(self, whole: Delivery) -> Iterator[Delivery]:
        """Yield what becomes known of a delivery at each instant, in order."""
        covers = whole.covers
        by_instant: dict[dt.datetime, list[Record]] = {}
        for record in self._by_session(whole.records, spoken_for=covers is not None):
            known_at = max(self._known_at(record), self.start)
            by_instant.setdefault(known_at, []).append(record)
            if covers is not None and isinstance(record, MarkRecord):
                # Known before its session is over, it is named again when the feed speaks for everybody.
                end = max(self._session_end(record), self.start)
                by_instant.setdefault(end, []).extend([record] if known_at < end else [])
        spans = self._covered_ends(whole.feed, covers) if covers is not None else {}
        doubts = doubts_of(whole, self.people, self.calendar) if covers is not None else None
        unsaid = self._unsaid(whole)
        for at in sorted({*by_instant, *spans, *unsaid}):
            yield Delivery(
                whole.feed,
                whole.name,
                whole.payload_id,
                at,
                by_instant.get(at, []),
                spans.get(at),
                refused_marks=unsaid.get(at, ()),
                modified_at=whole.modified_at,
                doubts=doubts,
                is_first=at == self.start,
            )

    def _unsaid(self, whole: Delivery) -> dict[dt.datetime, list[RefusedMark]]:
        """Return what refused rows are about, by when it becomes known: session by session, as marks do."""
        calendar, found = self.calendar, dict[dt.datetime, list[RefusedMark]]()
        for one in (*whole.refused_marks, *unplaced(whole, self.people, calendar)):
            child = self.people.roster.students.get(one.student_id or "")
            if child is None or one.date is None:
                continue
            variant = self.people.variants[self.people.class_on(child.ordinal, one.date)]
            for session in sessions_meant(calendar, variant, one):
                named = one._replace(session=session.name)
                # Known before its session is over, it is named again when the feed speaks for everybody.
                for at in {one.recorded_at or session.end, session.end}:
                    found.setdefault(max(at, self.start), []).append(named)
        return found

    def _by_session(self, records: Sequence[Record], *, spoken_for: bool) -> Iterator[Record]:
        """The records, those of a whole day as one a session: each becomes known by itself."""
        for record in records:
            child = self.people.roster.students.get(record.student_id) if isinstance(record, MarkRecord) else None
            if child is None or not isinstance(record, MarkRecord) or record.session != WHOLE_DAY:
                yield record
                continue
            if record.recorded_at is not None and not spoken_for:
                yield record  # known at one instant, it is of one day, whose first session may be close enough
                continue
            variant = self.people.variants[self.people.class_on(child.ordinal, record.date)]
            for name in self.calendar.names(variant):
                one = record._replace(session=name)
                yield one._replace(recorded_at=None) if self._is_ahead(one) else one

    def _is_ahead(self, record: MarkRecord) -> bool:
        """Return whether a mark was made too long before its session."""
        session = self._session(record)
        return session is not None and record.recorded_at is not None and session.start - record.recorded_at > EARLY

    def _known_at(self, record: Record) -> dt.datetime:
        """When a record arrives: when it was recorded, by default at its session's end (a leave at its start)."""
        if isinstance(record, PunchRecord):
            return record.at
        assert isinstance(record, MarkRecord | LeaveRecord | MovementRecord)
        if record.recorded_at is not None:
            return record.recorded_at
        if isinstance(record, LeaveRecord):
            return record.starts
        return record.at if isinstance(record, MovementRecord) else self._session_end(record)

    def _session_end(self, record: MarkRecord) -> dt.datetime:
        session = self._session(record)
        return self.start if session is None else session.end

    def _session(self, record: MarkRecord) -> Session | None:
        child = self.people.roster.students.get(record.student_id)
        if child is None:
            return None
        variant = self.people.variants[self.people.class_on(child.ordinal, record.date)]
        column = self.calendar.column(variant, record.date, record.session)
        return None if column is None else self.calendar.session(variant, column)

    def _covered_ends(
        self, feed: FeedConfig, covers: tuple[dt.date, dt.date]
    ) -> dict[dt.datetime, tuple[dt.date, dt.date]]:
        """The ends of the sessions an exception feed covers: it speaks for each at its own end."""
        ends: dict[dt.datetime, tuple[dt.date, dt.date]] = {}
        calendar = self.calendar
        for variant in {self.people.variants[index] for index in self.people.classes_under(feed.units)}:
            for column in calendar.lines[variant].columns:
                session = calendar.session(variant, int(column))
                if covers[0] <= session.date <= covers[1]:
                    at = max(session.end, self.start)
                    first, last = ends.get(at, (session.date, session.date))
                    ends[at] = (min(first, session.date), max(last, session.date))
        return ends
