"""How channels fare as a whole: when one last took a message, what waits for it, and which addresses it refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import FAILED, QUEUED, SENT
from daemon.store.tables import attempt, message
from daemon.store.tx import rows_where_in
from notifiers.contract import Fault

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from daemon.store.tx import Tx


def first_tried(tx: Tx, message_ids: Iterable[str]) -> dict[str, dt.datetime]:
    """Return by message when it was tried first."""
    asked = sa.select(attempt.c.message_id, attempt.c.started_at).where(tx.ours(attempt), attempt.c.n == 1)
    return {row[0]: row[1] for row in rows_where_in(tx, asked, attempt.c.message_id, message_ids)}


def last_sent(tx: Tx, channel: str, addressee: str | None) -> dt.datetime | None:
    """Return when a channel last took a message, to one addressee or (None) to anybody; None where it never did."""
    taken = [tx.ours(message), message.c.channel == channel, message.c.state == SENT, message.c.told_at.is_not(None)]
    if addressee is not None:
        taken.append(message.c.addressee == addressee)
    asked = sa.select(message.c.told_at).where(*taken).order_by(message.c.told_at.desc()).limit(1)
    return tx.connection.execute(asked).scalar()


def hasten(tx: Tx, channel: str, addressee: str | None, now: dt.datetime) -> None:
    """Let everything that a channel refused, and surely did not take, be tried again at once."""
    waits = (message.c.channel == channel, message.c.state == QUEUED, message.c.attempts > 0, message.c.next_at > now)
    sure = (message.c.lease_by.is_(None), message.c.held.is_(None), ~message.c.doubtful)
    changing = message.update().where(tx.ours(message), *waits, *sure).values(next_at=now)
    tx.connection.execute(changing if addressee is None else changing.where(message.c.addressee == addressee))


def refused_addresses(tx: Tx, channel: str, since: dt.datetime) -> tuple[int, str | None]:
    """Return how many addresses of a channel were refused for good after an instant, and why the last one was."""
    same = (attempt.c.district_id == message.c.district_id) & (attempt.c.message_id == message.c.message_id)
    asked = sa.select(message.c.addressee, attempt.c.error).join_from(message, attempt, same)
    asked = asked.where(tx.ours(message), message.c.channel == channel, message.c.state == FAILED)
    asked = asked.where(attempt.c.fault == Fault.ADDRESS, attempt.c.ended_at > since).order_by(attempt.c.ended_at)
    rows = tx.connection.execute(asked).all()
    return len({row[0] for row in rows}), rows[-1][1] if rows else None
