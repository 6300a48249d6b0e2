"""Whether the keys of the key file are those the store was written with: a known text, sealed once with each key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.columns import Encrypted, keyring_of
from daemon.store.keys import KeyringError
from daemon.store.tables import key_check, metadata

if TYPE_CHECKING:
    from daemon.store.keys import Keyring
    from daemon.store.tx import Tx

_PLACE = "key_check.sealed"
_TEXT = "baoxue"
_LOST = "the store holds values sealed with key {!r}, which is not in the key file"
_OTHER = "key {!r} is another key than the one of that name the store was written with"


def key_faults(tx: Tx, keys: Keyring | None = None) -> list[str]:
    """Return what is wrong with `keys` (those in force) for this store: one is missing, or another of the same name."""
    ring = keys or keyring_of(tx.connection.dialect)
    checks = _checks(tx)
    unopened = [key_id for key_id, sealed in checks.items() if not _opens(ring, sealed)]
    faults = [(_OTHER if key_id in ring.ids else _LOST).format(key_id) for key_id in unopened]
    return faults if checks else list(_faults_of_values(tx, ring))


def check_keys(tx: Tx) -> None:
    """Raise KeyringError with the first of `key_faults`."""
    for fault in key_faults(tx):
        raise KeyringError(fault)


def record_keys(tx: Tx, *, all_under_current: bool = False) -> None:
    """Seal the known text with each key whose name the store does not know yet; needs a write transaction.

    A store without any was written by an earlier version: all keys of the ring may have sealed in it. With
    `all_under_current` the other keys are forgotten, for nothing is sealed with them any more.
    """
    ring = keyring_of(tx.connection.dialect)
    known = _checks(tx)
    used = [ring.current] if known or all_under_current else list(ring.ids)
    rows = [
        {"key_id": key_id, "sealed": ring.seal_with(key_id, _TEXT, _PLACE)} for key_id in used if key_id not in known
    ]
    tx.add(key_check, rows)
    if all_under_current:
        tx.connection.execute(key_check.delete().where(tx.ours(key_check), key_check.c.key_id != ring.current))


def _checks(tx: Tx) -> dict[str, bytes]:
    asked = sa.select(key_check.c.key_id, key_check.c.sealed).where(tx.ours(key_check)).order_by(key_check.c.key_id)
    return {key_id: bytes(sealed) for key_id, sealed in tx.connection.execute(asked)}


def _opens(ring: Keyring, sealed: bytes, place: str = _PLACE) -> bool:
    try:
        ring.open(sealed, place)
    except KeyringError:
        return False
    return True


def _faults_of_values(tx: Tx, ring: Keyring) -> Iterator[str]:
    """Faults found by opening one value of each column under each key, in a store that has no known text yet."""
    said: set[str] = set()
    for column, place in _sealed_columns():
        for key_id, header in ring.headers.items():
            value = _first(tx, column, _starts(column, header))
            if value is not None and not _opens(ring, value, place) and key_id not in said:
                said.add(key_id)
                yield _OTHER.format(key_id)
        strange = _first(tx, column, *(sa.not_(_starts(column, header)) for header in ring.headers.values()))
        lost = ring.id_of(strange) if strange is not None else None
        if lost is not None and lost not in said:
            said.add(lost)
            yield _LOST.format(lost)


def _sealed_columns() -> Iterator[tuple[sa.Column[str], str]]:
    for table in metadata.sorted_tables:
        yield from ((column, column.type.place) for column in table.c if isinstance(column.type, Encrypted))


def _starts(column: sa.Column[str], header: bytes) -> sa.ColumnElement[bool]:
    start = sa.func.substr(sa.type_coerce(column, sa.LargeBinary), 1, len(header))
    return start == sa.bindparam(None, header, type_=sa.LargeBinary)


def _first(tx: Tx, column: sa.Column[str], *conditions: sa.ColumnElement[bool]) -> bytes | None:
    raw = sa.type_coerce(column, sa.LargeBinary)
    asked = sa.select(raw).where(column.table.c.district_id == tx.district, raw.is_not(None), *conditions).limit(1)
    found = tx.connection.execute(asked).scalar()
    return None if found is None else bytes(found)
