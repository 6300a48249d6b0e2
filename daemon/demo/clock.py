"""A clock that goes where it is set, and the pace at which a spectator sees it go."""

from __future__ import annotations

import bisect
import datetime as dt
import time
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

SECONDS_IN_ALL = 75.0
"""How long the whole term takes at the ordinary pace, however many days it has; no day is slower than this allows."""
MOST_A_DAY = 6.0
FRAME_SECONDS = 0.1

_SCHOOL_DAY = ((0, 0.0), (7.5, 0.05), (9.5, 0.45), (17.0, 0.9), (24, 1.0))
"""Of the time a school day is given, how much has passed at which hour: most happens in the forenoon."""
_DAY_OFF = ((0, 0.0), (24, 0.1))


class VirtualClock:
    """Shows the instant it was last set to; time does not pass by itself."""

    def __init__(self, start: dt.datetime) -> None:
        self.now = start

    def __call__(self) -> dt.datetime:
        """What it shows."""
        return self.now


class Pace:
    """Lets virtual time pass before somebody's eyes: nights quickly, school hours slowly.

    `speed` is relative to the ordinary pace; 0 waits for nothing. Work that takes longer than its time is caught up.
    """

    def __init__(self, dates: Sequence[dt.date], zone: ZoneInfo, speed: float) -> None:
        self._dates = frozenset(dates)
        self._zone = zone
        self._seconds_a_day = min(SECONDS_IN_ALL / len(dates), MOST_A_DAY) / speed if speed > 0 else 0.0
        self._began = time.monotonic()
        self._reached = 0.0

    def pass_until(
        self, now: dt.datetime, then: dt.datetime, show: Callable[[dt.datetime], None], stopped: Callable[[], bool]
    ) -> None:
        """Wait until `then` has come for the spectator, calling `show` with each instant in between."""
        if not self._seconds_a_day:
            return
        before, self._reached = self._reached, self._reached + self._days_between(now, then) * self._seconds_a_day
        span = self._reached - before
        while not stopped() and (left := self._reached - (time.monotonic() - self._began)) > 0:
            show(then - (then - now) * min(left / span, 1.0))
            time.sleep(min(left, FRAME_SECONDS))

    def _days_between(self, now: dt.datetime, then: dt.datetime) -> float:
        return self._weight_until(then) - self._weight_until(now)

    def _weight_until(self, at: dt.datetime) -> float:
        """Weighted days since a week before the first school day."""
        local = at.astimezone(self._zone)
        day, weight = min(self._dates) - dt.timedelta(days=7), 0.0
        while day < local.date():
            weight += self._profile(day)[-1][1]
            day += dt.timedelta(days=1)
        return weight + _interpolated(self._profile(day), local.hour + local.minute / 60 + local.second / 3600)

    def _profile(self, day: dt.date) -> Sequence[tuple[float, float]]:
        return _SCHOOL_DAY if day in self._dates else _DAY_OFF


def _interpolated(profile: Sequence[tuple[float, float]], hour: float) -> float:
    place = max(bisect.bisect_right(profile, (hour, 2.0)), 1)
    if place == len(profile):
        return profile[-1][1]
    (h0, w0), (h1, w1) = profile[place - 1], profile[place]
    return w0 + (w1 - w0) * (hour - h0) / (h1 - h0)
