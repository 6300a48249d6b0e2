"""What a feed delivered, on its way into the store: its records by kind, what it speaks for, what became of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TypeVar, cast

from daemon.config import FeedConfig
from daemon.feeds.payload import Refused
from daemon.jobs.people import People
from daemon.jobs.rollcall import Called
from rules.calendar import Session
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
        return bool(self.of(MarkRecord) or self.of(PunchRecord)) or self.covers is not None

    @cached_property
    def _by_kind(self) -> dict[type, list[Record]]:
        found: dict[type, list[Record]] = {}
        for kind, records in groupby(self.records, type):
            found.setdefault(kind, []).extend(records)
        return found


@dataclass(frozen=True)
class Whole:
    """In which sessions a delivery of an exception feed speaks for the children it does not name.

    Live, in those of the days it covers that were over when it came; simulated, in each once, at its own end.
    """

    delivery: Delivery
    at_its_end: bool

    def __call__(self, session: Session) -> bool:
        """Whether `session` is one of them."""
        covers, known_at = self.delivery.covers, self.delivery.known_at
        if covers is None or not covers[0] <= session.date <= covers[1] or session.end > known_at:
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
