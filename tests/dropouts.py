"""A class of six over six weeks, of whom two drop out: what a backtest has to find, small enough to count by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.county import DAY, HALF_DAYS, HOUR, MINUTE, Child, MarkRow, MovementRow, World
from tests.table import MONDAY
from tests.worlds import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = [MONDAY + n * DAY for n in range(42) if n % 7 < 5]
"""Thirty school days."""
STORIES = {
    "stays": "P" * 30,
    "gone": "P" * 10 + "A" * 20,
    "ill": "P" * 5 + "A" * 3 + "P" * 22,
    "away": "P" * 15 + "A" * 5 + "P" * 10,
    "silent": "P" * 30,
    "late": "P" * 25 + "A" * 5,
}
"""Each child's days; a letter is both sessions."""
LEFT = {"gone": DAYS[20], "silent": DAYS[22]}
"""Who dropped out, and on which day."""


def world() -> World:
    """The six, as their feeds tell of them; every roll is called ten minutes into its session."""
    at = dt.datetime.combine(MONDAY, dt.time(), dt.UTC) - 8 * HOUR
    return World(
        zone="Asia/Shanghai",
        slots=HALF_DAYS,
        schools=(("sch-1", "t-1"),),
        school_days=(("sch-1", frozenset(DAYS)),),
        classes=(("k-1", "sch-1"),),
        children=tuple(Child(name, ((MONDAY, "k-1"),)) for name in STORIES),
        start=at,
        end=at + 42 * DAY,
        marks=tuple(_marks()),
        movements=tuple(_movements()),
    )


def _marks() -> Iterator[MarkRow]:
    line = 2
    for n, day in enumerate(DAYS):
        for slot in HALF_DAYS:
            called = dt.datetime.combine(day, slot.start, dt.UTC) - 8 * HOUR + 10 * MINUTE
            for child, story in STORIES.items():
                yield MarkRow(child, day, slot.name, CODES[story[n]], called, line)
                line += 1


def _movements() -> Iterator[MovementRow]:
    for line, (child, day) in enumerate(LEFT.items(), 2):
        at = dt.datetime.combine(day, dt.time(12), dt.UTC) - 8 * HOUR
        yield MovementRow(child, "drop_out", at, at + 3 * DAY, None, line)
