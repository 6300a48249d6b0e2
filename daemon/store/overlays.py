"""Overlays: what people said over the rolls, by hand or by judging a mass absence; appended, never rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.tables import overlay
from daemon.store.tx import ours
from rules.records import Mark

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Overlay:
    """One mark for one child, or for every child of a unit, in one session, said by somebody at `known_at`.

    `by` is personal and sealed in the store. `incident_id` names the incident whose judging it is, if one.
    """

    session_date: dt.date
    session_name: str
    mark: Mark
    known_at: dt.datetime
    by: str
    unit_id: str | None = None
    student_id: str | None = None
    incident_id: str | None = None


def record_overlays(tx: Tx, overlays: Iterable[Overlay]) -> int:
    """Append overlays; how many. ValueError for one that names not exactly one of unit and student."""
    rows = [
        {
            "overlay_id": tx.new_id(),
            "unit_id": one.unit_id,
            "student_id": one.student_id,
            "session_date": one.session_date,
            "session_name": one.session_name,
            "mark": int(one.mark),
            "known_at": one.known_at,
            "said_by": one.by,
            "incident_id": one.incident_id,
        }
        for one in map(_checked, overlays)
    ]
    tx.add(overlay, rows)
    return len(rows)


def load_overlays(
    tx: Tx, first_date: dt.date, last_date: dt.date, known_by: dt.datetime | None = None
) -> list[Overlay]:
    """All overlays of sessions on these days, both included, as known by an instant, in the order they were said."""
    rows = tx.asks(_said(by_then=known_by is not None), first=first_date, last=last_date, known_by=known_by)
    return [Overlay(row[0], row[1], Mark(row[2]), *row[3:]) for row in rows]


@cache
def _said(*, by_then: bool) -> sa.Select[*tuple[Any, ...]]:
    c = overlay.c
    said = (c.session_date, c.session_name, c.mark, c.known_at, c.said_by, c.unit_id, c.student_id, c.incident_id)
    asked = sa.select(*said).where(ours(overlay), c.session_date.between(sa.bindparam("first"), sa.bindparam("last")))
    if by_then:
        asked = asked.where(c.known_at <= sa.bindparam("known_by"))
    return asked.order_by(c.known_at, c.overlay_id)


def _checked(one: Overlay) -> Overlay:
    if (one.unit_id is None) == (one.student_id is None):
        raise ValueError("an overlay is about one unit or one student")
    return one
