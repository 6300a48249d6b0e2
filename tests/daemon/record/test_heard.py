"""The door for providers: believed only with their signature, bounded, and mute about what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from starlette.testclient import TestClient

from daemon.console.app import build_console
from daemon.console.heard import LONGEST
from daemon.console.ready import Vitals
from daemon.store.alerts import SENT, UNDELIVERED
from tests.daemon.record.record_office import SIGNATURE, RecordOffice

SIGNED = {"X-Signature": SIGNATURE}


@pytest.fixture
def provider(office: RecordOffice) -> Iterator[TestClient]:
    console = build_console(office.house, Vitals(office.house))
    with TestClient(console, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def push(office: RecordOffice) -> bytes:
    message = office.sent_to("01")
    return json.dumps([{"id": f"their-{message.message_id}", "status": "failed", "code": "DB:0141"}]).encode()


def pushes(office: RecordOffice, outcome: str, channel: str = "sms") -> float:
    return float(office.house.metrics.pushes.labels(channel=channel, outcome=outcome)._value.get())


@pytest.mark.parametrize("path", ["/heard/sms", "/heard/sms/receipts"])
def test_a_signed_push_is_kept_acted_on_and_answered_as_the_provider_wants(
    office: RecordOffice, provider: TestClient, path: str
) -> None:
    office.report()
    message_id = office.sent_to("01").message_id

    answer = provider.post(path, content=push(office), headers=SIGNED)

    assert (answer.status_code, answer.content) == (200, b'{"code":0}')
    assert answer.headers["content-type"].startswith("application/json")
    assert office.message(message_id).state == UNDELIVERED
    assert [one.way for one in office.receipts(message_id)] == ["pushed"]
    assert pushes(office, "kept") == 1


def test_the_same_push_again_is_answered_and_changes_nothing(office: RecordOffice, provider: TestClient) -> None:
    office.report()
    for _ in range(3):
        assert provider.post("/heard/sms", content=push(office), headers=SIGNED).status_code == 200
    assert len(office.receipts(office.sent_to("01").message_id)) == 1


@pytest.mark.parametrize("headers", [{}, {"X-Signature": "guessed"}], ids=["no signature", "a wrong one"])
def test_a_forged_push_is_refused_counted_and_not_written_down(
    office: RecordOffice, provider: TestClient, headers: dict[str, str]
) -> None:
    office.report()
    with structlog.testing.capture_logs() as logs:
        answer = provider.post("/heard/sms?phone=13812345678", content=push(office) + b" 13887654321", headers=headers)

    assert (answer.status_code, answer.text) == (401, "forged\n")
    assert office.message(office.sent_to("01").message_id).state == SENT
    assert pushes(office, "forged") == 1
    assert [line["event"] for line in logs] == ["push refused"]
    for secret in ("13812345678", "13887654321", "DB:0141", "guessed"):
        assert secret not in str(logs)


def test_a_provider_that_tries_the_address_by_get_is_answered(office: RecordOffice, provider: TestClient) -> None:
    del office
    assert provider.get("/heard/sms", params={"signature": SIGNATURE}).status_code == 200
    assert provider.get("/heard/sms", params={"signature": "guessed"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/heard/email", 404),
        ("/heard/nothing", 404),
        ("/heard/sms/a/b", 404),
        ("/heard/sms/../../metrics", 405),
        ("/heard", 404),
        ("/heard/sms?x=" + "y" * 9_000, 413),
    ],
)
def test_nothing_else_is_reached_there(provider: TestClient, path: str, status: int) -> None:
    assert provider.post(path, content=b"[]", headers=SIGNED).status_code == status


def test_a_body_too_long_is_refused_before_it_is_read(office: RecordOffice, provider: TestClient) -> None:
    assert provider.post("/heard/sms", content=b"x" * (LONGEST + 1), headers=SIGNED).status_code == 413
    assert pushes(office, "too long") == 1


def test_a_signed_push_that_says_nothing_we_know_is_refused(office: RecordOffice, provider: TestClient) -> None:
    assert provider.post("/heard/sms", content=b'{"no": 1', headers=SIGNED).status_code == 400
    assert pushes(office, "misshapen") == 1


def test_what_cannot_be_kept_is_not_answered_with_success(
    office: RecordOffice, provider: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.report()
    monkeypatch.setattr(type(office.store), "commit", lambda *_: 1 / 0)
    assert provider.post("/heard/sms", content=push(office), headers=SIGNED).status_code == 500
