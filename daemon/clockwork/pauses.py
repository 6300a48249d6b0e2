"""How the scheduler counts time: a job runs again one pause from now, however far the clock has gone meanwhile."""

from __future__ import annotations

import datetime as dt

from apscheduler.triggers.base import BaseTrigger


class Pause(BaseTrigger):
    """Fires once and then a pause after it last did.

    The library's own interval names every run that was missed: when a clock is set ahead by a year these are millions.
    """

    def __init__(self, pause: dt.timedelta) -> None:
        self.pause = pause

    def get_next_fire_time(self, previous_fire_time: dt.datetime | None, now: dt.datetime) -> dt.datetime:
        """Return when to run next; a run that is late counts as run now."""
        return now if previous_fire_time is None else max(previous_fire_time, now) + self.pause
