"""The mode a district was in last, and messages that are kept back, or were, while only the operator is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import FAILED, QUEUED, SHADOW
from daemon.store.tables import alert, attempt, counter, message

if TYPE_CHECKING:
    from daemon.store.tx import Tx

_NAME = "mode"
_VALUES = {"live": 1, "shadow": 2}


def mode_of(tx: Tx) -> str | None:
    """The mode recorded last; None before one was."""
    asked = sa.select(counter.c.value).where(tx.ours(counter), counter.c.name == _NAME)
    value = tx.connection.execute(asked).scalar()
    return next((name for name, number in _VALUES.items() if number == value), None)


def record_mode(tx: Tx, mode: str) -> None:
    """Write down the mode that holds from now on."""
    insert = tx.inserting(counter).values(district_id=tx.district, name=_NAME, value=_VALUES[mode])
    changed = insert.on_conflict_do_update(index_elements=["district_id", "name"], set_={"value": _VALUES[mode]})
    tx.connection.execute(changed)


def keep_back(tx: Tx, but_for: str) -> None:
    """Let nothing leave that waits to, but what is for a role; what may have arrived counts as told, and is given up.

    What is kept back is as if it had been decided in shadow. What is being sent this instant is sent.
    """
    same = (alert.c.district_id == message.c.district_id, alert.c.message_id == message.c.message_id)
    theirs = sa.exists().where(*same, alert.c.cancelled_at.is_(None), alert.c.role == but_for)
    flying = sa.exists().where(
        attempt.c.district_id == message.c.district_id,
        attempt.c.message_id == message.c.message_id,
        attempt.c.ended_at.is_(None),
    )
    waiting = message.update().where(tx.ours(message), message.c.state == QUEUED, ~theirs, ~flying)
    freed = {"lease_until": None, "lease_by": None}
    tx.connection.execute(waiting.where(message.c.doubtful).values(state=FAILED, **freed))
    tx.connection.execute(waiting.where(~message.c.doubtful).values(state=SHADOW, held=None, **freed))
