"""Dates and instants as people type them, in the schools' time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from daemon.desk.faults import DeskError

_HINT = "write 2026-03-18, 2026-03-18T08:00 (local) or 2026-03-18T08:00:00+08:00"
DAY = dt.timedelta(days=1)


def read_date(text: str, subject: str) -> dt.date:
    """A date; DeskError when it is none."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise DeskError(subject, "is no date", "write 2026-03-18") from None


def span_start(text: str, zone: ZoneInfo, subject: str) -> dt.datetime:
    """The instant at which a span begins: that of `text`, or the midnight its date begins with; UTC."""
    return _read(text, zone, subject, days_after=0)


def span_end(text: str, zone: ZoneInfo, subject: str) -> dt.datetime:
    """The instant before which a half-open span ends: that of `text`, or the midnight after its date; UTC."""
    return _read(text, zone, subject, days_after=1)


def _read(text: str, zone: ZoneInfo, subject: str, *, days_after: int) -> dt.datetime:
    plain = text.strip()
    try:
        if len(plain) == len("2026-03-18"):
            day = dt.date.fromisoformat(plain) + days_after * DAY
            return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
        instant = dt.datetime.fromisoformat(plain)
        aware = instant.replace(tzinfo=zone) if instant.tzinfo is None else instant
        return aware.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise DeskError(subject, "is no date and no instant", _HINT) from None
