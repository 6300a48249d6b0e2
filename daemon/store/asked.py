"""What was asked of people and may be answered: messages that may have left, by kind and channel; knows no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import alert, message
from daemon.store.tx import among

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that may have left, to whom and when it was made."""

    message_id: str
    contact_id: str
    created_at: dt.datetime


def asked_on(tx: Tx, channel: str, kinds: Collection[str], since: dt.datetime) -> list[Asked]:
    """Messages of a channel made since, tried at least once, that hold alerts of these kinds; newest first."""
    holds = sa.exists().where(
        alert.c.district_id == message.c.district_id,
        alert.c.message_id == message.c.message_id,
        alert.c.kind.in_(sorted(kinds)),
        alert.c.cancelled_at.is_(None),
    )
    wanted = (message.c.channel == channel, message.c.created_at >= since, message.c.attempts > 0)
    asked = sa.select(*(message.c[name] for name in Asked.__dataclass_fields__)).where(tx.ours(message), *wanted, holds)
    ordered = asked.order_by(message.c.created_at.desc(), message.c.message_id.desc())
    return [Asked(*row) for row in tx.connection.execute(ordered)]


def last_tried(tx: Tx, channel: str, contact_ids: Iterable[str]) -> str | None:
    """Return the newest message of a channel to any of these contacts that may have left, of whatever kind."""
    mine = (
        message.c.channel == channel,
        among(tx, message.c.contact_id, sorted(set(contact_ids))),
        message.c.attempts > 0,
    )
    asked = sa.select(message.c.message_id).where(tx.ours(message), *mine)
    newest = asked.order_by(message.c.created_at.desc(), message.c.message_id.desc()).limit(1)
    return tx.connection.execute(newest).scalar()


def count_told(tx: Tx, kind: str, contact_id: str, since: dt.datetime) -> int:
    """Return how many alerts of a kind were made for a contact since an instant."""
    wanted = (alert.c.kind == kind, alert.c.contact_id == contact_id, alert.c.raised_at >= since)
    return int(tx.connection.execute(sa.select(sa.func.count()).where(tx.ours(alert), *wanted)).scalar() or 0)
