"""Text messages through any gateway that takes JSON over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from notifiers.contract import DeliveryError, Fault, Heard, Message, NotHeardError, Pushed, Receipt, Reply, Report
from notifiers.network import DIRECT, Network
from notifiers.provider import NETWORK, REPLIES, TIMEOUT, Key, Now, Provider, SettingError, Settings, network_of
from notifiers.refusals import coded
from notifiers.sms.pushes import TOKEN, demand_proof, e164, each, heard, instant, rows, text_of
from notifiers.sms.templates import SIGN_NAME

BODY = '{"phone": "{phone}", "text": "{text}", "id": "{id}"}'
"""What a gateway is sent unless its settings say otherwise."""

_OF_A_GATEWAY = {Fault.MESSAGE: Fault.ADDRESS, Fault.ADDRESS: Fault.ACCOUNT}
"""What a status of HTTP says of a gateway rather than of an endpoint: one that is gone is nobody's number."""

_PLACE = re.compile(r"\{([a-z_]+)\}")
_PLACES = frozenset({"phone", "text", "id"})
_CODE = re.compile(r"[A-Za-z][\w.:-]{0,63}|-?\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HttpSmsSettings:
    """How one gateway wants to be spoken to.

    `body` is JSON whose strings may hold {phone}, {text} and {id}. `ok_field` names the field of the JSON answer that
    must equal `ok_value` (dots go deeper, numbers count: `result.0.code`), for gateways whose HTTP 200 is no success;
    of its other values, those in `permanent_values` are not tried again. `id_field` holds the provider's own id.
    """

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = BODY
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    ok_field: str | None = None
    ok_value: str = "OK"
    permanent_values: tuple[str, ...] = ()
    id_field: str | None = None
    network: Network = DIRECT
    receipts_token: str | None = field(default=None, repr=False)
    receipts_secret: str | None = field(default=None, repr=False)


class HttpSms:
    """The SMS channel over an HTTP gateway; knows nothing of segments or the hour of the day.

    Reports and replies are heard in the form of docs/providers.md, signed with `receipts_secret` after Standard
    Webhooks, or carrying `receipts_token`.

    Raises ValueError for a body that is not JSON or has an unknown placeholder.
    """

    channel = "sms"

    def __init__(self, settings: HttpSmsSettings, now: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._body = parse_body(settings.body)
        # Providers are declared wherever the configuration is read, and requests is slow to load.
        from notifiers.http import HttpSender, Request  # noqa: PLC0415 - see above

        self._http = HttpSender(timeout=settings.timeout, now=now, network=settings.network)
        self._request = Request

    def send(self, message: Message) -> Receipt:
        """Hand the text to the gateway once; raise DeliveryError when it was not, or not surely, taken."""
        words = {"phone": message.address, "text": message.text, "id": message.message_id}
        body = json.dumps(_fill(self._body, words), ensure_ascii=False).encode()
        settings = self._settings
        request = self._request(settings.url, body, self._headers(message.message_id), settings.method)
        try:
            answer = self._http.send(request)
        except DeliveryError as error:
            # Of 400 and 422 a gateway seldom says what it means; it is the number more often than the words.
            error.fault = _OF_A_GATEWAY.get(error.fault, error.fault)
            raise
        return self._receipt(answer.body, message)

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        """A report or reply, or a list of them; raises NotHeardError for what is not proven, or something else."""
        demand_proof(pushed, self._settings.receipts_token, self._settings.receipts_secret, now)
        return heard(each(rows(pushed), lambda row: _told(row, now)), b'{"ok":true}')

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _headers(self, message_id: str) -> dict[str, str]:
        token = self._settings.token
        return {
            "Content-Type": "application/json; charset=utf-8",
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **self._settings.headers,
            "Idempotency-Key": message_id,
        }

    def _receipt(self, body: bytes, message: Message) -> Receipt:
        settings = self._settings
        if settings.ok_field is None and settings.id_field is None:
            return Receipt(provider_id=None)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if settings.ok_field is not None:
            self._check(_dig(answer, settings.ok_field), message)
        found = _dig(answer, settings.id_field) if settings.id_field else None
        return Receipt(provider_id=None if found is None else str(found)[:128])

    def _check(self, said: object, message: Message) -> None:
        if said is None:
            reason = "the gateway's answer lacks the field that says whether it took the message"
            raise DeliveryError(reason, doubtful=True)
        text = json.dumps(said) if isinstance(said, bool) else str(said)
        if text == self._settings.ok_value:
            return
        shown = text if _CODE.fullmatch(text) and message.address.lstrip("+") not in text else "a value not shown"
        fault = Fault.ADDRESS if text in self._settings.permanent_values else Fault.PASSING
        raise DeliveryError(f"the gateway did not take the message: {shown}", fault)


def _told(row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
    at, number = instant(row.get("at"), now), row.get("id")
    told = None if number is None else str(number)
    if row.get("type") == "reply":
        return Reply(e164(row.get("from")), text_of(row.get("text")), at, reply_id=told)
    status, own = row.get("status"), row.get("provider_id")
    if row.get("type") != "report" or status not in {"delivered", "failed", "delayed"} or (told or own) is None:
        raise NotHeardError("a push that is neither a report nor a reply", forged=False)
    return Report(status, at, told, None if own is None else str(own), coded(row.get("detail")))


def parse_body(template: str) -> object:
    """The JSON value of a body template; raises ValueError naming what is wrong with it."""
    try:
        parsed: object = json.loads(template)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    unknown = sorted(set(_PLACE.findall(template)) - _PLACES)
    if unknown:
        raise ValueError(
            f"the body has an unknown placeholder {{{unknown[0]}}} – known are {{phone}}, {{text}}, {{id}}"
        )
    if missing := sorted({"phone", "text"} - set(_PLACE.findall(template))):
        raise ValueError(f"the body lacks the placeholder {{{missing[0]}}}")
    return parsed


def _fill(value: object, words: Mapping[str, str]) -> object:
    """Placeholders replaced inside parsed JSON, in one pass: no text can break out of its string or be filled again."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: words[found[1]], value)
    if isinstance(value, list):
        return [_fill(each, words) for each in value]
    if isinstance(value, dict):
        return {key: _fill(each, words) for key, each in value.items()}
    return value


def _dig(value: Any, path: str) -> object:  # noqa: ANN401 - parsed JSON
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if isinstance(value, str | int | float) else None


def build(settings: Settings, now: Now) -> HttpSms:
    """The channel as configured; raises SettingError for a body that is no template."""
    names = (
        "url",
        "token",
        "method",
        "headers",
        "timeout",
        "receipts_token",
        "receipts_secret",
        "ok_field",
        "ok_value",
        "permanent_values",
        "id_field",
    )
    own = {name: settings[name] for name in names}
    _readable(settings["receipts_secret"])
    try:
        return HttpSms(HttpSmsSettings(**own, body=settings["body"] or BODY, network=network_of(settings)), now)
    except ValueError as error:
        hint = 'such as \'{"to": "{phone}", "text": "{text}", "id": "{id}"}\''
        fault = SettingError("body", str(error), hint)
    raise fault


def _readable(secret: str | None) -> None:
    """Raise SettingError for a signing secret that is not base64."""
    for one in (secret or "").split():
        try:
            Signer(one)
        except (ValueError, EmptyWebhookSecretError):
            raise SettingError("receipts_secret", "is not base64", "write whsec_ and random bytes in base64") from None


PROVIDER = Provider(
    name="http",
    keys=(
        Key(
            "url",
            "url",
            "where messages are handed over",
            example='"http://127.0.0.1:9902/sms"',
            needed=True,
            quiet=True,
        ),
        Key("method", "text", "the HTTP method", default="POST", choices=("POST", "PUT", "GET")),
        Key("headers", "headers", "headers it wants", example='{ "X-Channel" = "baoxue" }', quiet=True),
        Key(
            "body",
            "words",
            "the body as a template",
            example="""\'{"to": "{phone}", "text": "{text}", "id": "{id}"}\'""",
            quiet=True,
        ),
        replace(SIGN_NAME, needed=False),
        Key("token", "secret", "its bearer token", example='"sms.token"'),
        Key(
            "ok_field",
            "text",
            "the field of its JSON answer that says whether it took the message",
            example='"result.0.code"',
        ),
        Key("ok_value", "text", "what that field says where it did", default="OK"),
        Key(
            "permanent_values",
            "texts",
            "what that field says of messages it will never take",
            example='["bad_number", "4001"]',
        ),
        Key("id_field", "text", "the field of its JSON answer with its own id", example='"result.0.sid"'),
        REPLIES,
        TOKEN,
        Key("receipts_secret", "secret", "the secret its pushes of receipts are signed with", example='"sms.hook"'),
        TIMEOUT,
        NETWORK,
    ),
    build=build,
)
