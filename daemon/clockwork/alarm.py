"""An alarm: one job of the scheduler, moved to when there is next something to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from threading import Lock

import structlog
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.clock import wall_clock
from daemon.clockwork.pauses import Pause
from daemon.jobs.failing_jobs import Failing, failed_once_more
from daemon.store.engine_errors import store_fault

log = structlog.get_logger()

FIRST_PAUSE = dt.timedelta(seconds=1)
_INSTANCES = 5
"""A run that ends is counted by the scheduler a moment longer; one that may not start beside it would be lost."""


class Alarm:
    """Runs `work` when it rings, when its next instant comes, and every `period` in any case.

    Decides nothing about what is due: `work` looks for itself, `next_at` says when to look again. A `work` that
    raises is reported to `failed` and runs again, later each time, at the latest after `period`. Never works twice
    at once, and never loses a ring: one that comes while it works makes it look again. Between two runs it rests, so
    that what comes thick and fast is done by the dozen.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        next_at: Callable[[], dt.datetime | None],
        *,
        period: dt.timedelta,
        clock: Callable[[], dt.datetime],
        failed: Callable[[str], None],
        rest: dt.timedelta = dt.timedelta(0),
    ) -> None:
        self.name = name
        self._work = work
        self._next_at = next_at
        self._period = period
        self._clock = clock
        self._failed = failed
        self._rest = rest
        self._rested_at = clock()
        self._lock = Lock()
        self._job: Job | None = None
        self._working = False
        self._rung = False
        self._failures = 0
        self.failing: Failing | None = None
        """Since when the work raises and why, while it does."""
        self._stopped = False

    @property
    def rung(self) -> bool:
        """Whether it rang since the work under way began."""
        return self._rung

    def join(self, scheduler: BackgroundScheduler, executor: str) -> None:
        """Become a job of `scheduler`, due at once; `executor` needs two threads, as one may come to leave a note."""
        with self._lock:
            self._job = scheduler.add_job(
                self._run,
                Pause(self._period),
                id=self.name,
                name=self.name,
                executor=executor,
                max_instances=_INSTANCES,
                next_run_time=wall_clock(),
            )

    def ring(self) -> None:
        """Look now, or once more if it is looking already; cheap, and safe from any thread."""
        with self._lock:
            self._rung = True
            if not self._working:
                self._move(self._rested(self._clock()))

    def stop(self) -> None:
        """Ring no more; work under way goes on to its end."""
        with self._lock:
            self._stopped = True

    def _run(self) -> None:
        with self._lock:
            if self._working or self._stopped:
                self._rung = True
                return
            self._working = True
        with structlog.contextvars.bound_contextvars(job=self.name):
            while not self._is_over(self._once()):
                pass

    def _once(self) -> dt.datetime:
        """Work once; when to look again."""
        with self._lock:
            self._rung = False
        try:
            self._work()
            instant = self._next_at()
        except Exception as error:
            # A bug must not stop the clock: it is shown whole, and the others go on. A fault of the store is no bug.
            fault = store_fault(error)
            log.critical("job failed", failures=self._failures + 1, fault=fault and str(fault), exc_info=fault is None)
            self._failures += 1
            self.failing = failed_once_more(self.failing, self.name, error)
            self._failed(self.name)
            pause: dt.timedelta = FIRST_PAUSE * 2 ** min(self._failures - 1, 10)
            return self._clock() + min(pause, self._period)
        self._failures, self.failing = 0, None
        now = self._clock()
        return now + self._period if instant is None else min(max(instant, now), now + self._period)

    def _is_over(self, again_at: dt.datetime) -> bool:
        """Set the clock and end, unless it rang meanwhile; in one step, or that ring would be lost."""
        with self._lock:
            if self._rung and not self._failures and not self._stopped:
                if not self._rest:
                    return False
                again_at = self._clock()
            self._working = self._rung = False
            self._rested_at = self._clock() + self._rest
            self._move(max(again_at, self._rested_at))
            return True

    def _rested(self, now: dt.datetime) -> dt.datetime:
        """The first instant from `now` on at which it has rested; a clock that was set back does not prolong it."""
        return min(max(now, self._rested_at), now + self._rest)

    def _move(self, instant: dt.datetime) -> None:
        """Be due at `instant`: the scheduler goes by the machine's clock, which may show another time than ours."""
        if self._job is not None and not self._stopped:
            self._job.modify(next_run_time=wall_clock() + (instant - self._clock()))
