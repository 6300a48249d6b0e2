"""A thousand cases due at once, three daemons over one PostgreSQL, one of them killed: the receivers judge them."""

from __future__ import annotations

import random
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon.store.engine import Store
from tests.crash.county import County, Told, county, phone
from tests.crash.life import Life, Ways
from tests.crash.receivers import Pace, receivers
from tests.crash.verdict import judge, settles
from tests.daemon.clockwork.running import OFFICE_MAIL
from tests.postgres import Postgres

CASES = 1_000
DAEMONS = 3
WAYS = Ways(lease=3)
SEED = 4
"""Which of them is killed, and when."""


@dataclass
class Texts(County):
    """Each town is told by text message only, the office by mail."""

    def expected(self, numbers: dict[str, str]) -> set[Told]:
        told = {("sms", phone(n), numbers[child]) for n, child in enumerate(self.ids)}
        return told | {("email", OFFICE_MAIL, numbers[child]) for child in self.ids}

    def _toml(self) -> str:
        return super()._toml().replace('"email", "webhook"]\nreach = "every"', '"email"]')


def holds_something(store: Store, life: Life) -> bool:
    """Whether a daemon is about to send something."""
    held = "SELECT count(*) FROM message WHERE state = 'queued' AND lease_by LIKE '%%:' || %s"
    with store.read() as tx:
        return bool(tx.connection.exec_driver_sql(held, (str(life.process.pid),)).scalar())


@pytest.mark.xdist_group("crash on postgresql")
def test_a_thousand_due_cases_three_daemons_one_killed(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.empty_database()
    chance = random.Random(SEED)  # noqa: S311 - no secret
    unlucky, after, moment = chance.randrange(DAEMONS), chance.randrange(CASES // 2), chance.uniform(0, 0.02)
    print(f"number {unlucky} is killed {moment:.3f} s after {after} messages")  # noqa: T201 - shown where it fails
    with receivers(Pace((0.0, 0.02))) as hearing, ExitStack() as held:
        place = county(tmp_path, hearing, children=CASES, database=url, transport="curl", kind=Texts)
        first = held.enter_context(Life(place.config, WAYS))
        first.says("serving")  # the schema is there
        lives = [first, *(held.enter_context(Life(place.config, WAYS)) for _ in range(DAEMONS - 1))]
        for life in lives:
            life.says("serving")
        store = place.opens()
        held.callback(store.close)

        place.misses(CASES)
        victim = lives.pop(unlucky)
        victim.waits_for(lambda: len(hearing.pace.log) >= after and holds_something(store, victim))
        threading.Event().wait(moment)
        victim.dies()
        settles(place, lives[0])

        judge(place, hearing.pace.log)
    postgres.drop(url)
