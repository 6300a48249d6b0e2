"""An office that is told what becomes of its messages, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemon.record.record_office import RecordOffice

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.engine import Store


@pytest.fixture
def office(tmp_path: Path, store: Store) -> RecordOffice:
    return RecordOffice(tmp_path, store)
