"""What SQLite's planner is told about the tables of the outbox; on PostgreSQL it finds out by itself.

Every key begins with the district, which is the same in all rows. SQLite would guess that ten rows have it, and read
through all that was ever told instead of looking for what it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.store.tables import alert, attempt, message, receipt, reply, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

_TABLES = tuple(table.name for table in (alert, attempt, message, receipt, reply, unreachable))
_ROWS, _WAITING = 100_000, 1_000
"""In a table, and in an index of only those that wait for something."""
_ALIKE = 10
"""Rows with the same first column after the district; one fewer with each column more."""


def tell_planner(connection: Connection) -> None:
    """Write how selective each index is, in place of what was counted or said before; needs new connections."""
    told = list(_told(connection))
    known = connection.exec_driver_sql("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").first()
    if known and sorted(told) == sorted(map(tuple, connection.exec_driver_sql("SELECT * FROM sqlite_stat1"))):
        return
    if not known:
        connection.exec_driver_sql("ANALYZE sqlite_schema")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", told)


def _told(connection: Connection) -> Iterator[tuple[str, str, str]]:
    for table in _TABLES:
        for _, name, unique, origin, partial in connection.exec_driver_sql(f"PRAGMA index_list({table})").all():
            columns = len(connection.exec_driver_sql(f"PRAGMA index_info({name})").all())
            yield table, table if origin == "pk" else name, _figures(columns, unique=unique, partial=partial)


def _figures(columns: int, *, unique: bool, partial: bool) -> str:
    """The rows of an index, and how many are alike in its first column, its first two, and so on."""
    rows = _WAITING if partial else _ROWS
    alike = [rows, *(max(_ALIKE - n, 2) for n in range(columns - 1))]
    if unique:
        alike[-1] = 1
    return " ".join(map(str, [rows, *alike]))
