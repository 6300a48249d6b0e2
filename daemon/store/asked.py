"""What was asked of people and may be answered: messages that may have left, by kind and channel; knows no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import alert, message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

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
