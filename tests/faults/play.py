"""Lives through a history with a real daemon's jobs, on a clock stepped by hand, and keeps what people were told."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.app import build_house
from daemon.clockwork.startup import prepare
from daemon.config import load_config
from daemon.jobs.audit import audit
from daemon.jobs.byhand import judge_incident
from daemon.jobs.casefile import from_row
from daemon.jobs.fallback import look_at_alerts
from daemon.jobs.house import House
from daemon.jobs.once_more import hold_back, let_go
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.send import send_due
from daemon.jobs.silence import look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.jobs.watch import look_daily
from daemon.store import cases, incidents, outbox, sending, timers
from daemon.store.engine import open_store
from daemon.store.incidents import IncidentRow
from daemon.store.keys import Keyring
from notifiers.contract import Message, Receipt
from rules.case import Standing
from tests.faults.county_files import write_county
from tests.faults.delivery import deliver
from tests.faults.office import Document, School
from tests.faults.truth import DATES, FIRST, POLLS, ZONE, local
from tests.faults.web import Source, source

_DAY = dt.timedelta(days=1)
_WEEKEND = (dt.time(17, 10),)
_SESSIONS_OVER = (dt.time(11, 50), dt.time(17, 10))
"""The polls after a session: what an address says then covers it, be it the same as before."""
_MOMENT = dt.timedelta(microseconds=1)
_MOST_ROUNDS = 30


@dataclass(frozen=True)
class Heard:
    """One thing one person was told."""

    at: dt.datetime
    kind: str
    role: str
    student: str | None
    due_at: dt.datetime | None
    incident: IncidentRow | None
    facts: Mapping[str, Any]

    @property
    def said(self) -> str:
        """What it is about, with every name in it."""
        incident = f"{self.incident.subject} {self.incident.state}" if self.incident else ""
        return f"{incident} {self.facts}"

    @property
    def unconfirmed(self) -> bool:
        """Whether a report says that nobody confirmed it."""
        return bool(self.facts.get("unconfirmed"))

    def lasts(self, since: dt.datetime) -> bool:
        """Whether it was not over before an instant; what is no incident lasts a day."""
        if self.incident is None:
            return self.at >= since
        return self.incident.closed_at is None or self.incident.closed_at >= since


@dataclass
class Outcome:
    """What came of a history: everything told, and whose report stood on the evening of each day."""

    heard: list[Heard] = field(default_factory=list)
    standing: dict[dt.date, frozenset[str]] = field(default_factory=dict)
    """By student."""


class _Phone:
    """A channel that takes everything."""

    channel = "sms"

    def send(self, message: Message) -> Receipt:
        return Receipt(message.message_id)

    def close(self) -> None:
        """Nothing is held."""


def play(schools: Sequence[School], folder: Path, template: Path, keyring: Keyring) -> Outcome:
    """Live through what happens at these schools, of one county with one daemon."""
    folder.mkdir(parents=True)
    shutil.copy(template, folder / "store.db")
    with source() as web, closing(open_store("sqlite:///store.db", "610999", keyring, state_dir=folder)) as store:
        write_county(folder, schools, web)
        config = load_config(folder / "config.toml")
        playing = _Play(schools, folder, web)
        playing.house = build_house(
            config, store, link_keys=[b"a key for links"], notifiers={"sms": _Phone()}, clock=lambda: playing.now
        )
        return playing.run()


# ---- its life -------------------------------------------------------------------------------------------------------


class _Play:
    """One life of the daemon; `now` moves only when told to."""

    house: House

    def __init__(self, schools: Sequence[School], folder: Path, web: Source) -> None:
        self.schools, self.folder, self.web = schools, folder, web
        self.now = local(FIRST, dt.time(7))
        self._written: dict[str, bytes] = {}
        self._judged: set[str] = set()
        self._up = True

    def run(self) -> Outcome:
        """Go through the days, poll by poll, to the evening on which everything has been right for a day."""
        outcome = Outcome()
        self._start()
        ends = [fault.over_on(school.history) for school in self.schools for fault in school.faults]
        last = max(ends, default=DATES[-1])
        for day in [FIRST + n * _DAY for n in range((last - FIRST).days + 1)]:
            for time in POLLS if day in DATES else _WEEKEND:
                self._reach(local(day, time))
            outcome.standing[day] = self._standing()
        outcome.heard = list(self._heard())
        return outcome

    # ---- time ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._poll(everything=True)
        prepare(self.house, self.now)
        self._works()

    def _reach(self, at: dt.datetime) -> None:
        """Do on the way what is due, then poll; a daemon that is down does neither, and begins anew when it is up."""
        if any(one.down and one.is_on(school.history, at) for school in self.schools for one in school.faults):
            self._up = False
            self.now = at
            return
        if not self._up:
            self._up, self.now = True, at
            self._start()
        while (instant := self._next()) is not None and instant <= at:
            self.now = max(instant, self.now)
            self._works()
        self.now = max(at, self.now)
        self._poll(everything=False)
        self._works()
        self._judge()
        if at.astimezone(ZONE).time() == POLLS[-1]:
            audit(self.house, self.now)

    def _works(self) -> None:
        """Do what the clockwork does when it is woken, until nothing is left to do now."""
        for _ in range(_MOST_ROUNDS):
            held = hold_back(self.house, self.now)
            for feed in self.house.config.feed:
                if held and feed.id in held.feeds:
                    poll_feed(self.house, feed, self.now)
            if held:
                let_go(self.house, held.waiting_for(held.feeds))
            sweep_due(self.house, self.now)
            look_at_feeds(self.house, self.now)
            look_at_alerts(self.house, self.now)
            look_daily(self.house, self.now)
            while send_due(self.house, "sms", self.now):
                pass
            following = self._next()
            if following is None or following > self.now:
                return
            self.now += _MOMENT
        raise AssertionError("there is always something left to do")

    def _next(self) -> dt.datetime | None:
        with self.house.store.read() as tx:
            found = [one for one in (timers.next_due(tx), sending.next_at(tx)) if one is not None]
        return min(found, default=None)

    def _judge(self) -> None:
        """A person looks at a mass absence in the hour after it was told, and knows that it is none."""
        with self.house.store.read() as tx:
            found = incidents.open_incidents(tx, "mass_absence")
        for row in found:
            if self.now - row.opened_at > dt.timedelta(hours=1) and row.incident_id not in self._judged:
                self._judged.add(row.incident_id)
                judge_incident(self.house, row.incident_id, real=False, by="校长", now=self.now)

    # ---- feeds --------------------------------------------------------------------------------------------------

    def _poll(self, *, everything: bool) -> None:
        """Deliver, then poll the feeds of which something is new, or whose answers are not what they should be."""
        news = self._deliver()
        news |= {
            school.feed(fault.records)
            for school in self.schools
            for fault in school.faults
            if fault.is_on(school.history, self.now) and (fault.answer is not None or fault.is_missing)
        }
        over = self.now.astimezone(ZONE).time() in _SESSIONS_OVER
        for feed in in_order(self.house.config.feed):
            if everything or feed.id in news or (feed.url is not None and over):
                poll_feed(self.house, feed, self.now)

    def _deliver(self) -> set[str]:
        """Bring files and addresses to what they are now; the feeds with something new."""
        news, there = set(), set()
        for school in self.schools:
            for document, answer in deliver(school, self.now):
                there.add(document.path)
                if self._written.get(document.path) != answer.body:
                    self._written[document.path] = answer.body
                    self._write(document, answer.body)
                    news.add(school.feed(document.records))
                if document.path.startswith("/"):
                    self.web.answers[document.path] = answer
        for path in set(self._written) - there:
            (self.folder / path).unlink()
            del self._written[path]
        return news

    def _write(self, document: Document, content: bytes) -> None:
        if document.path.startswith("/"):
            return
        path = self.folder / document.path
        path.write_bytes(content)
        modified = (self.now - dt.timedelta(minutes=2)).timestamp() + len(self._written) / 1_000
        os.utime(path, (modified, modified))

    # ---- what became of it --------------------------------------------------------------------------------------

    def _standing(self) -> frozenset[str]:
        with self.house.store.read() as tx:
            held = [from_row(row) for row in cases.open_cases(tx)]
        return frozenset(case.student_id for case in held if case.standing is Standing.RAISED)

    def _heard(self) -> Iterator[Heard]:
        with self.house.store.read() as tx:
            known = {row.incident_id: row for row in incidents.list_incidents(tx)}
            sent = outbox.deliveries(tx, limit=1_000_000)
        for delivery in reversed(sent):
            for one in delivery.alerts:
                if delivery.message.told_at is not None:
                    incident = known.get(one.incident_id or "")
                    said = one.student_id, one.due_at, incident, one.facts
                    yield Heard(delivery.message.told_at, one.kind, one.role, *said)
