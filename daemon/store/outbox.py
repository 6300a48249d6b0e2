"""The outbox: what is to be told to whom, once; drafted where it is decided, cancelled while it has not left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import (
    ALERT_COLUMNS,
    ATTEMPT_COLUMNS,
    CANCELLED,
    FAILED,
    MESSAGE_COLUMNS,
    QUEUED,
    SENT,
    SHADOW,
    UNDELIVERED,
    AlertDraft,
    AlertRow,
    AttemptRow,
    MessageRow,
)
from daemon.store.joining import Joining, addressee_of, joining
from daemon.store.tables import alert, attempt, message
from daemon.store.turns import turns_of
from daemon.store.tx import chunks, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from daemon.store.tx import Tx


__all__ = [
    "CANCELLED",
    "FAILED",
    "QUEUED",
    "SENT",
    "SHADOW",
    "AlertDraft",
    "AlertRow",
    "AttemptRow",
    "Delivery",
    "MessageRow",
    "Told",
    "alert_by_id",
    "alerts_by_message",
    "alerts_of",
    "cancel",
    "deliveries",
    "draft",
    "stop",
    "told",
]


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that reached its contact, or may have: sent, in doubt, or on its way; not one said not to have arrived.

    `shadow`: only on paper.
    """

    alert: AlertRow
    told_at: dt.datetime | None
    doubtful: bool
    in_flight: bool
    shadow: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message with its alerts and its attempts; for the operator's list."""

    message: MessageRow
    alerts: tuple[AlertRow, ...]
    attempts: tuple[AttemptRow, ...]


_OF_MESSAGE = frozenset({"not_before", "addressee", "priority", "school", "bundle", "fits"})
_DRAFTED = tuple(name for name in AlertDraft.__dataclass_fields__ if name not in _OF_MESSAGE)


def draft(tx: Tx, alerts: Iterable[AlertDraft], now: dt.datetime, *, shadow: bool = False) -> list[str]:
    """Put alerts into the outbox; the keys of those that are new (the others were drafted before).

    An alert with a `group_key` joins the waiting message of that group to the same addressee and channel, one with a
    `bundle` a message that waits anyway, unless somebody is about to send it; otherwise each group, or alert without
    one, makes a message. With `shadow` everything is written and nothing leaves.
    """
    new = _unknown(tx, alerts)
    places = Joining((), now) if shadow else joining(tx, new, now)
    turns = turns_of(tx, {one.channel for one in new})
    messages: list[MessageRow] = []
    rows: list[dict[str, Any]] = []
    for one in new:
        message_id = places.place(one)
        if message_id is None:
            messages.append(_message(tx, one, now, turns.take(one.channel, one.school), shadow=shadow))
            message_id = messages[-1].message_id
            places.opened(one, message_id, messages[-1].next_at)
        said = {name: getattr(one, name) for name in _DRAFTED}
        rows.append(said | {"alert_id": tx.new_id(), "message_id": message_id, "created_at": now})
    places.write(tx)
    names = [name for name in MessageRow.__dataclass_fields__ if name != "kind"]
    become = ({"kind": places.kind(row.message_id)} for row in messages)
    tx.add(
        message,
        [{name: getattr(row, name) for name in names} | kind for row, kind in zip(messages, become, strict=True)],
    )
    tx.add(alert, rows)
    return [one.key for one in new]


def cancel(
    tx: Tx,
    now: dt.datetime,
    reason: str,
    *,
    case_id: str | None = None,
    incident_id: str | None = None,
    kinds: Sequence[str] | None = None,
    rungs: Sequence[int] | None = None,
    only: Callable[[AlertRow], bool] | None = None,
) -> list[AlertRow]:
    """Cancel what waits to be told about a case or an incident and may be stopped.

    Narrowed to `kinds` and `rungs`, and to those of which `only` holds; None: of all.

    What was sent, is being sent, or may have been sent stays: see `told`. The alerts cancelled.
    """
    about = alert.c.incident_id == incident_id if case_id is None else alert.c.case_id == case_id
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert), about, alert.c.cancelled_at.is_(None))
    if kinds is not None:
        asked = asked.where(alert.c.kind.in_(kinds))
    if rungs is not None:
        asked = asked.where(alert.c.rung.in_(rungs))
    found = [AlertRow(*row) for row in tx.connection.execute(asked.order_by(alert.c.alert_id))]
    return stop(tx, now, reason, [row for row in found if only is None or only(row)])


def stop(tx: Tx, now: dt.datetime, reason: str, waiting: Sequence[AlertRow]) -> list[AlertRow]:
    """Cancel those of these alerts that have surely not left; which they are."""
    left, cancelled = list(waiting), list[AlertRow]()
    while left:
        stopped = _stoppable(tx, {row.message_id for row in left})
        found = _as_they_stand(tx, left)
        known = {row.alert_id: row.message_id for row in left}
        # Whoever packs messages may have moved an alert into another while this waited for its turn.
        left = [row for row in found if row.message_id != known[row.alert_id]]
        cancelled += [row for row in found if row.message_id in stopped and row not in left]
    for part in chunks(row.alert_id for row in cancelled):
        ending = alert.update().where(tx.ours(alert), alert.c.alert_id.in_(part))
        tx.connection.execute(ending.values(cancelled_at=now, cancel_reason=reason))
    _close_emptied(tx, {row.message_id for row in cancelled})
    return cancelled


def _as_they_stand(tx: Tx, rows: Sequence[AlertRow]) -> list[AlertRow]:
    """These alerts as they are now, in their order."""
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert))
    now = {row[0]: AlertRow(*row) for row in rows_where_in(tx, asked, alert.c.alert_id, [one.alert_id for one in rows])}
    return [now[one.alert_id] for one in rows if one.alert_id in now]


def told(
    tx: Tx, case_id: str | None = None, episode: int | None = None, *, incident_id: str | None = None
) -> list[Told]:
    """Who was told what about a case (one episode, or all) or an incident; oldest first.

    Sent, in doubt, on its way, or in shadow; not what is known not to have arrived.
    """
    about = alert.c.incident_id == incident_id if case_id is None else alert.c.case_id == case_id
    flying = sa.exists().where(_of_message(attempt), attempt.c.ended_at.is_(None))
    asked = (
        sa.select(*ALERT_COLUMNS, message.c.told_at, message.c.doubtful, flying, message.c.state == SHADOW)
        .join_from(alert, message, _of_message(alert))
        .where(tx.ours(alert), about, alert.c.cancelled_at.is_(None))
        .where(sa.or_(message.c.state.in_([SENT, SHADOW]), message.c.doubtful, flying), message.c.state != UNDELIVERED)
        .order_by(alert.c.created_at, alert.c.alert_id)
    )
    if episode is not None:
        asked = asked.where(alert.c.episode == episode)
    width = len(ALERT_COLUMNS)
    rows = [tuple(row) for row in tx.connection.execute(asked)]
    return [Told(AlertRow(*row[:width]), *row[width:]) for row in rows]


def alert_by_id(tx: Tx, alert_id: str) -> AlertRow | None:
    """One alert, also a cancelled one; None when there is none."""
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert), alert.c.alert_id == alert_id)
    found = tx.connection.execute(asked).first()
    return None if found is None else AlertRow(*found)


def alert_ids_from(tx: Tx, beginning: str) -> list[str]:
    """The ids of the alerts that begin with these hexadecimal digits."""
    asked = sa.select(alert.c.alert_id).where(tx.ours(alert), alert.c.alert_id.between(beginning, f"{beginning}g"))
    return list(tx.connection.scalars(asked))


def alerts_of(tx: Tx, *, case_id: str | None = None, incident_id: str | None = None) -> list[AlertRow]:
    """Every alert about a case or an incident, also the cancelled, oldest first."""
    column, wanted = (alert.c.case_id, case_id) if case_id is not None else (alert.c.incident_id, incident_id)
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert), column == wanted)
    return [AlertRow(*row) for row in tx.connection.execute(asked.order_by(alert.c.created_at, alert.c.alert_id))]


def deliveries(tx: Tx, *, state: str | None = None, channel: str | None = None, limit: int = 100) -> list[Delivery]:
    """The newest messages with their alerts and attempts, newest first."""
    asked = sa.select(*MESSAGE_COLUMNS).where(tx.ours(message))
    if state is not None:
        asked = asked.where(message.c.state == state)
    if channel is not None:
        asked = asked.where(message.c.channel == channel)
    asked = asked.order_by(message.c.created_at.desc(), message.c.message_id.desc()).limit(limit)
    found = [MessageRow(*row) for row in tx.connection.execute(asked)]
    alerts = alerts_by_message(tx, [row.message_id for row in found])
    attempts = _attempts(tx, [row.message_id for row in found])
    return [Delivery(row, alerts.get(row.message_id, ()), attempts.get(row.message_id, ())) for row in found]


def alerts_by_message(tx: Tx, message_ids: Iterable[str]) -> dict[str, tuple[AlertRow, ...]]:
    """The alerts of these messages that are not cancelled, in the order they were drafted."""
    asked = sa.select(*ALERT_COLUMNS).where(tx.ours(alert), alert.c.cancelled_at.is_(None))
    found: dict[str, list[AlertRow]] = {}
    for row in rows_where_in(tx, asked, alert.c.message_id, message_ids):
        one = AlertRow(*row)
        found.setdefault(one.message_id, []).append(one)
    return {key: tuple(sorted(rows, key=lambda row: (row.created_at, row.alert_id))) for key, rows in found.items()}


def _unknown(tx: Tx, alerts: Iterable[AlertDraft]) -> list[AlertDraft]:
    listed: dict[str, AlertDraft] = {}
    for one in alerts:
        listed.setdefault(one.key, one)
    asked = sa.select(alert.c.key).where(tx.ours(alert))
    known = {row[0] for row in rows_where_in(tx, asked, alert.c.key, listed)}
    return [one for key, one in listed.items() if key not in known]


def _message(tx: Tx, one: AlertDraft, now: dt.datetime, turn: int, *, shadow: bool) -> MessageRow:
    return MessageRow(
        message_id=tx.new_id(),
        contact_id=one.contact_id,
        channel=one.channel,
        kind=one.kind,
        state=SHADOW if shadow else QUEUED,
        next_at=max(now, one.not_before or now),
        lease_until=None,
        lease_by=None,
        attempts=0,
        created_at=now,
        told_at=None,
        doubtful=False,
        group_key=one.group_key,
        addressee=addressee_of(one),
        priority=one.priority,
        turn=turn,
        school=one.school,
    )


def _of_message(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.district_id == message.c.district_id, table.c.message_id == message.c.message_id)


def _stoppable(tx: Tx, message_ids: Iterable[str]) -> set[str]:
    """Messages that have surely not left; held until the commit, so that none leaves meanwhile."""
    stopped: set[str] = set()
    for part in chunks(sorted(message_ids)):
        these = (tx.ours(message), message.c.message_id.in_(part))
        holding = message.update().where(*these, message.c.state.in_([QUEUED, SHADOW]), ~message.c.doubtful)
        held = set(tx.connection.scalars(holding.values(doubtful=False).returning(message.c.message_id)))
        flying = sa.select(attempt.c.message_id).where(
            tx.ours(attempt), attempt.c.message_id.in_(part), attempt.c.ended_at.is_(None)
        )
        stopped |= held - set(tx.connection.scalars(flying))
    return stopped


def _close_emptied(tx: Tx, message_ids: Iterable[str]) -> None:
    for part in chunks(sorted(message_ids)):
        left = sa.exists().where(_of_message(alert), alert.c.cancelled_at.is_(None))
        ending = message.update().where(tx.ours(message), message.c.message_id.in_(part), ~left)
        tx.connection.execute(ending.values(state=CANCELLED, lease_until=None, lease_by=None))


def _attempts(tx: Tx, message_ids: Iterable[str]) -> dict[str, tuple[AttemptRow, ...]]:
    asked = sa.select(*ATTEMPT_COLUMNS).where(tx.ours(attempt)).order_by(attempt.c.message_id, attempt.c.n)
    found: dict[str, list[AttemptRow]] = {}
    for row in rows_where_in(tx, asked, attempt.c.message_id, message_ids):
        found.setdefault(row[0], []).append(AttemptRow(*row))
    return {key: tuple(rows) for key, rows in found.items()}
