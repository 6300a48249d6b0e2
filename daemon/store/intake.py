"""What came in: the state of each feed, each payload once, the rows refused and parked, the calendars used."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import to_json
from daemon.store.tables import calendar_edit, feed, payload, refused
from daemon.store.tx import chunks, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

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


class Outcome(StrEnum):
    """What became of a delivery."""

    TAKEN = "taken"
    UNREADABLE = "unreadable"
    """Nothing of it could be read: it is no delivery."""
    HELD = "held"
    """It lacks much of what is in force, which stays until somebody accepts it or a day has passed."""


@dataclass(frozen=True, slots=True)
class PayloadRow:
    """One delivery: whose, under which name, what days it covers, what became of it and of its rows.

    `notices` are what was passed over, as plain JSON: source, line, column, fault, hint.
    """

    payload_id: str
    feed_id: str
    sha256: str
    name: str
    fetched_at: dt.datetime
    covers_from: dt.date | None
    covers_to: dt.date | None
    row_count: int
    refused_count: int
    outcome: str = Outcome.TAKEN
    waiting_count: int = 0
    notices: Sequence[Any] = ()


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
_PAYLOAD = tuple(PayloadRow.__dataclass_fields__)


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


def record_payload(
    tx: Tx,
    *,
    feed_id: str,
    sha256: str,
    name: str,
    fetched_at: dt.datetime,
    covers: tuple[dt.date, dt.date] | None = None,
    row_count: int = 0,
    refused_count: int = 0,
    outcome: Outcome = Outcome.TAKEN,
) -> str | None:
    """Note a delivery; its new id, or None when it is the newest under that name.

    Bytes that come back after others (a correction taken back) are a delivery again.
    """
    if newest_sha256(tx, feed_id, name) == sha256:
        return None
    first, last = covers or (None, None)
    row = PayloadRow(tx.new_id(), feed_id, sha256, name, fetched_at, first, last, row_count, refused_count, outcome)
    tx.add(payload, [{name: getattr(row, name) for name in _PAYLOAD}])
    return row.payload_id


def newest_sha256(tx: Tx, feed_id: str, name: str) -> str | None:
    """The digest of what was last delivered by this feed under this name."""
    found = newest_payload(tx, feed_id, name)
    return None if found is None else found.sha256


def newest_payload(tx: Tx, feed_id: str, name: str) -> PayloadRow | None:
    """The last delivery of this feed under this name."""
    return next(iter(_newest_first(tx, feed_id, name, 1)), None)


def first_delivered(tx: Tx, feed_id: str, name: str, sha256: str) -> dt.datetime | None:
    """When the bytes that are newest under this name were first delivered; None when they are news.

    `sha256` is that of the bytes, however they are read: what a changed mapping makes of them was delivered before.
    """
    first = None
    for row in _newest_first(tx, feed_id, name, _MOST_READINGS):
        if row.sha256.partition("/")[0] != sha256:
            break
        first = row.fetched_at
    return first


_MOST_READINGS = 100
"""A file is seldom read anew so often."""


def _newest_first(tx: Tx, feed_id: str, name: str, most: int) -> list[PayloadRow]:
    asked = sa.select(*(payload.c[column] for column in _PAYLOAD))
    asked = asked.where(tx.ours(payload), payload.c.feed_id == feed_id, payload.c.name == name)
    ordered = asked.order_by(payload.c.fetched_at.desc(), payload.c.payload_id.desc()).limit(most)
    return [PayloadRow(*row) for row in tx.connection.execute(ordered)]


def amend_payload(tx: Tx, payload_id: str, **changed: object) -> None:
    """Write what became of a delivery: any of `outcome`, `covers_from`, `covers_to`, the counts and the notices."""
    chosen = payload.update().where(tx.ours(payload), payload.c.payload_id == payload_id)
    tx.connection.execute(chosen.values(changed))


def troubled_payloads(tx: Tx, feed_id: str, since: dt.datetime | None) -> list[PayloadRow]:
    """The newest delivery under each name with anything refused, waiting, held, unreadable or passed over.

    Only those delivered at or after `since` (None: all), by name.
    """
    newer = payload.alias("newer")
    is_newest = ~sa.exists().where(
        newer.c.district_id == tx.district,
        newer.c.feed_id == payload.c.feed_id,
        newer.c.name == payload.c.name,
        sa.or_(
            newer.c.fetched_at > payload.c.fetched_at,
            sa.and_(newer.c.fetched_at == payload.c.fetched_at, newer.c.payload_id > payload.c.payload_id),
        ),
    )
    asked = sa.select(*(payload.c[column] for column in _PAYLOAD)).where(
        tx.ours(payload),
        payload.c.feed_id == feed_id,
        sa.or_(
            payload.c.refused_count > 0,
            payload.c.waiting_count > 0,
            payload.c.outcome != Outcome.TAKEN,
            sa.cast(payload.c.notices, sa.Text) != "[]",
        ),
        is_newest,
    )
    if since is not None:
        asked = asked.where(payload.c.fetched_at >= since)
    return [PayloadRow(*row) for row in tx.connection.execute(asked.order_by(payload.c.name))]


def refusals_in(tx: Tx, payload_ids: Iterable[str], most: int) -> list[Refusal]:
    """What was refused of some deliveries or waits, at most so many of each, by delivery and line."""
    found: list[Refusal] = []
    for payload_id in payload_ids:
        asked = _refusals(tx).where(refused.c.payload_id == payload_id)
        rows = tx.connection.execute(asked.order_by(refused.c.line, refused.c.refused_id).limit(most))
        found += [_refusal(row) for row in rows]
    return found


def payloads(tx: Tx, feed_id: str, since: dt.datetime | None = None) -> list[PayloadRow]:
    """The deliveries of a feed fetched at or after an instant (None: all), oldest first."""
    asked = sa.select(*(payload.c[name] for name in _PAYLOAD)).where(tx.ours(payload), payload.c.feed_id == feed_id)
    if since is not None:
        asked = asked.where(payload.c.fetched_at >= since)
    rows = tx.connection.execute(asked.order_by(payload.c.fetched_at, payload.c.payload_id))
    return [PayloadRow(*row) for row in rows]


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
