"""Feeds in offices' own networks: an own authority, a proxy with an account, and what is said when it refuses."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.config import FeedConfig, NetworkConfig
from daemon.feeds.fetch import fetch
from daemon.feeds.pace import Pace
from daemon.feeds.payload import Cursor, FeedError
from notifiers.feed_glosses import feed_fault
from tests.authority import Authority
from tests.daemon.feeds.servers import Answer, Source, serving
from tests.daemon.feeds.sources import NOW, feed
from tests.forward_proxy import ForwardProxy
from tests.notifiers.letters import closed_port

BODY = b"student_id,date,session,mark\n"
HOST = "sis.county.example"
NOWHERE = Path("/nowhere")


@contextmanager
def secure(context: ssl.SSLContext) -> Iterator[Source]:
    """A source under a certificate."""
    with serving(Answer(body=BODY)) as source:
        source.socket = context.wrap_socket(source.socket, server_side=True)
        yield source


def port_of(source: Source) -> int:
    return int(source.server_address[1])


def ask(reached: FeedConfig) -> bytes:
    (payload,), _ = fetch(reached, NOWHERE, Cursor(), NOW, pace=Pace(lambda _: None))
    return payload.content


def fault(reached: FeedConfig) -> FeedError:
    """What a fetch fails with; whoever reads Chinese can read it."""
    with pytest.raises(FeedError) as caught:
        ask(reached)
    assert feed_fault(caught.value.reason) is not None
    return caught.value


def over(url: str, authority: Authority | None = None, **network: Any) -> FeedConfig:  # noqa: ANN401 - as the model takes them
    reached = feed(url=url).over(NetworkConfig.model_validate(network))
    if authority is not None:
        reached._certificates = authority.certificates
        reached = reached.over(NetworkConfig.model_validate(network))
    return reached


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_feed_is_read_under_the_office_s_own_authority(authority: Authority) -> None:
    with secure(authority.server()) as source:
        url = f"https://localhost:{port_of(source)}/marks.csv"
        assert ask(over(url, authority)) == BODY
        error = fault(over(url))
    assert error.permanent
    assert "network.ca_file" in error.reason


def test_a_feed_is_read_under_an_authority_of_the_system_s(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with secure(authority.server()) as source:
        assert ask(over(f"https://localhost:{port_of(source)}/marks.csv")) == BODY


@pytest.mark.parametrize(
    ("host", "ends", "says"), [("localhost", -1, "has expired"), ("elsewhere.example", 1, "is for another host")]
)
def test_what_is_wrong_with_a_certificate_is_told(authority: Authority, host: str, ends: int, says: str) -> None:
    with secure(authority.server(host, begins=-9, ends=ends)) as source:
        error = fault(over(f"https://localhost:{port_of(source)}/marks.csv", authority))
    assert says in error.reason


def test_a_feed_is_read_through_the_proxy(authority: Authority) -> None:
    with ForwardProxy() as proxy:
        with serving(Answer(body=BODY)) as source:
            assert ask(over(f"http://{HOST}:{port_of(source)}/marks.csv", proxy=proxy.url)) == BODY
        with secure(authority.server(HOST)) as source:
            assert ask(over(f"https://{HOST}:{port_of(source)}/marks.csv", authority, proxy=proxy.url)) == BODY
    assert [asked.split(" ")[0] for asked in proxy.asked] == ["GET", "CONNECT"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named_and_asked_again(scheme: str) -> None:
    with ForwardProxy(account=("office", "word")) as proxy:
        error = fault(over(f"{scheme}://{HOST}/marks.csv?key=geheim", proxy=proxy.url))
    assert error.reason.endswith(f"the proxy {proxy.place} refused: 407 (4 attempts)")
    assert "geheim" not in error.reason
    assert not error.permanent
    assert len(proxy.asked) == 4


def test_a_page_of_the_proxy_is_not_the_source_s_refusal() -> None:
    page = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    with ForwardProxy(refuses=page) as proxy:
        error = fault(over(f"http://{HOST}/marks.csv", proxy=proxy.url))
    assert f"the proxy {proxy.place} refused: 403" in error.reason
    assert not error.permanent


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(scheme: str) -> None:
    place = f"127.0.0.1:{closed_port()}"
    error = fault(over(f"{scheme}://{HOST}/marks.csv", proxy=f"http://{place}"))
    assert f"the proxy {place} was not reached" in error.reason


def test_a_proxy_that_hangs_up_is_named() -> None:
    with ForwardProxy(hangs_up=True) as proxy:
        for scheme in ("http", "https"):
            assert f"the proxy {proxy.place}" in fault(over(f"{scheme}://{HOST}/marks.csv", proxy=proxy.url)).reason


def test_a_proxy_that_says_nothing_is_waited_for_no_longer_than_the_time_out() -> None:
    with ForwardProxy(silent=True) as proxy:
        slow = over(f"https://{HOST}/marks.csv", proxy=proxy.url)
        hasty = slow.model_copy(update={"timeout": slow.timeout / 100})
        assert "not finished after 0.3 s" in fault(hasty).reason


@pytest.mark.parametrize("direct", [{"no_proxy": [HOST]}, {"no_proxy": [".county.example"]}])
def test_what_no_proxy_names_is_asked_directly(direct: dict[str, Any]) -> None:
    with ForwardProxy() as proxy:
        assert "connection failed" in fault(over(f"http://{HOST}/marks.csv", proxy=proxy.url, **direct)).reason
    assert proxy.asked == []


def test_this_machine_is_asked_directly() -> None:
    with ForwardProxy() as proxy, serving(Answer(body=BODY)) as source:
        assert ask(over(source.url, proxy=proxy.url)) == BODY
    assert proxy.asked == []
