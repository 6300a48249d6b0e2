"""The delivery record as it is read: messages with their attempts and receipts, and the times they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import ALERT_COLUMNS, ATTEMPT_COLUMNS, MESSAGE_COLUMNS, AlertRow, AttemptRow, MessageRow
from daemon.store.outbox import alerts_by_message
from daemon.store.receipts import ReceiptRow, receipts_of
from daemon.store.tables import alert, attempt, message
from daemon.store.tx import rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Posted:
    """One message with its alerts, every attempt to send it, and every word about what became of it."""

    message: MessageRow
    alerts: tuple[AlertRow, ...]
    attempts: tuple[AttemptRow, ...]
    receipts: tuple[ReceiptRow, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """How long one message took, in as far as it came: made, taken by its channel, arrived."""

    channel: str
    state: str
    attempts: int
    created_at: dt.datetime
    told_at: dt.datetime | None
    delivered_at: dt.datetime | None


_TAKEN = [message.c[name] for name in Taken.__dataclass_fields__]


def list_posted(
    tx: Tx,
    *,
    state: str | None = None,
    channel: str | None = None,
    case_id: str | None = None,
    contact_id: str | None = None,
    since: dt.datetime | None = None,
    limit: int = 100,
) -> list[Posted]:
    """The newest messages that are as asked for, newest first."""
    asked = sa.select(*MESSAGE_COLUMNS).where(tx.ours(message))
    named = {message.c.state: state, message.c.channel: channel, message.c.contact_id: contact_id}
    asked = asked.where(*(column == value for column, value in named.items() if value is not None))
    if since is not None:
        asked = asked.where(message.c.created_at >= since)
    if case_id is not None:
        about = sa.select(alert.c.message_id).where(tx.ours(alert), alert.c.case_id == case_id)
        asked = asked.where(message.c.message_id.in_(about))
    asked = asked.order_by(message.c.created_at.desc(), message.c.message_id.desc()).limit(limit)
    return _whole(tx, [MessageRow(*row) for row in tx.connection.execute(asked)])


def posted_about(tx: Tx, case_id: str) -> list[tuple[AlertRow, Posted]]:
    """Every alert about a case, also the cancelled, with the message it was in; the oldest first."""
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert), alert.c.case_id == case_id)
    alerts = [AlertRow(*row) for row in tx.connection.execute(asked.order_by(alert.c.created_at, alert.c.alert_id))]
    chosen = sa.select(*MESSAGE_COLUMNS).where(tx.ours(message))
    ids = {one.message_id for one in alerts}
    rows = [MessageRow(*row) for row in rows_where_in(tx, chosen, message.c.message_id, ids)]
    posted = {one.message.message_id: one for one in _whole(tx, rows)}
    return [(one, posted[one.message_id]) for one in alerts]


def times_taken(tx: Tx, since: dt.datetime) -> Iterator[Taken]:
    """Every message made since an instant, with the times it took."""
    asked = sa.select(*_TAKEN).where(tx.ours(message), message.c.created_at >= since)
    for row in tx.connection.execution_options(yield_per=5_000).execute(asked):
        yield Taken(*row)


def _whole(tx: Tx, rows: list[MessageRow]) -> list[Posted]:
    ids = [row.message_id for row in rows]
    alerts, attempts, receipts = alerts_by_message(tx, ids), _attempts(tx, ids), receipts_of(tx, ids)
    return [
        Posted(row, alerts.get(key, ()), attempts.get(key, ()), receipts.get(key, ()))
        for row in rows
        for key in (row.message_id,)
    ]


def _attempts(tx: Tx, message_ids: Iterable[str]) -> dict[str, tuple[AttemptRow, ...]]:
    asked = sa.select(*ATTEMPT_COLUMNS).where(tx.ours(attempt)).order_by(attempt.c.message_id, attempt.c.n)
    found: dict[str, list[AttemptRow]] = {}
    for row in rows_where_in(tx, asked, attempt.c.message_id, message_ids):
        found.setdefault(row[0], []).append(AttemptRow(*row))
    return {key: tuple(rows) for key, rows in found.items()}
