"""Taking a roster in: units, children and contacts as a feed lists them, set by set."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.namesakes import known_again
from daemon.store.roster import STAMP
from daemon.store.tables import contact, membership, student, unit
from daemon.store.tx import chunks, rows_where_in, take_numbers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from daemon.store.tx import Tx
    from rules.records import ContactRecord, StudentRecord, UnitRecord

_UNIT = ("kind", "parent_id", "name", "code")
_CONTACT = ("role", "unit_id", "student_id", "name", "phone", "email", "endpoint", "language")
_STUDENT = (
    "name",
    "class_id",
    "sex",
    "birth_date",
    "grade",
    "residence_id",
    "boarding",
    "tags",
    "status",
    "status_since",
    "id_number",
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What one delivery changed, by id; `missing` are those of the same source that it no longer lists."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one table is merged: its key, what is compared, and the column that says since when a row is not listed."""

    table: sa.Table
    key: str
    compared: tuple[str, ...]
    missing: str


_UNITS = _Kind(unit, "unit_id", _UNIT, "missing_since")
_CONTACTS = _Kind(contact, "contact_id", _CONTACT, "gone_at")
_STUDENTS = _Kind(student, "student_id", _STUDENT, "missing_since")


def upsert_units(
    tx: Tx, records: Iterable[UnitRecord], known_at: dt.datetime, *, source: str, kept: Collection[str] = ()
) -> Changes:
    """Take in units; of two lines for one unit the later counts. A unit no longer listed stays.

    `kept` are ids that the source names in rows that were refused: they are not missing.
    """
    listed = {record.unit_id: tuple(getattr(record, name) for name in _UNIT) for record in records}
    return _merge(tx, _UNITS, listed, known_at, source, kept).changes


def upsert_contacts(
    tx: Tx, records: Iterable[ContactRecord], known_at: dt.datetime, *, source: str, kept: Collection[str] = ()
) -> Changes:
    """Take in contacts; one no longer listed, nor `kept` as above, is gone: stored, and told nothing new."""
    listed = {
        record.contact_id: tuple(getattr(record, name) for name in _CONTACT) for record in known_again(tx, records)
    }
    return _merge(tx, _CONTACTS, listed, known_at, source, kept).changes


def upsert_students(
    tx: Tx,
    records: Iterable[StudentRecord],
    known_at: dt.datetime,
    *,
    source: str,
    on: dt.date,
    kept: Collection[str] = (),
) -> Changes:
    """Take in children; a changed class is a membership from `on` (the school's day), a first one from ever.

    `source` names what lists these children completely (a feed, or one of its files): those last listed there and
    now not, nor `kept` as above, are marked missing, and stay judged.
    """
    listed = {record.student_id: _student_values(record) for record in records}
    merged = _merge(tx, _STUDENTS, listed, known_at, source, kept)
    place = _STUDENT.index("class_id")
    moves = [
        {
            "student_id": student_id,
            "class_id": listed[student_id][place],
            "starts_on": None if before is None else on,
            "known_at": known_at,
        }
        for student_id, before in merged.before.items()
        if before is None or before[place] != listed[student_id][place]
    ]
    # The same instant may bring a child to a class twice (two files of one poll): one membership.
    tx.add(membership, moves, otherwise="ON CONFLICT DO NOTHING")
    return merged.changes


@dataclass(frozen=True, slots=True)
class _Merged:
    changes: Changes
    before: Mapping[str, tuple[Any, ...] | None]
    """What the added (None) and changed rows were."""


def _student_values(record: StudentRecord) -> tuple[Any, ...]:
    return (
        record.name,
        record.class_id,
        record.sex,
        None if record.birth_date is None else record.birth_date.isoformat(),
        record.grade,
        record.residence_id,
        record.boarding,
        list(record.tags),
        record.status,
        record.status_since,
        record.id_number,
    )


def listed_by(tx: Tx, records: str, source: str) -> frozenset[str]:
    """The ids of the units, contacts or students (`records`) in force that `source` listed last."""
    kind = {"units": _UNITS, "contacts": _CONTACTS, "students": _STUDENTS}[records]
    table = kind.table
    asked = sa.select(table.c[kind.key]).where(
        tx.ours(table), table.c.source == source, table.c[kind.missing].is_(None)
    )
    return frozenset(tx.connection.scalars(asked))


def classes_without_unit(tx: Tx, feed_id: str) -> dict[str, int]:
    """The classes of a feed's roster that no source lists as a unit, with how many children each has."""
    c = student.c
    there = sa.exists().where(tx.ours(unit), unit.c.unit_id == c.class_id)
    asked = sa.select(c.class_id, sa.func.count()).where(
        tx.ours(student), c.source.startswith(f"{feed_id}:", autoescape=True), c.missing_since.is_(None), ~there
    )
    rows = tx.connection.execute(asked.group_by(c.class_id).order_by(c.class_id))
    return {row[0]: row[1] for row in rows}


def _merge(
    tx: Tx,
    kind: _Kind,
    listed: Mapping[str, tuple[Any, ...]],
    known_at: dt.datetime,
    source: str,
    kept: Collection[str],
) -> _Merged:
    stored = _stored(tx, kind, listed)
    here = (source, None)  # listed by this source, not missing
    touched = [key for key, values in listed.items() if stored.get(key) != (*values, *here)]
    changes = Changes(
        added=tuple(key for key in touched if key not in stored),
        changed=tuple(key for key in touched if key in stored),
        unchanged=len(listed) - len(touched),
        missing=_lose(tx, kind, {*listed, *kept}, known_at, source),
    )
    fresh = _fresh(tx, kind, changes.added)
    rows = [
        {kind.key: key, **dict(zip(kind.compared, listed[key], strict=True))}
        | {"source": source, "known_at": known_at, kind.missing: None}
        | fresh.get(key, {})
        for key in touched
    ]
    tx.add(kind.table, [row for row in rows if row[kind.key] not in stored])
    _replace(tx, kind, [row for row in rows if row[kind.key] in stored])
    if touched or changes.missing:
        # By an unforeseeable step: what was read in a transaction that failed must never pass for what came after it.
        take_numbers(tx, STAMP, 1 + secrets.randbelow(1 << 20))
    return _Merged(changes, {key: stored.get(key) for key in touched})


def _stored(tx: Tx, kind: _Kind, keys: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    table = kind.table
    columns = [table.c[name] for name in (kind.key, *kind.compared, "source", kind.missing)]
    rows = rows_where_in(tx, sa.select(*columns).where(tx.ours(table)), table.c[kind.key], keys)
    return {row[0]: tuple(row)[1:] for row in rows}


def _fresh(tx: Tx, kind: _Kind, added: Sequence[str]) -> dict[str, dict[str, int]]:
    """What a new row has and an old one keeps: a child's ordinal, never given twice."""
    if kind is not _STUDENTS or not added:
        return {}
    first = take_numbers(tx, "ordinal", len(added))
    return {key: {"ordinal": number} for number, key in enumerate(added, start=first)}


def _replace(tx: Tx, kind: _Kind, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = (*kind.compared, "source", "known_at", kind.missing)
    change = (
        kind.table.update()
        .where(tx.ours(kind.table), kind.table.c[kind.key] == sa.bindparam("which"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    tx.connection.execute(
        change, [{"which": row[kind.key], **{f"new_{name}": row[name] for name in names}} for row in rows]
    )


def _lose(tx: Tx, kind: _Kind, listed: Collection[str], known_at: dt.datetime, source: str) -> tuple[str, ...]:
    table, key, since = kind.table, kind.table.c[kind.key], kind.table.c[kind.missing]
    known = tx.connection.scalars(
        sa.select(key).where(tx.ours(table), table.c.source == source, since.is_(None)).order_by(key)
    )
    missing = tuple(found for found in known if found not in listed)
    for part in chunks(missing):
        gone = table.update().where(tx.ours(table), key.in_(part))
        tx.connection.execute(gone.values({kind.missing: known_at}))
    return missing
