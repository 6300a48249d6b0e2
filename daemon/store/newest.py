"""The newest instant a store has seen, by which a clock that is behind is known; and who said that a clock is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.columns import from_micros, to_micros
from daemon.store.tables import counter, feed, message
from daemon.store.tx import ours

if TYPE_CHECKING:
    import datetime as dt

    from daemon.store.tx import Tx

_NEWEST, _ACCEPTED = "newest instant", "clock accepted"


def newest_instant(tx: Tx) -> dt.datetime | None:
    """Return the newest instant noted, polled or queued at; None for a store that has seen nothing."""
    noted = _value(tx, _NEWEST)
    polled = tx.asks(_POLLED).scalar()
    queued = tx.asks(_QUEUED).scalar()
    found = [one for one in (noted, polled, queued) if one is not None]
    return max(found, default=None)


def note_instant(tx: Tx, now: dt.datetime) -> None:
    """Keep that the store has seen `now`, unless it has seen later."""
    noted = _value(tx, _NEWEST)
    if noted is None or noted < now:
        _put(tx, _NEWEST, now)


def forget_later(tx: Tx, now: dt.datetime) -> None:
    """Forget that the store has seen anything later than `now`."""
    noted = _value(tx, _NEWEST)
    if noted is not None and noted > now:
        _put(tx, _NEWEST, now)


def accept_clock(tx: Tx, now: dt.datetime) -> None:
    """Keep that somebody has said that the clock is right, at the instant it shows."""
    _put(tx, _NEWEST, now)
    _put(tx, _ACCEPTED, now)


def accepted_at(tx: Tx) -> dt.datetime | None:
    """Return what the clock showed when somebody last said that it is right; None when nobody has."""
    return _value(tx, _ACCEPTED)


def _value(tx: Tx, name: str) -> dt.datetime | None:
    micros = tx.asks(_KEPT, name=name).scalar()
    return None if micros is None else from_micros(micros)


def _put(tx: Tx, name: str, instant: dt.datetime) -> None:
    insert = tx.inserting(counter).values(district_id=tx.district, name=name, value=to_micros(instant))
    kept = {"value": insert.excluded.value}
    tx.connection.execute(insert.on_conflict_do_update(index_elements=["district_id", "name"], set_=kept))


_KEPT = sa.select(counter.c.value).where(ours(counter), counter.c.name == sa.bindparam("name"))
_POLLED = sa.select(sa.type_coerce(sa.func.max(feed.c.last_polled_at), feed.c.last_polled_at.type)).where(ours(feed))
_QUEUED = sa.select(message.c.created_at).where(ours(message)).order_by(message.c.created_at.desc()).limit(1)
