"""The works: every job of the daemon as APScheduler runs it; the deadlines themselves are rows in the store."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from daemon.clock import wall_clock
from daemon.clockwork.alarm import Alarm
from daemon.clockwork.clock_guard import ClockGuard
from daemon.clockwork.memory import give_back
from daemon.clockwork.pauses import Pause
from daemon.clockwork.pools import Pools, places_of
from daemon.clockwork.reload import Reload, watch_files
from daemon.clockwork.watches import Watches
from daemon.config import FeedConfig
from daemon.console.ready import Vitals
from daemon.jobs import fallback
from daemon.jobs.failing_jobs import Failing, failed_once_more
from daemon.jobs.house import House
from daemon.jobs.intake import CLASS
from daemon.jobs.once_more import Held, hold_back, let_go
from daemon.jobs.poll import poll_feed
from daemon.jobs.send import send_side_by_side
from daemon.jobs.silence import FEED, look_at_feeds
from daemon.jobs.sweep import CASE, sweep_due
from daemon.providers import CHANNELS
from daemon.store import sending, timers
from daemon.store.engine_errors import store_fault
from daemon.systemd import Watch

log = structlog.get_logger()

PERIOD = dt.timedelta(seconds=5)
"""Sweeps and looks come at least this often: what another process armed, or a jump of the clock, waits no longer."""

REST = dt.timedelta(milliseconds=50)
"""Between two sweeps: each costs as much again as the cases it decides, so deadlines that are close go together."""

MANY_ROWS = 5_000
"""After a poll of so many rows memory is given back as soon as it is quiet, for that takes a moment."""
MANY_MESSAGES = 100
LONG_SWEEP = dt.timedelta(seconds=0.5)
"""After so many messages handed over, or a sweep that took so long, likewise."""


class Works:
    """The running jobs: a poll for each feed, the sweep, the look at silence, a sender for each channel, the reload.

    Decides nothing about children. A job that raises is logged, counted, and runs again; the others never notice.
    """

    def __init__(
        self,
        house: House,
        vitals: Vitals,
        watch: Watch,
        pools: Pools,
        reload: Reload,
        guard: ClockGuard,
        period: dt.timedelta = PERIOD,
    ) -> None:
        self.house = house
        self.vitals = vitals
        self.stopping = Event()
        self._guard = guard
        self._watch = watch
        self._pools = pools
        self._reload = reload
        self._ticked: dt.datetime | None = None
        self._untidy = False
        self._locks = {feed.id: Lock() for feed in house.config.feed}
        self._feeds = {feed.id: feed for feed in house.config.feed}
        self._scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            executors={"poll": pools.poll, "sweep": pools.sweep, "reload": pools.reload, "send": pools.send}
            | {"watch": pools.watch},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self.sweep = self._alarm("sweep", self._sweep, partial(self._next_due, CASE, CLASS), period, REST)
        self._look = self._alarm("look", self._look_at_silence, partial(self._next_due, FEED), period)
        self._falls = self._alarm("fall back", self._fall_back, self._next_fall, period)
        self._again = self._alarm("reload", reload.look, reload.next_at, period)
        # A sender for each there can be: a configuration that is taken into force may bring or end a channel.
        self._bells = {name: Event() for name in CHANNELS}
        self._senders = [
            self._alarm(f"send {name}", partial(self.send, name), partial(self._next_send, name), period)
            for name in sorted(CHANNELS)
        ]
        self._failing_polls: dict[str, Failing] = {}
        vitals.failing = self.failing
        self._watches = Watches(house, vitals, self._failed, self._guard.may_judge)
        house.wake = self.wake

    def start(self) -> None:
        """Start every job: the alarms at once, each poll one interval from now."""
        self.sweep.join(self._scheduler, "sweep")
        self._look.join(self._scheduler, "sweep")
        self._falls.join(self._scheduler, "sweep")
        self._again.join(self._scheduler, "reload")
        self._pools.reload.threads.submit(watch_files, self._reload, self._again.ring, self.stopping)
        for sender in self._senders:
            sender.join(self._scheduler, "send")
        self._watches.join(self._scheduler)
        for feed in self._feeds.values():
            self._scheduler.add_job(
                self.poll,
                Pause(feed.poll),
                id=f"poll {feed.id}",
                args=[feed],
                executor="poll",
                next_run_time=wall_clock() + feed.poll,
            )
        self._scheduler.start()

    def wake(self) -> None:
        """Something was armed or queued: look again, everywhere; cheap, and safe from any thread."""
        for alarm in (self.sweep, self._look, self._falls, *self._senders):
            alarm.ring()
        for bell in self._bells.values():
            bell.set()

    def reread(self) -> None:
        """Read the configuration anew, changed or not, and take it into force if it is in order."""
        self._reload.ask()
        self._again.ring()

    def jump(self) -> None:
        """The clock was set: nothing the scheduler has planned holds any more."""
        now = wall_clock()
        for feed in self._feeds.values():
            self._scheduler.modify_job(f"poll {feed.id}", next_run_time=now)
        for alarm in (self._again, *self._watches):
            alarm.ring()
        self.wake()

    def stop(self) -> None:
        """Begin nothing more; what runs goes on to its end."""
        self.stopping.set()
        for alarm in (self.sweep, self._look, self._falls, self._again, *self._senders, *self._watches):
            alarm.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    # ---- the jobs ---------------------------------------------------------------------------------------------------

    def poll(self, feed: FeedConfig, patience: float = 0) -> bool:
        """Poll one feed, unless it is being polled: then wait so many seconds for that to end; whether it was asked."""
        if self.stopping.is_set() or self._guard.poll_time(feed) is None:
            return False
        if not self._locks[feed.id].acquire(timeout=patience or -1, blocking=patience > 0):
            return False
        with structlog.contextvars.bound_contextvars(job="poll", feed=feed.id):
            try:
                taken = poll_feed(self.house, self._in_force(feed), self._guard.poll_time(feed) or self.house.clock())
            except Exception as error:
                fault = store_fault(error)
                log.critical("job failed", fault=fault and str(fault), exc_info=fault is None)
                self._failed(f"poll {feed.id}")
                before = self._failing_polls.get(feed.id)
                self._failing_polls[feed.id] = failed_once_more(before, f"poll {feed.id}", error)
                return False
            finally:
                self.vitals.polled.add(feed.id)
                self._locks[feed.id].release()
            self._failing_polls.pop(feed.id, None)
            rows = sum(taken.counts.values()) + len(taken.refused)
            if rows:
                log.info("feed polled", refused=len(taken.refused), missing=len(taken.missing), **_plain(taken.counts))
            self._untidy |= rows >= MANY_ROWS
        return True

    def _in_force(self, feed: FeedConfig) -> FeedConfig:
        """The feed as it is reached now: proxy and authorities may have changed since the start."""
        return next(one for one in self.house.config.feed if one.id == feed.id)

    def _sweep(self) -> None:
        if not self._guard.may_judge():
            self._watch.tell("WATCHDOG=1")
            return
        self._ticked = None
        begun = self._tick()
        changed = sweep_due(self.house, begun, self._tick)
        if changed:
            log.info("cases changed", count=changed)
        self.vitals.swept_at = self.house.clock()
        if self.vitals.swept_at - begun > LONG_SWEEP:
            self._untidy = True
        elif self._untidy and not changed:
            self._tidy_up()

    def _tick(self) -> dt.datetime:
        """Before each batch: the time, by which those are held back that a feed has still to be asked about."""
        now = self.house.clock()
        self._ask_once_more(hold_back(self.house, now, self._ticked))
        self._ticked = now
        self._watch.tell("WATCHDOG=1")
        return now

    def _look_at_silence(self) -> None:
        if self._guard.may_judge():
            look_at_feeds(self.house, self.house.clock())

    def _fall_back(self) -> None:
        if self._guard.may_judge():
            fallback.look_at_alerts(self.house, self.house.clock())

    def send(self, channel: str) -> None:
        """Send what is due of one channel, with its own threads; a channel that is not configured sends nothing."""
        if channel not in self.house.notifiers:
            return
        hands, bell = self._pools.hands[channel].threads, self._bells[channel]
        width, each = places_of(channel)
        count = send_side_by_side(
            self.house, channel, hands, width, each=each, stopping=self.stopping.is_set, bell=bell
        )
        if count:
            log.info("messages handed over", count=count)
        self._untidy |= count >= MANY_MESSAGES

    # ---- when next --------------------------------------------------------------------------------------------------

    def _next_fall(self) -> dt.datetime | None:
        return fallback.next_look(self.house) if self._guard.may_judge() else None

    def _next_due(self, *kinds: str) -> dt.datetime | None:
        if not self._guard.may_judge():
            return None
        with self.house.store.read() as tx:
            return timers.next_due(tx, kinds)

    def _next_send(self, channel: str) -> dt.datetime | None:
        if channel not in self.house.notifiers:
            return None
        with self.house.store.read() as tx:
            return sending.next_at(tx, [channel])

    # ---- once more before a report ----------------------------------------------------------------------------------

    def _ask_once_more(self, held: Held | None) -> None:
        """Ask the feeds of the cases held back; each case goes on as soon as all of its feeds have answered."""
        if held is None:
            return
        log.info("asking feeds before reports", feeds=sorted(held.feeds), cases=len(held.waiting_for(held.feeds)))
        open_feeds = set(held.feeds)
        lock = Lock()

        def answered(feed_id: str, _: Future[bool]) -> None:
            with lock:
                open_feeds.discard(feed_id)
                free = held.waiting_for([feed_id]) - held.waiting_for(open_feeds)
            let_go(self.house, free)

        patience = max((held.until - self.house.clock()).total_seconds(), 0.001)
        for feed_id in held.feeds:
            asked = self._pools.poll.threads.submit(self.poll, self._feeds[feed_id], patience)
            asked.add_done_callback(partial(answered, feed_id))

    def failing(self) -> list[Failing]:
        """Return the jobs that keep failing, by name."""
        alarms = (self.sweep, self._look, self._falls, self._again, *self._senders, *self._watches)
        found = [*(one.failing for one in alarms), *list(self._failing_polls.values())]
        now = time.monotonic()
        return sorted((one for one in found if one is not None and one.lasts(now)), key=lambda one: one.job)

    # ---- small things -----------------------------------------------------------------------------------------------

    def _alarm(
        self,
        name: str,
        work: Callable[[], object],
        next_at: Callable[[], dt.datetime | None],
        period: dt.timedelta,
        rest: dt.timedelta = dt.timedelta(0),
    ) -> Alarm:
        return Alarm(name, work, next_at, period=period, clock=self.house.clock, failed=self._failed, rest=rest)

    def _tidy_up(self) -> None:
        """When it is quiet after something large: idle connections keep megabytes of pages each, the heap its holes."""
        self._untidy = False
        self.house.store.engine.dispose()
        give_back()

    def _failed(self, job: str) -> None:
        self.house.metrics.failures.labels(job=job).inc()


def _plain(counts: dict[str, int]) -> dict[str, int]:
    return {key.replace(" ", "_"): count for key, count in counts.items() if count}
