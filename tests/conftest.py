"""What every test may ask for: an empty store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest
import structlog
from _pytest.nodeid import coerce_node_id
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment

from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring
from tests.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import CodeType

DISTRICT = "610999"
LONG = ("test_law", "test_backtest_term", "test_backtest_worlds")
"""Modules whose single tests take a minute: begun first, lest one worker waits for another at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give items the names by which workers share them out, and begin with the longest.

    pytest-xdist 3.8 writes the group of a test where pytest 9.2 does not look any more: without this the tests of a
    group go to any worker, and each of these makes anew what they were to share.
    """
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped is not None and item.nodeid != grouped:
            item._id = coerce_node_id(grouped)
            assert item.nodeid == grouped
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(autouse=True)
def _plain_log() -> None:
    """Each test begins with the log as it is by default, whatever a command that ran in this process made of it."""
    structlog.reset_defaults()


class Compiled(BytecodeCache):
    """What templates were compiled to, by name and text: thousands of houses in one process speak the same words."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        remembering = partial(ImmutableSandboxedEnvironment, bytecode_cache=Compiled())
        patched.setattr("notifiers.words.ImmutableSandboxedEnvironment", remembering)
        yield


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring.parse(Keyring.generate("test"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres(os.environ.get("PYTEST_XDIST_WORKER", "gw")) as server:
        yield server


@pytest.fixture(scope="session")
def upgrade(keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Brings the database at a URL to the newest schema."""

    def upgraded(url: str) -> None:
        store = open_store(url, DISTRICT, keyring, state_dir=tmp_path_factory.getbasetemp())
        store.upgrade()
        store.close()

    return upgraded


@pytest.fixture(scope="session")
def sqlite_template(upgrade: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store, to be copied: quicker than an upgrade a test."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def schema_at_once(sqlite_template: Path) -> Iterator[None]:
    """New stores on SQLite get their schema as a copy of an empty store, for modules that open hundreds."""

    def copied(store: Store) -> None:
        assert store.file is not None
        assert store.revision() is None
        with closing(sqlite3.connect(sqlite_template)) as source, closing(sqlite3.connect(store.file)) as target:
            source.backup(target)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "upgrade", copied)
        yield


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of an empty SQLite store."""
    shutil.copy(sqlite_template, tmp_path / "store.db")
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres, upgrade: Callable[[str], None]) -> Iterator[str]:
    """URL of an empty PostgreSQL store."""
    url = postgres.lend(upgrade)
    yield url
    postgres.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty store, once on each engine."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def store(store_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once on each engine."""
    opened = open_store(store_url, DISTRICT, keyring, state_dir=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite, for what need not be tried on both."""
    opened = open_store(sqlite_url, DISTRICT, keyring, state_dir=tmp_path)
    yield opened
    opened.close()
