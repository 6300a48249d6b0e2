"""Instants as integers: microseconds since 1970 in UTC, the only time arrays know."""

from __future__ import annotations

import datetime as dt

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
HOUR = 3_600_000_000
NEVER = 2**62
"""Later than any instant: a sentinel that keeps `min` simple."""


def to_micros(instant: dt.datetime) -> int:
    """Microseconds since the epoch of an aware `instant`; exact."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> dt.datetime:
    """The UTC datetime of `micros`."""
    return EPOCH + dt.timedelta(microseconds=int(micros))


def span(duration: dt.timedelta) -> int:
    """Microseconds of `duration`."""
    return duration // MICROSECOND


def earliest(*instants: dt.datetime | None) -> dt.datetime | None:
    """The first of the given instants, leaving out those that are None."""
    known = [instant for instant in instants if instant is not None]
    return min(known) if known else None
