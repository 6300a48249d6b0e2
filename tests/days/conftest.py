"""A false school for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from daemon.store.engine import Store
from tests.days.school import Day
from tests.phones import phones

Opens = Callable[..., Day]


@pytest.fixture
def opens(store: Store, tmp_path: Path) -> Iterator[Opens]:
    """Opens the school in a way of its own: in shadow, with other children."""
    with ExitStack() as held:
        receivers = held.enter_context(phones())

        def opened(**rest: Any) -> Day:  # noqa: ANN401 - passed on
            folder = tmp_path / "school"
            folder.mkdir()
            day = Day(folder, store, receivers, **rest)
            held.callback(day.close)
            return day

        yield opened


@pytest.fixture
def day(opens: Opens) -> Day:
    """The school as it usually is."""
    return opens()
