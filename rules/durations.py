"""Spans of time as they are written in rules and on the command line."""

from __future__ import annotations

import datetime as dt
import re

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def parse_duration(text: str, *, zero: bool = False) -> dt.timedelta | None:
    """`2d`, `48h`, `1h30m`, `90s` as a span of time; None if it is none, or zero where that is not meant."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    try:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        span = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):  # longer than anything can last
        return None
    return span if span or zero else None
