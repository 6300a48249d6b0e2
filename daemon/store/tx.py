"""One transaction, and the few things every part of the store does with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from daemon.store import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from sqlalchemy.dialects import postgresql
    from sqlalchemy.engine import Connection

    Insert = sqlite.Insert | postgresql.Insert

T = TypeVar("T")

_BLOCK_SIZES = (64, 8, 1)
CHUNK = 5000
"""How many ids go into one IN list: well below every engine's limit of parameters (32 766 in SQLite)."""


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction of one district; every function of the store takes it first.

    Does not commit: `Store.read`, `Store.write` and `Store.commit` do. `new_id` makes the ids of new rows.
    """

    connection: Connection
    district: str
    new_id: Callable[[], str]

    @property
    def is_sqlite(self) -> bool:
        """Whether SQLite is behind it (only the bulk paths of the store need to know)."""
        return self.connection.dialect.name == "sqlite"

    def ours(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The rows of `table` that are this district's."""
        return table.c.district_id == self.district

    def asks(self, built: sa.Select[*tuple[Any, ...]] | sa.Delete, **said: Any) -> sa.CursorResult[*tuple[Any, ...]]:  # noqa: ANN401
        """Execute a statement that was built beforehand with `ours`; `said` are its other parameters."""
        return self.connection.execute(built, {"district": self.district, **said})

    def add(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, otherwise: str = "") -> None:
        """Insert `rows` (all with the same columns, without `district_id`, which is added) as one batch.

        `otherwise` is the SQL of what happens to rows whose key or unique is taken, in words that every engine
        understands; without it IntegrityError is raised.
        """
        if not rows:
            return
        names = tuple(rows[0])
        values = list(zip(repeat(self.district), *(self._bound(table, name, rows) for name in names), strict=False))
        if not self.is_sqlite:
            self.connection.exec_driver_sql(f"{_insert(table, names, '%s')} {otherwise}", values)
            return
        for part in _blocks(values):
            insert = f"{_insert(table, names, '?', len(part))} {otherwise}"
            self.connection.exec_driver_sql(insert, tuple(chain.from_iterable(part)))

    def change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`, with their values, as the driver takes them, for its question marks."""
        if rows:
            self.connection.exec_driver_sql(statement if self.is_sqlite else statement.replace("?", "%s"), [*rows])

    def _bound(self, table: sa.Table, name: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
        """One column of `rows` as the driver takes it."""
        values = map(itemgetter(name), rows)
        bind = table.c[name].type.bind_processor(self.connection.dialect)
        return values if bind is None else map(bind, values)

    def inserting(self, table: sa.Table) -> Insert:
        """An insert that knows ON CONFLICT, in the engine's own words."""
        return sqlite.insert(table) if self.is_sqlite else _postgresql().insert(table)


def ours(table: sa.Table) -> sa.ColumnElement[bool]:
    """The rows of `table` that are the district's of whichever transaction `asks`.

    To build a statement costs more than to execute it, so what is asked often is built once.
    """
    return table.c.district_id == _DISTRICT


_DISTRICT = sa.bindparam("district", type_=sa.String)


def _postgresql() -> ModuleType:
    """The dialect, which most never need, and which is not small."""
    return import_module("sqlalchemy.dialects.postgresql")


@cache
def _insert(table: sa.Table, names: tuple[str, ...], mark: str, rows: int = 1) -> str:
    # Straight to the driver: SQLAlchemy's own batches cost four times the writing.
    columns = ", ".join(f'"{name}"' for name in ("district_id", *names))
    marks = ", ".join([mark] * (len(names) + 1))
    return f'INSERT INTO "{table.name}" ({columns}) VALUES {", ".join([f"({marks})"] * rows)}'  # noqa: S608 – our names


def _blocks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in blocks of a few sizes, one statement each.

    SQLite's driver lets other threads run at every statement, and waits for its turn again: a row at a time, a
    deadline waits a hundred times for a poll.
    """
    at = 0
    for size in _BLOCK_SIZES:
        while len(values) - at >= size:
            yield values[at : at + size]
            at += size


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def take_numbers(tx: Tx, name: str, count: int) -> int:
    """Reserve `count` numbers of the counter `name`; the first of them. Numbers are never given twice."""
    table = tables.counter
    insert = tx.inserting(table).values(district_id=tx.district, name=name, value=count)
    counted = insert.on_conflict_do_update(
        index_elements=["district_id", "name"], set_={"value": table.c.value + count}
    ).returning(table.c.value)
    last: int = tx.connection.execute(counted).scalar_one()
    return last - count + 1


def rows_where_in(
    tx: Tx,
    chosen: sa.Select[*tuple[Any, ...]],
    column: sa.ColumnElement[Any],
    values: Iterable[str] | None,
    **said: Any,  # noqa: ANN401 - parameters of any type
) -> list[Any]:
    """The rows of `chosen` with `column` among `values` (None: all), in the order of `chosen`; see `Tx.asks`."""
    if values is None:
        return list(tx.asks(chosen, **said).all())
    asked = list(dict.fromkeys(values))
    if not asked:
        return []
    wanted = json.dumps(asked) if tx.is_sqlite else asked
    return list(tx.asks(_narrowed(chosen, column, tx.connection.dialect.name), wanted=wanted, **said).all())


@lru_cache(maxsize=256)
def _narrowed(
    chosen: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[Any], engine: str
) -> sa.Select[*tuple[Any, ...]]:
    return chosen.where(_is_among(column, "wanted", None, engine))


def among(tx: Tx, column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """That `column` is one of `values`, which go over as a single parameter, however many they are."""
    listed = json.dumps(values) if tx.is_sqlite else list(values)
    return _is_among(column, None, listed, tx.connection.dialect.name)


def _is_among(column: sa.ColumnElement[Any], name: str | None, listed: Any, engine: str) -> sa.ColumnElement[bool]:  # noqa: ANN401
    if engine == "sqlite":
        each = sa.func.json_each(sa.bindparam(name, listed, type_=sa.String)).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.bindparam(name, listed, type_=_postgresql().ARRAY(sa.Text())))
