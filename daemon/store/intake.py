"""What came in: the state of each feed, the rows refused and parked, the calendars used."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import to_json
from daemon.store.tables import calendar_edit, feed, refused
from daemon.store.tx import chunks, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where a feed stands: its cursor (plain JSON), and how its last polls went. Does not say what it owes."""

    feed_id: str
    cursor: Any = None
    state: str = "new"
    last_polled_at: dt.datetime | None = None
    last_ok_at: dt.datetime | None = None
    problem: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    failed_polls: int = 0
    """How many polls in a row failed, or found nothing that could be read."""
    failing_since: dt.datetime | None = None
    dates_ahead: bool = False
    """Whether its rows have claimed to be recorded after they were delivered."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row not taken; `row` is its content (kept sealed), `retry` whether to try again when the roster changes."""

    payload_id: str
    line: int
    column: str | None
    fault: str
    hint: str | None = None
    student_id: str | None = None
    row: Mapping[str, Any] | None = None
    retry: bool = False
    refused_id: str = ""
    """Given by the store."""


@dataclass(frozen=True, slots=True)
class CalendarEdit:
    """A calendar that was in use from `known_at` on; `body` is plain JSON."""

    known_at: dt.datetime
    fingerprint: str
    body: Any


_FEED = tuple(FeedState.__dataclass_fields__)


def feed_state(tx: Tx, feed_id: str) -> FeedState:
    """The state of a feed; a new one when it was never polled."""
    asked = sa.select(*(feed.c[name] for name in _FEED)).where(tx.ours(feed), feed.c.feed_id == feed_id)
    found = tx.connection.execute(asked).first()
    return FeedState(feed_id) if found is None else FeedState(*found)


def feed_states(tx: Tx) -> list[FeedState]:
    """All feeds ever polled, by id."""
    asked = sa.select(*(feed.c[name] for name in _FEED)).where(tx.ours(feed)).order_by(feed.c.feed_id)
    return [FeedState(*row) for row in tx.connection.execute(asked)]


def save_feed_state(tx: Tx, state: FeedState) -> None:
    """Write the state of a feed over the one before."""
    values = {name: getattr(state, name) for name in _FEED if name != "feed_id"}
    insert = tx.inserting(feed).values(district_id=tx.district, feed_id=state.feed_id, **values)
    tx.connection.execute(
        insert.on_conflict_do_update(
            index_elements=["district_id", "feed_id"], set_={name: insert.excluded[name] for name in values}
        )
    )


def refusals_in(tx: Tx, payload_ids: Iterable[str], most: int) -> list[Refusal]:
    """What was refused of some deliveries or waits, at most so many of each, by delivery and line."""
    found: list[Refusal] = []
    for payload_id in payload_ids:
        asked = _refusals(tx).where(refused.c.payload_id == payload_id)
        rows = tx.connection.execute(asked.order_by(refused.c.line, refused.c.refused_id).limit(most))
        found += [_refusal(row) for row in rows]
    return found


def park(tx: Tx, refusals: Iterable[Refusal]) -> int:
    """Keep rows that were refused, those with `retry` to be tried again; how many."""
    rows = [
        {
            "refused_id": tx.new_id(),
            "payload_id": one.payload_id,
            "line": one.line,
            "column_name": one.column,
            "fault": one.fault,
            "hint": one.hint,
            "student_id": one.student_id,
            "content": None if one.row is None else to_json(one.row),
            "retry": one.retry,
        }
        for one in refusals
    ]
    tx.add(refused, rows)
    return len(rows)


def parked_for(tx: Tx, student_ids: Iterable[str]) -> list[Refusal]:
    """The rows that wait for these children to be on the roster, in the order they came."""
    asked = _refusals(tx).where(refused.c.retry)
    found = [_refusal(row) for row in rows_where_in(tx, asked, refused.c.student_id, student_ids)]
    return sorted(found, key=lambda one: (one.refused_id, one.line))


def parked_students(tx: Tx) -> list[str]:
    """The children that rows wait for."""
    asked = sa.select(refused.c.student_id).where(tx.ours(refused), refused.c.retry).distinct()
    return sorted(found for found in tx.connection.scalars(asked) if found is not None)


def refusals_of(tx: Tx, payload_id: str) -> list[Refusal]:
    """What was refused of one delivery, by line."""
    asked = _refusals(tx).where(refused.c.payload_id == payload_id).order_by(refused.c.line, refused.c.refused_id)
    return [_refusal(row) for row in tx.connection.execute(asked)]


def unpark(tx: Tx, refused_ids: Iterable[str]) -> None:
    """These rows were taken after all: forget them."""
    for part in chunks(refused_ids):
        tx.connection.execute(refused.delete().where(tx.ours(refused), refused.c.refused_id.in_(part)))


def record_calendar(tx: Tx, edit: CalendarEdit) -> bool:
    """Note the calendar in use, unless it is the one noted last; whether it was noted."""
    newest = sa.select(calendar_edit.c.fingerprint).where(tx.ours(calendar_edit))
    newest = newest.order_by(calendar_edit.c.known_at.desc(), calendar_edit.c.edit_id.desc()).limit(1)
    if tx.connection.execute(newest).scalar() == edit.fingerprint:
        return False
    row = {"known_at": edit.known_at, "fingerprint": edit.fingerprint, "body": edit.body}
    tx.add(calendar_edit, [{"edit_id": tx.new_id(), **row}])
    return True


def calendars(tx: Tx, known_by: dt.datetime | None = None) -> list[CalendarEdit]:
    """The calendars noted, oldest first; the last is the one in use at that instant (None: now)."""
    c = calendar_edit.c
    asked = sa.select(c.known_at, c.fingerprint, c.body).where(tx.ours(calendar_edit))
    if known_by is not None:
        asked = asked.where(c.known_at <= known_by)
    return [CalendarEdit(*row) for row in tx.connection.execute(asked.order_by(c.known_at, c.edit_id))]


def _refusals(tx: Tx) -> sa.Select[*tuple[Any, ...]]:
    c = refused.c
    said = (c.payload_id, c.line, c.column_name, c.fault, c.hint, c.student_id, c.content, c.retry, c.refused_id)
    return sa.select(*said).where(tx.ours(refused))


def _refusal(row: Any) -> Refusal:  # noqa: ANN401
    content = None if row.content is None else json.loads(row.content)
    whom = (row.payload_id, row.line, row.column_name, row.fault, row.hint, row.student_id)
    return Refusal(*whom, row=content, retry=row.retry, refused_id=row.refused_id)
