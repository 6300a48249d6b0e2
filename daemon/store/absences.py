"""Leaves and movements: versions and facts appended as they become known, never rewritten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import to_json, to_micros
from daemon.store.tables import leave, movement
from daemon.store.tx import ours, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from daemon.store.tx import Tx
    from rules.records import LeaveRecord, MovementRecord


@dataclass(frozen=True, slots=True)
class Leave:
    """One version of a leave, half-open `[starts, ends)`; the newest version of a `leave_id` is the one that counts."""

    leave_id: str
    version: int
    student_id: str
    starts: dt.datetime
    ends: dt.datetime
    kind: str
    known_at: dt.datetime
    recorded_at: dt.datetime | None
    approved_by: str | None
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of a child (学籍异动) as delivered; whether it is confirmed is for the rules to say."""

    student_id: str
    kind: str
    at: dt.datetime
    known_at: dt.datetime
    recorded_at: dt.datetime | None
    to_school: str | None
    evidence: str | None


_LEAVE = tuple(Leave.__dataclass_fields__)
_MOVEMENT = tuple(Movement.__dataclass_fields__)


def record_leaves(tx: Tx, records: Iterable[LeaveRecord], known_at: dt.datetime) -> list[str]:
    """Append what is new or differs from the newest version; the children concerned.

    Of two lines for one leave in one delivery both are kept, in their order.
    """
    listed = list(records)
    newest = {one.leave_id: one for one in _versions(tx, leave.c.leave_id, [record.leave_id for record in listed])}
    rows: list[Leave] = []
    for record in listed:
        before = newest.get(record.leave_id)
        if before is None or _said(before) != _said(record):
            newest[record.leave_id] = _next(record, before, known_at)
            rows.append(newest[record.leave_id])
    tx.add(leave, [{name: getattr(row, name) for name in _LEAVE} for row in rows])
    return list(dict.fromkeys(row.student_id for row in rows))


def load_leaves(tx: Tx, student_ids: Iterable[str] | None = None, known_by: dt.datetime | None = None) -> list[Leave]:
    """The leaves in force by what was known at an instant (None: now): newest versions, without those withdrawn."""
    newest = {one.leave_id: one for one in _versions(tx, leave.c.student_id, student_ids, known_by)}
    return [one for one in newest.values() if not one.withdrawn]


def leave_versions(tx: Tx, student_id: str) -> list[Leave]:
    """Every version of every leave of a child, also those withdrawn; for evidence."""
    return _versions(tx, leave.c.student_id, [student_id])


def all_versions(tx: Tx, known_by: dt.datetime) -> list[Leave]:
    """Every version of every leave of every child, also those withdrawn, known by an instant."""
    return _versions(tx, leave.c.student_id, None, known_by)


def record_movements(tx: Tx, records: Iterable[MovementRecord], known_at: dt.datetime) -> list[str]:
    """Append movements; a row delivered before is not appended again. The children with something new."""
    listed = {(record.student_id, _digest(record)): record for record in records}
    asked = sa.select(movement.c.student_id, movement.c.digest).where(tx.ours(movement))
    there = {tuple(row) for row in rows_where_in(tx, asked, movement.c.student_id, [key[0] for key in listed])}
    fresh = {key: record for key, record in listed.items() if key not in there}
    tx.add(movement, [_movement_row(record, key[1], known_at) for key, record in fresh.items()])
    return list(dict.fromkeys(key[0] for key in fresh))


def load_movements(
    tx: Tx, student_ids: Iterable[str] | None = None, known_by: dt.datetime | None = None
) -> list[Movement]:
    """Movements known by an instant (None: all), by child and then by when they took effect."""
    asked = _chosen(movement, _MOVEMENT, by_then=known_by is not None)
    rows = rows_where_in(tx, asked, movement.c.student_id, student_ids, known_by=known_by)
    found = [Movement(*row) for row in rows]
    return sorted(found, key=lambda one: (one.student_id, one.at, one.known_at, one.kind))


def _versions(
    tx: Tx, column: sa.ColumnElement[str], values: Iterable[str] | None, known_by: dt.datetime | None = None
) -> list[Leave]:
    asked = _chosen(leave, _LEAVE, by_then=known_by is not None)
    found = [Leave(*row) for row in rows_where_in(tx, asked, column, values, known_by=known_by)]
    return sorted(found, key=lambda one: (one.student_id, one.leave_id, one.version))


@cache
def _chosen(table: sa.Table, names: tuple[str, ...], *, by_then: bool) -> sa.Select[*tuple[Any, ...]]:
    asked = sa.select(*(table.c[name] for name in names)).where(ours(table))
    return asked.where(table.c.known_at <= sa.bindparam("known_by")) if by_then else asked


def _said(one: Leave | LeaveRecord) -> tuple[object, ...]:
    span = (one.student_id, one.starts, one.ends, one.kind)
    return (*span, one.recorded_at, one.approved_by, one.withdrawn)


def _next(record: LeaveRecord, before: Leave | None, known_at: dt.datetime) -> Leave:
    return Leave(
        leave_id=record.leave_id,
        version=1 if before is None else before.version + 1,
        student_id=record.student_id,
        starts=record.starts,
        ends=record.ends,
        kind=record.kind,
        known_at=known_at,
        recorded_at=record.recorded_at,
        approved_by=record.approved_by,
        withdrawn=record.withdrawn,
    )


def _movement_row(record: MovementRecord, digest: str, known_at: dt.datetime) -> dict[str, Any]:
    said = {name: getattr(record, name) for name in _MOVEMENT if name != "known_at"}
    return said | {"digest": digest, "known_at": known_at}


def _digest(record: MovementRecord) -> str:
    recorded = None if record.recorded_at is None else to_micros(record.recorded_at)
    said = [record.kind, to_micros(record.at), recorded, record.to_school, record.evidence]
    return hashlib.sha256(to_json(said).encode()).hexdigest()[:32]
