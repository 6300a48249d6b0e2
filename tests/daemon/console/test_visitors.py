"""Visitors who hold connections open: they go, and links and health stay for everybody else."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from daemon.console import visitors
from daemon.console.app import build_console
from daemon.console.ready import Vitals
from daemon.console.server import ConsoleServer, bind
from daemon.desk.links import Act
from tests.daemon.console.test_link_pages import entries, path
from tests.daemon.desk.county_office import Office

HOST = "127.0.0.1"
WITHIN = 20.0
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 90\r\n\r\nnote="
POST = b"POST /a/none HTTP/1.1\r\nHost: x\r\n" + FORM
HALVES = {
    "nothing": b"",
    "half a line": b"GET /healthz HT",
    "half of the headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-",
    "half of the body": POST,
}


@pytest.fixture
def port(office: Office, vitals: Vitals) -> Iterator[int]:
    with bind((HOST, 0)) as door:
        server = ConsoleServer(build_console(office.house, vitals), door)
        server.start()
        yield int(server.address.rpartition(":")[2])
        server.stop()
        assert server.ended_within(WITHIN)


def status(port: int, path: str = "/healthz") -> int:
    asked = http.client.HTTPConnection(HOST, port, timeout=WITHIN)
    try:
        asked.request("GET", path)
        return asked.getresponse().status
    finally:
        asked.close()


def half_open(port: int, sent: bytes) -> socket.socket:
    visitor = socket.create_connection((HOST, port), timeout=WITHIN)
    visitor.sendall(sent)
    return visitor


def is_ended(visitor: socket.socket) -> bool:
    """Whether the other side ends the connection, however, before the test's time is over."""
    try:
        while visitor.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize("half", HALVES)
def test_a_request_that_does_not_come_to_its_end_is_ended(
    port: int, half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "REQUEST_SECONDS", 0.3)
    with half_open(port, HALVES[half]) as visitor:
        assert is_ended(visitor)
    assert status(port) == 200


def test_a_second_request_of_a_connection_has_its_own_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with half_open(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as visitor:
        assert visitor.recv(4096).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(visitors, "REQUEST_SECONDS", 0.3)
        visitor.sendall(b"GET /hea")
        assert is_ended(visitor)


def test_an_answer_that_nobody_fetches_is_dropped(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "REST_SECONDS", 0.3)
    with half_open(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") as visitor:
        assert is_ended(visitor)


@pytest.mark.parametrize("half", HALVES)
def test_links_and_health_answer_beside_hundreds_who_never_finish(
    port: int, half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "MOST_CONNECTIONS", 40)
    with ExitStack() as held:
        for _ in range(250):
            held.enter_context(half_open(port, HALVES[half]))
        assert status(port) == 200
        assert status(port, "/readyz") == 503  # nothing was polled yet, which it says
        assert status(port, "/a/none") == 404


def test_room_is_made_at_the_cost_of_the_address_that_holds_most(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_CONNECTIONS", 20)
    with ExitStack() as held:
        phone = held.enter_context(socket.create_connection((HOST, port), WITHIN, source_address=("127.0.0.2", 0)))
        phone.sendall(b"GET /healthz HTTP/1.1\r\n")
        for _ in range(60):
            held.enter_context(half_open(port, HALVES["half a line"]))
        assert status(port) == 200
        phone.sendall(b"Host: x\r\n\r\n")
        assert phone.recv(4096).startswith(b"HTTP/1.1 200")


def test_half_a_form_does_nothing(port: int, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "REQUEST_SECONDS", 0.3)
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report").encode()
    with half_open(port, POST.replace(b"/a/none", link)) as visitor:
        assert is_ended(visitor)
    assert status(port) == 200
    assert entries(office, number, "acknowledged") == 0
