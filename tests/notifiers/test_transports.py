"""Every way out over HTTP: the same answers, the same faults in the same words, the same doubts."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from notifiers.answers import Answer, Request, Sender
from notifiers.contract import DeliveryError, Fault
from notifiers.curl import CurlSender
from notifiers.http import HttpSender
from notifiers.network import Network
from notifiers.trust import Trust
from tests.notifiers.letters import SHORT, closed_port, noon
from tests.phones import Answer as Told
from tests.phones import Certificate, SmsGateway
from tests.phones_http import HttpRequest

SECRET = "geheim"
BODY = b'{"phone": "+8613800001234", "text": "x", "id": "m-1"}'
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "m-1", "X-Key": SECRET}
LONG = dt.timedelta(seconds=5)

Make = Callable[..., Sender]


@pytest.fixture(params=[HttpSender, CurlSender], ids=["requests", "curl"])
def make(request: pytest.FixtureRequest) -> Make:
    """One sender or the other."""

    def made(timeout: dt.timedelta = LONG, **other: object) -> Sender:
        sender: Sender = request.param(timeout=timeout, now=noon, **other)
        return sender

    return made


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway(strict=False) as opened:
        yield opened


def post(sender: Sender, url: str, headers: dict[str, str] | None = None, body: bytes = BODY) -> Answer:
    with closing(sender):
        return sender.send(Request(url, body, headers or HEADERS))


def refusal(sender: Sender, url: str, headers: dict[str, str] | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        post(sender, f"{url}?key={SECRET}", headers)
    shown = "".join(str(part) for part in (caught.value, caught.value.reason, caught.value.__context__))
    assert not any(secret in shown for secret in (SECRET, "13800001234", "sms?", "curl"))
    return caught.value


def test_a_request_arrives_whole_and_its_answer_comes_back(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(201, {"code": "OK"}))
    answer = post(make(), gateway.url)
    assert (answer.status, answer.body) == (201, b'{"code": "OK"}')
    [request] = gateway.requests
    assert (request.method, request.body) == ("POST", BODY)
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= request.headers.items()
    assert request.headers["accept-encoding"] == "identity"
    assert {"expect", "authorization", "cookie", "transfer-encoding"}.isdisjoint(request.headers)


def test_a_long_request_arrives_whole(make: Make, gateway: SmsGateway) -> None:
    body = BODY[:-1] + b', "long": "' + b"x" * 3_000_000 + b'"}'
    post(make(), gateway.url, body=body)
    assert gateway.requests[0].body == body


def test_requests_one_after_another_share_a_connection(make: Make, gateway: SmsGateway) -> None:
    sender = make()
    for _ in range(10):
        sender.send(Request(gateway.url, BODY, HEADERS))
    sender.close()
    assert len({request.connection for request in gateway.requests}) == 1


def test_several_threads_send_at_once(make: Make, gateway: SmsGateway) -> None:
    sender = make()
    threads = [threading.Thread(target=sender.send, args=(Request(gateway.url, BODY, HEADERS),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sender.close()
    assert len(gateway.requests) == 8


def test_nobody_listens(make: Make) -> None:
    error = refusal(make(SHORT), f"http://127.0.0.1:{closed_port()}/sms")
    assert (error.permanent, error.doubtful) == (False, False)
    assert error.reason.endswith("the connection was refused or lost before the request was sent")


def test_a_host_nobody_knows(make: Make) -> None:
    error = refusal(make(), "http://nowhere.invalid/sms")
    assert (error.permanent, error.doubtful) == (False, False)
    assert error.reason == "http://nowhere.invalid: the host name is not known"


def test_no_answer_in_time(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(delay=60))
    error = refusal(make(SHORT), gateway.url)
    assert (error.permanent, error.doubtful) == (False, True)
    assert error.reason.endswith("no answer in time after the request was sent")


def test_a_connection_broken_after_the_request(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(drop=True))
    error = refusal(make(), gateway.url)
    assert (error.permanent, error.doubtful) == (False, True)
    assert error.reason.endswith("the connection broke after the request was sent")


def test_what_a_kept_connection_swallowed_is_in_doubt_and_not_sent_again_unasked(
    make: Make, gateway: SmsGateway
) -> None:
    gateway.answers(Told(), Told(drop=True))
    sender = make()
    sender.send(Request(gateway.url, BODY, HEADERS))
    error = refusal(sender, gateway.url)
    assert (error.permanent, error.doubtful) == (False, True)
    assert len(gateway.requests) == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\nno length\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n12345",
    ],
    ids=["too short", "a broken chunk", "no gzip", "announced by 103", "announced by 100 and 102"],
)
def test_a_success_counts_once_its_head_is_read(make: Make, said: bytes) -> None:
    with one_answer(said) as url:
        answer = post(make(SHORT), url)
    assert (answer.status, answer.body) == (200, b"12345")


def test_a_head_cut_off_is_in_doubt(make: Make) -> None:
    with one_answer(b"HTTP/1.1 200 OK\r\nContent-Le") as url:
        error = refusal(make(SHORT), url)
    assert (error.fault, error.doubtful) == (Fault.PASSING, True)


def test_a_head_that_comes_a_letter_at_a_time_is_cut_in_time(make: Make) -> None:
    with one_answer(b"HTTP/1.1 200 OK\r\nX-Long: ", then=b"x") as url:
        error = refusal(make(SHORT), url)
    assert (error.fault, error.doubtful) == (Fault.PASSING, True)
    assert "no answer in time" in error.reason


def test_a_status_says_it_all_even_without_its_body(make: Make) -> None:
    with one_answer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\n12345") as url:
        error = refusal(make(SHORT), url)
    assert (error.permanent, error.doubtful) == (True, False)


def test_an_answer_that_never_ends_is_cut_in_time(make: Make) -> None:
    with one_answer(b"HTTP/1.1 200 OK\r\n\r\n", then=b"x") as url:
        answer = post(make(SHORT), url)
    assert (answer.status, set(answer.body)) == (200, set(b"x"))


def test_what_is_no_http_is_in_doubt(make: Make) -> None:
    with one_answer(b"220 mail.example.org ESMTP\r\n") as url:
        error = refusal(make(SHORT), url)
    assert (error.permanent, error.doubtful) == (False, True)


def test_a_host_that_never_completes_the_handshake_was_given_nothing(make: Make) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        error = refusal(make(SHORT), f"https://127.0.0.1:{listening.getsockname()[1]}/sms")
    assert (error.permanent, error.doubtful) == (False, False)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("7", dt.timedelta(seconds=7)),
        ("Wed, 18 Mar 2026 04:02:00 GMT", dt.timedelta(minutes=2)),
        ("99999999999999", dt.timedelta(days=1)),
        ("soon", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_busy_receiver_may_say_how_long(
    make: Make, gateway: SmsGateway, status: int, asked: str | None, wait: dt.timedelta | None
) -> None:
    gateway.answers(Told(status, headers={"Retry-After": asked} if asked else {}))
    error = refusal(make(), gateway.url)
    assert (error.permanent, error.doubtful, error.retry_after) == (False, False, wait)


def test_what_an_earlier_answer_asked_for_is_not_asked_by_a_later_one(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(503, headers={"Retry-After": "7"}), Told(503))
    sender = make()
    waits = []
    for _ in range(2):
        with pytest.raises(DeliveryError) as caught:
            sender.send(Request(gateway.url, BODY, HEADERS))
        waits.append(caught.value.retry_after)
    sender.close()
    assert waits == [dt.timedelta(seconds=7), None]


@pytest.mark.parametrize(
    ("status", "fault", "doubtful"),
    [
        (504, Fault.PASSING, True),
        (524, Fault.PASSING, True),
        (502, Fault.PASSING, False),
        (400, Fault.MESSAGE, False),
        (413, Fault.MESSAGE, False),
        (422, Fault.MESSAGE, False),
        (410, Fault.ADDRESS, False),
        *((status, Fault.ACCOUNT, False) for status in (401, 402, 403, 404, 405, 406, 407, 415, 431, 451, 511)),
    ],
)
def test_a_status_is_what_it_says(
    make: Make, gateway: SmsGateway, status: int, fault: Fault, *, doubtful: bool
) -> None:
    gateway.answers(Told(status))
    error = refusal(make(), gateway.url)
    assert (error.fault, error.doubtful) == (fault, doubtful)
    assert error.reason.endswith(f"answered {status}")


def test_a_web_page_that_calls_a_request_wrong_is_of_whatever_stands_before_the_receiver(
    make: Make, gateway: SmsGateway
) -> None:
    gateway.answers(Told(400, body=b"<!DOCTYPE html>\n<title>Bad Request</title>"))
    assert refusal(make(), gateway.url).fault is Fault.ACCOUNT


@pytest.mark.parametrize(("wait", "taken_before"), [(None, True), ("30", False)])
def test_a_conflict_says_that_the_id_was_known_unless_it_is_still_at_work(
    make: Make, gateway: SmsGateway, wait: str | None, *, taken_before: bool
) -> None:
    gateway.answers(Told(409, headers={"Retry-After": wait} if wait else {}))
    error = refusal(make(), gateway.url)
    assert (error.fault, error.taken_before, error.doubtful) == (Fault.PASSING, taken_before, not taken_before)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(make: Make, gateway: SmsGateway, status: int) -> None:
    with SmsGateway(strict=False) as elsewhere:
        gateway.answers(Told(status, headers={"Location": elsewhere.url}))
        error = refusal(make(), gateway.url)
        assert elsewhere.requests == []
    assert error.fault is Fault.ACCOUNT
    assert "configure the final address" in error.reason


def test_nothing_comes_from_the_environment(
    make: Make, gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password geheim\n")
    for name, value in {"NETRC": str(netrc), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    post(make(), gateway.url)
    assert "authorization" not in gateway.requests[0].headers


def test_a_cookie_is_not_kept(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(headers={"Set-Cookie": "a=b; Path=/"}))
    sender = make()
    for _ in range(2):
        sender.send(Request(gateway.url, BODY, HEADERS))
    sender.close()
    assert "cookie" not in gateway.requests[1].headers


@pytest.mark.parametrize("value", ["two\r\nlines: x", "geheim\n", "口令"])
def test_a_header_that_is_none_is_an_error_without_it(make: Make, gateway: SmsGateway, value: str) -> None:
    error = refusal(make(), gateway.url, HEADERS | {"Authorization": value})
    assert error.fault is Fault.ACCOUNT
    assert value not in error.reason
    assert gateway.requests == []


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/x", "http://127.0.0.1:99999999/x"])
def test_a_url_that_is_none_is_the_operator_s_to_mend(make: Make, url: str) -> None:
    assert refusal(make(), url).fault is Fault.ACCOUNT


def test_an_answer_of_any_length_is_read_only_so_far(make: Make, gateway: SmsGateway) -> None:
    gateway.answers(Told(body={"long": "x" * 5_000_000}))
    answer = post(make(max_answer=1000), gateway.url)
    assert (answer.status, len(answer.body)) == (200, 1000)


def test_tls_is_verified_against_the_file_of_authorities(make: Make, tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with SmsGateway(strict=False, tls=certificate) as gateway:
        error = refusal(make(), gateway.url)
        assert (error.permanent, error.doubtful) == (False, False)
        assert "certificate" in error.reason
        assert gateway.requests == []
        assert (
            post(make(network=Network(Trust(certificate.file.read_text(encoding="utf-8")))), gateway.url).status == 200
        )


def test_a_closed_sender_sends_nothing(make: Make) -> None:
    sender = make()
    sender.close()
    with pytest.raises(RuntimeError):
        sender.send(Request("http://127.0.0.1:9/", BODY, HEADERS))


def test_what_is_on_its_way_comes_to_its_end_when_the_sender_is_closed(gateway: SmsGateway) -> None:
    gateway.answers(Told(delay=0.2))
    sender = CurlSender(timeout=LONG, now=noon)
    ended = threading.Event()
    came: list[Answer | DeliveryError] = []

    def ends(answer: Answer | DeliveryError) -> None:
        came.append(answer)
        ended.set()

    sender.begin(Request(gateway.url, BODY, HEADERS), ends)
    sender.close()
    assert ended.wait(10)
    assert [type(one) for one in came] == [Answer]


def test_very_many_are_on_their_way_at_once(gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(50)  # nobody is answered before all are there

    def hears(_: HttpRequest) -> Told:
        together.wait(30)
        return Told()

    monkeypatch.setattr(gateway, "hears", hears)
    sender = CurlSender(timeout=10 * LONG, now=noon)
    ended = threading.Semaphore(0)
    for _ in range(50):
        sender.begin(Request(gateway.url, BODY, HEADERS), lambda _: ended.release())
    assert all(ended.acquire(timeout=60) for _ in range(50))
    sender.close()


class one_answer:  # noqa: N801 - reads as what it does
    """A receiver that says these bytes whatever it is sent, then goes on with others, slowly, or hangs up."""

    def __init__(self, said: bytes, then: bytes = b"") -> None:
        self._said = said
        self._then = then
        self._over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._speak)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/sms"

    def _speak(self) -> None:
        line, _ = self._listening.accept()
        with line:
            line.recv(65_536)
            line.sendall(self._said)
            while self._then and not self._over.wait(0.02):
                try:
                    line.sendall(self._then)
                except OSError:
                    return

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listening.close()
