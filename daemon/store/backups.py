"""Backups: one SQLite file, whatever the engine; and the way back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store import upgrades
from daemon.store.faults import NoBackup, StoreError, StoreFull, StoreNewer
from daemon.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from daemon.store.engine import Store

_PAGE = 1000
_HEADER = b"SQLite format 3\0"


def backup(store: Store, path: Path) -> None:
    """Write the whole store to `path`, which appears only when it is complete."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with _writing(path):
            if store.file is not None:
                _copy_file(store.file, partial)
            else:
                _copy_rows_out(store, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def may_be_replaced(path: Path) -> bool:
    """Return whether a backup may be written to `path`: nothing is there, or a database, as an older backup is."""
    if not path.exists():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as opened:
        return opened.read(len(_HEADER)) in {b"", _HEADER}


def restore(store: Store, path: Path) -> None:
    """Put the backup at `path` in place of everything; StoreError when it is none, StoreNewer when it is too new."""
    found = _checked_revision(path)
    if store.file is not None:
        store.engine.dispose()
        with _writing(store.file):
            _copy_file(path, store.file)
        return
    if found != upgrades.head():
        raise StoreError(f"the backup is of revision {found}: restore it to SQLite first, which upgrades it")
    store.upgrade()
    with closing(_lite(path)) as source:
        store.commit(lambda tx: _replace_rows(tx.connection, source, tx.district))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raise what SQLite says of a file that is being written as StoreError, StoreFull where there is no room for it."""
    try:
        yield
    except sqlite3.Error as error:
        is_full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        raise (StoreFull if is_full else StoreError)(f"{path} cannot be written: {error}") from error


def _copy_file(source: Path, target: Path) -> None:
    # The engine's own copying: sees one state of the source, and waits for writers of the target.
    with closing(sqlite3.connect(source)) as giver, closing(sqlite3.connect(target)) as taker:
        giver.backup(taker)
        taker.execute("PRAGMA journal_mode=DELETE")  # one file, which may be moved; opening a store turns WAL on again


def _checked_revision(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            # Not quick_check: SQLite 3.40 mistakes the columns of tables without a rowid in it.
            if opened.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise NoBackup(f"{path.name} is damaged")
            found = str(opened.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError):
        raise NoBackup(f"{path.name} is no backup of a store, or cannot be read") from None
    if found not in upgrades.known():
        raise StoreNewer(f"the backup is of revision {found}, this version knows up to {upgrades.head()}")
    return found


def _copy_rows_out(store: Store, path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            upgrades.upgrade(connection)
        with closing(_lite(path)) as target, store.read() as tx:
            target.execute("BEGIN")
            for table in metadata.sorted_tables:
                for page in _pages_out(tx.connection, table, tx.district):
                    target.executemany(_insert(table, "?"), page)
            target.execute("COMMIT")
    finally:
        engine.dispose()


def _pages_out(connection: Connection, table: sa.Table, district: str) -> Iterator[list[tuple[Any, ...]]]:
    columns = [sa.type_coerce(column, _plain(column)) for column in table.c]
    asked = sa.select(*columns).where(table.c.district_id == district)
    rows = connection.execution_options(yield_per=_PAGE).execute(asked)
    for page in rows.partitions():
        yield [tuple(row) for row in page]


def _replace_rows(connection: Connection, source: sqlite3.Connection, district: str) -> None:
    tables = metadata.sorted_tables
    for table in reversed(tables):
        connection.execute(table.delete().where(table.c.district_id == district))
    for table in tables:
        names = ", ".join(f'"{column.name}"' for column in table.c)
        asked = f'SELECT {names} FROM "{table.name}" WHERE district_id = ?'  # noqa: S608 – names of our own tables
        rows = source.execute(asked, (district,))
        readers = [_from_lite(column) for column in table.c]
        while page := rows.fetchmany(_PAGE):
            read = [tuple(reader(value) for reader, value in zip(readers, row, strict=True)) for row in page]
            connection.exec_driver_sql(_insert(table, "%s"), read)


def _plain(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """The type beneath ours: values as they lie in the table, sealed ones sealed."""
    kind = column.type
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


def _from_lite(column: sa.Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, sa.Boolean):
        return lambda value: None if value is None else bool(value)
    return lambda value: value


def _insert(table: sa.Table, mark: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark] * len(table.c))})'  # noqa: S608 – ours


def _lite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)
