"""How a database is connected to: SQLite only as the file it was, PostgreSQL without keeping anything in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.faults import StoreError
from daemon.store.tables.shape import complete_for_postgresql

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL, Connection, Engine

    from daemon.store.database_file import DatabaseFile

_CONNECTING: dict[str, Any] = {
    "connect_timeout": 10,
    # What is prepared in one transaction is not there in the next behind PgBouncer in transaction mode.
    "prepare_threshold": None,
}
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "cache_size=-16384",
    "wal_autocheckpoint=20000",  # see Store._checkpoint: this is for those who write much at once
)


def located(url: str, state_dir: Path) -> URL:
    """Return the database a URL means; relative SQLite files are in `state_dir`. StoreError for any other kind."""
    parsed = sa.make_url(url)
    engine = parsed.get_backend_name()
    if engine == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if engine != "sqlite":
        raise StoreError(f"a database of kind {engine!r} is not known: use sqlite:/// or postgresql://")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("the store needs a file: sqlite:///baoxue.db")
    return parsed.set(database=str(state_dir / parsed.database))


def engine_at(url: URL, file: DatabaseFile | None) -> Engine:
    """Return an engine for the database at `url`, which is `file` on SQLite; it connects when it is used."""
    if file is None:
        complete_for_postgresql()
        return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=_CONNECTING)
    engine = sa.create_engine(url, hide_parameters=True)
    existing = f"{file.path.absolute().as_uri()}?mode=rw"

    def only_existing(_dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]) -> None:
        file.check()
        arguments[0], named["uri"] = existing, True  # or SQLite would make a new, empty file in place of one removed

    def begin(connection: Connection) -> None:
        file.check()
        _on_begin(connection)

    sa.event.listen(engine, "do_connect", only_existing)
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", begin)
    return engine


def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # SQLAlchemy's begin event below says BEGIN, never the driver
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    # A reader that turns writer gets BUSY at once and no time-out helps, so a writer says so from the start.
    writes = connection.get_execution_options().get("baoxue_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
