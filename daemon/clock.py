"""The clock: everybody else is told what time it is; and a clock that does not believe every step of the machine's."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

TOLERANCE = dt.timedelta(minutes=1)
"""A clock that is behind by no more than this counts as right: time servers step clocks by seconds."""
LONG_STEP = dt.timedelta(hours=12)
"""A clock that is set ahead by more than this, or a store that is older by more, is believed only with a reason."""


def wall_clock() -> dt.datetime:
    """Return the time, in UTC; the only place that asks for it."""
    return dt.datetime.now(dt.UTC)


def seconds_since_boot() -> float:
    """Return seconds on a clock that nobody sets; where there is one, it runs on while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockDoubt(StrEnum):
    """Why the machine's clock is not believed."""

    BEHIND = "clock_behind"
    """It is earlier than what is known to be past."""
    AHEAD = "clock_ahead"
    """It was set far ahead, and nothing else says that so much time has passed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks: the time believed, what the machine's clock says, and why these differ, if they do."""

    now: dt.datetime
    wall: dt.datetime
    doubt: ClockDoubt | None = None

    @property
    def gap(self) -> dt.timedelta:
        """By how much the machine's clock is behind or ahead."""
        return abs(self.wall - self.now)


class SteadyClock:
    """The machine's clock, but it never goes back by itself, and never far ahead.

    While the machine's clock is behind, time goes on from the latest instant at half the pace, so that a clock that is
    behind by little, or was right after all, catches up. When it is set ahead by more than LONG_STEP, time goes on as
    before. Whoever knows better says so: `begin_at`, `believe`. Safe to be asked from any thread.
    """

    def __init__(
        self,
        wall: Callable[[], dt.datetime] = wall_clock,
        seconds: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self.seconds = seconds
        """The clock that nobody sets."""
        self._wall = wall
        self._lock = Lock()
        self._at, self._asked_at = wall(), seconds()

    def __call__(self) -> dt.datetime:
        """Return the time believed."""
        return self.read().now

    def read(self) -> Reading:
        """Return the time believed with what the machine's clock says."""
        with self._lock:
            wall, asked_at = self._wall(), self.seconds()
            passed = dt.timedelta(seconds=asked_at - self._asked_at)
            doubt = None
            if wall - self._at - passed > LONG_STEP:
                now, doubt = self._at + passed, ClockDoubt.AHEAD
            else:
                now = max(wall, self._at + passed / 2)
                doubt = ClockDoubt.BEHIND if now - wall > TOLERANCE else None
            self._at, self._asked_at = now, asked_at
            return Reading(now, wall, doubt)

    def begin_at(self, instant: dt.datetime) -> None:
        """Go on from `instant`, as if it were now."""
        with self._lock:
            self._at, self._asked_at = instant, self.seconds()

    def believe(self) -> dt.datetime:
        """Take what the machine's clock says for right; what that is."""
        with self._lock:
            self._at, self._asked_at = self._wall(), self.seconds()
            return self._at
