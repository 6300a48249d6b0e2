"""Migrations, run from code: Alembic over the scripts beside this file, wherever the package is installed."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config
    from sqlalchemy.engine import Connection

# Alembic needs a tenth of the daemon's memory and of a command's time, and nearly always there is nothing to migrate:
# it is imported by whoever migrates.

_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: Connection, progress: Callable[[str], None] | None = None) -> None:
    """Run what is missing, each revision in a transaction of its own, so that a death in between is made good."""
    from alembic import command  # noqa: PLC0415 - see above

    command.upgrade(_config(connection, progress), "head")


def check(connection: Connection) -> None:
    """Raise alembic.util.CommandError when the tables in code and in the database differ."""
    from alembic import command  # noqa: PLC0415 - see above

    command.check(_config(connection, None))


def revision(connection: Connection) -> str | None:
    """The revision a database is at; None when it has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


@cache
def known() -> frozenset[str]:
    """All the revisions this version has scripts for: each script's name begins with its own."""
    return frozenset(script.name.partition("_")[0] for script in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


@cache
def head() -> str:
    """The newest of them."""
    return max(known())


def _config(connection: Connection, progress: Callable[[str], None] | None) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["progress"] = progress
    return config
