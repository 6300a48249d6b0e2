"""Looks after the clock: what is judged waits while the machine's clock is in doubt, and the operator hears of it."""

from __future__ import annotations

import datetime as dt
from threading import Event

import structlog

from daemon.clock import LONG_STEP, TOLERANCE, ClockDoubt, Reading, SteadyClock
from daemon.config import FeedConfig
from daemon.jobs.clock_doubts import (
    can_tell,
    end_doubts,
    had_sessions,
    has_roll_after,
    note_doubt,
    put_in_order,
    tell_of_set_right,
    tells_of_time,
    trouble_of,
)
from daemon.jobs.house import House
from daemon.jobs.service_problems import Trouble
from daemon.store import newest
from daemon.store.tx import Tx

log = structlog.get_logger()

NOTES = dt.timedelta(seconds=30)
"""How often it is kept that the store has seen the time."""
LONGEST_DOUBT = dt.timedelta(days=1)
"""A clock that is ahead is believed after so long: whoever watches has heard of it, and children wait."""
NEAR = dt.timedelta(hours=1)
"""A clock that is set back to what it had shown before shows that time again, but for so much."""
LATE_WRITES = dt.timedelta(minutes=10)
"""Who began before the clock was set right may write for so long by the wrong one."""


class ClockGuard:
    """Knows whether the machine's clock is in doubt, and decides when it is not any more; judges no child.

    `begin` is to be called before anything is polled, `look` every few seconds, both by one thread.
    """

    def __init__(self, house: House, clock: SteadyClock) -> None:
        self.judging = Event()
        """Set by whoever has prepared everything for judging; not set any more once the clock is in doubt."""
        self._house = house
        self._clock = clock
        self._began_at: dt.datetime | None = None
        """The newest instant of the store when this process began, and what it has come to since."""
        self._accepted: dt.datetime | None = None
        self._left: dt.datetime | None = None
        """What an earlier, later-going clock would show by now."""
        self._read_at = clock.seconds()
        self._doubted_for = dt.timedelta(0)
        self._well_for = dt.timedelta(0)
        self._noted_at: dt.datetime | None = None
        self._in_order_at: dt.datetime | None = None
        self._trouble: Trouble | None = None

    def reading(self) -> Reading:
        """Return what the clocks say now; from any thread."""
        return self._clock.read()

    def may_judge(self) -> bool:
        """Return whether everything is prepared, and the clock in no doubt; from any thread."""
        return self._clock.read().doubt is None and self.judging.is_set()

    def poll_time(self, feed: FeedConfig) -> dt.datetime | None:
        """Return when what a feed says now is heard; None while that cannot be dated.

        While a clock that was set ahead is in doubt, what it is told of later days speaks for it.
        """
        reading = self._clock.read()
        if reading.doubt is None:
            return reading.now
        return reading.wall if reading.doubt is ClockDoubt.AHEAD and tells_of_time(feed) else None

    def begin(self) -> None:
        """Begin at the newest instant of the store where the machine's clock may be wrong."""
        with self._house.store.read() as tx:
            seen, self._accepted = newest.newest_instant(tx), newest.accepted_at(tx)
        wall = self._clock.read().wall
        self._began_at = seen
        if seen is None:
            return
        is_long = wall - seen > LONG_STEP and can_tell(self._house) and had_sessions(self._house, seen, wall)
        if seen > wall or is_long:
            self._clock.begin_at(seen)

    def look(self) -> ClockDoubt | None:
        """Return why the clock is in doubt, after looking whether it still is, telling of it and keeping the time."""
        self._go_on()
        reading = self._clock.read()
        try:
            return self._look(reading)
        except Exception:
            log.critical("the clock was not looked after", exc_info=True)
            self._house.metrics.failures.labels(job="clock").inc()
            return reading.doubt

    def _look(self, reading: Reading) -> ClockDoubt | None:
        if reading.doubt is None:
            self._keep(reading)
            return None
        self.judging.clear()
        if self._is_settled(reading):
            self._believe(reading)
            return self._look(self._clock.read())
        self._doubt(reading)
        return reading.doubt

    def _go_on(self) -> None:
        """Let what was known at the beginning come to what it is now."""
        seconds = self._clock.seconds()
        passed = dt.timedelta(seconds=seconds - self._read_at)
        self._read_at = seconds
        self._doubted_for = self._doubted_for + passed if self._trouble else dt.timedelta(0)
        self._well_for = dt.timedelta(0) if self._trouble else self._well_for + passed
        self._began_at = self._began_at and self._began_at + passed
        self._left = self._left and self._left + passed

    # ---- in doubt -----------------------------------------------------------------------------------------------

    def _doubt(self, reading: Reading) -> None:
        trouble = trouble_of(reading)
        if trouble is None:
            return
        if self._trouble is None or self._trouble.problem is not trouble.problem:
            log.error("the clock is in doubt, nothing is judged", why=trouble.reason, hint=trouble.hint)
            self._trouble = trouble
            self._house.wake()
        told = self._trouble  # in the words of when it began: others would be news
        self._house.store.commit(lambda tx: note_doubt(tx, self._house, told, reading.now))

    def _is_settled(self, reading: Reading) -> bool:
        """Return whether anything says that the machine's clock is right."""
        with self._house.store.read() as tx:
            if newest.accepted_at(tx) != self._accepted:
                self._accepted = newest.accepted_at(tx)
                return True
            if reading.doubt is ClockDoubt.BEHIND:
                return self._was_ahead(tx, reading)
            return self._is_proven(tx, reading)

    def _was_ahead(self, tx: Tx, reading: Reading) -> bool:
        """Whether a clock that was ahead has been set right: it agrees with all that was known before it went wrong."""
        agrees = self._began_at is None or reading.wall >= self._began_at - TOLERANCE
        return agrees and not has_roll_after(tx, self._house, reading.wall)

    def _is_proven(self, tx: Tx, reading: Reading) -> bool:
        """Whether so much time has passed: somebody spoke of a later session, there was none, or it was so late before.

        What was in doubt for long is believed in the end.
        """
        if self._left is not None and abs(reading.wall - self._left) < NEAR:
            return True
        if self._doubted_for > LONGEST_DOUBT or not had_sessions(self._house, reading.now, reading.wall):
            return True
        return has_roll_after(tx, self._house, reading.now)

    # ---- believed again -----------------------------------------------------------------------------------------

    def _believe(self, reading: Reading) -> None:
        """Take the machine's clock for right, and put in order what was noted by one that was ahead."""
        with self._house.turn:
            now = self._clock.believe()
            span = reading.now - now
            self._began_at = self._began_at and min(self._began_at, now)
            if span > dt.timedelta(0):
                self._left, self._in_order_at = reading.now, now
                self._house.store.commit(lambda tx: self._set_right(tx, now, span))
        log.warning("the clock is believed", was=str(reading.doubt), seconds=round(-span.total_seconds()))

    def _set_right(self, tx: Tx, now: dt.datetime, span: dt.timedelta) -> None:
        put_in_order(tx, self._house, now, span)
        tell_of_set_right(tx, self._house, span, now)

    def _keep(self, reading: Reading) -> None:
        """Keep that the store has seen the time; and once a doubt is over, tell of that."""
        now = reading.now
        if self._trouble is not None or self._noted_at is None:  # what an earlier process was in doubt of is over, too
            self._house.store.commit(lambda tx: self._end(tx, now))
        if self._trouble is not None:
            log.warning("the clock is right again", was=str(self._trouble.problem))
            self._trouble, self._in_order_at = None, now
            self._house.wake()
        if self._began_at is None and self._well_for > LONGEST_DOUBT:
            self._began_at = now  # a store's first day is over, and nobody has set the clock right
        if self._noted_at is None or not dt.timedelta(0) <= now - self._noted_at < NOTES:
            self._house.store.commit(lambda tx: self._note(tx, now))
            self._noted_at = now

    def _end(self, tx: Tx, now: dt.datetime) -> None:
        self._move_late_writes(tx, now)
        end_doubts(tx, self._house, now)

    def _note(self, tx: Tx, now: dt.datetime) -> None:
        if self._in_order_at is not None and now - self._in_order_at < LATE_WRITES:
            self._move_late_writes(tx, now)
        newest.note_instant(tx, now)
        self._accepted = newest.accepted_at(
            tx
        )  # what was said while this clock was in no doubt says nothing of a later one

    def _move_late_writes(self, tx: Tx, now: dt.datetime) -> None:
        """Move what was noted since by whoever began while the clock was ahead."""
        seen = newest.newest_instant(tx)
        if seen is not None and seen > now + TOLERANCE:
            put_in_order(tx, self._house, now, seen - now)
