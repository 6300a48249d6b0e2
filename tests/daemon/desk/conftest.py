"""An office in a folder of its own, on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemon.desk.county_office import Office, write_county

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.engine import Store


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> Office:
    write_county(tmp_path)
    return Office(tmp_path, sqlite_store)
