"""The common shape of tables: every key, unique and reference is led by `district_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from daemon.store.columns import Instant

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def table(name: str, key: tuple[str, ...], *parts: SchemaItem) -> Table:
    """A table keyed by the district and `key`."""
    # Without a rowid SQLite keeps the rows themselves in the order of the key: one tree to write, not two,
    # and the rolls of a class lie beside each other.
    return Table(
        name,
        metadata,
        Column("district_id", Text, nullable=False),
        *parts,
        PrimaryKeyConstraint("district_id", *key),
        sqlite_with_rowid=False,
    )


def text(name: str, *, null: bool = False) -> Column[str]:
    """A text of ours: an id, a kind; never personal."""
    return Column(name, Text, nullable=null)


def instant(name: str, *, null: bool = False) -> Column[dt.datetime]:
    """An instant, in microseconds."""
    return Column(name, Instant, nullable=null)


def some(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of only the rows that wait for something."""
    only = sa.text(where)
    return Index(name, "district_id", *columns, unique=unique, sqlite_where=only, info={_WHERE: only})


_WHERE = "where"


def complete_for_postgresql() -> None:
    """Say in PostgreSQL's words what indexes hold; not at first, for its dialect is slow to load and few need it."""
    for index in (index for one in metadata.tables.values() for index in one.indexes):
        if _WHERE in index.info:
            index.dialect_options["postgresql"][_WHERE] = index.info[_WHERE]


def belongs(child: tuple[str, ...], parent: str, key: tuple[str, ...]) -> ForeignKeyConstraint:
    """A reference within the district."""
    targets = [f"{parent}.{column}" for column in ("district_id", *key)]
    return ForeignKeyConstraint(["district_id", *child], targets)
