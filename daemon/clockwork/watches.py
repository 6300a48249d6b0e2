"""The jobs that look after the others: receipts, overdue work, the heartbeat, and once a day what reaches nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from apscheduler.schedulers.background import BackgroundScheduler

from daemon.clockwork.alarm import Alarm
from daemon.clockwork.heart import LOOKS, Heart
from daemon.console.ready import Vitals
from daemon.jobs import audit, receipts, store_watch, watch
from daemon.jobs.failing_jobs import review_jobs
from daemon.jobs.house import House

PERIOD = dt.timedelta(seconds=30)


class Watches:
    """Some alarms with threads of their own: a server that does not answer holds up none of what tells people."""

    def __init__(
        self,
        house: House,
        vitals: Vitals,
        failed: Callable[[str], None],
        may_judge: Callable[[], bool] = lambda: True,
    ) -> None:
        self._house = house
        self._vitals = vitals
        self._may_judge = may_judge
        heart = Heart(house, vitals)

        def alarm(name: str, work: Callable[[], object], next_at: Next, period: dt.timedelta) -> Alarm:
            return Alarm(name, work, next_at, period=period, clock=house.clock, failed=failed)

        self._alarms = (
            alarm("receipts", self._receipts, lambda: receipts.next_look(house), PERIOD),
            alarm("audit", self._audit, lambda: None, audit.EVERY),
            alarm("daily watch", self._look_daily, self._next_daily, PERIOD),
            alarm("jobs", self._review_jobs, lambda: None, PERIOD),
            alarm("store", self._look_at_store, lambda: None, store_watch.PERIOD),
            alarm("heartbeat", heart.beat, heart.next_at, LOOKS),
        )

    def __iter__(self) -> Iterator[Alarm]:
        return iter(self._alarms)

    def join(self, scheduler: BackgroundScheduler) -> None:
        """Become jobs of `scheduler`, due at once, on its executor "watch"."""
        self._vitals.up_since = self._house.clock()
        for one in self._alarms:
            one.join(scheduler, "watch")

    def _receipts(self) -> None:
        receipts.look_at_receipts(self._house, self._house.clock())

    def _look_at_store(self) -> None:
        self._vitals.store.look(self._house.clock())

    def _look_daily(self) -> None:
        if self._may_judge():
            watch.look_daily(self._house, self._house.clock())

    def _next_daily(self) -> dt.datetime | None:
        return watch.next_look(self._house) if self._may_judge() else None

    def _review_jobs(self) -> None:
        review_jobs(self._house, self._vitals.failing(), self._house.clock())

    def _audit(self) -> None:
        if self._may_judge():
            self._vitals.audited = audit.audit(self._house, self._house.clock(), up_since=self._vitals.up_since)


Next = Callable[[], dt.datetime | None]
