"""What every test may ask for: an empty store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring
from tests.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DISTRICT = "610999"


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
