"""Alerts that stand in for one another: on which channels something was tried, and how far each try has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import (
    ALERT_COLUMNS,
    FAILED,
    MESSAGE_COLUMNS,
    QUEUED,
    SENT,
    SHADOW,
    UNDELIVERED,
    AlertRow,
    MessageRow,
)
from daemon.store.tables import alert, attempt, message
from daemon.store.tx import rows_where_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.store.tx import Tx

LOST = (FAILED, UNDELIVERED)


@dataclass(frozen=True, slots=True)
class Leg:
    """One alert with the message it is in; `flying` while that is being sent. Several legs lead to one recipient."""

    alert: AlertRow
    message: MessageRow
    flying: bool

    @property
    def root(self) -> str:
        """The alert on the first channel, in whose place the others stand."""
        return self.alert.instead_of or self.alert.alert_id

    @property
    def is_lost(self) -> bool:
        """Whether it failed for good, or is known not to have arrived."""
        return self.message.state in LOST and not self.flying

    @property
    def is_told(self) -> bool:
        """Whether it reached its recipient as far as is known, or is on its way."""
        return self.alert.cancelled_at is None and (self.message.state in (SENT, SHADOW) or self.flying)

    @property
    def may_be_told(self) -> bool:
        """Whether it reached its recipient, or may have, or still may."""
        open_yet = self.message.state == QUEUED or (self.message.doubtful and self.message.state != UNDELIVERED)
        return self.is_told or (self.alert.cancelled_at is None and open_yet)

    @property
    def waits(self) -> bool:
        """Whether it has still to leave."""
        return self.alert.cancelled_at is None and self.message.state == QUEUED


def legs_in(tx: Tx, message_ids: Iterable[str]) -> list[Leg]:
    """What these messages were to tell, as far as it is not cancelled, the oldest first."""
    asked = _legs(tx).where(alert.c.cancelled_at.is_(None))
    return [_leg(row) for row in rows_where_in(tx, asked, alert.c.message_id, message_ids)]


def legs_of(tx: Tx, keys: Iterable[str]) -> list[Leg]:
    """The alerts of these keys, as far as they are not cancelled, the oldest first."""
    asked = _legs(tx).where(alert.c.cancelled_at.is_(None))
    return [_leg(row) for row in rows_where_in(tx, asked, alert.c.key, keys)]


def hold(tx: Tx, keys: Iterable[str]) -> None:
    """Keep the messages of these alerts from being claimed until the end of the transaction."""
    theirs = sa.select(alert.c.message_id).where(tx.ours(alert))
    wanted = [row[0] for row in rows_where_in(tx, theirs, alert.c.key, keys)]
    held = sa.select(message.c.message_id).where(tx.ours(message)).order_by(message.c.message_id).with_for_update()
    rows_where_in(tx, held, message.c.message_id, wanted)


def families(tx: Tx, roots: Iterable[str]) -> dict[str, list[Leg]]:
    """By alert on a first channel: itself and all that stand in its place, also the cancelled, the oldest first."""
    wanted = list(dict.fromkeys(roots))
    found: dict[str, list[Leg]] = {root: [] for root in wanted}
    for column in (alert.c.alert_id, alert.c.instead_of):
        for row in rows_where_in(tx, _legs(tx), column, wanted):
            leg = _leg(row)
            found[leg.root].append(leg)
    return found


def told_otherwise(tx: Tx, alerts: Iterable[AlertRow]) -> dict[str, str]:
    """By alert the other channel on which the same was surely told meanwhile; an alert that was not is not in it."""
    several = {one.alert_id: one.instead_of or one.alert_id for one in alerts if one.instead_of or one.fallback}
    sent = {
        root: [leg for leg in family if leg.message.state == SENT and leg.alert.cancelled_at is None]
        for root, family in families(tx, several.values()).items()
    }
    return {key: sent[root][0].message.channel for key, root in several.items() if sent[root]}


def legs_about(tx: Tx, case_ids: Iterable[str]) -> dict[str, list[Leg]]:
    """By case everything that was to be told about it and is not cancelled, the oldest first."""
    found: dict[str, list[Leg]] = {}
    asked = _legs(tx).where(alert.c.cancelled_at.is_(None))
    for row in rows_where_in(tx, asked, alert.c.case_id, case_ids):
        leg = _leg(row)
        found.setdefault(str(leg.alert.case_id), []).append(leg)
    return found


def legs_recorded(tx: Tx) -> list[Leg]:
    """Return what was only recorded in shadow and is not cancelled, the oldest first."""
    asked = _legs(tx).where(alert.c.cancelled_at.is_(None), message.c.state == SHADOW)
    return [_leg(row) for row in tx.connection.execute(asked)]


def roots_among(tx: Tx, message_ids: Iterable[str]) -> list[str]:
    """The alerts on first channels of which these messages tell and that may be tried on others, too."""
    asked = sa.select(sa.func.coalesce(alert.c.instead_of, alert.c.alert_id)).where(tx.ours(alert))
    several = asked.where(sa.or_(alert.c.instead_of.is_not(None), alert.c.fallback != []))
    return [row[0] for row in rows_where_in(tx, several, alert.c.message_id, message_ids)]


def last_errors(tx: Tx, message_ids: Iterable[str]) -> dict[str, str]:
    """Why the last attempt of each of these messages failed, if it did."""
    asked = sa.select(attempt.c.message_id, attempt.c.error).where(tx.ours(attempt), attempt.c.error.is_not(None))
    rows = rows_where_in(tx, asked.order_by(attempt.c.n), attempt.c.message_id, message_ids)
    return {row[0]: row[1] for row in rows}


def last_faults(tx: Tx, message_ids: Iterable[str]) -> dict[str, str]:
    """Return where the fault of the last attempt of each of these messages lies, if there is one."""
    asked = sa.select(attempt.c.message_id, attempt.c.fault).where(tx.ours(attempt), attempt.c.fault.is_not(None))
    rows = rows_where_in(tx, asked.order_by(attempt.c.n), attempt.c.message_id, message_ids)
    return {row[0]: row[1] for row in rows}


def _legs(tx: Tx) -> sa.Select[*tuple[Any, ...]]:
    same = sa.and_(message.c.district_id == alert.c.district_id, message.c.message_id == alert.c.message_id)
    flying = sa.exists().where(
        attempt.c.district_id == message.c.district_id,
        attempt.c.message_id == message.c.message_id,
        attempt.c.ended_at.is_(None),
    )
    asked = sa.select(*ALERT_COLUMNS, *MESSAGE_COLUMNS, flying).join_from(alert, message, same)
    return asked.where(tx.ours(alert)).order_by(alert.c.created_at, alert.c.alert_id)


def _leg(row: sa.Row[Any]) -> Leg:
    values, width = tuple(row), len(ALERT_COLUMNS)
    return Leg(AlertRow(*values[:width]), MessageRow(*values[width:-1]), bool(values[-1]))
