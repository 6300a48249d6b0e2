"""A clock that is set while the daemon runs: everything looks again within a beat, and no missed run is counted."""

from __future__ import annotations

import datetime as dt
import signal
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.clock import ClockDoubt, Reading
from daemon.clockwork import life, signals
from daemon.clockwork.pauses import Pause

YEARS = dt.timedelta(days=4_000)


class Guard:
    """A guard with a clock that is set by hand."""

    def __init__(self) -> None:
        self.offset = dt.timedelta(0)
        self.doubt: ClockDoubt | None = None
        self.judging = threading.Event()
        self.judging.set()

    def reading(self) -> Reading:
        now = dt.datetime.now(dt.UTC) + self.offset
        return Reading(now, now)

    def look(self) -> ClockDoubt | None:
        return self.doubt


def waits(guard: Guard, jump: Any, go_on: Any, heard: signals.Heard) -> threading.Thread:  # noqa: ANN401
    works = SimpleNamespace(jump=jump)
    house = SimpleNamespace(store=SimpleNamespace(check_file=lambda: None))
    given = (cast("Any", house), cast("Any", guard), cast("Any", works), go_on, heard)
    thread = threading.Thread(target=life._wait, args=given)
    thread.daemon = True
    thread.start()
    return thread


@pytest.mark.parametrize("jump", [dt.timedelta(hours=49), -dt.timedelta(hours=3)], ids=["ahead", "back"])
def test_a_clock_that_jumps_wakes_everybody(monkeypatch: pytest.MonkeyPatch, jump: dt.timedelta) -> None:
    monkeypatch.setattr(life, "BEAT_SECONDS", 0.02)
    heard = signals.Heard()
    jumped = threading.Event()

    def jumps() -> None:
        jumped.set()
        heard.numbers.put(signal.SIGTERM)

    guard = Guard()
    waiting = waits(guard, jumps, lambda: None, heard)
    assert not jumped.wait(0.3)
    guard.offset = jump
    assert jumped.wait(40)
    waiting.join(40)
    assert not waiting.is_alive()


def test_what_waited_for_the_clock_goes_on_as_soon_as_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "BEAT_SECONDS", 0.02)
    heard, going = signals.Heard(), threading.Event()
    guard = Guard()
    guard.judging.clear()
    guard.doubt = ClockDoubt.BEHIND

    def goes_on() -> None:
        guard.judging.set()
        going.set()
        heard.numbers.put(signal.SIGTERM)

    waiting = waits(guard, lambda: None, goes_on, heard)
    assert not going.wait(0.3)
    guard.doubt = None
    assert going.wait(40)
    waiting.join(40)
    assert not waiting.is_alive()


def test_no_missed_run_is_counted_however_far_the_clock_went() -> None:
    """The library's own interval would name seventy million runs, which takes minutes and a gigabyte."""
    scheduler = BackgroundScheduler(timezone=dt.UTC, executors={"x": ThreadPoolExecutor(1)})
    began = dt.datetime(2026, 3, 16, tzinfo=dt.UTC)
    job = scheduler.add_job(lambda: None, Pause(dt.timedelta(seconds=5)), executor="x", next_run_time=began)
    started = time.monotonic()
    assert job._get_run_times(began + YEARS) == [began]
    assert job.trigger.get_next_fire_time(began, began + YEARS) == began + YEARS + dt.timedelta(seconds=5)
    assert time.monotonic() - started < 1
