"""Rotation: every sealed value sealed anew under the current key, in small transactions, beside a running daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import Encrypted, keyring_of
from daemon.store.key_checks import record_keys
from daemon.store.tables import metadata

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.keys import Keyring
    from daemon.store.tx import Tx

_BATCH = 1000


def rotate(store: Store) -> int:
    """Seal anew all that is not under the current key; how many rows. Afterwards older keys may leave the ring.

    Stopped midway it goes on when called again. KeyringError when a value opens with no key of the ring.
    """
    changed = sum(_rotate_table(store, table) for table in metadata.sorted_tables if _sealed(table))
    store.commit(lambda tx: record_keys(tx, all_under_current=True))
    return changed


def _sealed(table: sa.Table) -> list[tuple[str, str]]:
    """Names of the sealed columns, and the place each is sealed for."""
    return [(column.name, column.type.place) for column in table.c if isinstance(column.type, Encrypted)]


def _rotate_table(store: Store, table: sa.Table) -> int:
    keys = [column.name for column in table.primary_key if column.name != "district_id"]
    changed, after = 0, None
    while True:
        with store.read() as tx:
            page = _page(tx, table, keys, after)
        if not page:
            return changed
        changed += store.commit(lambda tx, page=page: _reseal(tx, table, keys, page))  # type: ignore[misc]
        after = page[-1][: len(keys)]


def _page(tx: Tx, table: sa.Table, keys: list[str], after: tuple[Any, ...] | None) -> list[tuple[Any, ...]]:
    columns = [table.c[name] for name in keys]
    raw = [sa.type_coerce(table.c[name], sa.LargeBinary) for name, _place in _sealed(table)]
    asked = sa.select(*columns, *raw).where(tx.ours(table)).order_by(*columns).limit(_BATCH)
    if after is not None:
        bound = [sa.literal(value, column.type) for value, column in zip(after, columns, strict=True)]
        asked = asked.where(sa.tuple_(*columns) > sa.tuple_(*bound))
    return [tuple(row) for row in tx.connection.execute(asked)]


def _reseal(tx: Tx, table: sa.Table, keys: list[str], page: list[tuple[Any, ...]]) -> int:
    ring = keyring_of(tx.connection.dialect)
    sealed = _sealed(table)
    rows = [_resealed(ring, keys, sealed, row) for row in page]
    old = [row for row in rows if row is not None]
    if old:
        change = table.update().where(tx.ours(table), *(table.c[name] == sa.bindparam(f"k_{name}") for name in keys))
        # Guarded by the bytes that were read: what somebody wrote meanwhile is newer and under the current key.
        for name, _place in sealed:
            was = sa.bindparam(f"o_{name}", type_=sa.LargeBinary)
            raw = sa.type_coerce(table.c[name], sa.LargeBinary)
            change = change.where(sa.or_(raw == was, sa.and_(raw.is_(None), was.is_(None))))
        new = {name: sa.bindparam(f"n_{name}", type_=sa.LargeBinary) for name, _place in sealed}
        tx.connection.execute(change.values(new), old)
    return len(old)


def _resealed(
    ring: Keyring, keys: list[str], sealed: list[tuple[str, str]], row: tuple[Any, ...]
) -> dict[str, Any] | None:
    values = [None if value is None else bytes(value) for value in row[len(keys) :]]
    if all(value is None or ring.is_current(value) for value in values):
        return None
    bound = {f"k_{name}": value for name, value in zip(keys, row, strict=False)}
    for (name, place), value in zip(sealed, values, strict=True):
        bound[f"o_{name}"] = value
        bound[f"n_{name}"] = None if value is None else ring.seal(ring.open(value, place), place)
    return bound
