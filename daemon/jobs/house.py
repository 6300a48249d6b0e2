"""What every job is given: the store, the terms in force, the calendar; holds them and decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock, RLock
from typing import TYPE_CHECKING

from daemon.config import Config
from daemon.desk.links import Links
from daemon.jobs.people import People, load_people
from daemon.jobs.terms import Terms
from daemon.store import roster
from daemon.store.engine import Store
from daemon.store.tx import Tx
from rules.calendar import Calendar
from rules.pacing import Pacing

if TYPE_CHECKING:  # see Terms
    from daemon.metrics import Metrics
    from notifiers.contract import Notifier
    from notifiers.words import Words
    from rules.case import Law
    from rules.laws import Laws
    from rules.predicate import Predicate
    from rules.rulebook import Rulebook

STANDSTILL = dt.timedelta(0)


@dataclass
class House:
    """One running district; jobs get it first and `now` last.

    `clock` is for measuring how long something took, never for deciding: jobs decide with the `now` they are given.
    `simulated` makes every record arrive when it was recorded, and takes leave of waiting and polling.
    `terms` may be replaced by others at any instant; only whoever has the `turn` can rely on its staying as it is.
    """

    terms: Terms
    store: Store
    calendar: Calendar
    clock: Callable[[], dt.datetime]
    worker: str
    new_id: Callable[[], str]
    simulated: bool = False
    wake: Callable[[], None] = lambda: None
    """Called after something was armed or queued, so that the clockwork looks again."""
    turn: Lock = field(default_factory=Lock)
    """Held for one batch of decisions, or for one change of the terms: no batch is decided by two laws."""
    owed_stamp: int | None = None
    """The roster by which it was looked last whether those can be told whom a rung did not reach."""
    unread: dict[str, int] = field(default_factory=dict)
    """By feed that is being read how many of its new files are still to be."""
    _people: tuple[int, People] | None = None
    _lock: RLock = field(default_factory=RLock)

    @cached_property
    def metrics(self) -> Metrics:
        """The figures Prometheus may ask for, from now on."""
        from daemon.metrics import Metrics  # noqa: PLC0415 - its library, for whoever counts

        return Metrics()

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.terms.config

    @property
    def rulebook(self) -> Rulebook:
        """The rules in force."""
        return self.terms.rulebook

    @property
    def laws(self) -> Laws:
        """Every law in force."""
        return self.terms.laws

    @property
    def law(self) -> Law:
        """The rule in force, with its figures."""
        return self.terms.law

    @property
    def when(self) -> Predicate:
        """The condition of the rule in force."""
        return self.terms.when

    @property
    def pacing(self) -> Pacing:
        """When recipients are spoken to and how often."""
        return self.terms.pacing

    @property
    def words(self) -> Words:
        """The templates in force."""
        return self.terms.words

    @property
    def links(self) -> Links:
        """What makes and reads the links in messages."""
        return self.terms.links

    @property
    def notifiers(self) -> Mapping[str, Notifier]:
        """The configured channels, by name."""
        return self.terms.notifiers

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
        units = self._known_people().directory.units.values()
        return next((unit.name for unit in units if unit.kind == "county"), self.config.service.district)

    def village_of(self, student_id: str | None) -> str | None:
        """The name of the village a child lives in, where it is known; looked up when it is told, and kept nowhere."""
        people = self._known_people()
        child = people.roster.students.get(student_id or "")
        found = people.directory.nearest(child.residence_id, "village") if child is not None else None
        return found.name if found is not None else None

    def _known_people(self) -> People:
        """The roster as last read, be it a moment old."""
        held = self._people
        if held is not None:
            return held[1]
        with self.store.read() as tx:
            return self.people(tx)

    @property
    def shadow(self) -> bool:
        """Return whether only the operator is told; a simulation sends nothing, and writes what would be sent."""
        return self.config.service.mode == "shadow" and not self.simulated
