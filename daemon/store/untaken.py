"""What of a feed is not taken now: rows refused in the newest delivery of each name, rows that wait for a child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.tables import payload, refused, student

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Untaken:
    """One row that was not taken: of which delivery, in which line, why; holds nothing of its content."""

    name: str
    line: int
    column: str | None
    fault: str
    hint: str | None
    student_id: str | None


def refused_rows(
    tx: Tx, feed_id: str, names: Collection[str] | None = None, since: dt.datetime | None = None
) -> list[Untaken]:
    """Return the rows refused in the newest delivery of each of `names` (None: of all), by name and line.

    Only of deliveries at or after `since` (None: of all).
    """
    order = (payload.c.fetched_at.desc(), payload.c.payload_id.desc())
    place = sa.func.row_number().over(partition_by=payload.c.name, order_by=order).label("place")
    ranked = sa.select(payload.c.payload_id, place).where(tx.ours(payload), payload.c.feed_id == feed_id).subquery()
    newest = sa.select(ranked.c.payload_id).where(ranked.c.place == 1)
    asked = _rows(tx, feed_id, since).where(~refused.c.retry, refused.c.payload_id.in_(newest))
    found = [Untaken(*row) for row in tx.connection.execute(asked)]
    return [one for one in found if names is None or one.name in names]


def waiting_rows(tx: Tx, feed_id: str, since: dt.datetime | None = None) -> list[Untaken]:
    """Return the rows that wait for a child to be on the roster, by name and line; one a child and line.

    Only of deliveries at or after `since` (None: of all).
    """
    asked = _rows(tx, feed_id, since).where(refused.c.retry)
    found = {(row.name, row.line, row.student_id): Untaken(*row) for row in tx.connection.execute(asked)}
    return list(found.values())


def missing_students(tx: Tx, feed_id: str) -> list[str]:
    """Return the children whom a roster feed listed and lists no longer."""
    asked = sa.select(student.c.student_id).where(
        tx.ours(student),
        student.c.missing_since.is_not(None),
        student.c.source.startswith(f"{feed_id}:", autoescape=True),
    )
    return list(tx.connection.scalars(asked.order_by(student.c.student_id)))


def _rows(tx: Tx, feed_id: str, since: dt.datetime | None) -> sa.Select[*tuple[Any, ...]]:
    c = refused.c
    of = sa.and_(payload.c.district_id == c.district_id, payload.c.payload_id == c.payload_id)
    lately = sa.true() if since is None else payload.c.fetched_at >= since
    return (
        sa.select(payload.c.name, c.line, c.column_name, c.fault, c.hint, c.student_id)
        .join_from(refused, payload, of)
        .where(tx.ours(refused), payload.c.feed_id == feed_id, lately)
        .order_by(payload.c.name, c.line, c.refused_id)
    )
