"""Hours in which somebody is spoken to: a daily span in a time zone, on some days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

HORIZON = 400
"""Days looked ahead; who is spoken to on none of them is asked about again at their end."""

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """When the clock on a recipient's wall allows speaking: from `start` until `end`, past midnight if not later.

    The span belongs to the day it starts on, which `closed`, `open`, `days_off`, `make_up` and `weekdays` (1 is Monday)
    decide about, in this order. It is for `contacts`, or for whoever is in `roles`; for everybody with neither. Kinds
    in `exempt` do not wait. Says nothing about what is to be told.
    """

    hours_id: str
    start: dt.time
    end: dt.time
    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5, 6, 7})
    days_off: frozenset[dt.date] = frozenset()
    make_up: frozenset[dt.date] = frozenset()
    closed: frozenset[dt.date] = frozenset()
    open: frozenset[dt.date] = frozenset()
    roles: frozenset[str] = frozenset()
    contacts: frozenset[str] = field(default=frozenset(), repr=False)
    exempt: frozenset[str] = frozenset()

    def holds(self, instant: dt.datetime) -> bool:
        """Whether `instant` lies in the hours, as the clock on the wall shows it."""
        local = instant.astimezone(self.zone)
        time, day = local.time(), local.date()
        if self.start < self.end:
            return self.start <= time < self.end and self._speaks_on(day)
        return (time >= self.start and self._speaks_on(day)) or (time < self.end and self._speaks_on(day - _DAY))

    def next_instant(self, now: dt.datetime) -> dt.datetime:
        """The first instant from `now` on that lies in the hours, in UTC."""
        if self.holds(now):
            return now
        today = now.astimezone(self.zone).date()
        for days in range(-1, HORIZON):
            begins = [one for one in self._beginnings(today + days * _DAY) if one >= now and self.holds(one)]
            if begins:
                return min(begins)
        return now + HORIZON * _DAY

    def _speaks_on(self, day: dt.date) -> bool:
        if day in self.closed or day in self.open:
            return day not in self.closed
        if day in self.days_off or day in self.make_up:
            return day in self.make_up
        return day.isoweekday() in self.weekdays

    def _beginnings(self, day: dt.date) -> Iterator[dt.datetime]:
        """Where the hours may begin on `day`: at their start, or where the clock jumps, over it or back before it."""
        for fold in (0, 1):
            yield dt.datetime.combine(day, self.start, self.zone).replace(fold=fold).astimezone(dt.UTC)
        if (jump := _jump(day, self.zone)) is not None:
            yield jump


def _jump(day: dt.date, zone: ZoneInfo) -> dt.datetime | None:
    """The instant of `day` at which the clocks of a zone are set, to the second; None on nearly every day."""
    low = dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    high = dt.datetime.combine(day + _DAY, dt.time(), zone).astimezone(dt.UTC)
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return None
    while high - low > dt.timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
