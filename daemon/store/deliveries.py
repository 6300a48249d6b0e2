"""Deliveries: each payload once, under its name, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import from_micros, to_micros
from daemon.store.tables import payload

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from daemon.store.tx import Tx


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
    delivered_at: dt.datetime | None = None
    """What orders it among the deliveries of its feed: of a file when it was written."""


_PAYLOAD = tuple(PayloadRow.__dataclass_fields__)


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
    delivered_at: dt.datetime | None = None,
) -> str | None:
    """Note a delivery; its new id, or None when it is the newest under that name.

    Bytes that come back after others (a correction taken back) are a delivery again.
    """
    if newest_sha256(tx, feed_id, name) == sha256:
        return None
    first, last = covers or (None, None)
    row = PayloadRow(tx.new_id(), feed_id, sha256, name, fetched_at, first, last, row_count, refused_count, outcome)
    row = replace(row, delivered_at=delivered_at)
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
    """When bytes that are read anew, or are a copy under a new name, were first delivered; None when they are news.

    `sha256` is that of the bytes, however they are read: what a changed mapping makes of them was delivered before.
    """
    known = _newest_first(tx, feed_id, name, _MOST_READINGS)
    if not known:
        low, high = f"{sha256}/", f"{sha256}0"  # every way of reading these bytes: "0" follows "/"
        asked = sa.select(sa.type_coerce(sa.func.min(payload.c.fetched_at), sa.BigInteger)).where(
            tx.ours(payload), payload.c.feed_id == feed_id, payload.c.sha256 >= low, payload.c.sha256 < high
        )
        first = tx.connection.execute(asked).scalar()
        return None if first is None else from_micros(first)
    first_at = None
    for row in known:
        if row.sha256.partition("/")[0] != sha256:
            break
        first_at = row.fetched_at
    return first_at


def delivered_as(tx: Tx, feed_id: str, name: str) -> frozenset[int]:
    """Return what ordered the deliveries under one name, in microseconds since 1970 UTC."""
    known = _newest_first(tx, feed_id, name, _MOST_READINGS)
    return frozenset(to_micros(row.delivered_at) for row in known if row.delivered_at is not None)


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
    other = payload.alias("other")
    # By its order and not by "none is newer": for that SQLite looks at every delivery of the feed, for each of them.
    newest = (
        sa.select(other.c.payload_id)
        .where(other.c.district_id == tx.district, other.c.feed_id == feed_id, other.c.name == payload.c.name)
        .order_by(other.c.fetched_at.desc(), other.c.payload_id.desc())
        .limit(1)
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
        payload.c.payload_id == newest.scalar_subquery(),
    )
    if since is not None:
        asked = asked.where(payload.c.fetched_at >= since)
    return [PayloadRow(*row) for row in tx.connection.execute(asked.order_by(payload.c.name))]


def payloads(tx: Tx, feed_id: str, since: dt.datetime | None = None) -> list[PayloadRow]:
    """The deliveries of a feed fetched at or after an instant (None: all), oldest first."""
    asked = sa.select(*(payload.c[name] for name in _PAYLOAD)).where(tx.ours(payload), payload.c.feed_id == feed_id)
    if since is not None:
        asked = asked.where(payload.c.fetched_at >= since)
    rows = tx.connection.execute(asked.order_by(payload.c.fetched_at, payload.c.payload_id))
    return [PayloadRow(*row) for row in rows]
