"""The alarm: on time, never twice at once, never deaf, and alive after a failure."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.clockwork.alarm import Alarm
from tests.daemon.clockwork.running import PATIENCE, until

HOUR = dt.timedelta(hours=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def scheduler() -> Iterator[BackgroundScheduler]:
    """A scheduler with the daemon's own settings."""
    defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    built = BackgroundScheduler(timezone=dt.UTC, executors={"x": ThreadPoolExecutor(4)}, job_defaults=defaults)
    built.start()
    yield built
    built.shutdown(wait=False)


class Work:
    """What an alarm is to do: counts its runs, and does as told in each."""

    def __init__(self) -> None:
        self.begun: list[dt.datetime] = []
        self.next: dt.datetime | None = None
        self.failures: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.fail = False
        self.busy = 0
        self.most_busy = 0
        self._news = threading.Condition()

    def __call__(self) -> None:
        with self._news:
            self.begun.append(now())
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
            self._news.notify_all()
        self.hold.wait(PATIENCE)
        with self._news:
            self.busy -= 1
        if self.fail:
            raise RuntimeError("this work is told to fail")

    def ran(self, times: int) -> None:
        """Wait until it began so many times."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.begun) >= times, PATIENCE), len(self.begun)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def alarm(scheduler: BackgroundScheduler, work: Work) -> Iterator[Alarm]:
    built = Alarm("work", work, lambda: work.next, period=HOUR, clock=now, failed=work.failures.append)
    built.join(scheduler, "x")
    work.ran(1)
    yield built
    built.stop()


def test_it_looks_when_it_rings(alarm: Alarm, work: Work) -> None:
    for times in range(2, 20):
        alarm.ring()
        work.ran(times)


def test_it_looks_at_the_next_instant_to_the_hundredth(scheduler: BackgroundScheduler) -> None:
    """Of ten alarms one at least: a busy machine may keep some waiting, and none comes too early."""
    for n in range(10):
        work = Work()
        alarm = Alarm(
            f"work {n}", work, partial(getattr, work, "next"), period=HOUR, clock=now, failed=work.failures.append
        )
        alarm.join(scheduler, "x")
        work.ran(1)
        work.next = now() + dt.timedelta(seconds=0.5)
        alarm.ring()
        work.ran(3)
        alarm.stop()
        late = work.begun[2] - work.next
        assert late >= dt.timedelta(0)
        if late < dt.timedelta(seconds=0.1):
            return
    raise AssertionError(f"the last of ten was {late} late")


def test_a_ring_while_it_works_makes_it_look_again_and_never_twice_at_once(alarm: Alarm, work: Work) -> None:
    work.hold.clear()
    alarm.ring()
    work.ran(2)
    for _ in range(50):
        alarm.ring()
    work.hold.set()
    work.ran(3)
    assert work.most_busy == 1


def test_no_ring_is_lost_whenever_it_comes(alarm: Alarm, work: Work) -> None:
    """Each ring comes as close behind the end of a run as it can."""
    for _ in range(300):
        before = len(work.begun)
        alarm.ring()
        work.ran(before + 1)


def test_work_that_fails_is_counted_and_done_again(alarm: Alarm, work: Work) -> None:
    work.fail = True
    alarm.ring()
    work.ran(2)
    until(lambda: work.failures)
    work.fail = False
    work.ran(3)
    assert work.failures == ["work"]
    assert dt.timedelta(seconds=0.9) < work.begun[2] - work.begun[1]


def test_a_failing_look_at_the_next_instant_does_not_stop_it(scheduler: BackgroundScheduler, work: Work) -> None:
    def broken() -> dt.datetime:
        raise RuntimeError("this one too")

    alarm = Alarm("work", work, broken, period=dt.timedelta(seconds=1), clock=now, failed=work.failures.append)
    alarm.join(scheduler, "x")
    work.ran(3)
    alarm.stop()


def test_a_stopped_alarm_is_silent(alarm: Alarm, work: Work) -> None:
    alarm.stop()
    alarm.ring()
    assert len(work.begun) == 1


@pytest.mark.parametrize("apart", [dt.timedelta(days=400), -dt.timedelta(days=400)], ids=["ahead", "behind"])
def test_it_looks_in_time_by_a_clock_that_shows_another_time_than_the_machines(
    scheduler: BackgroundScheduler, work: Work, apart: dt.timedelta
) -> None:
    """While the machine's clock is in doubt the daemon goes by a time of its own, and the scheduler does not."""
    alarm = Alarm(
        "apart",
        work,
        lambda: None,
        period=dt.timedelta(seconds=0.2),
        clock=lambda: now() + apart,
        failed=work.failures.append,
    )
    alarm.join(scheduler, "x")
    work.ran(4)
    alarm.ring()
    work.ran(6)
    alarm.stop()
