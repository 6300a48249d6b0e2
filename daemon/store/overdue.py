"""Work that should have been done by now: rows that nothing will wake, and rows that wait although they are due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import ALERT_COLUMNS, CANCELLED, FAILED, QUEUED, AlertRow
from daemon.store.tables import alert, attempt, case, message, timer
from daemon.store.timers import Timer
from daemon.store.tx import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from daemon.store.tx import Tx

CASE = "case"
"""The kind of the timers of cases; their subject is the child."""
MOST = 10_000
"""So many rows of a kind are looked at; where there are more, the next look finds them."""


@dataclass(frozen=True, slots=True)
class Late:
    """One row that is late: its id, and since when."""

    subject: str
    since: dt.datetime


def unwoken_cases(tx: Tx) -> list[Timer]:
    """For every open case that wants to be looked at and has no timer that would see to it: the one it lacks."""
    same = (timer.c.district_id == case.c.district_id, timer.c.kind == CASE, timer.c.subject == case.c.student_id)
    woken = sa.exists().where(*same, timer.c.due_at <= case.c.wake_at)
    asked = sa.select(case.c.student_id, case.c.wake_at).where(tx.ours(case), case.c.is_open)
    asked = asked.where(case.c.wake_at.is_not(None), ~woken).order_by(case.c.wake_at).limit(MOST)
    return [Timer(CASE, row[0], row[1]) for row in tx.connection.execute(asked)]


def late_timers(tx: Tx, before: dt.datetime, now: dt.datetime) -> list[Timer]:
    """Timers that were due before an instant and that nobody has taken up."""
    free = sa.or_(timer.c.lease_until.is_(None), timer.c.lease_until < now)
    asked = sa.select(timer.c.kind, timer.c.subject, timer.c.due_at).where(
        tx.ours(timer), timer.c.due_at < before, free
    )
    return [Timer(*row) for row in tx.connection.execute(asked.order_by(timer.c.due_at).limit(MOST))]


def dead_timers(tx: Tx, beyond: dt.datetime) -> list[Timer]:
    """Timers leased until later than anybody leases them: somebody's clock was wrong."""
    asked = sa.select(timer.c.kind, timer.c.subject, timer.c.due_at)
    return [Timer(*row) for row in tx.connection.execute(asked.where(tx.ours(timer), timer.c.lease_until > beyond))]


def late_messages(tx: Tx, channels: Sequence[str], before: dt.datetime, now: dt.datetime) -> list[Late]:
    """Messages of channels that were to leave before an instant and that nobody has taken up."""
    free = sa.or_(message.c.lease_until.is_(None), message.c.lease_until < now)
    asked = sa.select(message.c.message_id, message.c.next_at).where(tx.ours(message), message.c.state == QUEUED)
    asked = asked.where(message.c.channel.in_(channels), message.c.next_at < before, free)
    return [Late(*row) for row in tx.connection.execute(asked.order_by(message.c.next_at).limit(MOST))]


def orphaned_messages(tx: Tx, channels: Sequence[str], before: dt.datetime, now: dt.datetime) -> list[Late]:
    """Messages that were to leave before an instant on other channels than these."""
    free = sa.or_(message.c.lease_until.is_(None), message.c.lease_until < now)
    asked = sa.select(message.c.message_id, message.c.next_at).where(tx.ours(message), message.c.state == QUEUED)
    asked = asked.where(message.c.channel.not_in(channels), message.c.next_at < before, free)
    return [Late(*row) for row in tx.connection.execute(asked.order_by(message.c.next_at).limit(MOST))]


def dead_messages(tx: Tx, beyond: dt.datetime) -> list[Late]:
    """Messages leased until later than anybody leases them."""
    asked = sa.select(message.c.message_id, message.c.next_at).where(tx.ours(message), message.c.state == QUEUED)
    return [Late(*row) for row in tx.connection.execute(asked.where(message.c.lease_until > beyond).limit(MOST))]


def stranded_alerts(tx: Tx, since: dt.datetime) -> list[AlertRow]:
    """Alerts made since an instant that nobody cancelled and whose message will not leave, or is not there."""
    theirs = (message.c.district_id == alert.c.district_id) & (message.c.message_id == alert.c.message_id)
    lost = sa.or_(message.c.message_id.is_(None), message.c.state == CANCELLED)
    asked = sa.select(*ALERT_COLUMNS).join_from(alert, message, theirs, isouter=True)
    asked = asked.where(tx.ours(alert), alert.c.cancelled_at.is_(None), alert.c.created_at >= since, lost)
    return [AlertRow(*row) for row in tx.connection.execute(asked.order_by(alert.c.created_at).limit(MOST))]


def unreached_alerts(tx: Tx, before: dt.datetime, kind: str) -> list[AlertRow]:
    """Alerts with channels left to try, that did not leave by an instant, and that nothing will try on the next.

    `kind` is that of the timers that see to it, by the key of the alert.
    """
    theirs = (message.c.district_id == alert.c.district_id) & (message.c.message_id == alert.c.message_id)
    timed = sa.exists().where(timer.c.district_id == alert.c.district_id, timer.c.kind == kind)
    asked = sa.select(*ALERT_COLUMNS).join_from(alert, message, theirs)
    asked = asked.where(tx.ours(alert), alert.c.cancelled_at.is_(None), alert.c.falls_back_at < before)
    asked = asked.where(message.c.state == QUEUED, ~timed.where(timer.c.subject == alert.c.key))
    found = [AlertRow(*row) for row in tx.connection.execute(asked.order_by(alert.c.falls_back_at).limit(MOST))]
    followed = _followed(tx, map(_root, found))
    return [row for row in found if row.fallback and row.created_at >= followed.get(_root(row), row.created_at)]


def _root(row: AlertRow) -> str:
    return row.instead_of or row.alert_id


def _followed(tx: Tx, alert_ids: Iterable[str]) -> dict[str, dt.datetime]:
    """By alert the making of the last that stands in its place."""
    found: dict[str, dt.datetime] = {}
    for part in chunks(sorted(set(alert_ids))):
        last = sa.func.max(alert.c.created_at)
        asked = sa.select(alert.c.instead_of, sa.type_coerce(last, alert.c.created_at.type))
        grouped = asked.where(tx.ours(alert), alert.c.instead_of.in_(part)).group_by(alert.c.instead_of)
        found |= {row[0]: row[1] for row in tx.connection.execute(grouped)}
    return found


@dataclass(frozen=True, slots=True)
class Failing:
    """A message that waits and was refused: over which channel, to which address, when first, and why."""

    channel: str
    addressee: str
    since: dt.datetime
    error: str | None


def failing(tx: Tx, channels: Sequence[str]) -> list[Failing]:
    """Return by channel and address the waiting message that was refused first."""
    mine = (attempt.c.district_id == message.c.district_id) & (attempt.c.message_id == message.c.message_id)
    since = sa.type_coerce(sa.func.min(attempt.c.started_at), attempt.c.started_at.type)
    asked = sa.select(message.c.channel, message.c.addressee, since, sa.func.max(attempt.c.error))
    asked = asked.join_from(message, attempt, mine & attempt.c.error.is_not(None))
    asked = asked.where(tx.ours(message), message.c.state == QUEUED, message.c.attempts > 0)
    asked = asked.where(message.c.channel.in_(channels)).group_by(message.c.channel, message.c.addressee)
    return [Failing(*row) for row in tx.connection.execute(asked)]


# ---- and what brings it back ----------------------------------------------------------------------------------------


def free_messages(tx: Tx, message_ids: Iterable[str]) -> None:
    """End the leases of these."""
    _change(tx, message_ids, lease_until=None, lease_by=None)


def requeue_messages(tx: Tx, message_ids: Iterable[str], now: dt.datetime) -> None:
    """Let these cancelled messages leave after all."""
    _change(tx, message_ids, only=CANCELLED, state=QUEUED, next_at=now, lease_until=None, lease_by=None)


def give_up_messages(tx: Tx, message_ids: Iterable[str], why: str, now: dt.datetime) -> None:
    """Try these no more, which is noted as their last attempt."""
    for part in chunks(sorted(message_ids)):
        these = (tx.ours(message), message.c.message_id.in_(part), message.c.state == QUEUED)
        ending = message.update().where(*these)
        ending = ending.values(state=FAILED, attempts=message.c.attempts + 1, lease_until=None, lease_by=None)
        rows = tx.connection.execute(ending.returning(message.c.message_id, message.c.attempts)).all()
        said = {"started_at": now, "ended_at": now, "outcome": FAILED, "error": why, "doubtful": False}
        tx.add(attempt, [{"message_id": row[0], "n": row[1], **said} for row in rows])


def _change(tx: Tx, message_ids: Iterable[str], only: str = QUEUED, **values: Any) -> None:  # noqa: ANN401 - columns
    for part in chunks(sorted(message_ids)):
        these = (tx.ours(message), message.c.message_id.in_(part), message.c.state == only)
        tx.connection.execute(message.update().where(*these).values(values))
