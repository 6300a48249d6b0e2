"""Addresses that failed for good: known until they work again, or the contact has another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import message, unreachable
from daemon.store.tx import rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Unreachable:
    """One contact's address on one channel that failed: which (by its key), since when, why, and with which message.

    `reason` is a channel's words about a fault, without an address; `failed_at` is when it last failed.
    """

    contact_id: str
    channel: str
    address_key: str
    since: dt.datetime
    reason: str
    message_id: str | None = None
    failed_at: dt.datetime = field(kw_only=True)


_COLUMNS = tuple(Unreachable.__dataclass_fields__)
_KEPT = "ON CONFLICT (district_id, contact_id, channel) DO UPDATE SET failed_at = excluded.failed_at"


def flag(tx: Tx, rows: Sequence[Unreachable]) -> list[Unreachable]:
    """Note addresses that failed, and return those that were not noted before; another in the place of one is new."""
    wanted = {(row.contact_id, row.channel): row for row in rows}
    _forget_others(tx, wanted.values())
    tx.add(unreachable, [_values(row) for row in wanted.values()], otherwise=_KEPT)
    kept = {(row.contact_id, row.channel): row for row in flags(tx, {row.contact_id for row in wanted.values()})}
    return [row for key, row in wanted.items() if kept.get(key) == row]


def flags(tx: Tx, contact_ids: Iterable[str] | None = None) -> list[Unreachable]:
    """What is noted of these contacts (None: of all), by contact and channel; of addresses they may no longer have."""
    asked = sa.select(*(unreachable.c[name] for name in _COLUMNS)).where(tx.ours(unreachable))
    ordered = asked.order_by(unreachable.c.contact_id, unreachable.c.channel)
    found = rows_where_in(tx, ordered, unreachable.c.contact_id, contact_ids)
    return [Unreachable(**dict(zip(_COLUMNS, row, strict=True))) for row in found]


def clear(tx: Tx, message_ids: Iterable[str], *, but: str | None = None) -> int:
    """Forget what is noted of the addresses these messages reached, unless for reasons that begin with `but`.

    How many were forgotten.
    """
    if not tx.connection.execute(sa.select(unreachable.c.contact_id).where(tx.ours(unreachable)).limit(1)).first():
        return 0  # as it nearly always is: this is asked whenever something was sent
    same = (message.c.contact_id == unreachable.c.contact_id, message.c.channel == unreachable.c.channel)
    asked = sa.select(unreachable.c.contact_id, unreachable.c.channel).join(
        message, sa.and_(message.c.district_id == unreachable.c.district_id, *same)
    )
    asked = asked.where(tx.ours(unreachable))
    if but is not None:
        asked = asked.where(~unreachable.c.reason.startswith(but, autoescape=True))
    found = {(row[0], row[1]) for row in rows_where_in(tx, asked, message.c.message_id, message_ids)}
    return forget(tx, found)


def forget(tx: Tx, keys: Iterable[tuple[str, str]]) -> int:
    """Forget what is noted of these (contact, channel) pairs; how many there were."""
    gone = 0
    for contact_id, channel in sorted(keys):
        one = (unreachable.c.contact_id == contact_id, unreachable.c.channel == channel)
        gone += tx.connection.execute(unreachable.delete().where(tx.ours(unreachable), *one)).rowcount
    return gone


def _forget_others(tx: Tx, rows: Iterable[Unreachable]) -> None:
    for row in rows:
        one = (unreachable.c.contact_id == row.contact_id, unreachable.c.channel == row.channel)
        other = unreachable.delete().where(tx.ours(unreachable), *one, unreachable.c.address_key != row.address_key)
        tx.connection.execute(other)


def _values(row: Unreachable) -> dict[str, object]:
    return {name: getattr(row, name) for name in _COLUMNS}
