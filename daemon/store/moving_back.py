"""What a store was given by a clock that was ahead: instants of what has happened, moved back by as much."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store import tables
from daemon.store.alerts import QUEUED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.store.tx import Tx

_HAPPENED = (
    *("known_at", "recorded_at", "delivered_at", "missing_since", "gone_at", "last_polled_at", "last_ok_at"),
    *("failing_since", "fetched_at", "since", "opened_at", "closed_at", "judged_at", "told_at", "created_at"),
    *("raised_at", "cancelled_at", "started_at", "ended_at", "lease_until", "at"),
)
"""Columns that say when something happened or was noted, or until when it is leased: none can be far ahead."""

_PLANNED = {("movement", "at")}
"""Columns of those names that say what is to come."""

_TABLES = (
    tables.unit,
    tables.contact,
    tables.student,
    tables.membership,
    tables.renumbering,
    tables.leave,
    tables.movement,
    tables.feed,
    tables.payload,
    tables.calendar_edit,
    tables.rule_version,
    tables.roll,
    tables.overlay,
    tables.incident,
    tables.timer,
    tables.message,
    tables.alert,
    tables.attempt,
    tables.receipt,
    tables.reply,
    tables.unreachable,
    tables.silence,
)
"""All but journals, whose lines are chained and stay as they were written, and cases."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A clock that was ahead by `span`, and is right now; `today` is the date where the schools are."""

    now: dt.datetime
    span: dt.timedelta
    today: dt.date


def move_back(tx: Tx, ahead: Ahead, *, longest_retry: dt.timedelta, planned: Sequence[str]) -> None:
    """Move instants after `now` back by the span, and let what waits by them go on.

    What the calendar or a feed says is still to come stays, and so do timers of the kinds `planned`. A message that
    failed waits no longer than `longest_retry`; one that is held keeps its instant, and one never tried its wait.
    """
    _move_messages(tx, ahead, longest_retry)
    for table in _TABLES:
        for column in _moved(table):
            tx.connection.execute(_earlier(tx, table, column, ahead).where(column > ahead.now))
    due = tables.timer.c.due_at
    counted = _earlier(tx, tables.timer, due, ahead).where(due > ahead.now, tables.timer.c.kind.not_in(planned))
    tx.connection.execute(counted)
    starts_on = tables.membership.c.starts_on
    begun = tables.membership.update().where(tx.ours(tables.membership), starts_on > ahead.today)
    tx.connection.execute(begun.values(starts_on=ahead.today))


def _moved(table: sa.Table) -> Sequence[sa.Column[dt.datetime]]:
    return [table.c[name] for name in _HAPPENED if name in table.c and (table.name, name) not in _PLANNED]


def _move_messages(tx: Tx, ahead: Ahead, longest_retry: dt.timedelta) -> None:
    """Move when messages leave; before their making is moved, by which it is known which were made too late."""
    c = tables.message.c
    waiting = (c.state == QUEUED, c.held.is_(None))
    untried = _earlier(tx, tables.message, c.next_at, ahead).where(*waiting, c.attempts == 0, c.created_at > ahead.now)
    tx.connection.execute(untried)
    failed = tables.message.update().where(tx.ours(tables.message), *waiting, c.attempts > 0)
    tx.connection.execute(failed.where(c.next_at > ahead.now + longest_retry).values(next_at=ahead.now))


def _earlier(tx: Tx, table: sa.Table, column: sa.Column[dt.datetime], ahead: Ahead) -> sa.Update:
    moved = sa.type_coerce(column, sa.BigInteger) - ahead.span // dt.timedelta(microseconds=1)
    return table.update().where(tx.ours(table)).values({column: sa.type_coerce(moved, column.type)})
