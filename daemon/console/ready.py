"""Whether all is well: the store answers, sweeps go on, every feed was heard, and nothing it delivers is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from daemon.jobs.audit import Audit
from daemon.jobs.failing_jobs import Failing
from daemon.jobs.house import House
from daemon.jobs.problems import open_problems, problem_words
from daemon.jobs.store_watch import StoreWatch
from daemon.store.engine_errors import store_fault
from daemon.store.incidents import IncidentRow

log = structlog.get_logger()

STALE = dt.timedelta(seconds=120)
"""A sweep comes every half minute; one that takes longer than this is in trouble."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the configuration on disk stands to what runs: by hashes of its files, and what only a restart brings."""

    running: str | None = None
    refused: str | None = None
    """The hash of files that were refused; the running ones are others."""
    waiting: tuple[str, ...] = ()
    """Keys whose change takes effect at a restart."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The heartbeat to outside: when it was taken last, and why it is withheld now, if it is."""

    last: dt.datetime | None = None
    withheld: tuple[str, ...] = ()


@dataclass
class Vitals:
    """What readiness is judged by; written by the clockwork, read by whoever asks."""

    house: House
    polled: set[str] = field(default_factory=set)
    """The feeds asked at least once since the start, with whatever answer."""
    swept_at: dt.datetime | None = None
    """When the last sweep ended."""
    written: Standing = Standing()
    up_since: dt.datetime | None = None
    audited: Audit | None = None
    """The last self-audit."""
    beat: Beat | None = None
    """The heartbeat, if one is configured."""
    failing: Callable[[], Sequence[Failing]] = tuple
    """Gives the jobs that keep failing."""
    store: StoreWatch = field(init=False)
    """The look at the store itself."""

    def __post_init__(self) -> None:
        self.store = StoreWatch(self.house)

    def ready(self, now: dt.datetime) -> tuple[bool, Mapping[str, Any]]:
        """Whether it is ready, and a report for whoever asks; `reasons` is empty when it is."""
        swept = self.swept_at
        waiting = sorted(feed.id for feed in self.house.config.feed if feed.id not in self.polled)
        reasons = [*self._store(), *self._sweeps(swept, now)]
        if waiting:
            reasons.append(f"feeds not polled yet: {', '.join(waiting)}")
        reasons += [
            f"feed {feed}: {left} files are still to be read" for feed, left in sorted(dict(self.house.unread).items())
        ]
        failing = self.failing()
        parts = {one.part for one in failing}
        reasons += [one.words for one in failing]
        reasons += [problem_words(row) for row in self.problems() if row.subject not in parts]
        return not reasons, {
            "ready": not reasons,
            "reasons": reasons,
            "mode": self.house.config.service.mode,
            "configuration": {
                "running": self.written.running,
                "refused": self.written.refused,
                "waits_for_restart": list(self.written.waiting),
            },
            "last_sweep": swept.isoformat() if swept else None,
            "feeds": {"configured": len(self.house.config.feed), "not_polled": waiting},
            "audit": self._audit(),
            "heartbeat": self._heartbeat(),
        }

    def problems(self) -> list[IncidentRow]:
        """Return what is wrong with what feeds deliver and with the service, as far as the store can be asked."""
        try:
            with self.house.store.read() as tx:
                return open_problems(tx)
        except Exception:
            log.warning("store not reachable", exc_info=True)
            return []

    def _audit(self) -> Mapping[str, Any]:
        done = self.audited
        overdue = {one.what: one.count for one in done.found} if done else {}
        return {"last": done.at.isoformat() if done else None, "overdue": overdue}

    def _heartbeat(self) -> Mapping[str, Any]:
        beat = self.beat or Beat()
        last = beat.last.isoformat() if beat.last else None
        return {"configured": self.beat is not None, "last": last, "withheld": list(beat.withheld)}

    def _store(self) -> list[str]:
        try:
            if not self.house.store.at_head():
                return ["the store is not at the newest schema"]
        except Exception as error:
            log.warning("store not reachable", exc_info=True)
            return [str(store_fault(error) or "the store cannot be reached")]
        return [] if self.store.fault is None else [self.store.fault]

    def _sweeps(self, swept: dt.datetime | None, now: dt.datetime) -> list[str]:
        if swept is None:
            return ["no sweep yet"]
        age = now - swept
        return [f"the last sweep is {age.total_seconds():.0f} s old"] if age > STALE else []
