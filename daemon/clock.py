"""The clock: everybody else is told what time it is."""

from __future__ import annotations

import datetime as dt


def wall_clock() -> dt.datetime:
    """The time, in UTC; the only place that asks for it."""
    return dt.datetime.now(dt.UTC)
