"""Deadlines that pass while something else goes on: armed cases, a clock that runs, and how late each was committed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from time import perf_counter
from typing import Any, Self

from daemon.clockwork.works import REST
from daemon.jobs import sweep as sweeping
from daemon.jobs.casefile import to_row
from daemon.jobs.house import House
from daemon.jobs.intake import CLASS
from daemon.store import cases, timers
from daemon.store.tables import timer
from daemon.store.timers import Timer
from daemon.store.tx import chunks
from rules.case import Case
from rules.judge import Finding

KINDS = (sweeping.CASE, CLASS)
PERIOD_SECONDS = 0.5


@dataclass
class Watch:
    """A clock that stands at `begin` until started, and what was committed by it."""

    begin: dt.datetime
    started: float | None = None
    late: list[float] = field(default_factory=list)
    """Seconds from a deadline to the commit of its report."""
    judged: set[str] = field(default_factory=set)
    """Timers of classes answered."""
    judged_at: dt.datetime | None = None

    def now(self) -> dt.datetime:
        """The instant it shows."""
        return self.begin + dt.timedelta(seconds=perf_counter() - self.started if self.started else 0)

    def apply(self, house: House, decisions: Sequence[Any], spent: Sequence[Timer], *rest: Any) -> int:  # noqa: ANN401
        """Apply decisions as the sweep does, and note when they were committed."""
        written = _apply(house, decisions, spent, *rest)
        now = self.now()
        raised = [one.case.due_at for one in decisions if any(entry.kind == "raised" for entry in one.entries)]
        self.late += [(now - due).total_seconds() for due in raised]
        answered = {one.subject for one in spent if one.kind == CLASS}
        if answered:
            self.judged |= answered
            self.judged_at = now
        return written


_apply = sweeping.apply_decisions


def arm(house: House, students: Sequence[str], instants: Sequence[dt.datetime]) -> None:
    """An open case for each of `students`, whose report is due at its instant."""
    made = [_armed(house, student, at) for student, at in zip(students, instants, strict=True)]
    with house.store.write() as tx:
        cases.insert_cases(tx, [to_row(one) for one in made])
        timers.arm(tx, [Timer(sweeping.CASE, one.student_id, one.wake_at) for one in made if one.wake_at])


def _armed(house: House, student: str, at: dt.datetime) -> Case:
    run = at - house.law.clock.after
    finding = Finding(run_from=run, run_days=2, satisfied=True, ripe_at=at, armed_at=at, last_marked=at)
    number = f"bench-{student}"
    return Case(house.new_id(), number, student, run, run_from=run, armed_at=at, wake_at=at, finding=finding)


def fill(house: House, count: int, at: dt.datetime) -> None:
    """So many deadlines that are far away."""
    for part in chunks(range(count), 100_000):
        with house.store.write() as tx:
            kept = {"kind": sweeping.CASE, "due_at": at, "lease_until": None, "lease_by": None}
            tx.add(timer, [{"subject": f"far-{n:07}", **kept} for n in part])


class Sweeper:
    """Sweeps in a thread of its own, as the clockwork does: when rung, and when the next deadline comes."""

    def __init__(self, house: House, watch: Watch) -> None:
        self._house = house
        self._watch = watch
        self._rung = Event()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sweeper")

    def __enter__(self) -> Self:
        self._house.wake = self._rung.set
        self._house.clock = self._watch.now
        sweeping.apply_decisions = self._watch.apply
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._rung.set()
        self._thread.join()
        sweeping.apply_decisions = _apply
        self._house.wake = lambda: None

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._rung.clear()
            sweeping.sweep_due(self._house, self._watch.now(), self._watch.now)
            with self._house.store.read() as tx:
                next_at = timers.next_due(tx, KINDS)
            wait = PERIOD_SECONDS if next_at is None else (next_at - self._watch.now()).total_seconds()
            self._stopped.wait(REST.total_seconds())
            self._rung.wait(min(max(wait - REST.total_seconds(), 0), PERIOD_SECONDS))
