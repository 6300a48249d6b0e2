"""The history that files tell: each record known when it was recorded, as a simulation of the daemon takes it in."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.backtest.calls import BulkCaller, LeftOut
from daemon.backtest.gathered import Calls
from daemon.backtest.past import ROSTER, house_of_files
from daemon.config import Config, FeedConfig
from daemon.feeds.bulk import BulkReading, Gathering
from daemon.feeds.fetch import fetch
from daemon.feeds.files import find_files
from daemon.feeds.large import read_large
from daemon.feeds.payload import Cursor, FeedError, Payload, Reading, Refused
from daemon.feeds.read import form_of, read
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.poll import in_order
from daemon.jobs.recording import covered
from daemon.jobs.scenes import AHEAD, stale_after
from rules.calendar import Calendar
from rules.history import History, LeaveKnown, MovementKnown
from rules.instants import to_micros
from rules.records import LeaveRecord, MovementRecord, Record
from rules.register import Movement
from rules.rolls import Rolls

_STRANGERS = "rows of children who are not on the roster, left out: {}"
_OUTSIDE = "rows in no session of the child's class, left out: {}"
_CALENDAR = "check the calendar: holidays, make-up days and session names"


def history_from_files(config: Config, start: dt.datetime, end: dt.datetime) -> tuple[History, list[Refused]]:
    """What the configured feeds say that was known by `end`, and what was refused.

    Rosters are known from the start; a record when it was recorded, by default at its session's end, but never before
    `start`. Rows of children who are not on the roster and rows outside every session are counted, not listed.
    Raises FeedError when a source is not there.
    """
    refused: list[Refused] = []
    with house_of_files(config, start, refused) as house, house.store.read() as tx:
        people = house.people(tx)
        telling = _Telling(house, people, start, end, refused)
        for feed in in_order(config.feed):
            if feed.records in {"marks", "punches"}:
                telling.call(feed)
            elif feed.records not in ROSTER:
                telling.note(feed)
        return telling.history(), refused


@dataclass
class _Telling:
    """A history in the making."""

    house: House
    people: People
    start: dt.datetime
    end: dt.datetime
    refused: list[Refused]
    calls: list[tuple[FeedConfig, Calls]] = field(default_factory=list)
    leaves: list[LeaveKnown] = field(default_factory=list)
    movements: dict[tuple[object, ...], MovementKnown] = field(default_factory=dict)
    """By everything a record says: one that is delivered again says nothing new."""

    def __post_init__(self) -> None:
        self.ordinals = sorted(self.people.roster.students.by_id.values())
        self.row = {self.people.student_of[ordinal]: row for row, ordinal in enumerate(self.ordinals)}
        self.calendar: Calendar = self.house.calendar

    # ---- marks and passages ------------------------------------------------------------------------------------------

    def call(self, feed: FeedConfig) -> None:
        """Call the rolls of a feed."""
        caller = BulkCaller(self.people, self.calendar, feed, self.ordinals, to_micros(self.start))
        for name, reading in _bulks(feed, self.house.config.base, self.start, self.calendar):
            self.refused += reading.problems
            said = Reading(first_date=reading.first_date, last_date=reading.last_date)
            calls, strangers, outside = caller.call(reading.rows, covered(feed, said))
            self.calls.append((feed, _until(calls, to_micros(self.end), self._width)))
            self._count(name, "student_id", strangers, _STRANGERS)
            self._count(name, "at" if feed.records == "punches" else "session", outside, _OUTSIDE, _CALENDAR)

    def _count(self, name: str, column: str, left_out: LeftOut, fault: str, hint: str | None = None) -> None:
        if left_out.count:
            self.refused.append(Refused(name, left_out.line, column, fault.format(left_out.count), hint))

    # ---- leaves and movements ----------------------------------------------------------------------------------------

    def note(self, feed: FeedConfig) -> None:
        """Note the leaves or movements of a feed."""
        for payload in _payloads(feed, self.house.config.base, self.start):
            reading = read(feed, payload, self.calendar.zone)
            self.refused += reading.problems
            strangers = [record for record in reading.records if not self._note(record)]
            self._count(payload.name, "student_id", LeftOut(len(strangers), _first_line(strangers)), _STRANGERS)

    def _note(self, record: Record) -> bool:
        """Note one record; whether its child is on the roster."""
        assert isinstance(record, LeaveRecord | MovementRecord)
        row = self.row.get(record.student_id)
        if row is None:
            return False
        if isinstance(record, LeaveRecord):
            known_at = max(record.recorded_at or record.starts, self.start)
            leave = (record.leave_id, record.starts, record.ends, record.kind)
            self.leaves.append(LeaveKnown(row, *leave, known_at, record.withdrawn))
            return True
        known_at = max(record.recorded_at or record.at, self.start)
        said = (row, record.kind, record.at, record.recorded_at, record.to_school, record.evidence)
        movement = MovementKnown(row, Movement(record.kind, record.at, bool(record.evidence)), known_at)
        self.movements.setdefault(said, movement)
        return True

    # ---- the history -------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        """How many columns of the calendar matter by the end."""
        return int(self._cut.starts.shape[1])

    @property
    def _cut(self) -> Calendar:
        return self.calendar.until(self.end.astimezone(self.calendar.zone).date() + AHEAD)

    def history(self) -> History:
        """Everything noted, in the order in which it became known."""
        people = self.people
        rolls, known_at = _rolls(self.calls)
        leaves = [one for one in self.leaves if one.known_at <= self.end]
        movements = [one for one in self.movements.values() if one.known_at <= self.end]
        return History(
            self._cut,
            list(self.row),
            [people.spells[ordinal] for ordinal in self.ordinals],
            people.class_ids,
            people.school_ids,
            people.variants,
            rolls,
            known_at,
            people.traits(self.ordinals),
            leaves=sorted(leaves, key=lambda one: one.known_at),
            movements=sorted(movements, key=_by_child),
            stale_after=stale_after(self.house, people),
        )


def _by_child(one: MovementKnown) -> tuple[object, ...]:
    return one.row, one.movement.at, one.known_at, one.movement.kind


def _first_line(records: Iterable[Record]) -> int:
    return next((record.line for record in records), 0)


def _bulks(feed: FeedConfig, base: Path, now: dt.datetime, calendar: Calendar) -> Iterator[tuple[str, BulkReading]]:
    """Every source of a feed of marks or passages, read: large CSV files as arrays, others row by row."""
    if feed.kind != "file":
        for payload in _payloads(feed, base, now):
            yield payload.name, _by_rows(read(feed, payload, calendar.zone))
        return
    seen: set[str] = set()
    for name, path in find_files(feed, base):
        try:
            with path.open("rb") as file:
                form = form_of(feed, file.read(512))
                sha256 = hashlib.file_digest(file, "sha256").hexdigest() if file.seek(0) == 0 else ""
            if sha256 in seen:
                continue
            seen.add(sha256)
            if form == "csv":
                yield name, read_large(feed, path, name, calendar.zone)
            else:
                content = Payload(feed.id, name, path.read_bytes(), sha256, now)
                yield name, _by_rows(read(feed, content, calendar.zone))
        except OSError as error:
            reason = f"{name}: {error.strerror or 'cannot be read'}"
            raise FeedError(feed.id, reason, permanent=False) from None


def _by_rows(reading: Reading) -> BulkReading:
    rows = Gathering()
    rows.add(reading.records)
    return BulkReading(rows.bulk(), reading.problems, reading.first_date, reading.last_date)


def _payloads(feed: FeedConfig, base: Path, now: dt.datetime) -> Iterator[Payload]:
    """Everything a feed delivers, each content once."""
    cursor, seen = Cursor(), set[str]()
    while True:
        payloads, cursor = fetch(feed, base, cursor, now)
        yield from (one for one in payloads if one.sha256 not in seen)
        seen.update(one.sha256 for one in payloads)
        if not payloads or feed.url is not None:
            return


def _until(calls: Calls, end: int, width: int) -> Calls:
    """The rolls known by `end`, of sessions that matter by then."""
    kept = (calls.known_at <= end) & (calls.column < width)
    if kept.all():
        return calls
    marks, number = kept[calls.roll], np.cumsum(kept) - 1
    return Calls(
        calls.class_index[kept],
        calls.column[kept],
        calls.recorded_at[kept],
        calls.known_at[kept],
        calls.line[kept],
        calls.implied[kept],
        number[calls.roll[marks]].astype(np.int32),
        calls.row[marks],
        calls.code[marks],
    )


def _rolls(calls: list[tuple[FeedConfig, Calls]]) -> tuple[Rolls, NDArray[np.int64]]:
    """The rolls of all sources together, and when each became known."""
    firsts = np.cumsum([0, *(len(one.line) for _, one in calls)]).tolist()
    ranks = [np.full(len(one.line), feed.rank, np.int32) for feed, one in calls]
    ids = sorted({feed.id for feed, _ in calls})
    feeds = [np.full(len(one.line), ids.index(feed.id), np.int32) for feed, one in calls]
    rolls = [(one.roll + first).astype(np.int32) for first, (_, one) in zip(firsts, calls, strict=False)]

    def column(name: str, kind: type[np.generic]) -> NDArray[Any]:
        return np.concatenate([np.zeros(0, kind), *(getattr(one, name) for _, one in calls)])

    whole = Rolls(
        class_index=column("class_index", np.int32),
        column=column("column", np.int32),
        recorded_at=column("recorded_at", np.int64),
        rank=np.concatenate([np.zeros(0, np.int32), *ranks]),
        line=column("line", np.int32),
        implied=column("implied", np.bool_),
        roll=np.concatenate([np.zeros(0, np.int32), *rolls]),
        row=column("row", np.int32),
        code=column("code", np.uint8),
        feed=np.concatenate([np.zeros(0, np.int32), *feeds]),
    )
    return whole, column("known_at", np.int64)
