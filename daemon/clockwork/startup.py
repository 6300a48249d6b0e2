"""What comes before the first deadline may fire: hear every feed, then have everything judged anew."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from itertools import groupby

import structlog

from daemon.config import FeedConfig
from daemon.jobs.golive import enter_mode
from daemon.jobs.house import House
from daemon.jobs.intake import arm_class
from daemon.jobs.pace import ask_again
from daemon.jobs.poll import ORDER, in_order
from daemon.jobs.silence import FEED, owing
from daemon.jobs.terms import Terms
from daemon.jobs.watch import arm_watch
from daemon.store import intake, sending, timers
from daemon.store.intake import CalendarEdit
from daemon.store.rules import RuleVersion, record_rules
from daemon.store.timers import Timer
from daemon.store.tx import Tx

log = structlog.get_logger()

ROSTERS = 3
"""The first kinds of ORDER: who is where. Each must be known before the next is understood."""

SLICE_SECONDS = 0.2


def poll_all(
    house: House,
    poll: Callable[[FeedConfig], object],
    workers: Executor,
    patience: dt.timedelta,
    stage: Callable[[Sequence[str]], object],
    stopping: Callable[[], bool],
) -> None:
    """Poll every feed once, rosters first, feeds of one kind side by side, none awaited longer than `patience`.

    A feed that fails, or does not answer in time, does not hold up the start: it goes on by itself. One with many files
    is awaited for as long as more of them are read. `stage` is told of each group's feeds before they are asked, and
    of those with many files again and again.
    """
    for feeds in _stages(house.config.feed):
        stage([feed.id for feed in feeds])
        waiting: set[Future[object]] = {workers.submit(poll, feed) for feed in feeds}
        until = time.monotonic() + patience.total_seconds()
        unread = dict(house.unread)
        while waiting and time.monotonic() < until and not stopping():
            waiting = wait(waiting, SLICE_SECONDS).not_done
            if unread != (
                unread := dict(house.unread)
            ):  # half of a feed says absent of whom the other half says present
                until = time.monotonic() + patience.total_seconds()
                stage(sorted(unread))
        if waiting:
            log.warning("feeds do not answer, starting without them", count=len(waiting))


def _stages(feeds: tuple[FeedConfig, ...]) -> Iterator[list[FeedConfig]]:
    for _, group in groupby(in_order(feeds), key=lambda feed: min(ORDER.index(feed.records), ROSTERS)):
        yield list(group)


def prepare(house: House, now: dt.datetime, terms: Terms | None = None) -> None:
    """Arm everything for a full judgement and every feed for a look: rules, figures or calendar may have changed.

    Timers that passed while the daemon was down are left as they are: they fire first. With `terms`, which are about
    to take effect, it is their rules that are noted.
    """
    coming = terms or house.terms
    enter_mode(house, coming, now)
    if house.store.commit(lambda tx: _prepare(tx, house, coming, now)):
        log.info("the calendar is another than before")


def _prepare(tx: Tx, house: House, terms: Terms, now: dt.datetime) -> bool:
    rules = terms.rulebook.rules.values()
    record_rules(tx, [RuleVersion(one.rule_id, now, one.version, one.source, one.body) for one in rules])
    arm_class(tx, house.people(tx).class_ids, now)
    # A look at once, and not only the next one: a feed may have fallen silent while nobody was watching.
    timers.arm(tx, [Timer(FEED, feed.id, now) for feed in owing(house)])
    arm_watch(tx, terms.config, now)
    ask_again(tx, now)
    return intake.record_calendar(tx, _calendar(house, now))


def _calendar(house: House, now: dt.datetime) -> CalendarEdit:
    body = house.config.calendar.model_dump(mode="json")
    said = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
    return CalendarEdit(now, hashlib.sha256(said).hexdigest(), body)


def take_back_leases(house: House) -> None:
    """What a dead daemon was about to do is free again at once; only where no other daemon can be alive (SQLite)."""
    if house.store.file is not None:
        house.store.commit(_free)


def _free(tx: Tx) -> None:
    timers.free(tx)
    sending.free(tx)
