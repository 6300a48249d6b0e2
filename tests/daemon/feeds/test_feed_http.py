"""Documents over HTTP: asked for politely, bounded in every direction, silent about secrets."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from daemon.feeds.fetch import fetch
from daemon.feeds.pace import Pace
from daemon.feeds.payload import Cursor, FeedError, Payload
from tests.daemon.feeds.servers import Answer, serving
from tests.daemon.feeds.sources import NOW, feed

BODY = b"student_id,date,session,mark\n"
NOWHERE = Path("/nowhere")


@dataclass
class Nap:
    """A clock that only sleeping moves."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def pace(self) -> Pace:
        return Pace(self.sleep, lambda: self.at, lambda: 0.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def ask(
    url: str,
    cursor: Cursor | None = None,
    nap: Nap | None = None,
    **settings: Any,  # noqa: ANN401 - as the models take them
) -> tuple[list[Payload], Cursor]:
    return fetch(feed(url=url, **settings), NOWHERE, cursor or Cursor(), NOW, pace=(nap or Nap()).pace())


def test_a_document_is_taken_with_the_path_of_its_address() -> None:
    with serving(
        Answer(body=BODY, headers={"ETag": '"1"', "Last-Modified": "Mon, 16 Mar 2026 00:00:00 GMT"})
    ) as source:
        (payload,), cursor = ask(source.url + "/export/marks.csv?key=hidden")

    assert (payload.name, payload.content, payload.fetched_at) == ("/export/marks.csv", BODY, NOW)
    assert (cursor.etag, cursor.last_modified) == ('"1"', "Mon, 16 Mar 2026 00:00:00 GMT")
    assert source.asked[0][0] == "/export/marks.csv?key=hidden"


def test_only_changes_are_asked_for() -> None:
    with serving(Answer(body=BODY, headers={"ETag": '"1"', "Last-Modified": "then"}), Answer(304)) as source:
        _, cursor = ask(source.url)
        again, after = ask(source.url, cursor)

    assert (again, after) == ([], cursor)
    asked = source.asked[1][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"1"', "then")


def test_no_content_is_nothing_new() -> None:
    with serving(Answer(204)) as source:
        assert ask(source.url)[0] == []


def test_the_same_bytes_twice_change_nothing_without_a_tag_too() -> None:
    with serving(Answer(body=BODY)) as source:
        _, cursor = ask(source.url)

        assert ask(source.url, cursor) == ([], cursor)


@pytest.mark.parametrize("passing", [Answer(500), Answer(503), Answer(429), Answer(body=BODY, cut=9)])
def test_what_may_pass_is_tried_again_ever_later(passing: Answer) -> None:
    nap = Nap()
    with serving(passing, passing, Answer(body=BODY)) as source:
        (payload,), _ = ask(source.url, nap=nap)

    assert payload.content == BODY
    assert nap.slept == [0.5, 1.0]


@pytest.mark.parametrize("after", ["7", format_datetime(NOW.replace(second=7), usegmt=True)])
def test_retry_after_is_honoured(after: str) -> None:
    nap = Nap()
    with serving(Answer(429, headers={"Retry-After": after}), Answer(body=BODY)) as source:
        ask(source.url, nap=nap)

    assert nap.slept == [7.0]


@pytest.mark.parametrize("after", ["86400", "99999999999999999999"])
def test_a_wait_beyond_the_bounded_time_is_left_to_the_next_poll(after: str) -> None:
    nap = Nap()
    with serving(Answer(503, headers={"Retry-After": after})) as source, pytest.raises(FeedError) as caught:
        ask(source.url, nap=nap)

    assert nap.slept == []
    assert not caught.value.permanent


def test_a_server_that_stays_down_is_given_up_after_four_attempts() -> None:
    nap = Nap()
    with serving(Answer(502)) as source, pytest.raises(FeedError, match=r"answered 502 \(4 attempts\)"):
        ask(source.url, nap=nap)

    assert len(nap.slept) == 3


def test_a_closed_port_is_an_error_that_may_pass() -> None:
    with serving(Answer()) as source:
        url = source.url

    with pytest.raises(FeedError, match="connection failed") as caught:
        ask(url)
    assert not caught.value.permanent


@pytest.mark.parametrize("status", [206, 400, 401, 403, 404, 410])
def test_any_other_answer_is_permanent(status: int) -> None:
    with serving(Answer(status)) as source, pytest.raises(FeedError, match=f"answered {status}") as caught:
        ask(source.url)

    assert caught.value.permanent
    assert len(source.asked) == 1


def test_a_redirect_is_followed_on_the_same_host_only() -> None:
    with serving(Answer(302, headers={"Location": "/moved.csv"}), Answer(body=BODY)) as source:
        assert len(ask(source.url)[0]) == 1
    with serving(Answer(body=BODY)) as elsewhere:
        with (
            serving(Answer(302, headers={"Location": elsewhere.url})) as source,
            pytest.raises(FeedError, match="another host"),
        ):
            ask(source.url)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "location", ["", "file:///etc/passwd", "//example.org/", "http://[", "http://127.0.0.1:99999/"]
)
def test_a_redirect_to_nonsense_is_refused(location: str) -> None:
    with serving(Answer(302, headers={"Location": location})) as source, pytest.raises(FeedError) as caught:
        ask(source.url)
    assert caught.value.permanent


def test_redirects_end() -> None:
    with serving(Answer(302, headers={"Location": "/"})) as source, pytest.raises(FeedError, match="without end"):
        ask(source.url)

    assert len(source.asked) == 4


@pytest.mark.parametrize("length", [True, False])
def test_a_document_longer_than_the_limit_is_refused(length: bool) -> None:  # noqa: FBT001 - both ways
    with (
        serving(Answer(body=b"x" * 200_000, length=length)) as source,
        pytest.raises(FeedError, match="longer than max_bytes"),
    ):
        ask(source.url, max_bytes=100_000)


@pytest.mark.parametrize(
    "slow",
    [
        Answer(drip="header"),
        Answer(drip="body", body=b"x" * 4_000),
        Answer(drip="body", body=b"x\n" * 4_000, length=False),
    ],
)
def test_a_server_that_drips_is_cut_off_in_time(slow: Answer) -> None:
    begun = time.monotonic()
    with serving(slow) as source, pytest.raises(FeedError, match=r"not finished after 0\.2 s"):
        fetch(feed(url=source.url).model_copy(update={"timeout": dt.timedelta(seconds=0.2)}), NOWHERE, Cursor(), NOW)

    assert time.monotonic() - begun < 2


def test_a_body_without_a_length_that_stops_half_way_is_tried_again() -> None:
    with serving(Answer(body=b"<a><b>", length=False), Answer(body=b"<a><b/></a>", length=False)) as source:
        (payload,), _ = ask(source.url)

    assert payload.content == b"<a><b/></a>"


def test_a_token_is_sent_and_never_told() -> None:
    asking = feed(url="http://127.0.0.1", token_env="T")
    asking = asking.model_copy(update={"url": "http://user:pass@127.0.0.1:1/marks.csv?key=hidden"})
    asking._secrets["token"] = SecretStr("t0ken")
    with pytest.raises(FeedError) as caught:
        fetch(asking, NOWHERE, Cursor(), NOW, pace=Nap().pace())
    for secret in ("t0ken", "hidden", "user", "pass"):
        assert secret not in str(caught.value)
    assert caught.value.__cause__ is None

    with serving(Answer(body=BODY)) as source:
        asking = feed(url=source.url, token_env="T")
        asking._secrets["token"] = SecretStr("t0ken")
        fetch(asking, NOWHERE, Cursor(), NOW)
    assert source.asked[0][1]["authorization"] == "Bearer t0ken"


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ana password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(Answer(body=BODY)) as source:
        ask(source.url)

    assert "authorization" not in source.asked[0][1]


def test_an_interchange_may_come_by_http() -> None:
    with serving(Answer(body=b"<a/>")) as source:
        (payload,), _ = ask(source.url + "/attendance.xml", kind="edfi")

    assert payload.name == "/attendance.xml"
