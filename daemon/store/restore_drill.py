"""Restoring a backup beside the store, to know that it can be done before it has to be done."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store import journal
from daemon.store.columns import Encrypted
from daemon.store.engine import open_store
from daemon.store.faults import StoreError
from daemon.store.tables import case, entry, metadata, student

if TYPE_CHECKING:
    from daemon.store.keys import Keyring
    from daemon.store.tx import Tx


DRILL = "restore-drill-"
"""What the folders of drills begin with."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored backup holds of the district; `latest` is the instant of the last entry in its journals."""

    cases: int
    students: int
    latest: dt.datetime | None


def try_restoring(file: Path, district: str, keyring: Keyring, *, scratch: Path | None = None) -> Restored:
    """Restore the backup `file` into a store of its own below `scratch`, which goes again, and check all of it.

    Takes as much room as the backup. StoreError when it is damaged, of another district, or its journals are not what
    was written; StoreNewer when a newer version made it; KeyringError when the keys do not open it.
    """
    with tempfile.TemporaryDirectory(prefix=DRILL, dir=scratch) as folder:
        store = open_store("sqlite:///restored.db", district, keyring, state_dir=Path(folder))
        try:
            store.restore(file)
            with store.read() as tx:
                return _checked(tx, file.name)
        finally:
            store.close()


def _checked(tx: Tx, name: str) -> Restored:
    _open_sealed(tx)
    broken = journal.verify(tx)
    if broken:
        raise StoreError(f"{name}: the journals of {len(broken)} cases are not what was written")
    counts = {table.name: _count(tx, table) for table in (case, student)}
    if not any(counts.values()) and _of_others(tx):
        raise StoreError(f"{name} is of another district")
    latest = tx.connection.execute(sa.select(sa.func.max(entry.c.known_at)).where(tx.ours(entry))).scalar()
    return Restored(counts["case"], counts["student"], latest)


def _open_sealed(tx: Tx) -> None:
    """Open one value of each sealed column; KeyringError where the key is not on the ring."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, Encrypted):
                asked = sa.select(column).where(tx.ours(table), column.is_not(None)).limit(1)
                tx.connection.execute(asked).all()


def _count(tx: Tx, table: sa.Table) -> int:
    found: int = tx.connection.execute(sa.select(sa.func.count()).select_from(table).where(tx.ours(table))).scalar_one()
    return found


def _of_others(tx: Tx) -> bool:
    asked = (sa.select(sa.exists().where(table.c.district_id != tx.district)) for table in (case, student))
    return any(tx.connection.execute(one).scalar() for one in asked)
