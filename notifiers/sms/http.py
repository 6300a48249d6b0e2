"""Text messages through any gateway that takes JSON over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from notifiers.contract import DeliveryError, Fault, Heard, Message, Pushed, Receipt
from notifiers.network import DIRECT, Network
from notifiers.provider import NETWORK, REPLIES, TIMEOUT, Key, Now, Provider, SettingError, Settings, network_of
from notifiers.sms.gateway_answers import AnswerForm
from notifiers.sms.push_forms import PushForm, form_of
from notifiers.sms.pushes import TOKEN, demand_proof, each, heard
from notifiers.sms.templates import SIGN_NAME

BODY = '{"phone": "{phone}", "text": "{text}", "id": "{id}"}'
"""What a gateway is sent unless its settings say otherwise."""

_OF_A_GATEWAY = {Fault.MESSAGE: Fault.ADDRESS, Fault.ADDRESS: Fault.ACCOUNT}
"""What a status of HTTP says of a gateway rather than of an endpoint: one that is gone is nobody's number."""

_PLACE = re.compile(r"\{([a-z_]+)\}")
_PLACES = frozenset({"phone", "text", "id"})


@dataclass(frozen=True, slots=True)
class HttpSmsSettings:
    """How one gateway wants to be spoken to.

    `body` is JSON whose strings may hold {phone}, {text} and {id}. `answers` is how it says that it took a message (of
    its fields dots go deeper and numbers count: `result.0.code`), `pushes` how it pushes reports and replies.
    """

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = BODY
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    answers: AnswerForm = field(default_factory=AnswerForm)
    pushes: PushForm = field(default_factory=PushForm)
    network: Network = DIRECT
    receipts_token: str | None = field(default=None, repr=False)
    receipts_secret: str | None = field(default=None, repr=False)


class HttpSms:
    """The SMS channel over an HTTP gateway; knows nothing of segments or the hour of the day.

    Reports and replies are heard in the form of docs/providers.md or with names of the gateway's own, signed with
    `receipts_secret` after Standard Webhooks, or carrying `receipts_token`.

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
        return settings.answers.receipt(answer, message)

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        """Read reports and replies; raise NotHeardError for what is not proven, or something else."""
        settings, form = self._settings, self._settings.pushes
        given = {**pushed.query, **form_of(pushed)}.get(form.token_field, "")
        demand_proof(pushed, settings.receipts_token, settings.receipts_secret, now, given=given)
        rows = form.rows(pushed, only_body=settings.receipts_secret is not None)
        found = heard(each(rows, lambda row: form.told(row, now)), form.answer.encode())
        return replace(found, media_type=form.media_type)

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


def build(settings: Settings, now: Now) -> HttpSms:
    """The channel as configured; raises SettingError for a body that is no template."""
    names = ("url", "token", "method", "headers", "timeout", "receipts_token", "receipts_secret")
    own = {name: settings[name] for name in names}
    of_answers = ("ok_field", "ok_value", "permanent_values", "repeated_values", "id_field")
    _readable(settings["receipts_secret"])
    answers = AnswerForm(**{name: settings[name] for name in of_answers})
    body, pushes = settings["body"] or BODY, _pushes(settings)
    try:
        wanted = HttpSmsSettings(**own, body=body, answers=answers, pushes=pushes, network=network_of(settings))
        return HttpSms(wanted, now)
    except ValueError as error:
        hint = 'such as \'{"to": "{phone}", "text": "{text}", "id": "{id}"}\''
        fault = SettingError("body", str(error), hint)
    raise fault


def _pushes(settings: Settings) -> PushForm:
    """Return how the gateway pushes; raise SettingError for names and words that mean nothing."""
    try:
        return PushForm(settings["push_fields"], settings["push_statuses"], settings["push_answer"])
    except ValueError as error:
        key = "push_statuses" if "no status" in str(error) else "push_fields"
        fault = SettingError(key, str(error), "see docs/providers.md")
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
        Key(
            "repeated_values",
            "texts",
            "what that field says of messages it had already",
            example='["DUPLICATE"]',
        ),
        Key("id_field", "text", "the field of its JSON answer with its own id", example='"result.0.sid"'),
        REPLIES,
        TOKEN,
        Key(
            "push_fields",
            "names",
            "what it calls the fields of its pushes",
            example='{ id = "custid", status = "stat", from = "mobile", text = "content" }',
        ),
        Key(
            "push_statuses",
            "names",
            "what its words of status mean, beside those of SMPP",
            example='{ "0" = "delivered", "1" = "delayed" }',
        ),
        Key("push_answer", "text", "what it wants to hear when a push was taken", default='{"ok":true}'),
        Key("receipts_secret", "secret", "the secret its pushes of receipts are signed with", example='"sms.hook"'),
        TIMEOUT,
        NETWORK,
    ),
    build=build,
)
