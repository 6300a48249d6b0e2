"""What every job is given: the store, the law, the calendar, the channels; holds them and decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock

from daemon.config import Config
from daemon.desk.links import Links
from daemon.jobs.people import People, load_people
from daemon.metrics import Metrics
from daemon.store import roster
from daemon.store.engine import Store
from daemon.store.tx import Tx
from notifiers.contract import Notifier
from notifiers.words import Words
from rules.calendar import Calendar
from rules.case import Law
from rules.predicate import Predicate

STANDSTILL = dt.timedelta(0)


@dataclass
class House:
    """One running district; jobs get it first and `now` last.

    `clock` is for measuring how long something took, never for deciding: jobs decide with the `now` they are given.
    `simulated` makes every record arrive when it was recorded, and takes leave of waiting and polling.
    """

    config: Config
    store: Store
    calendar: Calendar
    law: Law
    when: Predicate
    words: Words
    links: Links
    notifiers: Mapping[str, Notifier]
    clock: Callable[[], dt.datetime]
    worker: str
    new_id: Callable[[], str]
    metrics: Metrics = field(default_factory=Metrics)
    simulated: bool = False
    wake: Callable[[], None] = lambda: None
    """Called after something was armed or queued, so that the clockwork looks again."""
    _people: tuple[int, People] | None = None
    _lock: RLock = field(default_factory=RLock)

    def people(self, tx: Tx) -> People:
        """The roster as `tx` sees it; read anew when another job, or another process, has changed it."""
        stamp = roster.stamp(tx)
        with self._lock:
            if self._people is None or self._people[0] != stamp:
                self._people = (stamp, load_people(tx, self.calendar))
            return self._people[1]

    def forget_people(self) -> None:
        """Read the roster again when next asked for."""
        with self._lock:
            self._people = None

    def district_name(self) -> str:
        """What messages call the district: its county's name once the roster knows it, else its code."""
        units = self._people[1].directory.units.values() if self._people else ()
        return next((unit.name for unit in units if unit.kind == "county"), self.config.service.district)

    @property
    def shadow(self) -> bool:
        """Whether only the operator is told."""
        return self.config.service.mode == "shadow"
