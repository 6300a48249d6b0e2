"""Killed at any instant while many messages are on their way to slow receivers: the receivers' logs are the judge."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tests.crash.county import County, county
from tests.crash.life import Life, Ways, until
from tests.crash.receivers import Pace, receivers
from tests.crash.verdict import judge, settles
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(300)

LIVES = 5
EACH = 15
"""Children more that are missing at each life: four messages each."""

FLYING = 10
"""So many messages at least are on their way when it is killed."""

TRANSPORTS = ("curl", "requests")

SLOW, QUICK = (0.05, 0.5), (0.0, 0.02)


def is_killed_while_sending(place: County, pace: Pace, ways: Ways, answered: int, seconds: float) -> int:
    """One life that ends once so many more messages were answered, and a moment later; how many were on their way.

    Counted in messages and not in seconds, so that on a quick machine there are still some to send.
    """
    place.misses(EACH)
    with Life(place.config, ways) as life:
        before = len(pace.log)
        life.waits_for(lambda: pace.flying >= FLYING and len(pace.log) >= before + answered)
        threading.Event().wait(seconds)
        life.waits_for(lambda: pace.flying >= FLYING)
        flying = pace.flying
        life.dies()
    until(lambda: not pace.flying, lambda: "receivers at rest")
    return flying


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.xdist_group("crash random")
def test_killed_at_random_instants(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    with receivers(Pace(SLOW, busy=0.05, chance=chance)) as hearing:
        place = county(tmp_path, hearing, children=EACH * LIVES, transport=TRANSPORTS[seed % 2])
        instants = [(chance.randrange(EACH), chance.uniform(0, 0.05)) for _ in range(LIVES)]
        flying = [is_killed_while_sending(place, hearing.pace, Ways(), *instant) for instant in instants]
        hearing.pace.slow = QUICK
        with Life(place.config) as life:
            settles(place, life)

        assert min(flying) >= FLYING
        assert judge(place, hearing.pace.log)


@pytest.mark.xdist_group("crash on postgresql")
def test_killed_at_random_instants_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.empty_database()
    with receivers(Pace(SLOW)) as hearing:
        place = county(tmp_path, hearing, children=EACH * 2, database=url, transport="curl")
        for instant in ((2, 0.01), (EACH, 0.04)):
            is_killed_while_sending(place, hearing.pace, Ways(lease=3), *instant)
        hearing.pace.slow = QUICK
        with Life(place.config, Ways(lease=3)) as life:
            settles(place, life)

        assert judge(place, hearing.pace.log)
    postgres.drop(url)
