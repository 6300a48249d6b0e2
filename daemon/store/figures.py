"""Counts for whoever watches from outside: open cases, reports nobody acknowledged, messages that wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import QUEUED
from daemon.store.tables import case, message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from daemon.store.tx import Tx


class Waiting(StrEnum):
    """Why a message of the outbox has not left."""

    DUE = "due"
    SENDING = "sending"
    LATER = "later"
    """To be tried at a later instant."""
    HELD = "held"
    """By hours, a throttle, a digest or a silence."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one channel that wait for one reason, and when the first of them was to leave."""

    channel: str
    waiting: Waiting
    count: int
    first_due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """The reports that stand and that nobody has acknowledged: how many, and when the first was raised."""

    count: int
    first_raised_at: dt.datetime | None


def open_cases_by_stage(tx: Tx) -> Mapping[str, int]:
    """Count the open cases of each stage there are any of."""
    asked = sa.select(case.c.stage, sa.func.count()).where(tx.ours(case), case.c.is_open).group_by(case.c.stage)
    return {row[0]: row[1] for row in tx.connection.execute(asked)}


def unacknowledged_reports(tx: Tx) -> Unacknowledged:
    """Count the reports that stand without an acknowledgement, be it that one has lapsed."""
    state = (
        sa.type_coerce(case.c.state, sa.JSON)
        if tx.is_sqlite
        else sa.cast(sa.type_coerce(case.c.state, sa.Text), sa.JSON)
    )
    first = sa.type_coerce(sa.func.min(case.c.raised_at), case.c.raised_at.type)
    asked = sa.select(sa.func.count(), first).where(tx.ours(case), case.c.is_open, case.c.raised_at.is_not(None))
    asked = asked.where(state["standing"].as_string() == "raised", state["acknowledged_at"].as_string().is_(None))
    return Unacknowledged(*tx.connection.execute(asked).one())


def outbox_queues(tx: Tx, now: dt.datetime) -> list[Queue]:
    """Count the messages that have not left, by channel and by why they wait."""
    c = message.c
    why = sa.case(
        (c.lease_until > now, Waiting.SENDING.value),
        (c.next_at <= now, Waiting.DUE.value),
        (c.held.is_not(None), Waiting.HELD.value),
        else_=Waiting.LATER.value,
    ).label("why")
    first = sa.type_coerce(sa.func.min(c.next_at), c.next_at.type)
    asked = sa.select(c.channel, why, sa.func.count(), first).where(tx.ours(message), c.state == QUEUED)
    found = tx.connection.execute(asked.group_by(c.channel, why).order_by(c.channel, why))
    return [Queue(row[0], Waiting(row[1]), row[2], row[3]) for row in found]
