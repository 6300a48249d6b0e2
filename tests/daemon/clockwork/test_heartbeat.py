"""Whoever watches from outside hears from the daemon while all is well, and not a moment longer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.clockwork.heart import Heart
from daemon.config import Config, load_config
from daemon.console.ready import Standing, Vitals
from daemon.jobs.audit import Audit, Overdue, audit
from daemon.jobs.channel_problems import FAILS_FOR
from daemon.store.engine import Store
from notifiers.contract import DeliveryError
from tests.daemon.record.record_office import RecordOffice
from tests.forward_proxy import ForwardProxy
from tests.phone import Arrival
from tests.phones_http import Answer, HttpPhone, HttpRequest

KEY = "heartbeat-key-of-a-test"
MINUTE = dt.timedelta(minutes=1)


class Watcher(HttpPhone):
    """Somebody outside who notes each ping, and knows whoever has the key."""

    path = f"/ping/{KEY}"

    def fault(self, request: HttpRequest) -> Answer | None:
        return None if (request.path, request.body) == (self.path, b"") else Answer(404)

    def arrival(self, request: HttpRequest) -> Arrival:
        return Arrival("", request.method, str(len(self.requests)), request.at)


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> RecordOffice:
    return RecordOffice(tmp_path, sqlite_store)


@pytest.fixture
def watch() -> Iterator[Watcher]:
    with Watcher(strict=False) as watcher:
        yield watcher


class Outside:
    """The daemon's heart, and what somebody outside hears of it."""

    def __init__(self, office: RecordOffice, watch: Watcher) -> None:
        self.office, self.watch = office, watch
        self.vitals = Vitals(office.house)
        self.heart = Heart(office.house, self.vitals)
        (office.folder / "heartbeat.url").write_text(f"{watch.url}\n", encoding="ascii")
        self.configure('[heartbeat]\nurl_file = "heartbeat.url"\nevery = "5m"\nmethod = "POST"\n')
        self.is_well()
        office.works(office.now)  # the first look found no roll of the days before, and tells the operator

    def configure(self, text: str) -> Config:
        path = self.office.folder / "config.toml"
        before = path.read_text(encoding="utf-8").partition("[heartbeat]")[0]
        path.write_text(before + text, encoding="utf-8")
        config = load_config(path)
        self.office.house.terms = replace(self.office.house.terms, config=config)
        return config

    def is_well(self) -> None:
        """What the other jobs leave behind where all goes on."""
        now = self.office.now
        self.vitals.polled.update(feed.id for feed in self.office.house.config.feed)
        self.vitals.swept_at = now
        self.vitals.audited = audit(self.office.house, now)

    def after(self, span: dt.timedelta, *, well: bool = True) -> int:
        """How many pings come when the heart is asked to beat so much later."""
        self.office.now += span
        if well:
            self.is_well()
        before = len(self.watch.arrivals)
        self.heart.beat()
        return len(self.watch.arrivals) - before

    def withheld(self) -> list[str]:
        _, report = self.vitals.ready(self.office.now)
        assert self.office.house.metrics.withheld._value.get() == bool(report["heartbeat"]["withheld"])
        return list(report["heartbeat"]["withheld"])


@pytest.fixture
def outside(office: RecordOffice, watch: Watcher) -> Outside:
    return Outside(office, watch)


def test_it_beats_as_often_as_configured(outside: Outside) -> None:
    assert [outside.after(MINUTE) for _ in range(11)] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert outside.withheld() == []
    assert outside.heart.next_at() == outside.office.now + 5 * MINUTE


def test_it_goes_through_the_proxy_of_the_office(outside: Outside) -> None:
    (outside.office.folder / "heartbeat.url").write_text("https://watch.county.example/ping", encoding="ascii")
    beat = '[heartbeat]\nurl_file = "heartbeat.url"\n'
    with ForwardProxy() as proxy:
        outside.configure(f'{beat}[network]\nproxy = "{proxy.url}"\n')
        outside.after(MINUTE)
        outside.configure(f'{beat}proxy = "none"\n[network]\nproxy = "{proxy.url}"\n')
        outside.after(MINUTE)
    assert [asked.split(" ")[:2] for asked in proxy.asked] == [["CONNECT", "watch.county.example:443"]]


def test_without_an_address_nobody_is_told(outside: Outside) -> None:
    outside.configure("")
    assert outside.after(10 * MINUTE) == 0
    _, report = outside.vitals.ready(outside.office.now)
    assert report["heartbeat"]["configured"] is False


def test_it_is_withheld_while_sweeps_do_not_come(outside: Outside) -> None:
    assert outside.after(MINUTE) == 1
    assert outside.after(10 * MINUTE, well=False) == 0
    assert outside.withheld() == ["the last sweep is 600 s old"]


def test_it_is_withheld_while_work_is_overdue_and_goes_on_by_itself(outside: Outside) -> None:
    outside.is_well()
    outside.vitals.audited = Audit(outside.office.now, (Overdue("rung_due", 2, outside.office.now),))
    assert outside.after(dt.timedelta(0), well=False) == 0
    assert outside.withheld() == ["overdue: 2 rung_due"]

    assert outside.after(MINUTE) == 1
    assert outside.withheld() == []


def test_it_is_withheld_when_nobody_has_looked_for_overdue_work(outside: Outside) -> None:
    outside.vitals.audited = None
    assert outside.after(dt.timedelta(0), well=False) == 0
    assert outside.withheld() == ["no self-audit of late"]


def test_it_is_withheld_while_what_is_on_disk_is_refused(outside: Outside) -> None:
    outside.vitals.written = Standing("a", refused="b")
    assert outside.after(MINUTE) == 0
    assert outside.withheld() == ["the configuration on disk is refused"]


def test_it_is_withheld_while_a_channel_fails_for_long(outside: Outside) -> None:
    office = outside.office
    office.two_days()
    office.sms.refuses_to_send = DeliveryError("busy")
    office.roll(2, "am", "APP", "08:10")
    office.works(office.now)
    assert outside.after(MINUTE) == 1
    office.works(office.now)
    assert outside.after(FAILS_FOR) == 0
    assert "sms fails" in outside.withheld()


def test_it_is_withheld_while_the_store_takes_nothing(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    outside.is_well()
    monkeypatch.setattr(type(outside.office.store), "commit", lambda *_: 1 / 0)
    assert outside.after(MINUTE, well=False) == 0
    assert outside.withheld() == ["the store cannot be written"]


def test_an_address_that_does_not_take_it_is_told_without_its_key(outside: Outside) -> None:
    outside.watch.answers(Answer(500))
    with capture_logs() as logs:
        outside.after(MINUTE)
    assert [line["event"] for line in logs] == ["heartbeat not taken"]
    assert KEY not in str(logs)
    assert KEY not in outside.office.house.metrics.render().decode()
    assert outside.after(5 * MINUTE) == 1


def test_why_it_is_withheld_is_said_once(outside: Outside) -> None:
    outside.vitals.written = Standing("a", refused="b")
    with capture_logs() as logs:
        for _ in range(3):
            outside.after(MINUTE)
        outside.vitals.written = Standing("b")
        outside.after(MINUTE)
    assert [line["event"] for line in logs] == ["the heartbeat is withheld", "all is well again, the heartbeat goes on"]
