"""Contacts to whom their source gives no id, known again by their addresses where several share role, unit and name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import contact
from daemon.store.tx import rows_where_in
from rules.records import contact_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.store.tx import Tx
    from rules.records import ContactRecord

_Addresses = tuple[str | None, ...]


def known_again(tx: Tx, records: Iterable[ContactRecord]) -> list[ContactRecord]:
    """Return the contacts under the ids they are stored by, whatever order they came in and whoever of them is left.

    The day a second person of one role, unit and name is listed, the first keeps the id that names no address.
    """
    kept: list[ContactRecord] = []
    nameless: dict[str, list[ContactRecord]] = defaultdict(list)
    for record in records:
        common = contact_id_of(record)
        if record.contact_id in {common, record.id_by_address}:
            nameless[common].append(record)
        else:
            kept.append(record)
    by_address = _stored_ids(tx, (one.id_by_address for group in nameless.values() for one in group))
    shared = _stored_addresses(tx, (common for common, group in nameless.items() if len(group) > 1))
    for common, group in nameless.items():
        kept += _settled(common, group, by_address, shared)
    return kept


def _settled(
    common: str, group: Sequence[ContactRecord], by_address: set[str], shared: Mapping[str, _Addresses]
) -> list[ContactRecord]:
    """One of those not known by an address has the common id: who had it, else who comes first."""
    known = [replace(one, contact_id=one.id_by_address) for one in group if one.id_by_address in by_address]
    rest = [one for one in group if one.id_by_address not in by_address]
    if not rest:
        return known
    had_it = shared.get(common, ())
    first = next((one for one in rest if _meet(one.addresses, had_it)), rest[0])
    others = [replace(one, contact_id=one.id_by_address) for one in rest if one is not first]
    return [*known, replace(first, contact_id=common), *others]


def _meet(one: _Addresses, other: _Addresses) -> bool:
    return any(mine is not None and mine == theirs for mine, theirs in zip(one, other, strict=False))


def _stored_ids(tx: Tx, ids: Iterable[str]) -> set[str]:
    asked = sa.select(contact.c.contact_id).where(tx.ours(contact))
    return {row[0] for row in rows_where_in(tx, asked, contact.c.contact_id, ids)}


def _stored_addresses(tx: Tx, ids: Iterable[str]) -> dict[str, _Addresses]:
    columns = (contact.c.contact_id, contact.c.phone, contact.c.email, contact.c.endpoint)
    rows = rows_where_in(tx, sa.select(*columns).where(tx.ours(contact)), contact.c.contact_id, ids)
    return {row[0]: tuple(row)[1:] for row in rows}
