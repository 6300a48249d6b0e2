"""Webhooks: signed, opaque, to endpoints known by name."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from notifiers.contract import DeliveryError, Fault
from notifiers.webhook import SwiftWebhook, Webhook, WebhookEndpoint, WebhookSettings, webhook_body
from tests.notifiers.letters import NOON, SHORT, message, noon
from tests.phones import SECRET, Answer, WebhookEar

OTHER = "whsec_b3RoZXIgc2VjcmV0"
BODY = {"type": "report", "id": "m-1", "data": {"n": "城关"}}


def hook(url: str, secret: str = SECRET) -> Webhook:
    return Webhook(WebhookSettings({"edu": WebhookEndpoint(url, secret)}, timeout=SHORT), noon)


def refusal(channel: Webhook, address: str = "edu", **changed: Any) -> DeliveryError:  # noqa: ANN401 - any setting or field
    with pytest.raises(DeliveryError) as caught:
        channel.send(message(address, **{"body": BODY, **changed}))
    channel.close()
    assert SECRET not in str(caught.value)
    return caught.value


def test_the_ear_gets_the_body_signed_under_the_messages_id() -> None:
    with WebhookEar("edu", SECRET) as ear:
        channel = hook(ear.url)
        channel.send(message("edu", body=BODY))
        channel.close()
        arrival = ear.expects_only("edu")
    assert (arrival.message_id, arrival.body) == ("m-1", BODY)
    assert ear.requests[0].headers["webhook-timestamp"] == str(int(NOON.timestamp()))


def test_a_clock_in_another_zone_signs_the_same_second() -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    with WebhookEar("edu", SECRET) as ear:
        channel = Webhook(WebhookSettings({"edu": WebhookEndpoint(ear.url, SECRET)}), lambda: NOON.astimezone(zone))
        channel.send(message("edu", body=BODY))
        channel.close()
        ear.expects("edu")


def test_a_refused_configuration_goes_out_with_its_faults_and_their_number() -> None:
    faults = [{"file": "rules.toml", "line": 3, "key": "rule[0].when", "fault": "is no fact", "hint": None}]
    body = webhook_body("rules_refused", "m-1", NOON, {"alerts": [], "faults": faults, "count": 1, "since": NOON})
    assert body["type"] == "rules_refused"
    assert (body["data"]["faults"], body["data"]["count"]) == (faults, 1)


def test_the_id_and_the_bytes_stay_over_attempts() -> None:
    with WebhookEar("edu", SECRET) as ear:
        ear.answers(Answer(503), Answer(drop=True))
        for attempt in range(3):
            channel = hook(ear.url)
            if attempt < 2:
                refusal(channel)
            else:
                channel.send(message("edu", body=BODY))
                channel.close()
        ear.expects_only("edu")
        assert ear.repeats == ["m-1"]
        assert len({request.body for request in ear.requests}) == 1


def test_two_secrets_sign_side_by_side_while_one_replaces_the_other() -> None:
    with WebhookEar("edu", OTHER) as ear:
        channel = hook(ear.url, f"{SECRET}\n{OTHER}\n")
        channel.send(message("edu", body=BODY))
        channel.close()
        ear.expects("edu")


def test_a_wrong_signature_is_the_operator_s_to_mend() -> None:
    with WebhookEar("edu", OTHER) as ear:
        error = refusal(hook(ear.url))
    assert error.fault is Fault.ACCOUNT
    assert ear.arrivals == []


PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html><form>login</form>"


@pytest.mark.parametrize("kind", [Webhook, SwiftWebhook], ids=["requests", "curl"])
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (PAGE, "application/octet-stream"),
        (b"<script>location.href='http://login.example/'</script>", "text/html; charset=gb2312"),
    ],
    ids=["by its beginning", "by its type"],
)
def test_a_login_page_in_place_of_the_endpoint_is_no_success(kind: type[Webhook], body: bytes, media_type: str) -> None:
    with WebhookEar("edu", SECRET) as ear:
        ear.answers(Answer(body=body, headers={"Content-Type": media_type}, taken=False))
        error = refusal(kind(WebhookSettings({"edu": WebhookEndpoint(ear.url, SECRET)}, timeout=SHORT), noon))
    assert (error.fault, error.doubtful) == (Fault.ACCOUNT, False)
    assert "web page" in error.reason


@pytest.mark.parametrize("body", [b"", b"ok", b'{"taken": true}'])
def test_a_success_called_a_web_page_by_its_type_alone_counts(body: bytes) -> None:
    with WebhookEar("edu", SECRET) as ear:
        ear.answers(Answer(body=body, headers={"Content-Type": "text/html; charset=utf-8"}))
        channel = hook(ear.url)
        channel.send(message("edu", body=BODY))
        channel.close()
        ear.expects("edu")


@pytest.mark.parametrize(("address", "changed"), [("nobody", {}), ("edu", {"body": None})])
def test_what_cannot_be_sent_is_permanent(address: str, changed: dict[str, Any]) -> None:
    assert refusal(hook("http://127.0.0.1:9/"), address, **changed).permanent


@pytest.mark.parametrize("secret", ["", "  ", "whsec_", "é"])
def test_an_unusable_secret_is_refused_by_the_endpoints_name(secret: str) -> None:
    with pytest.raises(ValueError, match="endpoint edu"):
        hook("http://127.0.0.1:9/", secret)


def test_settings_show_no_secret() -> None:
    assert SECRET not in repr(WebhookSettings({"edu": WebhookEndpoint("http://x/?k=" + SECRET, SECRET)}))


def test_the_body_has_ids_and_instants_and_no_names() -> None:
    alert = {"case": "2026-000123", "student": "张**", "school": "城关小学", "town": "城关镇", "episode": 1}
    alert |= {"due_at": NOON, "reason": "Verified elsewhere", "unconfirmed": False, "callback": "0911", "grade": None}
    facts = {
        "alerts": [alert, {"case": "2", "reason": "went to his aunt"}],
        "unit": "城关小学",
        "district": "县",
        "count": 2,
    }
    body = webhook_body("closed", "m-1", NOON, facts)
    assert body == {
        "type": "closed",
        "id": "m-1",
        "timestamp": "2026-03-18T04:00:00+00:00",
        "data": {
            "count": 2,
            "alerts": [
                {
                    "case": "2026-000123",
                    "episode": 1,
                    "due_at": "2026-03-18T04:00:00+00:00",
                    "unconfirmed": False,
                    "reason": "verified_elsewhere",
                },
                {"case": "2"},
            ],
        },
    }
    assert json.loads(json.dumps(body)) == body
