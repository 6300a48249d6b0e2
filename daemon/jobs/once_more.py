"""Before a report: the child's feed is asked once more, for at most a minute, and its case held back meanwhile.

Holding back is a lease on the case's timer, no more: whoever dies, the lease ends and the case is decided. Other
cases are decided as ever, and so is a held one when something new about its class comes in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from daemon.config import FeedConfig
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.silence import owing
from daemon.jobs.sweep import CASE
from daemon.store import cases, intake, timers
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.calendar import SILENCE_CAP
from rules.case import Case, Standing
from rules.instants import from_micros, to_micros

LONGEST = dt.timedelta(seconds=60)
"""A report waits for its feed until so long after its deadline (absence.md, Raised)."""

RECENT = dt.timedelta(seconds=5)
"""A feed that answered so short a time ago has nothing to add."""

_MANY = 20_000


@dataclass(frozen=True, slots=True)
class Held:
    """Cases held back until their feeds were asked: the timers by feed; a case may wait for several."""

    by_feed: Mapping[str, Sequence[Timer]]
    until: dt.datetime

    @property
    def feeds(self) -> Sequence[str]:
        """The feeds to be asked."""
        return tuple(self.by_feed)

    def waiting_for(self, feeds: Iterable[str]) -> set[Timer]:
        """The timers that wait for any of `feeds`."""
        return {timer for feed in feeds for timer in self.by_feed.get(feed, ())}


def hold_back(house: House, now: dt.datetime, since: dt.datetime | None = None) -> Held | None:
    """Hold back the cases whose report falls due just now, if a feed is worth asking; None when none is.

    With `since`, the instant of the last look, only those that fell due after it.
    """
    with house.store.read() as tx:
        after = max(now - LONGEST, since or now - LONGEST)
        due = timers.due(tx, now, _MANY, (CASE,), after=after)
        if not due:
            return None
        reports = _reports(tx, house, due, now)
        by_feed = _by_feed(tx, house, reports, now)
    if not by_feed:
        return None
    held = {timer for waiting in by_feed.values() for timer in waiting}
    until = min(timer.due_at for timer in held) + LONGEST
    house.store.commit(lambda tx: timers.hold(tx, held, until, house.worker))
    return Held(by_feed, until)


def let_go(house: House, held: Iterable[Timer]) -> None:
    """Decide these cases now: their feeds have answered, or will not."""
    done = list(held)
    if done:
        house.store.commit(lambda tx: timers.free(tx, done, house.worker))
        house.wake()


def _reports(tx: Tx, house: House, due: Sequence[Timer], now: dt.datetime) -> list[Timer]:
    """Of the due timers those at which a report falls due."""
    rows = {row.student_id: row for row in cases.open_cases(tx, [timer.subject for timer in due])}
    return [one for one in due if one.subject in rows and _falls_due(house, from_row(rows[one.subject]), now)]


def _falls_due(house: House, case: Case, now: dt.datetime) -> bool:
    if case.standing is Standing.RAISED or case.pending_at is not None:
        return False
    if case.armed_at is not None:
        return case.armed_at <= now
    return case.asked_at is not None and _unconfirmed_at(house, case, case.asked_at) <= now


def _unconfirmed_at(house: House, case: Case, asked_at: dt.datetime) -> dt.datetime:
    line = house.calendar.lines[case.finding.variant]
    asked = np.array([to_micros(asked_at)])
    return from_micros(int(line.after_session_time(asked, house.law.unconfirmed_after, SILENCE_CAP)[0]))


def _by_feed(tx: Tx, house: House, reports: Sequence[Timer], now: dt.datetime) -> dict[str, list[Timer]]:
    if not reports:
        return {}
    people = house.people(tx)
    by_feed: dict[str, list[Timer]] = {}
    for feed in owing(house):
        classes = _class_ids(people, feed)
        mine = [one for one in reports if people.class_now(one.subject) in classes]
        if mine and _worth_asking(tx, feed, now):
            by_feed[feed.id] = mine
    return by_feed


def _class_ids(people: People, feed: FeedConfig) -> set[str]:
    return {people.class_ids[index] for index in people.classes_under(feed.units)}


def _worth_asking(tx: Tx, feed: FeedConfig, now: dt.datetime) -> bool:
    state = intake.feed_state(tx, feed.id)
    if state.state == "failed":
        return False
    return state.last_ok_at is None or state.last_ok_at < now - RECENT
