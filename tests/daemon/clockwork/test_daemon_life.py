"""One daemon's life: ready, fed, told in time, stopped; and what of it survives a death."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon.clockwork.running import (
    HEAD_PHONE,
    NAME,
    OFFICE_PHONE,
    TOWN_PHONE,
    Daemon,
    Manager,
    Place,
    folders,
    now,
    until,
)
from tests.phones import Answer, SmsGateway

pytestmark = pytest.mark.timeout(300)

LATE = dt.timedelta(seconds=20)
"""No timing is asserted here: only that the deadline itself fired, not the heartbeat of some later hour."""
"""A busy test machine is no real-time system; the bench measures milliseconds."""

ESCALATES = """
[[ladder.rung]]
after = "4s"
unless = "acknowledged"
tell = ["town_head"]
channels = ["sms"]
"""


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway() as opened:
        yield opened


def tries(tmp_path: Path) -> Iterator[Path]:
    """Folders to try in: on a busy machine one try within a bound is enough."""
    for number in range(3):
        folder = tmp_path / f"try-{number}"
        folder.mkdir()
        yield folder


def expect_report(gateway: SmsGateway) -> str:
    """The report to the town and to the office, and nothing else; what the town was told."""
    told = gateway.expects(TOWN_PHONE)
    gateway.expects_only(OFFICE_PHONE)
    return told.text


def link_in(text: str) -> str:
    """The path of the link in a message."""
    return "/a/" + text.split("/a/")[1].split(maxsplit=1)[0]


def count(place: Place, table: str, where: str = "1") -> int:
    with closing(sqlite3.connect(f"file:{place.folder / 'baoxue.db'}?mode=ro", uri=True)) as db:
        return int(db.execute(f'SELECT count(*) FROM "{table}" WHERE {where}').fetchone()[0])  # noqa: S608 - ours


def test_a_deadline_fires_at_its_instant(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=5)
    place.marks("absent")
    with Daemon(place).serves():
        told = gateway.expects(TOWN_PHONE)
        gateway.expects_only(OFFICE_PHONE)

    assert place.due <= told.at < place.due + LATE


def test_it_says_ready_feeds_the_watchdog_and_says_goodbye(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    with Manager(tmp_path) as manager:
        environ = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1500000"}
        with Daemon(place, environ) as daemon:
            manager.hears("READY=1")
            manager.hears("WATCHDOG=1", times=3)
            assert daemon.stops() == 0
        manager.hears("STOPPING=1")


def test_a_manager_that_does_not_listen_stops_nothing(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=4)
    place.marks("absent")
    environ = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "200000"}
    with Daemon(place, environ).serves():
        expect_report(gateway)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(tmp_path: Path, gateway: SmsGateway, number: int) -> None:
    with Daemon(Place(tmp_path, gateway.url, due_in=300)).serves() as daemon:
        daemon.signal(number)
        assert daemon.ends() == 0
        assert daemon.says("stopped")


def dies_before_it_is_due(tmp_path: Path, gateway: SmsGateway) -> Place:
    """A place whose daemon knew of the absence, and died before the report was due."""
    for folder, seconds in folders(tmp_path):
        place = Place(folder, gateway.url, due_in=seconds)
        place.marks("absent")
        with Daemon(place).serves() as daemon:
            daemon.says("cases changed")
            daemon.dies()
        if now() < place.due:
            return place
        gateway.forgets()
    raise AssertionError("no daemon was up in time")


def test_what_was_due_while_it_was_down_fires_at_the_next_start(tmp_path: Path, gateway: SmsGateway) -> None:
    place = dies_before_it_is_due(tmp_path, gateway)
    until(lambda: now() > place.due)
    gateway.expects_nothing()

    with Daemon(place).serves():
        expect_report(gateway)


def test_the_start_hears_every_feed_before_it_fires(tmp_path: Path, gateway: SmsGateway) -> None:
    place = dies_before_it_is_due(tmp_path, gateway)
    place.marks("present", "marks-2.csv", now())
    until(lambda: now() > place.due)

    with Daemon(place).serves() as daemon:
        daemon.says("cases changed")
        until(lambda: count(place, "case", "is_open") == 0)
    assert count(place, "message") == 0


def test_a_message_in_flight_at_a_death_leaves_again_under_its_id(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=4)
    place.marks("absent")
    gateway.answers(Answer(delay=60), Answer(delay=60))
    with Daemon(place).serves() as daemon:
        expect_report(gateway)
        daemon.dies()
    with Daemon(place).serves():
        until(lambda: len(gateway.repeats) == 2)
        until(lambda: count(place, "message", "state = 'sent' AND doubtful") == 2)


def test_a_stop_waits_for_what_a_slow_gateway_is_being_given_and_nobody_gets_it_twice(
    tmp_path: Path, gateway: SmsGateway
) -> None:
    place = Place(tmp_path, gateway.url, due_in=4)
    place.marks("absent")
    gateway.answers(Answer(delay=8), Answer(delay=8))
    with Daemon(place).serves() as daemon:
        until(lambda: len(gateway.requests) == 2)
        assert daemon.stops() == 0
        assert count(place, "message", "state = 'sent' AND NOT doubtful") == 2
    with Daemon(place).serves() as daemon:
        daemon.is_ready()
    assert gateway.repeats == []
    expect_report(gateway)


def test_a_link_acknowledges_once_and_looking_changes_nothing(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=4, extra=ESCALATES)
    place.marks("absent")
    with Daemon(place).serves() as daemon:
        path = link_in(expect_report(gateway))
        assert "签收" in daemon.asks(path).text
        assert count(place, "entry", "kind = 'acknowledged'") == 0
        pressed = [daemon.asks(path, method="POST") for _ in range(3)]
        until(lambda: count(place, "entry", "kind = 'rung passed over'") == 1)

        assert [answer.status for answer in pressed] == [200, 200, 200]
        assert count(place, "entry", "kind = 'acknowledged'") == 1
    gateway.expects_nothing()


def test_a_report_nobody_acknowledges_climbs(tmp_path: Path, gateway: SmsGateway) -> None:
    for folder in tries(tmp_path):
        place = Place(folder, gateway.url, due_in=3, extra=ESCALATES)
        place.marks("absent")
        with Daemon(place).serves():
            expect_report(gateway)
            climbed = gateway.expects(HEAD_PHONE)
        after = climbed.at - place.due
        assert after >= dt.timedelta(seconds=4)
        if after < dt.timedelta(seconds=6):
            break

    assert after < dt.timedelta(seconds=6)


def test_its_log_is_json_and_names_nobody(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=3)
    place.marks("absent")
    with Daemon(place).serves() as daemon:
        path = link_in(expect_report(gateway))
        daemon.asks(path, method="POST")
        daemon.says("link followed")

    assert len(daemon.raw) == len(daemon.lines) > 5
    for secret in (NAME, NAME[:2], TOWN_PHONE[1:], path[3:], "镇长甲"):
        assert secret not in "".join(daemon.raw)
