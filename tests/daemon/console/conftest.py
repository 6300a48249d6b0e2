"""A console over a small office, asked in-process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.console.app import build_console
from daemon.console.ready import Vitals
from daemon.store.engine import Store
from tests.daemon.desk.county_office import Office, write_county


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> Office:
    write_county(tmp_path)
    return Office(tmp_path, sqlite_store)


@pytest.fixture
def vitals(office: Office) -> Vitals:
    return Vitals(office.house)


@pytest.fixture
def browser(office: Office, vitals: Vitals) -> Iterator[TestClient]:
    with TestClient(build_console(office.house, vitals), raise_server_exceptions=False) as client:
        yield client
