"""What comes after the clock was in doubt: what a start does before the first deadline may fire, done again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import structlog

from daemon.clockwork.clock_guard import ClockGuard
from daemon.clockwork.pools import Pools
from daemon.clockwork.startup import poll_all, prepare
from daemon.clockwork.works import Works
from daemon.jobs.house import House

log = structlog.get_logger()


def go_on(
    house: House,
    guard: ClockGuard,
    works: Works,
    pools: Pools,
    patience: dt.timedelta,
    stopping: Callable[[], bool],
) -> None:
    """Hear all feeds, none longer than `patience`, prepare, and judge again; a fault is logged and tried again."""
    log.info("polling before judging goes on")
    poll_all(house, works.poll, pools.poll.threads, patience, lambda _: None, stopping)
    if stopping() or guard.look() is not None:
        return
    try:
        prepare(house, house.clock())
    except Exception:
        log.critical("not prepared for judging, trying again", exc_info=True)
        house.metrics.failures.labels(job="prepare").inc()
        return
    works.vitals.up_since = house.clock()  # what fell due meanwhile is late for no fault of a job
    guard.judging.set()
    works.jump()
