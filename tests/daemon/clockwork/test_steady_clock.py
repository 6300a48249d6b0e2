"""The clock of the daemon: it never goes back by itself, and never far ahead."""

from __future__ import annotations

import datetime as dt

from daemon.clock import LONG_STEP, ClockDoubt, SteadyClock

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)


class Clocks:
    """A machine's clock that is set by hand, one that nobody sets, and what is made of them."""

    def __init__(self) -> None:
        self.wall, self.seconds = NOON, 0.0
        self.steady = SteadyClock(lambda: self.wall, lambda: self.seconds)

    def runs(self, span: dt.timedelta) -> dt.datetime:
        self.wall += span
        self.seconds += span.total_seconds()
        return self.steady()


def test_a_clock_that_nobody_sets_is_believed() -> None:
    clocks = Clocks()
    assert clocks.runs(HOUR) == NOON + HOUR
    assert clocks.steady.read().doubt is None


def test_a_clock_that_is_set_back_is_not_followed_and_time_goes_on_at_half_the_pace() -> None:
    clocks = Clocks()
    clocks.wall -= HOUR
    assert clocks.steady.read().doubt is ClockDoubt.BEHIND
    assert clocks.runs(HOUR) == NOON + HOUR / 2
    assert clocks.runs(HOUR) == NOON + HOUR
    assert clocks.steady.read().doubt is None
    assert clocks.runs(HOUR) == NOON + 2 * HOUR


def test_a_clock_that_is_set_ahead_by_little_is_followed() -> None:
    clocks = Clocks()
    clocks.wall += LONG_STEP
    assert clocks.steady() == NOON + LONG_STEP
    assert clocks.steady.read().doubt is None


def test_a_clock_that_is_set_far_ahead_is_not_followed_and_time_goes_on_as_before() -> None:
    clocks = Clocks()
    clocks.wall += LONG_STEP + SECOND
    assert clocks.steady.read().doubt is ClockDoubt.AHEAD
    assert clocks.runs(HOUR) == NOON + HOUR
    clocks.wall -= LONG_STEP + SECOND
    assert clocks.runs(HOUR) == NOON + 2 * HOUR
    assert clocks.steady.read().doubt is None


def test_whoever_knows_better_says_so() -> None:
    clocks = Clocks()
    clocks.wall -= 400 * 24 * HOUR
    assert clocks.steady.believe() == clocks.wall == clocks.steady()
    clocks.steady.begin_at(NOON)
    assert clocks.steady() == NOON
    assert clocks.steady.read().gap == 400 * 24 * HOUR
