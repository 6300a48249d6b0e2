"""Killed at every named point of the way of one mark, and started again: nothing is lost, nothing told in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.county import county
from tests.crash.life import KILLED, Life, Ways
from tests.crash.receivers import Receivers, receivers
from tests.crash.verdict import judge, settles
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(300)

EACH = 3
"""Children more that are missing at each life."""

Deaths = tuple[tuple[str, int], ...]

TAKING_IN: Deaths = (
    ("migrating", 1),
    ("migrating", 11),
    ("migrating", 20),
    ("polled", 1),
    ("polled", 2),
    ("recording", 1),
    ("recorded", 1),
    ("polled", 2),
)
DECIDING: Deaths = (
    ("recorded", 4),
    ("kept", 1),
    ("freed", 1),
    ("prepared", 1),
    ("decided", 1),
    ("committed", 1),
    ("decided", 1),
    ("claimed", 1),
)
SENDING: Deaths = (
    ("claimed", 3),
    ("started", 1),
    ("started", 2),
    ("sent", 1),
    ("sent", 5),
    ("settling", 1),
    ("settled", 1),
    ("settling", 2),
    ("committed", 1),
)
ON_POSTGRESQL: Deaths = (
    ("migrating", 9),
    ("recording", 4),
    ("decided", 1),
    ("started", 1),
    ("sent", 2),
    ("settling", 1),
)


@pytest.fixture
def hearing() -> Iterator[Receivers]:
    with receivers() as opened:
        yield opened


@pytest.mark.parametrize("deaths", [TAKING_IN, DECIDING, SENDING], ids=["taking in", "deciding", "sending"])
@pytest.mark.xdist_group("crash named")
def test_killed_at_named_points(tmp_path: Path, hearing: Receivers, deaths: Deaths) -> None:
    place = county(tmp_path, hearing, children=EACH * len(deaths))
    for death in deaths:
        place.misses(EACH)
        with Life(place.config, Ways(death)) as life:
            assert life.ends() == KILLED, (death, life.log)
    with Life(place.config) as life:
        settles(place, life)

    repeats = judge(place, hearing.pace.log)
    if deaths is not DECIDING:  # then a message of an earlier life may be on its way, or not
        assert bool(repeats) == (deaths is SENDING)


@pytest.mark.xdist_group("crash on postgresql")
def test_killed_at_named_points_on_postgresql(tmp_path: Path, hearing: Receivers, postgres: Postgres) -> None:
    url = postgres.empty_database()
    place = county(tmp_path, hearing, children=EACH * len(ON_POSTGRESQL), database=url)
    for death in ON_POSTGRESQL:
        place.misses(EACH)
        with Life(place.config, Ways(death, lease=2)) as life:
            assert life.ends() == KILLED, (death, life.log)
    with Life(place.config, Ways(lease=2)) as life:
        settles(place, life)

    assert judge(place, hearing.pace.log)
    postgres.drop(url)
