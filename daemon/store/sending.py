"""Sending from the outbox: claim with a lease, start an attempt, settle what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import FAILED, MESSAGE_COLUMNS, QUEUED, SENT, AlertRow, MessageRow
from daemon.store.columns import to_micros
from daemon.store.outbox import alerts_by_message
from daemon.store.places import Places, any_due, due, free_at
from daemon.store.tables import alert, attempt, message
from daemon.store.tx import among, chunks, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Sequence

    from daemon.store.tx import Tx

__all__ = [
    "FAILED",
    "RETRY",
    "SENT",
    "Claimed",
    "Outcome",
    "Places",
    "Started",
    "any_due",
    "claim",
    "next_at",
    "release",
    "settle",
    "start_attempts",
]

RETRY = "retry"
_END = """UPDATE attempt SET outcome = ?, ended_at = ?, provider_id = ?, error = ?, doubtful = ?, fault = ?
    WHERE district_id = ? AND message_id = ? AND n = ?"""
_MOVE = """UPDATE message SET state = ?, next_at = coalesce(?, next_at), told_at = coalesce(told_at, ?),
    doubtful = (doubtful OR ?), provider_id = coalesce(?, provider_id), lease_until = NULL, lease_by = NULL
    WHERE district_id = ? AND message_id = ?"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message leased to one sender, with its alerts; `doubts` is how many attempts may have reached its recipient.

    `newly` when the last attempt was the first of those: to be said once, however often it is tried again.
    """

    message: MessageRow
    alerts: tuple[AlertRow, ...]
    doubts: int
    newly: bool = False

    @property
    def repeated(self) -> bool:
        """Return whether an earlier attempt may have reached its recipient."""
        return self.doubts > 0


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt on its way: number `n` of the message as it was claimed, with the alerts not cancelled until then.

    `doubts` of the attempts before it may have reached the recipient.
    """

    message: MessageRow
    alerts: tuple[AlertRow, ...]
    n: int
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of attempt `n`, made by `by`: `state` is "sent", "retry" (at `next_at`) or "failed" for good.

    `doubtful` says the channel may have taken it all the same. `fault` is where the fault lies, None for none.
    `error` carries no address and no words of the message.
    """

    message_id: str
    n: int
    by: str
    ended_at: dt.datetime
    state: str
    next_at: dt.datetime | None = None
    provider_id: str | None = None
    error: str | None = None
    doubtful: bool = False
    fault: str | None = None
    channel: str = ""
    addressee: str = ""


def claim(
    tx: Tx, now: dt.datetime, lease: dt.timedelta, by: str, places: Places | int, channels: Sequence[str]
) -> list[Claimed]:
    """Lease due messages to `by`, as many as there are `places`, taking turns between the channels.

    Of each channel the lowest priority comes first, then the lowest turn, then the oldest. An attempt whose end was
    lost with its sender is closed as doubtful, and its message comes back `repeated`.
    """
    places = places if isinstance(places, Places) else Places(places)
    queues = [due(tx, now, places, channel) for channel in channels]
    turns = islice((one for one in chain.from_iterable(zip_longest(*queues)) if one is not None), places.total)
    order = {message_id: place for place, message_id in enumerate(turns)}
    won = _lease(tx, list(order), now, now + lease, by)
    tried = [row.message_id for row in won if row.attempts]
    _close_lost(tx, tried, now)
    alerts = alerts_by_message(tx, [row.message_id for row in won])
    doubtful = _doubtful(tx, tried)
    claimed = [_claimed(row, alerts.get(row.message_id, ()), doubtful) for row in won]
    return sorted(claimed, key=lambda one: order[one.message.message_id])


def start_attempts(tx: Tx, claimed: Sequence[Claimed], by: str, now: dt.datetime) -> list[Started]:
    """Note, before anything leaves, that it is about to; only what is returned may be sent.

    Left out are messages and alerts cancelled since, and messages whose lease ended or went to another sender.
    """
    numbers: dict[str, int] = {}
    for part in chunks(one.message.message_id for one in claimed):
        mine = (message.c.state == QUEUED, message.c.lease_by == by, message.c.lease_until >= now)
        going = message.update().where(tx.ours(message), among(tx, message.c.message_id, part), *mine)
        going = going.values(attempts=message.c.attempts + 1).returning(message.c.message_id, message.c.attempts)
        numbers |= {row[0]: row[1] for row in tx.connection.execute(going)}
    tx.add(
        attempt,
        [{"message_id": key, "n": n, "started_at": now, "doubtful": False} for key, n in numbers.items()],
    )
    gone = _cancelled(tx, numbers)
    started = [one for one in claimed if one.message.message_id in numbers]
    return [_started(one, numbers[one.message.message_id], gone) for one in started]


def settle(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Write down what came of attempts, many at once.

    Sent is sent, whoever holds the lease by now; a failure moves the message only while its sender holds it.
    """
    _end_attempts(tx, outcomes)
    _move(tx, [one for one in outcomes if one.state == SENT], held=False)
    _move(tx, [one for one in outcomes if one.state != SENT], held=True)


def renew(tx: Tx, message_ids: Iterable[str], by: str, until: dt.datetime) -> None:
    """Keep messages that are on their way leased to `by` until a later instant."""
    for part in chunks(message_ids):
        mine = (among(tx, message.c.message_id, part), message.c.state == QUEUED, message.c.lease_by == by)
        tx.connection.execute(message.update().where(tx.ours(message), *mine).values(lease_until=until))


def release(tx: Tx, message_ids: Iterable[str], by: str, next_at: dt.datetime | None = None) -> None:
    """Give back messages claimed and not attempted, to be sent at `next_at` (None: as before)."""
    values: dict[str, Any] = {"lease_until": None, "lease_by": None}
    if next_at is not None:
        values["next_at"] = next_at
    for part in chunks(message_ids):
        mine = (message.c.message_id.in_(part), message.c.state == QUEUED, message.c.lease_by == by)
        tx.connection.execute(message.update().where(tx.ours(message), *mine).values(values))


def give_up(tx: Tx, message_id: str) -> None:
    """Try a message no more that may have arrived: it counts as told if it was in doubt."""
    ending = message.update().where(tx.ours(message), message.c.message_id == message_id, message.c.state == QUEUED)
    tx.connection.execute(ending.values(state=FAILED, lease_until=None, lease_by=None))


def resume(tx: Tx, message_ids: Iterable[str], now: dt.datetime) -> list[str]:
    """Try again at once those of these messages that were given up in doubt before their last try; which they are."""
    ended = sa.exists().where(
        attempt.c.district_id == message.c.district_id,
        attempt.c.message_id == message.c.message_id,
        attempt.c.outcome == FAILED,
    )
    found: list[str] = []
    for part in chunks(message_ids):
        these = (message.c.message_id.in_(part), message.c.state == FAILED, message.c.doubtful, ~ended)
        again = message.update().where(tx.ours(message), *these).values(state=QUEUED, next_at=now)
        found += tx.connection.scalars(again.returning(message.c.message_id))
    return found


def free(tx: Tx) -> None:
    """End every lease, for when their holders are known to be dead; an attempt left open is doubted when claimed."""
    held = message.update().where(tx.ours(message), message.c.state == QUEUED, message.c.lease_by.is_not(None))
    tx.connection.execute(held.values(lease_until=None, lease_by=None))


def next_at(tx: Tx, channels: Sequence[str] | None = None) -> dt.datetime | None:
    """The earliest instant at which a message can be claimed; a leased one counts at the end of its lease."""
    waits = sa.case((message.c.lease_until > message.c.next_at, message.c.lease_until), else_=message.c.next_at)
    asked = sa.select(sa.func.min(sa.type_coerce(waits, message.c.next_at.type)))
    asked = asked.where(tx.ours(message), message.c.state == QUEUED)
    if channels is not None:
        asked = asked.where(message.c.channel.in_(channels))
    return tx.connection.execute(asked).scalar()


def _lease(tx: Tx, message_ids: list[str], now: dt.datetime, until: dt.datetime, by: str) -> list[MessageRow]:
    won: list[MessageRow] = []
    for part in chunks(message_ids):
        taking = message.update().where(
            tx.ours(message), among(tx, message.c.message_id, part), message.c.state == QUEUED, free_at(now)
        )
        taking = taking.values(lease_until=until, lease_by=by)
        won += [MessageRow(*row) for row in tx.connection.execute(taking.returning(*MESSAGE_COLUMNS))]
    return won


def _close_lost(tx: Tx, message_ids: list[str], now: dt.datetime) -> None:
    """A new lease over an open attempt means its sender died: nobody knows whether it reached anyone."""
    for part in chunks(message_ids):
        lost = attempt.update().where(tx.ours(attempt), attempt.c.message_id.in_(part), attempt.c.ended_at.is_(None))
        lost = lost.values(ended_at=now, outcome="lost", doubtful=True).returning(attempt.c.message_id)
        found = list(tx.connection.scalars(lost))
        doubted = message.update().where(tx.ours(message), message.c.message_id.in_(found))
        tx.connection.execute(doubted.values(doubtful=True))


def _cancelled(tx: Tx, message_ids: Iterable[str]) -> set[str]:
    """The alerts of these messages that were cancelled."""
    asked = sa.select(alert.c.alert_id).where(tx.ours(alert), alert.c.cancelled_at.is_not(None))
    return {row[0] for row in rows_where_in(tx, asked, alert.c.message_id, message_ids)}


def _started(one: Claimed, n: int, gone: Collection[str]) -> Started:
    alerts = tuple(row for row in one.alerts if row.alert_id not in gone) if gone else one.alerts
    return Started(one.message, alerts, n, one.doubts)


def _claimed(row: MessageRow, alerts: tuple[AlertRow, ...], doubtful: dict[str, tuple[int, bool]]) -> Claimed:
    return Claimed(row, alerts, *doubtful.get(row.message_id, (0, False)))


def _doubtful(tx: Tx, message_ids: list[str]) -> dict[str, tuple[int, bool]]:
    """Return of these how many attempts may have reached somebody, and whether only the last may."""
    found: dict[str, tuple[int, bool]] = {}
    in_doubt = sa.case((attempt.c.doubtful, attempt.c.n))
    for part in chunks(message_ids):
        newly = sa.func.min(in_doubt) == sa.func.max(attempt.c.n)
        asked = sa.select(attempt.c.message_id, sa.func.count(in_doubt), newly)
        asked = asked.where(tx.ours(attempt), attempt.c.message_id.in_(part)).group_by(attempt.c.message_id)
        doubted = asked.having(sa.func.count(in_doubt) > 0)
        found |= {row[0]: (row[1], bool(row[2])) for row in tx.connection.execute(doubted)}
    return found


def _end_attempts(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    ends = [
        (
            one.state,
            to_micros(one.ended_at),
            one.provider_id,
            one.error,
            one.doubtful,
            one.fault,
            tx.district,
            one.message_id,
            one.n,
        )
        for one in outcomes
    ]
    tx.change(_END, ends)


def _move(tx: Tx, outcomes: Sequence[Outcome], *, held: bool) -> None:
    moved = [(*_moved(one), tx.district, one.message_id, *([one.by] if held else [])) for one in outcomes]
    tx.change(f"{_MOVE} AND lease_by = ? AND state = '{QUEUED}'" if held else _MOVE, moved)


def _moved(one: Outcome) -> tuple[Any, ...]:
    state = {SENT: SENT, RETRY: QUEUED, FAILED: FAILED}[one.state]
    # Told is told from the first time it may have been: a doubtful outcome counts.
    told = to_micros(one.ended_at) if state == SENT or one.doubtful else None
    return state, one.next_at and to_micros(one.next_at), told, one.doubtful, one.provider_id
