"""A machine whose clock is set by hand: the daemon's start, works and guard on it, without threads that wait."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

from daemon.clock import ClockDoubt, SteadyClock
from daemon.clockwork import life, signals
from daemon.clockwork.clock_guard import ClockGuard
from daemon.clockwork.pools import Pools
from daemon.clockwork.resuming import go_on
from daemon.clockwork.works import Works
from daemon.console.ready import Vitals
from daemon.jobs.send import send_due
from daemon.store.engine import Store
from daemon.systemd import Watch
from tests.daemon.desk.county_office import MONDAY, Office, local, write_county

BEAT = dt.timedelta(seconds=5)
MINUTE = dt.timedelta(minutes=1)
_WORDS = {"A": "absent", "P": "present"}


class StillWorks(Works):
    """The works without their scheduler: a test runs each job itself."""

    def start(self) -> None:
        """Nothing is started."""

    def jump(self) -> None:
        """Nothing is planned that would have to be moved."""


class Machine:
    """A county office on a machine: `now` is the true time, `offset` by how much its clock is wrong."""

    def __init__(self, folder: Path, store: Store) -> None:
        write_county(folder)
        self.office = Office(folder, store)
        self.house = self.office.house
        self.offset = dt.timedelta(0)
        self.paused = dt.timedelta(0)
        self.now = local(0, "07:30")
        self._rolls = 0
        self.starts()

    def starts(self) -> None:
        """Start the daemon, as it does whatever its clock shows."""
        self.clock = SteadyClock(lambda: self.now + self.offset, self._seconds)
        self.house.clock = self.clock
        self.guard = ClockGuard(self.house, self.clock)
        self.vitals = Vitals(self.house)
        self.pools = Pools.of(len(self.house.config.feed), ())
        self.works = StillWorks(self.house, self.vitals, Watch({}), self.pools, cast("Any", _NoReload()), self.guard)
        self.heard = signals.Heard()
        self.house.wake = lambda: None
        assert life._start(self.house, self.guard, self.works, self.pools, Watch({}), self.heard)
        self.beat()

    def beat(self) -> None:
        """What comes about within five seconds: the look at the clock, polls, and every job that judges or sends."""
        self.now += BEAT
        if self.guard.look() is None and not self.guard.judging.is_set():
            go_on(self.house, self.guard, self.works, self.pools, life.PATIENCE, lambda: False)
        for feed in self.house.config.feed:
            self.works.poll(feed)
        for _ in range(2):
            self.works._sweep()
            self.works._look_at_silence()
            self.works._fall_back()
        while send_due(self.house, "sms", self.house.clock()):
            pass

    def runs(self, span: dt.timedelta, beats: int = 3) -> None:
        """Let true time pass, with a few beats in it."""
        for _ in range(beats):
            self.now += span / beats - BEAT
            self.beat()

    def at(self, day: int, clock: str) -> None:
        """Go to an instant of the week."""
        until = local(day, clock)
        assert until > self.now
        self.runs(until - self.now - BEAT, 1)

    def roll(self, day: int, session: str, marks: str) -> None:
        """A roll that the school puts into the folder now, whatever the machine's clock shows."""
        date = MONDAY + dt.timedelta(days=day)
        rows = [f"s-{n:03},{date},{session},{_WORDS[mark]}" for n, mark in enumerate(marks, 1)]
        self._rolls += 1
        text = "\n".join(["student_id,date,session,mark", *rows]) + "\n"
        (self.office.folder / f"marks-{self._rolls:03}.csv").write_text(text, encoding="utf-8")

    def told(self) -> list[tuple[str, str]]:
        """Who heard what since the last time: the last digit of each number, and the kind."""
        return self.office.phone.said()

    def reports(self) -> None:
        """The first child is absent from Monday on and is reported on Wednesday morning."""
        for day in (0, 1):
            for session, clock in (("am", "08:10"), ("pm", "14:10")):
                self.at(day, clock)
                self.roll(day, session, "APP")
                self.beat()
        self.told()
        self.at(2, "08:10")
        self.roll(2, "am", "APP")
        self.beat()
        assert ("1", "report") in self.told()

    def is_in_doubt(self) -> ClockDoubt | None:
        return self.clock.read().doubt

    def reasons(self) -> list[str]:
        """Why the daemon is not ready."""
        return list(self.vitals.ready(self.house.clock())[1]["reasons"])

    def ends(self) -> None:
        """Let go of the threads."""
        self.works.stop()
        self.pools.end_within(10, sending_seconds=10)

    def _seconds(self) -> float:
        return (self.now - local(0, "00:00") - self.paused).total_seconds()


class _NoReload:
    def look(self) -> None:
        """No configuration is saved."""

    def next_at(self) -> None:
        """Never."""
