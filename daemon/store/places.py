"""Places: how many of the messages that wait may be claimed, and which of them come first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import QUEUED
from daemon.store.tables import message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from daemon.store.tx import Tx

_MANY = 32
_LOOKS = 8
"""So many times at most what waits is looked through for addressees that have a place."""


@dataclass(frozen=True, slots=True)
class Places:
    """How many messages may be claimed: `total`, of those `each` of any one addressee, but of some as many as `left`.

    Without `each` only the total counts. Unless `further`, the first look is the last if it finds many: to look behind
    whoever has very much waiting is to read past all of it.
    """

    total: int
    each: int | None = None
    left: Mapping[str, int] = field(default_factory=dict)
    further: bool = True

    def of(self, addressee: str) -> int:
        """How many of one addressee."""
        return self.total if self.each is None else self.left.get(addressee, self.each)

    @property
    def full(self) -> frozenset[str]:
        """The addressees that have no place left."""
        return frozenset(key for key, left in self.left.items() if left <= 0) if self.each else frozenset()


def any_due(tx: Tx, now: dt.datetime, channel: str, full: Collection[str] = ()) -> bool:
    """Whether anything can be claimed of a channel for others than those who have no place left."""
    asked = _waiting(tx, now, channel, full).with_only_columns(sa.literal(1)).limit(1)
    return tx.connection.execute(asked).first() is not None


def _waiting(tx: Tx, now: dt.datetime, channel: str, full: Collection[str]) -> sa.Select[*tuple[Any, ...]]:
    c = message.c
    asked = sa.select(c.message_id, c.addressee, c.priority, c.turn, sa.type_coerce(c.next_at, sa.BigInteger)).where(
        tx.ours(message), c.state == QUEUED, c.channel == channel, c.next_at <= now, free_at(now)
    )
    return asked.where(c.addressee.not_in(sorted(full))) if full else asked


def due(tx: Tx, now: dt.datetime, places: Places, channel: str) -> list[str]:
    """What is due in the order in which it is to leave, of no addressee more than it has places for.

    Whoever has more waiting than that is left out at the next look, which so comes to those behind it.
    """
    c = message.c
    kept: list[sa.Row[Any]] = []
    full = set(places.full)
    for _ in range(_LOOKS):
        asked = _waiting(tx, now, channel, full).order_by(c.priority, c.turn, c.next_at, c.message_id)
        rows = list(tx.connection.execute(asked.limit(places.total - len(kept))))
        taken: Counter[str] = Counter()
        found, more = [], set()
        for row in rows:
            if taken[row[1]] < places.of(row[1]):
                taken[row[1]] += 1
                found.append(row)
            else:
                more.add(row[1])
        if not more or (len(found) >= _MANY and not places.further):
            kept += found
            break
        kept += [row for row in found if row[1] in more]
        full |= more
    else:
        kept += [row for row in found if row[1] not in more]
    return [row[0] for row in sorted(kept, key=lambda row: (*row[2:], row[0]))]


def free_at(now: dt.datetime) -> sa.ColumnElement[bool]:
    """That nobody holds a message."""
    return sa.or_(message.c.lease_until.is_(None), message.c.lease_until < now)
