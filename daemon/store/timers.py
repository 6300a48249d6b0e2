"""Timers: deadlines as rows; claimed with a lease, gone when what they woke is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import timer
from daemon.store.tx import chunks, ours

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from daemon.store.tx import Tx


_ANEW = """ON CONFLICT (district_id, kind, subject)
DO UPDATE SET due_at = excluded.due_at, lease_until = NULL, lease_by = NULL"""


@dataclass(frozen=True, slots=True)
class Timer:
    """The one deadline of a subject for a kind of work; knows when, not what to do then."""

    kind: str
    subject: str
    due_at: dt.datetime


def arm(tx: Tx, rows: Iterable[Timer]) -> None:
    """Set deadlines, replacing those of the same kind and subject and freeing their leases; the last of equals wins."""
    wanted = {(row.kind, row.subject): row for row in rows}
    tx.add(
        timer,
        [{"kind": row.kind, "subject": row.subject, "due_at": row.due_at} for row in wanted.values()],
        otherwise=_ANEW,
    )


def disarm(tx: Tx, keys: Iterable[tuple[str, str]]) -> None:
    """Take away the timers of these (kind, subject) pairs; those not there are no fault."""
    for kind, subjects in _by_kind(keys).items():
        for part in chunks(subjects):
            tx.connection.execute(timer.delete().where(*_these(tx, kind, part)))


def complete(tx: Tx, done: Iterable[Timer]) -> None:
    """Take away timers whose work is done, but not those that were armed anew for another instant meanwhile."""
    wanted = {(row.kind, row.subject): row.due_at for row in done}
    for kind, subjects in _by_kind(wanted).items():
        for part in chunks(subjects):
            held = tx.asks(_HELD, kind=kind, subjects=part)
            over = [row.subject for row in held if row.due_at == wanted[kind, row.subject]]
            tx.asks(_OVER, kind=kind, subjects=over)


def due(
    tx: Tx, now: dt.datetime, limit: int, kinds: Sequence[str] | None = None, after: dt.datetime | None = None
) -> list[Timer]:
    """At most `limit` deadlines passed at `now`, but not yet at `after`, and not leased, the oldest first."""
    asked = _passed(of_kinds=kinds is not None, since=after is not None)
    return [Timer(*row) for row in tx.asks(asked, kinds=kinds, now=now, after=after, most=limit)]


def due_span(tx: Tx, now: dt.datetime, kind: str) -> tuple[int, str | None, str | None]:
    """How many timers of one kind are due, and the first and last of their subjects.

    For whoever knows which there were, and only asks whether there are others now.
    """
    asked = sa.select(sa.func.count(), sa.func.min(timer.c.subject), sa.func.max(timer.c.subject))
    passed = (tx.ours(timer), timer.c.kind == kind, timer.c.due_at <= now, _free(now))
    count, first, last = tx.connection.execute(asked.where(*passed)).one()
    return count, first, last


def claim(
    tx: Tx, now: dt.datetime, lease: dt.timedelta, by: str, limit: int, kinds: Sequence[str] | None = None
) -> list[Timer]:
    """Lease at most `limit` due timers to `by`; two claimants never get the same one while the lease lasts."""
    found = due(tx, now, limit, kinds)
    won: set[tuple[str, str]] = set()
    for kind, subjects in _by_kind((row.kind, row.subject) for row in found).items():
        for part in chunks(subjects):
            taking = timer.update().where(*_these(tx, kind, part), timer.c.due_at <= now, _free(now))
            taking = taking.values(lease_until=now + lease, lease_by=by)
            won.update((kind, row[0]) for row in tx.connection.execute(taking.returning(timer.c.subject)))
    return [row for row in found if (row.kind, row.subject) in won]


def hold(tx: Tx, rows: Iterable[Timer], until: dt.datetime, by: str) -> None:
    """Lease these timers to `by`, whoever else might want them: nobody sees them due before `until`, or `free`."""
    for kind, subjects in _by_kind((row.kind, row.subject) for row in rows).items():
        for part in chunks(subjects):
            tx.connection.execute(timer.update().where(*_these(tx, kind, part)).values(lease_until=until, lease_by=by))


def free(tx: Tx, rows: Iterable[Timer] | None = None, by: str | None = None) -> None:
    """End the leases of these timers (None: of all), if they are `by`'s (None: whoever holds them)."""
    holder = timer.c.lease_by.is_not(None) if by is None else timer.c.lease_by == by
    freeing = timer.update().values(lease_until=None, lease_by=None)
    if rows is None:
        tx.connection.execute(freeing.where(tx.ours(timer), holder))
        return
    for kind, subjects in _by_kind((row.kind, row.subject) for row in rows).items():
        for part in chunks(subjects):
            tx.connection.execute(freeing.where(*_these(tx, kind, part), holder))


def next_due(tx: Tx, kinds: Sequence[str] | None = None) -> dt.datetime | None:
    """The earliest instant at which there is anything to do; a leased timer counts at the end of its lease.

    Costs the same however many timers are set: each kind's are asked for in the order of their index.
    """
    if kinds is None:
        kinds = list(tx.asks(_KINDS).scalars())
    found = [instant for kind in kinds if (instant := _next_of(tx, kind)) is not None]
    return min(found, default=None)


def _next_of(tx: Tx, kind: str) -> dt.datetime | None:
    free: dt.datetime | None = tx.asks(_FREE, kind=kind).scalar()
    # All timers before the first free one are leased; those after it cannot come before it.
    held: dt.datetime | None = tx.asks(_LEASED if free is None else _LEASED_BEFORE, kind=kind, free=free).scalar()
    return min((instant for instant in (free, held) if instant is not None), default=None)


def armed(tx: Tx, kinds: Sequence[str] | None = None) -> list[Timer]:
    """All timers, the earliest first."""
    rows = tx.connection.execute(_chosen(tx, kinds).order_by(timer.c.due_at, timer.c.kind, timer.c.subject))
    return [Timer(*row) for row in rows]


_KIND = (ours(timer), timer.c.kind == sa.bindparam("kind"))
_THESE = (*_KIND, timer.c.subject.in_(sa.bindparam("subjects", expanding=True)))
_HELD = sa.select(timer.c.subject, timer.c.due_at).where(*_THESE).with_for_update()
_OVER = timer.delete().where(*_THESE)
_KINDS = sa.select(timer.c.kind).where(ours(timer)).distinct()
_FREE = sa.select(timer.c.due_at).where(*_KIND, timer.c.lease_until.is_(None)).order_by(timer.c.due_at).limit(1)
_WAITS = sa.case((timer.c.lease_until > timer.c.due_at, timer.c.lease_until), else_=timer.c.due_at)
_LEASED = sa.select(sa.func.min(sa.type_coerce(_WAITS, timer.c.due_at.type))).where(*_KIND)
_LEASED_BEFORE = _LEASED.where(timer.c.due_at < sa.bindparam("free"))


@cache
def _passed(*, of_kinds: bool, since: bool) -> sa.Select[str, str, dt.datetime]:
    now = sa.bindparam("now", type_=timer.c.due_at.type)
    free = sa.or_(timer.c.lease_until.is_(None), timer.c.lease_until < now)
    asked = sa.select(timer.c.kind, timer.c.subject, timer.c.due_at).where(ours(timer), timer.c.due_at <= now, free)
    if of_kinds:
        asked = asked.where(timer.c.kind.in_(sa.bindparam("kinds", expanding=True)))
    if since:
        asked = asked.where(timer.c.due_at > sa.bindparam("after"))
    return asked.order_by(timer.c.due_at, timer.c.kind, timer.c.subject).limit(sa.bindparam("most", type_=sa.Integer))


def _chosen(tx: Tx, kinds: Sequence[str] | None) -> sa.Select[str, str, dt.datetime]:
    asked = sa.select(timer.c.kind, timer.c.subject, timer.c.due_at).where(tx.ours(timer))
    return asked if kinds is None else asked.where(timer.c.kind.in_(kinds))


def _free(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.or_(timer.c.lease_until.is_(None), timer.c.lease_until < now)


def _these(tx: Tx, kind: str, subjects: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (tx.ours(timer), timer.c.kind == kind, timer.c.subject.in_(subjects))


def _by_kind(keys: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for kind, subject in keys:
        kinds.setdefault(kind, []).append(subject)
    return kinds
