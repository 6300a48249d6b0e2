"""Holding back what was claimed: until when and why; parts and wholes of it, and letting it go again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import QUEUED, MessageRow
from daemon.store.tables import alert, message
from daemon.store.tx import among, chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from daemon.store.tx import Tx
    from rules.pacing import Hold


@dataclass(frozen=True, slots=True)
class Gathering:
    """A message held back by a throttle, which may take in more: how many alerts it has."""

    message_id: str
    addressee: str
    kind: str
    alerts: int


def told_since(
    tx: Tx, channel: str, addressees: Collection[str], since: dt.datetime, now: dt.datetime, but: Collection[str]
) -> dict[str, list[dt.datetime]]:
    """When each addressee was told on a channel after `since`, in order; what is on its way but `but` counts as now."""
    c = message.c
    mine = (tx.ours(message), c.channel == channel, among(tx, c.addressee, sorted(addressees)))
    told = sa.select(c.addressee, c.told_at).where(*mine, c.told_at.is_not(None), c.told_at > since)
    flying = sa.select(c.addressee, c.lease_until).where(
        *mine, c.told_at.is_(None), c.state == QUEUED, c.attempts > 0, c.lease_until >= now, c.message_id.not_in(but)
    )
    found: dict[str, list[dt.datetime]] = {}
    for addressee, at in tx.connection.execute(sa.union_all(told, flying)):
        found.setdefault(addressee, []).append(min(at, now))
    return {addressee: sorted(instants) for addressee, instants in found.items()}


def hold(tx: Tx, held: Mapping[str, Hold], by: str) -> None:
    """Give back messages claimed and not attempted: not before an instant, and why."""
    if not held:
        return
    c = message.c
    holding = message.update().where(
        tx.ours(message), c.message_id == sa.bindparam("which"), c.state == QUEUED, c.lease_by == by
    )
    holding = holding.values(
        next_at=sa.bindparam("until", type_=c.next_at.type), held=sa.bindparam("why"), lease_until=None, lease_by=None
    )
    tx.connection.execute(
        holding, [{"which": key, "until": one.until, "why": one.why} for key, one in sorted(held.items())]
    )


def unhold(tx: Tx, message_ids: Iterable[str]) -> None:
    """These wait for nothing any more."""
    for part in chunks(sorted(message_ids)):
        going = message.update().where(tx.ours(message), message.c.message_id.in_(part))
        tx.connection.execute(going.values(held=None))


def gatherings(tx: Tx, channel: str, addressees: Collection[str]) -> list[Gathering]:
    """What a throttle holds back for these addressees and nobody has tried to send, held until the commit."""
    c = message.c
    free = (c.state == QUEUED, c.channel == channel, c.lease_until.is_(None), c.attempts == 0, c.held == "throttle")
    holding = message.update().where(tx.ours(message), *free, c.addressee.in_(sorted(addressees)))
    rows = tx.connection.execute(holding.values(state=QUEUED).returning(c.message_id, c.addressee, c.kind)).all()
    counted = sa.select(alert.c.message_id, sa.func.count()).group_by(alert.c.message_id)
    counted = counted.where(
        tx.ours(alert), alert.c.message_id.in_([row[0] for row in rows]), alert.c.cancelled_at.is_(None)
    )
    size = {row[0]: row[1] for row in tx.connection.execute(counted)} if rows else {}
    found = [Gathering(row[0], row[1], row[2], size.get(row[0], 0)) for row in rows]
    return sorted(found, key=lambda one: one.message_id)


def merge(tx: Tx, into: str, kind: str, message_ids: Sequence[str]) -> None:
    """Let messages nobody tried to send leave as one, of `kind`; what is emptied is gone."""
    if message_ids:
        moving = alert.update().where(tx.ours(alert), alert.c.message_id.in_(message_ids))
        tx.connection.execute(moving.values(message_id=into))
        tx.connection.execute(message.delete().where(tx.ours(message), message.c.message_id.in_(message_ids)))
    become = message.update().where(tx.ours(message), message.c.message_id == into)
    tx.connection.execute(become.values(kind=kind))


def split(tx: Tx, row: MessageRow, alert_ids: Sequence[str], kind: str, held: Hold) -> None:
    """Take alerts out of a message nobody tried to send, into one that is held."""
    apart = replace(
        row,
        message_id=tx.new_id(),
        kind=kind,
        group_key=None,
        next_at=held.until,
        held=held.why,
        lease_until=None,
        lease_by=None,
    )
    tx.add(message, [{name: getattr(apart, name) for name in MessageRow.__dataclass_fields__}])
    moving = alert.update().where(tx.ours(alert), alert.c.alert_id.in_(alert_ids))
    tx.connection.execute(moving.values(message_id=apart.message_id))


def ask_again(tx: Tx, now: dt.datetime, why: Sequence[str]) -> int:
    """What is held for one of these reasons is due now, and asked anew whether it may leave; how many."""
    c = message.c
    freeing = message.update().where(
        tx.ours(message), c.state == QUEUED, c.held.in_(why), c.next_at > now, c.lease_until.is_(None)
    )
    return tx.connection.execute(freeing.values(next_at=now)).rowcount


def counts(tx: Tx) -> dict[str, int]:
    """How many messages are held, by why."""
    c = message.c
    asked = sa.select(c.held, sa.func.count()).where(tx.ours(message), c.state == QUEUED, c.held.is_not(None))
    return {row[0]: row[1] for row in tx.connection.execute(asked.group_by(c.held))}
