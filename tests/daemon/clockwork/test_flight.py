"""What is on its way: never more than there are places, in turns, and a slow receiver delays nobody else."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.jobs.flight import Flight, Landed, Pace, Ready
from daemon.jobs.send import send_side_by_side
from daemon.store import enrolment, outbox
from daemon.store.alerts import AlertDraft, MessageRow
from daemon.store.engine import Store
from daemon.store.places import Places
from daemon.store.sending import SENT, Outcome, Started
from notifiers.contract import Message
from notifiers.webhook import SwiftWebhook, Webhook, WebhookEndpoint, WebhookSettings
from rules.records import ContactRecord
from tests.daemon.desk.county_office import Office, write_county
from tests.phones import SECRET, Answer, WebhookEar
from tests.phones_http import HttpRequest

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)


def ready(addressee: str, n: int) -> Ready:
    row = MessageRow(
        message_id=f"{addressee}-{n}",
        contact_id="k",
        channel="sms",
        kind="report",
        state="queued",
        next_at=NOW,
        lease_until=None,
        lease_by=None,
        attempts=1,
        created_at=NOW,
        told_at=None,
        doubtful=False,
        group_key=None,
        addressee=addressee,
    )
    return Ready(Started(row, (), 1), Message(row.message_id, "sms", "x", None, ""), float("inf"))


def over(one: Ready) -> Outcome:
    return Outcome(one.started.message.message_id, 1, "a", NOW, SENT)


class Runway:
    """A flight whose launches are only noted; they land when they are told to."""

    def __init__(self, total: int, each: int) -> None:
        self.aloft: list[Ready] = []
        self.flight = Flight(self.aloft.append, total, each, threading.Event())

    def lands(self, addressee: str) -> None:
        one = next(one for one in self.aloft if one.addressee == addressee)
        self.aloft.remove(one)
        self.flight.land(one, over(one))

    @property
    def flying(self) -> Counter[str]:
        return Counter(one.addressee for one in self.aloft)


def test_no_more_are_on_their_way_than_there_are_places() -> None:
    runway = Runway(total=5, each=3)
    runway.flight.put([ready("a", n) for n in range(10)] + [ready("b", n) for n in range(10)])

    assert runway.flying == {"a": 3, "b": 2}
    runway.lands("a")
    assert runway.flying == {"a": 2, "b": 3}
    assert runway.flight.held == {"a": 9, "b": 10}


def test_a_slow_addressee_holds_its_own_places_only() -> None:
    runway = Runway(total=5, each=3)
    runway.flight.put([ready("slow", n) for n in range(10)])
    runway.flight.put([ready("quick", n) for n in range(10)])

    for _ in range(10):
        runway.lands("quick")

    assert runway.flying == {"slow": 3}
    assert len(runway.flight.landed(0)) == 10
    assert not runway.flight.is_still


def test_everything_lands_in_the_end() -> None:
    runway = Runway(total=2, each=2)
    runway.flight.put([ready("a", n) for n in range(3)])
    for _ in range(3):
        runway.lands("a")

    assert len(runway.flight.all_landed(60, print)) == 3
    assert runway.flight.is_still


def test_thousands_that_land_at_once_are_launched_one_after_another() -> None:
    def lands_at_once(one: Ready) -> None:
        flight.land(one, over(one))

    flight = Flight(lands_at_once, 1, 1, threading.Event())
    flight.put([ready("a", n) for n in range(5_000)])

    assert len(flight.all_landed(60, print)) == 5_000


def test_whoever_queues_something_ends_the_wait() -> None:
    bell = threading.Event()
    flight = Flight(lambda _: None, 1, 1, bell)
    flight.put([ready("a", 0)])
    bell.set()

    assert flight.landed(3600) == []


def test_more_is_claimed_of_whom_takes_it_at_once_and_no_more_than_places_of_whom_does_not() -> None:
    pace = Pace(64, 8)
    pace.note([Landed("quick", over(ready("quick", 0)), 0.01), Landed("slow", over(ready("slow", 0)), 1.0)])

    places = pace.room(Counter({"slow": 8, "quick": 30}))

    assert places is not None
    assert (places.of("quick"), places.of("slow"), places.of("new")) == (98, 0, 8)
    assert places.full == {"slow"}


def test_nothing_is_claimed_while_most_is_still_on_its_way() -> None:
    assert Pace(8, None).room(Counter({"a": 5})) is None
    assert Pace(8, None).room(Counter({"a": 4})) is not None


class WaitingEar(WebhookEar):
    """An endpoint that answers when it is let."""

    def __init__(self, name: str) -> None:
        super().__init__(name, SECRET, strict=False)
        self.asked = threading.Event()
        self.may = threading.Event()

    def hears(self, request: HttpRequest) -> Answer:
        self.asked.set()
        assert self.may.wait(30)
        return super().hears(request)


@pytest.mark.parametrize("carrier", [Webhook, SwiftWebhook], ids=["requests", "curl"])
def test_a_receiver_that_does_not_answer_delays_nobody_else(
    tmp_path: Path, sqlite_store: Store, carrier: type[Webhook]
) -> None:
    write_county(tmp_path)
    office = Office(tmp_path, sqlite_store)
    with WaitingEar("slow") as slow, WebhookEar("quick", SECRET, strict=False) as quick:
        endpoints = {one.name: WebhookEndpoint(one.url, SECRET) for one in (slow, quick)}
        hook = carrier(WebhookSettings(endpoints, timeout=dt.timedelta(seconds=60)), lambda: office.now)
        office.house.terms = replace(office.house.terms, notifiers={"webhook": hook})
        queued_for(office, "slow", 80, ago=60)
        queued_for(office, "quick", 80)
        with ThreadPoolExecutor(16) as hands, ThreadPoolExecutor(1) as beside:
            bell = threading.Event()
            sent = beside.submit(send_side_by_side, office.house, "webhook", hands, 16, each=4, bell=bell)
            for _ in range(80):
                quick.expects("quick")
            queued_for(office, "quick", 1)
            bell.set()
            quick.expects("quick")
            assert slow.requests == []
            slow.may.set()
            assert sent.result(60) == 161
        hook.close()
        assert (len(slow.arrivals), slow.repeats, quick.repeats) == (80, [], [])


def queued_for(office: Office, endpoint: str, count: int, ago: int = 0) -> None:
    """So many messages for the contact that has this endpoint."""
    contact = ContactRecord(endpoint, "education_office", "county", None, "x", None, None, endpoint, None, 1)
    at = office.now - dt.timedelta(seconds=ago)
    with office.store.write() as tx:
        enrolment.upsert_contacts(tx, [contact], at, source="test")
        begun = len(outbox.deliveries(tx, limit=1000))
        alerts = [
            AlertDraft(
                key=f"{endpoint}/{begun + n}",
                contact_id=endpoint,
                role="education_office",
                channel="webhook",
                kind="overdue",
                raised_at=at,
                facts={"count": 1},
            )
            for n in range(count)
        ]
        outbox.draft(tx, alerts, at)


def test_what_has_no_place_yet_when_it_is_to_stop_is_given_back_untried(
    tmp_path: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "room", lambda *_: Places(3))  # as if the receiver had been quick until now
    write_county(tmp_path)
    office = Office(tmp_path, sqlite_store)
    stops = threading.Event()
    with WaitingEar("slow") as slow, ThreadPoolExecutor(1) as hands, ThreadPoolExecutor(1) as beside:
        hook = Webhook(WebhookSettings({"slow": WebhookEndpoint(slow.url, SECRET)}), lambda: office.now)
        office.house.terms = replace(office.house.terms, notifiers={"webhook": hook})
        queued_for(office, "slow", 3)
        sent = beside.submit(send_side_by_side, office.house, "webhook", hands, 1, stopping=stops.is_set)
        slow.asked.wait(30)
        stops.set()
        slow.may.set()
        sent.result(60)
        hook.close()
    assert len(slow.arrivals) == 1
    with office.store.read() as tx:
        states = Counter(one.message.state for one in outbox.deliveries(tx))
        assert states == {"sent": 1, "queued": 2}
        assert [len(one.attempts) for one in outbox.deliveries(tx)] == [1, 1, 1]
        assert not any(one.message.doubtful for one in outbox.deliveries(tx))
