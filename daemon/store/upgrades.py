"""Migrations, run from code: Alembic over the scripts beside this file, wherever the package is installed."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

_SCRIPTS = Path(__file__).with_name("migrations")


def upgrade(connection: Connection, progress: Callable[[str], None] | None = None) -> None:
    """Run what is missing, each revision in a transaction of its own, so that a death in between is made good."""
    command.upgrade(_config(connection, progress), "head")


def check(connection: Connection) -> None:
    """Raise alembic.util.CommandError when the tables in code and in the database differ."""
    command.check(_config(connection, None))


def revision(connection: Connection) -> str | None:
    """The revision a database is at; None when it has none."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def known() -> frozenset[str]:
    """All the revisions this version has scripts for."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


@cache
def head() -> str:
    """The newest of them."""
    newest = _scripts().get_current_head()
    assert newest is not None
    return newest


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS))


def _config(connection: Connection, progress: Callable[[str], None] | None) -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["progress"] = progress
    return config
