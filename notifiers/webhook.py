"""Webhooks signed after the Standard Webhooks specification, to endpoints known by name."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from notifiers.answers import Answer, Request, Sender, place_of, replaced_by_page
from notifiers.contract import DeliveryError, Fault, Message, Receipt
from notifiers.http import HttpSender
from notifiers.network import DIRECT, Network
from notifiers.phrases import known_reason

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ALERT_KEYS = (
    "case",
    "episode",
    "run_from",
    "due_at",
    "raised_at",
    "unconfirmed",
    "days_absent",
    "residence_assumed",
    "rule",
    "rule_version",
    "acknowledge_url",
    "record_url",
    "confirm_seen_url",
    "confirm_absent_url",
)
_KEYS = (
    "count",
    "share",
    "feed",
    "since",
    "incident",
    "judge_url",
    "problem",
    "part",
    "faults",
    "failures",
    "findings",
)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where a named endpoint listens, and the secret shared with it.

    `secret` is base64, with or without `whsec_`; several, separated by white space, sign side by side while one
    replaces the other.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """All endpoints by name; `timeout` holds for each of them."""

    endpoints: Mapping[str, WebhookEndpoint]
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    network: Network = DIRECT


class Webhook:
    """The webhook channel: a message's address is an endpoint's name, its body goes out as JSON.

    Never sends the message's words. `now` stamps each attempt; the id stays the same over all of them.
    Raises ValueError for a secret that is empty or not base64.
    """

    channel = "webhook"
    knows_ids = True
    """Receivers drop what they have by its id (Standard Webhooks), so a doubtful attempt is repeated like any other."""

    def __init__(self, settings: WebhookSettings, now: Callable[[], dt.datetime], http: Sender | None = None) -> None:
        self._now = now
        self._endpoints = {name: (at.url, _signers(name, at.secret)) for name, at in settings.endpoints.items()}
        self._http = http or HttpSender(timeout=settings.timeout, now=now, network=settings.network)

    def send(self, message: Message) -> Receipt:
        """Post the body of `message`, signed; raise DeliveryError when it was not, or not surely, taken."""
        request = self._request(message)
        came = _taken(request.url, self._http.send(request))
        if isinstance(came, DeliveryError):
            raise came
        return came

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _request(self, message: Message) -> Request:
        if message.address not in self._endpoints:
            raise DeliveryError("no endpoint of that name is configured", Fault.ADDRESS)
        if message.body is None:
            raise DeliveryError("the message has no body for a webhook", Fault.MESSAGE)
        url, signers = self._endpoints[message.address]
        body = _JSON.encode(message.body)
        return Request(url, body.encode(), self._headers(message.message_id, body, signers))

    def _headers(self, message_id: str, body: str, signers: tuple[Signer, ...]) -> dict[str, str]:
        # The library replaces the zone instead of converting it: anything but UTC would sign a wrong second.
        at = self._now().astimezone(dt.UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signer.sign(message_id, at, body) for signer in signers),
        }


class SwiftWebhook(Webhook):
    """The same, with very many messages on their way at once, in one thread of its own."""

    def __init__(self, settings: WebhookSettings, now: Callable[[], dt.datetime]) -> None:
        from notifiers.curl import CurlSender  # noqa: PLC0415 - libcurl takes ten megabytes, and most have no use for it

        self._curl = CurlSender(timeout=settings.timeout, now=now, network=settings.network)
        super().__init__(settings, now, self._curl)

    def begin(self, message: Message, ended: Callable[[Receipt | DeliveryError], None]) -> None:
        """Post the body of `message`, signed; `ended` is called with what came of it."""
        try:
            request = self._request(message)
        except DeliveryError as error:
            ended(error)
            return
        self._curl.begin(
            request, lambda came: ended(came if isinstance(came, DeliveryError) else _taken(request.url, came))
        )


def webhook_body(kind: str, message_id: str, at: dt.datetime, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body about the alerts in `facts` (those a template gets): ids, instants and codes, no names at all.

    `at` is when the message was made, so that every attempt sends the same bytes. A reason that is no known
    code is left out.
    """
    about = {key: _plain(facts[key]) for key in _KEYS if facts.get(key) is not None}
    about["alerts"] = [_alert(alert) for alert in facts["alerts"]]
    return {"type": kind, "id": message_id, "timestamp": at.isoformat(), "data": about}


def _taken(url: str, answer: Answer) -> Receipt | DeliveryError:
    """Return the receipt for a success, or the error where a web page answered in the endpoint's place."""
    if answer.is_marked_up:
        return replaced_by_page(place_of(url), answer.status)
    return Receipt(provider_id=None, detail=str(answer.status))


def _alert(alert: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: _plain(alert[key]) for key in _ALERT_KEYS if alert.get(key) is not None}
    if (code := known_reason(alert.get("reason"))) is not None:
        told["reason"] = code
    return told


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _signers(name: str, secret: str) -> tuple[Signer, ...]:
    try:
        signers = tuple(Signer(part) for part in secret.split())
    except (ValueError, EmptyWebhookSecretError):
        signers = ()
    if not signers:
        raise ValueError(f"the secret of endpoint {name} is empty or not base64")
    return signers
