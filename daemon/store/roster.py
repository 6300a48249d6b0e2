"""The roster as it is read: units, children without names, contacts without addresses; names only where asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from daemon.store.children import Children, load_children
from daemon.store.coded import Names
from daemon.store.tables import contact, counter, membership, student, unit
from daemon.store.tx import among, chunks, ours, rows_where_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from daemon.store.tx import Tx

FIRST_DAY = dt.date.min
"""Where a first membership starts: the child has always been in that class, as far as we know."""


_PAGE = 500

STAMP = "roster"
"""The counter that grows whenever the roster changes."""


class Unit(NamedTuple):
    """One unit of the tree as stored; its place is `parent_id`."""

    unit_id: str
    kind: str
    parent_id: str | None
    name: str
    code: str | None


class RosterContact(NamedTuple):
    """A contact for routing: whether it has a number or an address, but not which (see `contacts_of`)."""

    contact_id: str
    role: str
    unit_id: str | None
    student_id: str | None
    endpoint: str | None
    language: str | None
    has_phone: bool
    has_email: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """A snapshot of who is where and who may be told; does not change when the store does."""

    units: Mapping[str, Unit]
    contacts: tuple[RosterContact, ...]
    students: Children

    def line_of(self, unit_id: str | None) -> Iterator[Unit]:
        """The unit and those above it, nearest first; ends at an unknown parent or where the tree bites its tail."""
        seen: set[str] = set()
        found = self.units.get(unit_id or "")
        while found is not None and found.unit_id not in seen:
            seen.add(found.unit_id)
            yield found
            found = self.units.get(found.parent_id or "")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact with everything personal open; for composing and for the `say` of an operator, never for logs."""

    contact_id: str
    role: str
    unit_id: str | None
    student_id: str | None
    name: str
    phone: str | None
    email: str | None
    endpoint: str | None
    language: str | None
    gone_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Memberships:
    """Dated memberships as flat arrays, ordered by child, start, and when known; parallel to one another.

    A first membership starts on `FIRST_DAY`. `known_at` is in microseconds since 1970 UTC.
    """

    classes: tuple[str, ...]
    ordinal: npt.NDArray[np.uint32]
    class_index: npt.NDArray[np.int32]
    starts_on: npt.NDArray[np.datetime64]
    known_at: npt.NDArray[np.int64]


def stamp(tx: Tx) -> int:
    """Another number whenever the roster is another, whichever process changed it; 0 before there is one."""
    return int(tx.asks(_STAMPED).scalar() or 0)


_STAMPED = sa.select(counter.c.value).where(ours(counter), counter.c.name == STAMP)


def roster(tx: Tx, student_ids: Iterable[str] | None = None) -> Roster:
    """The newest roster: all units and contacts still there, and the children asked for (None: all)."""
    return Roster(units=_units(tx), contacts=_contacts(tx), students=load_children(tx, student_ids))


def ordinals_of(tx: Tx, student_ids: Iterable[str]) -> dict[str, int]:
    """The small number of each child that is on the roster; the others are left out."""
    asked = sa.select(student.c.student_id, student.c.ordinal).where(tx.ours(student))
    return {row[0]: row[1] for row in rows_where_in(tx, asked, student.c.student_id, student_ids)}


def names_of(tx: Tx, student_ids: Iterable[str]) -> dict[str, str]:
    """Names, opened; for composing only."""
    asked = sa.select(student.c.student_id, student.c.name).where(tx.ours(student))
    return {row[0]: row[1] for row in rows_where_in(tx, asked, student.c.student_id, student_ids)}


def names_of_all(tx: Tx) -> dict[str, str]:
    """Return the name of every child ever on the roster, opened; for whoever looks for one by name."""
    return {row[0]: row[1] for row in tx.asks(_NAMES)}


_NAMES = sa.select(student.c.student_id, student.c.name).where(ours(student))


def contact_names_of(tx: Tx, contact_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of contacts, opened, also of those since gone."""
    asked = sa.select(contact.c.contact_id, contact.c.name).where(tx.ours(contact))
    return {row[0]: row[1] for row in rows_where_in(tx, asked, contact.c.contact_id, contact_ids)}


def contacts_of(tx: Tx, contact_ids: Iterable[str]) -> dict[str, Contact]:
    """Contacts with names and addresses, opened, also those since gone; for composing and sending only."""
    columns = [contact.c[name] for name in Contact.__dataclass_fields__]
    asked = sa.select(*columns).where(tx.ours(contact))
    return {row[0]: Contact(*row) for row in rows_where_in(tx, asked, contact.c.contact_id, contact_ids)}


def classes_of(tx: Tx, student_ids: Iterable[str], on: dt.date) -> dict[str, str]:
    """The class each child is in on a day, by all that is known now; children never enrolled by then are left out."""
    asked = (
        sa.select(membership.c.student_id, membership.c.class_id)
        .where(tx.ours(membership), sa.or_(membership.c.starts_on.is_(None), membership.c.starts_on <= on))
        .order_by(sa.func.coalesce(membership.c.starts_on, ""), membership.c.known_at)
    )
    return {row[0]: row[1] for row in rows_where_in(tx, asked, membership.c.student_id, student_ids)}


def students_in(tx: Tx, class_ids: Iterable[str]) -> dict[str, str]:
    """Student → class, of the children whose newest class is among `class_ids`."""
    asked = sa.select(student.c.student_id, student.c.class_id).where(tx.ours(student))
    return {row[0]: row[1] for row in rows_where_in(tx, asked, student.c.class_id, class_ids)}


def memberships(tx: Tx, class_ids: Iterable[str] | None = None, known_by: dt.datetime | None = None) -> Memberships:
    """All memberships of the children who are or were in `class_ids` (None: of all), as known by an instant.

    Other classes of those children are included: a run follows the child, not the class.
    """
    starts_on = sa.type_coerce(membership.c.starts_on, sa.String)
    known_at = sa.type_coerce(membership.c.known_at, sa.BigInteger)
    asked = (
        sa.select(student.c.ordinal, membership.c.class_id, starts_on, known_at)
        .join_from(
            membership,
            student,
            sa.and_(student.c.district_id == membership.c.district_id, student.c.student_id == membership.c.student_id),
        )
        .where(tx.ours(membership))
    )
    if known_by is not None:
        asked = asked.where(membership.c.known_at <= known_by)
    if class_ids is not None:
        asked = asked.where(among(tx, membership.c.student_id, _ever_in(tx, class_ids)))
    return _block(tx.connection.execute(asked).partitions(_PAGE))


def _ever_in(tx: Tx, class_ids: Iterable[str]) -> list[str]:
    children: dict[str, None] = {}
    for part in chunks(class_ids):
        asked = sa.select(membership.c.student_id).where(tx.ours(membership), membership.c.class_id.in_(part))
        children.update(dict.fromkeys(tx.connection.scalars(asked)))
    return list(children)


def _block(pages: Iterable[Sequence[sa.Row[Any]]]) -> Memberships:
    """Rows as arrays: each different class and day is read once, not once a child."""
    names, days = Names(), Names()
    parts: list[tuple[npt.NDArray[Any], ...]] = [tuple(np.empty(0, kind) for kind in ("u4", "i4", "i4", "i8"))]
    for page in pages:
        ordinals, classes, starts, known = zip(*page, strict=True)
        parts.append((np.array(ordinals, "u4"), names.codes(classes), days.codes(starts), np.array(known, "i8")))
    ordinal, class_code, day_code, known_at = (np.concatenate(column) for column in zip(*parts, strict=True))
    classes = tuple(sorted(names.index))
    place = {class_id: number for number, class_id in enumerate(classes)}
    class_index = np.array([place[name] for name in names.index], np.int32)[class_code]
    starts_on = np.array([day or FIRST_DAY.isoformat() for day in days.index], "datetime64[D]")[day_code]
    order = np.lexsort((class_index, known_at, starts_on, ordinal))
    return Memberships(classes, ordinal[order], class_index[order], starts_on[order], known_at[order])


def _units(tx: Tx) -> dict[str, Unit]:
    asked = sa.select(unit.c.unit_id, unit.c.kind, unit.c.parent_id, unit.c.name, unit.c.code).where(tx.ours(unit))
    return {row[0]: Unit(*row) for row in tx.connection.execute(asked.order_by(unit.c.unit_id))}


def _contacts(tx: Tx) -> tuple[RosterContact, ...]:
    kept = (contact.c.contact_id, contact.c.role, contact.c.unit_id, contact.c.student_id)
    how = (contact.c.endpoint, contact.c.language, contact.c.phone.is_not(None), contact.c.email.is_not(None))
    asked = sa.select(*kept, *how).where(tx.ours(contact), contact.c.gone_at.is_(None))
    return tuple(RosterContact(*row) for row in tx.connection.execute(asked.order_by(contact.c.contact_id)))
