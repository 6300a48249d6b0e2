"""Which waiting message an alert joins: that of its list, or one that waits anyway for the same addressee."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import QUEUED, AlertDraft
from daemon.store.tables import alert, message
from daemon.store.tx import rows_where_in
from rules.pacing import bundle_of, kind_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from daemon.store.tx import Tx

FAMILY = "guardian"
"""Whoever is told about several children of a family is told once, waiting or not."""
FEW = 8
"""Of what leaves at once so many are kept in mind for a family; nobody has more children in one draft."""
SILENCED = "silence:"
"""What a message is held by begins so where a silence holds it: nothing joins it."""


@dataclass(slots=True)
class Open:
    """A message that alerts may join until it is claimed; `stored` where it was there before this draft."""

    message_id: str
    addressee: str
    channel: str
    kind: str
    next_at: dt.datetime
    contact_id: str
    group_key: str | None
    held: str | None = None
    bundle: str | None = None
    alerts: int = 0
    stored: bool = False
    cases: set[str | None] = field(default_factory=set)

    def fits(self, one: AlertDraft) -> bool:
        """Whether `one` has room in it."""
        return one.fits is None or self.alerts < one.fits

    def waits_for(self, one: AlertDraft, now: dt.datetime) -> bool:
        """Whether `one`, of no list of its own, may go with it: it waits anyway, or is for one family."""
        if self.next_at > now:
            return True
        others = one.contact_id != self.contact_id or one.role == FAMILY
        return others and one.case_id not in self.cases


class Joining:
    """The messages that alerts of one draft may join; those in the store are held until the commit."""

    def __init__(self, found: Iterable[Open], now: dt.datetime) -> None:
        self._now = now
        self._lists: dict[tuple[str, str, str], Open] = {}
        self._bundles: dict[tuple[str, str, str], list[Open]] = {}
        self._joined: dict[str, Open] = {}
        self._new: dict[str, Open] = {}
        for one in found:
            self._keep(one)

    def _keep(self, one: Open) -> None:
        if one.group_key is not None:
            self._lists[one.group_key, one.addressee, one.channel] = one
        if one.bundle is not None:
            beside = self._bundles.setdefault((one.bundle, one.addressee, one.channel), [])
            if one.next_at > self._now or len(beside) < FEW:
                beside.append(one)

    def place(self, one: AlertDraft) -> str | None:
        """The message `one` joins, by id; None: it needs one of its own, which is to be opened."""
        found = self._listed(one)
        if found is None:
            found = self._waiting(one)
            if found is None:
                return None
            found.kind = kind_of({found.kind, one.kind}, about_children=one.student_id is not None)
        found.alerts += 1
        found.cases.add(one.case_id)
        if found.stored:
            # What is held is asked again: what has joined it may not have to wait.
            found.next_at = max(self._now, one.not_before or self._now) if found.held else found.next_at
            self._joined[found.message_id] = found
        return found.message_id

    def _listed(self, one: AlertDraft) -> Open | None:
        found = self._lists.get((one.group_key, addressee_of(one), one.channel)) if one.group_key else None
        return found if found is not None and found.fits(one) else None

    def _waiting(self, one: AlertDraft) -> Open | None:
        of = self._bundles.get((one.bundle, addressee_of(one), one.channel), []) if one.bundle else []
        return next((found for found in of if found.fits(one) and found.waits_for(one, self._now)), None)

    def opened(self, one: AlertDraft, message_id: str, next_at: dt.datetime) -> None:
        """`one` has a message of its own, which others may join."""
        new = Open(message_id, addressee_of(one), one.channel, one.kind, next_at, one.contact_id, one.group_key)
        new.bundle, new.alerts, new.cases = one.bundle, 1, {one.case_id}
        self._new[message_id] = new
        self._keep(new)

    def kind(self, message_id: str) -> str:
        """What a message opened in this draft has become."""
        return self._new[message_id].kind

    def write(self, tx: Tx) -> None:
        """Let the stored messages that were joined be what they have become."""
        for one in self._joined.values():
            changing = message.update().where(tx.ours(message), message.c.message_id == one.message_id)
            tx.connection.execute(changing.values(kind=one.kind, next_at=one.next_at))


def addressee_of(one: AlertDraft) -> str:
    """The key of the address, else the contact."""
    return one.addressee or one.contact_id


def joining(tx: Tx, new: Sequence[AlertDraft], now: dt.datetime) -> Joining:
    """The waiting messages that alerts of `new` may join, held, so that none is claimed before they are in it."""
    lists = sorted({one.group_key for one in new if one.group_key is not None})
    bundled = [one for one in new if one.bundle is not None]
    found = _hold(tx, [message.c.group_key.in_(lists)]) if lists else {}
    if bundled:
        family = sorted({addressee_of(one) for one in bundled if one.role == FAMILY})
        waits = sa.or_(message.c.next_at > now, message.c.addressee.in_(family)) if family else message.c.next_at > now
        to = sorted({addressee_of(one) for one in bundled})
        channels = sorted({one.channel for one in bundled})
        found |= _hold(tx, [message.c.channel.in_(channels), message.c.addressee.in_(to), waits])
    if any(one.fits is not None or one.role == FAMILY for one in new):
        _count(tx, found)
    return Joining(found.values(), now)


def _hold(tx: Tx, which: Sequence[sa.ColumnElement[bool]]) -> dict[str, Open]:
    c = message.c
    free = (c.state == QUEUED, c.lease_until.is_(None), c.attempts == 0)
    silenced = sa.and_(c.held.is_not(None), c.held.startswith(SILENCED))
    holding = message.update().where(tx.ours(message), *free, *which, ~silenced).values(state=QUEUED)
    names = (c.message_id, c.addressee, c.channel, c.kind, c.next_at, c.contact_id, c.group_key, c.held)
    rows = tx.connection.execute(holding.returning(*names))
    found = [Open(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]) for row in rows]
    return {one.message_id: replace(one, bundle=bundle_of(one.kind, about_child=True), stored=True) for one in found}


def _count(tx: Tx, found: dict[str, Open]) -> None:
    asked = sa.select(alert.c.message_id, alert.c.case_id).where(tx.ours(alert), alert.c.cancelled_at.is_(None))
    for message_id, case_id in rows_where_in(tx, asked, alert.c.message_id, found):
        found[message_id].alerts += 1
        found[message_id].cases.add(case_id)
