"""The whole daemon on a virtual clock over file feeds: nothing is sent, every message becomes lines of JSON."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.app import build_house
from daemon.config import Config, FeedConfig
from daemon.desk.waiting import with_meant
from daemon.feeds.fetch import fetch_all
from daemon.feeds.payload import Payload, Refused
from daemon.feeds.read import read
from daemon.jobs.delivery import Delivery, TakenIn
from daemon.jobs.intake import take_in
from daemon.jobs.known_when import KnownWhen
from daemon.jobs.lines import line
from daemon.jobs.poll import in_order
from daemon.jobs.recording import covered
from daemon.jobs.send import send_due
from daemon.jobs.silence import arm_silence, look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.jobs.untaken import waiting
from daemon.store import cases, deliveries, outbox, sending, timers
from daemon.store.engine import open_store
from daemon.store.keys import Keyring
from daemon.store.tx import Tx
from notifiers.contract import Message, Receipt

LINK_KEY = b"a simulation's links lead nowhere"
CHANNELS = ("chat", "email", "sms", "webhook")


@dataclass(order=True)
class Arrival:
    """Records of one payload that become known at one instant."""

    at: dt.datetime
    order: int
    delivery: Delivery = field(compare=False)


class Paper:
    """A channel that takes everything and sends nothing; remembers the words by message."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.words: dict[str, Message] = {}

    def send(self, message: Message) -> Receipt:
        """Keep `message`."""
        self.words[message.message_id] = message
        return Receipt(None)

    def close(self) -> None:
        """There is nothing to let go of."""


class Simulation:
    """One run over `[start, end]`; works on a store of its own, which is gone afterwards."""

    def __init__(self, config: Config, start: dt.datetime, end: dt.datetime, folder: Path) -> None:
        self.now = start
        self.end = end
        self._count = itertools.count(1)
        self._papers = {name: Paper(name) for name in _channels(config)}
        store = open_store(
            f"sqlite:///{folder / 'simulation.db'}",
            config.service.district,
            Keyring.parse(Keyring.generate()),
            state_dir=folder,
            new_id=self._new_id,
        )
        store.upgrade()
        self.house = build_house(
            config,
            store,
            link_keys=[LINK_KEY],
            notifiers=self._papers,
            clock=lambda: self.now,
            new_id=self._new_id,
            simulated=True,
        )
        self.refused: list[Refused] = []
        self.notices: list[Refused] = []
        self.waiting: list[Refused] = []
        """Rows that still wait at the end for a child who is not on the roster."""
        self._ahead: list[Arrival] = []

    def _new_id(self) -> str:
        return f"{next(self._count):032x}"

    def run(self, progress: Callable[[dt.datetime], None] = lambda _: None) -> Iterator[dict[str, Any]]:
        """Go from instant to instant until the end; yields the lines of each as they would have left."""
        self._load()
        while (instant := self._next()) is not None and instant <= self.end:
            self.now = instant
            self._take_in(instant)
            yield from self._act(instant)
            progress(instant)
        with self.house.store.read() as tx:
            waits = [one for feed in self.house.config.feed for one in waiting(tx, feed.id)]
            self.waiting = with_meant(waits, self.house.people(tx).roster.students)
        self.house.store.close()

    # ---- what becomes known when ------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read every feed; rosters are known from the start, everything else when it was recorded."""
        order = itertools.count()
        for feed in in_order(self.house.config.feed):
            for payload in fetch_all(feed, self.house.config.base, self.now):
                self._load_payload(feed, payload, order)
        with self.house.store.write() as tx:
            arm_silence(tx, self.house, self.now)
        heapq.heapify(self._ahead)

    def _load_payload(self, feed: FeedConfig, payload: Payload, order: Iterator[int]) -> None:
        reading = read(feed, payload, self.house.calendar.zone)
        self.refused += reading.problems
        self.notices += reading.notices
        covers = covered(feed, reading)
        if reading.unreadable:
            return
        payload_id = self.house.store.commit(
            lambda tx: deliveries.record_payload(
                tx, feed_id=feed.id, sha256=payload.sha256, name=payload.name, fetched_at=self.now
            )
        )
        if payload_id is None:
            return
        if feed.records in {"units", "students", "contacts"}:
            self._commit(Delivery(feed, payload.name, payload_id, self.now, reading.records))
            return
        with self.house.store.read() as tx:
            people = self.house.people(tx)
        whole = Delivery(feed, payload.name, payload_id, self.now, reading.records, covers)
        whole.refused_marks, whole.modified_at = reading.refused_marks, payload.modified_at
        for part in KnownWhen(people, self.house.calendar, self.now).parts(whole):
            self._ahead.append(Arrival(part.known_at, next(order), part))

    def _commit(self, delivery: Delivery) -> TakenIn:
        taken = self.house.store.commit(lambda tx: take_in(tx, self.house, delivery))
        self.refused += taken.refused
        self.notices += [*taken.held, *taken.notices]
        return taken

    def _take_in(self, instant: dt.datetime) -> None:
        while self._ahead and self._ahead[0].at <= instant:
            self._commit(heapq.heappop(self._ahead).delivery)

    def _next(self) -> dt.datetime | None:
        with self.house.store.read() as tx:
            waiting = [timers.next_due(tx), sending.next_at(tx)]
        if self._ahead:
            waiting.append(self._ahead[0].at)
        found = [one for one in waiting if one is not None]
        return max(min(found), self.now) if found else None

    # ---- what is done about it ----------------------------------------------------------------------------------

    def _act(self, instant: dt.datetime) -> list[dict[str, Any]]:
        sweep_due(self.house, instant)
        look_at_feeds(self.house, instant)
        if not self._is_to_send(instant):
            return []
        for channel in self._papers:
            while send_due(self.house, channel, instant, limit=1_000):
                pass
        return self._lines(instant)

    def _is_to_send(self, instant: dt.datetime) -> bool:
        with self.house.store.read() as tx:
            first = sending.next_at(tx, list(self._papers))
        return first is not None and first <= instant

    def _lines(self, instant: dt.datetime) -> list[dict[str, Any]]:
        """One line an alert of the messages that left at this instant, in an order of their own."""
        sent = {key: words for paper in self._papers.values() for key, words in paper.words.items()}
        for paper in self._papers.values():
            paper.words = {}
        with self.house.store.read() as tx:
            numbers = _numbers(tx, sent)
            lines = [
                line(alert, sent[message], numbers.get(alert.case_id or ""), instant, self.house.calendar.zone)
                for message, alerts in outbox.alerts_by_message(tx, sent).items()
                for alert in alerts
            ]
        keys = ("kind", "student", "contact", "channel", "unit")
        return sorted(lines, key=lambda one: [one["due_at"] or "", *(str(one[key]) for key in keys)])


def _numbers(tx: Tx, sent: Sequence[str] | dict[str, Message]) -> dict[str, str]:
    wanted = {alert.case_id for alerts in outbox.alerts_by_message(tx, sent).values() for alert in alerts}
    return {key: row.number for key, row in cases.cases_by_id(tx, [one for one in wanted if one]).items()}


def _channels(config: Config) -> list[str]:
    """The channels a simulation writes for: those configured, or every one where none is."""
    found = [name for name in CHANNELS if getattr(config.channels, name) is not None]
    return found or list(CHANNELS)


def simulate(
    config: Config,
    start: dt.datetime,
    end: dt.datetime,
    progress: Callable[[dt.datetime], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """The lines of interface.md's `simulate`, in the order of `told_at`."""
    with tempfile.TemporaryDirectory(prefix="baoxue-") as folder:
        yield from Simulation(config, start, end, Path(folder)).run(progress)
