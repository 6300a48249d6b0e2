"""Reports and replies a gateway pushes: signed or with a token, and nothing else believed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import pytest
from standardwebhooks import Webhook

from notifiers.contract import Fault, Heard, NotHeardError, Pushed, Reply, Report
from notifiers.provider import SettingError
from notifiers.sms.http import PROVIDER, HttpSms, HttpSmsSettings
from notifiers.sms.push_forms import PushForm, fields_of
from notifiers.sms.pushes import china_time, e164, instant
from tests.notifiers.letters import NOON, PHONE, noon

TOKEN = "r3ceipts-token"
OLD, SECRET = "whsec_b2xkIHNlY3JldA==", "whsec_bmV3IHNlY3JldA=="
AT = dt.datetime(2026, 3, 18, 0, 10, 7, tzinfo=dt.UTC)
REPORT = {"type": "report", "id": "m-1", "status": "delivered", "at": "2026-03-18T08:10:07+08:00", "detail": "DELIVRD"}
REPLY = {"type": "reply", "from": PHONE, "text": "482193", "at": "2026-03-18T08:10:07+08:00", "id": "r-77"}


def gateway(**settings: Any) -> HttpSms:  # noqa: ANN401 - any setting
    return HttpSms(HttpSmsSettings("http://127.0.0.1/sms", **settings), noon)


def carrying(body: object, token: str = TOKEN) -> Pushed:
    return Pushed("/heard/sms", {}, {"authorization": f"Bearer {token}"}, json.dumps(body).encode())


def signed_bytes(content: bytes) -> Pushed:
    headers = {
        "webhook-id": "p-1",
        "webhook-timestamp": str(int(NOON.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("p-1", NOON, content.decode()),
    }
    return Pushed("/heard/sms", {}, headers, content)


def signed(
    body: object, secret: str = SECRET, at: dt.datetime = NOON, changed: Mapping[str, str] = MappingProxyType({})
) -> Pushed:
    content = json.dumps(body)
    headers = {
        "webhook-id": "p-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("p-1", at, content),
        **changed,
    }
    return Pushed("/heard/sms", {}, headers, content.encode())


def forged(channel: HttpSms, pushed: Pushed) -> bool:
    with pytest.raises(NotHeardError) as caught:
        channel.hear(pushed, NOON)
    assert not any(secret in str(caught.value) for secret in (TOKEN, SECRET, PHONE))
    return caught.value.forged


def test_reports_and_replies_come_in_one_list() -> None:
    lost = {"type": "report", "provider_id": "g-2", "status": "failed"}
    heard = gateway(receipts_token=TOKEN).hear(carrying([REPORT, lost, REPLY]), NOON)
    assert heard == Heard(
        (Report("delivered", AT, "m-1", None, "DELIVRD"), Report("failed", NOON, None, "g-2", None)),
        (Reply(PHONE, "482193", AT, "r-77"),),
        b'{"ok":true}',
        "application/json",
    )


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("CONTENT_KEYWORD", Fault.MESSAGE),
        ("SIGN_NOT_REPORTED", Fault.ACCOUNT),
        ("MOBILE_SEND_LIMIT", Fault.ACCOUNT),
        ("NO_ROUTE", Fault.ACCOUNT),
        ("MOBILE_NOT_ON_SERVICE", Fault.ADDRESS),
        ("UNDELIV", Fault.ADDRESS),
        ("MK:0001", Fault.ADDRESS),
        (None, Fault.ADDRESS),
    ],
)
def test_what_did_not_arrive_for_our_account_or_words_is_not_the_numbers_fault(code: str | None, fault: Fault) -> None:
    row = {"type": "report", "id": "m-1", "status": "failed", "detail": code}
    assert [one.fault for one in gateway(receipts_token=TOKEN).hear(carrying(row), NOON).reports] == [fault]
    named = {"custid": "m-1", "stat": code or "FAIL"}
    theirs = gateway(receipts_token=TOKEN, pushes=PushForm({"id": "custid", "status": "stat"}))
    assert [one.fault for one in theirs.hear(carrying(named), NOON).reports] == [fault]


def test_a_row_at_fault_does_not_cost_the_others() -> None:
    heard = gateway(receipts_token=TOKEN).hear(carrying([{"type": "reply", "from": "Bank"}, REPORT, {}]), NOON)
    assert ([one.message_id for one in heard.reports], heard.replies) == (["m-1"], ())


def test_one_alone_needs_no_list() -> None:
    assert len(gateway(receipts_token=TOKEN).hear(carrying(REPLY), NOON).replies) == 1


def test_a_push_signed_after_standard_webhooks_is_believed() -> None:
    assert len(gateway(receipts_secret=SECRET).hear(signed(REPORT), NOON).reports) == 1


def test_while_a_secret_is_replaced_both_are_believed() -> None:
    channel = gateway(receipts_secret=f"{SECRET} {OLD}")
    assert len(channel.hear(signed(REPORT, OLD), NOON).reports) == 1
    several = signed(REPORT)
    both = {"webhook-signature": f"v1,AAAA {several.headers['webhook-signature']}"}
    assert len(channel.hear(signed(REPORT, changed=both), NOON).reports) == 1


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stale_signature_is_forged(minutes: int) -> None:
    assert forged(gateway(receipts_secret=SECRET), signed(REPORT, at=NOON + dt.timedelta(minutes=minutes)))


def test_a_signature_of_another_secret_or_over_another_body_is_forged() -> None:
    channel = gateway(receipts_secret=SECRET)
    assert forged(channel, signed(REPORT, OLD))
    good = signed(REPORT)
    assert forged(channel, Pushed(good.path, {}, good.headers, json.dumps(REPLY).encode()))
    assert forged(channel, signed(REPORT, changed={"webhook-timestamp": "soon"}))
    assert forged(channel, Pushed("/heard/sms", {}, good.headers, b"\xff"))


def test_where_a_signature_is_agreed_on_a_token_will_not_do() -> None:
    assert forged(gateway(receipts_secret=SECRET, receipts_token=TOKEN), carrying(REPORT))


def test_a_push_without_the_token_is_forged() -> None:
    assert forged(gateway(receipts_token=TOKEN), carrying(REPORT, "guess"))
    assert forged(gateway(), carrying(REPORT))


@pytest.mark.parametrize(
    "row",
    [
        {"type": "report", "status": "delivered"},
        {"type": "report", "id": "m-1", "status": "lost"},
        {"type": "reply", "from": "me", "text": "x"},
        {"type": "greeting"},
        {},
        [],
        7,
    ],
)
def test_what_is_neither_a_report_nor_a_reply_is_no_forgery(row: object) -> None:
    assert not forged(gateway(receipts_token=TOKEN), carrying(row))


def test_a_detail_that_is_no_code_is_left_out() -> None:
    row = {**REPORT, "detail": f"to {PHONE}"}
    assert gateway(receipts_token=TOKEN).hear(carrying(row), NOON).reports[0].detail is None
    row = {**REPORT, "detail": f"E{PHONE[3:]}"}
    assert gateway(receipts_token=TOKEN).hear(carrying(row), NOON).reports[0].detail is None


@pytest.mark.parametrize("secret", ["whsec_", "whsec_h", f"{SECRET} whsec_h"])
def test_a_signing_secret_that_is_not_base64_is_refused_without_being_shown(secret: str) -> None:
    settings = {key.name: key.default for key in PROVIDER.keys} | {"receipts_secret": secret}
    with pytest.raises(SettingError, match="is not base64") as caught:
        PROVIDER.build(settings, noon)
    assert secret not in f"{caught.value}"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("13800001234", PHONE),
        ("8613800001234", PHONE),
        ("008613800001234", PHONE),
        ("+8613800001234", PHONE),
        ("+85261234567", "+85261234567"),
    ],
)
def test_numbers_are_understood_however_they_are_written(number: str, told: str) -> None:
    assert e164(number) == told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2026-03-18 08:10:07", AT),
        ("20260318081007", AT),
        (int(AT.timestamp()), AT),
        ("yesterday", NOON),
        (None, NOON),
        (True, NOON),
    ],
)
def test_instants_without_a_zone_are_chinas(written: object, told: dt.datetime) -> None:
    assert china_time(written, NOON) == told


@pytest.mark.parametrize("written", [1e15, -1e15, float("inf"), float("nan"), 1773792607000])
def test_seconds_that_are_none_do_not_cost_a_batch(written: float) -> None:
    assert china_time(written, NOON) == NOON


def test_a_date_before_all_time_does_not_cost_a_batch() -> None:
    assert instant("0001-01-01T00:00:00+08:00", NOON) == NOON


# ---- fields and words of a gateway's own ----------------------------------------------------------------------------

NAMES = {"id": "custid", "provider_id": "msgid", "status": "stat", "at": "time", "from": "mobile", "text": "content"}
STATED = {"custid": "m-1", "msgid": "g-1", "mobile": "13800001234", "stat": "DELIVRD", "time": "2026-03-18 08:10:07"}
SAID = {"mobile": "13800001234", "content": "收到 12345", "time": "20260318081007"}


def own_words(**more: Any) -> HttpSms:  # noqa: ANN401 - any setting of a form
    return gateway(receipts_token=TOKEN, pushes=PushForm(**{"names": NAMES, **more}))


def as_form(fields: Mapping[str, str], token: str | None = TOKEN, key: str = "token") -> Pushed:
    body = urlencode({**fields, **({key: token} if token else {})}).encode()
    return Pushed("/heard/sms", {}, {"content-type": "application/x-www-form-urlencoded"}, body)


def in_the_address(fields: Mapping[str, str]) -> Pushed:
    return Pushed("/heard/sms", {**fields, "token": TOKEN}, {}, b"")


REPORTED = Report("delivered", AT, "m-1", "g-1", "DELIVRD")
ANSWERED = Reply(PHONE, "收到 12345", AT, None)


@pytest.mark.parametrize(
    "pushed", [carrying(STATED), as_form(STATED), in_the_address(STATED)], ids=["JSON", "form", "GET"]
)
def test_a_report_in_fields_of_its_own_is_read_from_json_a_form_or_the_address(pushed: Pushed) -> None:
    assert own_words().hear(pushed, NOON).reports == (REPORTED,)


@pytest.mark.parametrize("pushed", [carrying(SAID), as_form(SAID), in_the_address(SAID)], ids=["JSON", "form", "GET"])
def test_a_reply_in_fields_of_its_own_is_read_from_json_a_form_or_the_address(pushed: Pushed) -> None:
    assert own_words().hear(pushed, NOON).replies == (ANSWERED,)


def test_our_own_form_may_come_as_a_form_or_in_the_address_too() -> None:
    fields = {name: str(value) for name, value in REPORT.items()}
    for pushed in (as_form(fields), in_the_address(fields)):
        assert [one.message_id for one in gateway(receipts_token=TOKEN).hear(pushed, NOON).reports] == ["m-1"]


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("form", ["json", "form"])
def test_a_reply_is_read_in_either_encoding_of_china(encoding: str, form: str) -> None:
    row = {"mobile": "13800001234", "content": "收到，马上去"}
    body = (
        json.dumps(row, ensure_ascii=False).encode(encoding)
        if form == "json"
        else urlencode(row, encoding=encoding).encode()
    )
    headers = {"x-token": TOKEN, "content-type": f"application/{'json' if form == 'json' else 'x-www-form-urlencoded'}"}
    names = {"id": "custid", "status": "stat", "from": "mobile", "text": "content"}
    heard = gateway(receipts_token=TOKEN, pushes=PushForm(names)).hear(Pushed("/heard/sms", {}, headers, body), NOON)
    assert [one.text for one in heard.replies] == ["收到，马上去"]


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_an_address_is_read_in_either_encoding_of_china(encoding: str) -> None:
    assert fields_of(urlencode({"text": "收到", "at": ""}, encoding=encoding).encode()) == {"text": "收到", "at": ""}
    assert fields_of("text=收到".encode(encoding)) == {"text": "收到"}


def test_rows_may_lie_deeper_and_be_json_in_a_field_of_a_form() -> None:
    channel = own_words(names={**NAMES, "rows": "reports"})
    assert channel.hear(carrying({"count": 1, "reports": [STATED]}), NOON).reports == (REPORTED,)
    assert channel.hear(as_form({"reports": json.dumps([STATED, SAID])}), NOON).replies == (ANSWERED,)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("DELIVRD", "delivered"),
        ("delivrd", "delivered"),
        ("0", "delivered"),
        ("1", "delayed"),
        ("ACCEPTD", "delayed"),
        ("UNDELIV", "failed"),
        ("EXPIRED", "failed"),
        ("MK:0012", "failed"),
    ],
)
def test_a_word_that_is_neither_agreed_on_nor_one_of_smpp_is_a_failure(word: str, status: str) -> None:
    channel = own_words(statuses={"0": "delivered", "1": "delayed"})
    assert channel.hear(carrying({**STATED, "stat": word}), NOON).reports[0].status == status


def test_a_number_as_status_is_read_like_its_digits() -> None:
    channel = own_words(statuses={"0": "delivered"})
    assert channel.hear(carrying({**STATED, "stat": 0}), NOON).reports[0].status == "delivered"


def test_the_token_may_come_in_a_header_or_a_field_that_has_a_name_of_its_own() -> None:
    channel = own_words(names={**NAMES, "token": "sp_key"})
    assert channel.hear(as_form(STATED, key="sp_key"), NOON).reports == (REPORTED,)
    header = Pushed("/heard/sms", {}, {"x-token": TOKEN}, json.dumps(STATED).encode())
    assert channel.hear(header, NOON).reports == (REPORTED,)
    assert forged(channel, as_form(STATED, "guess", key="sp_key"))
    assert forged(channel, as_form(STATED, None))


def test_what_no_signature_covers_is_not_read() -> None:
    channel = gateway(receipts_secret=SECRET, pushes=PushForm(NAMES))
    good = signed(STATED)
    assert channel.hear(good, NOON).reports == (REPORTED,)
    empty = signed_bytes(b"")
    assert not forged(channel, Pushed("/heard/sms", STATED, empty.headers, b""))


def test_the_gateway_hears_what_it_wants_to_hear() -> None:
    heard = own_words(answer="ok").hear(carrying(STATED), NOON)
    assert (heard.answer, heard.media_type) == (b"ok", "text/plain")
    assert own_words().hear(carrying(STATED), NOON).media_type == "application/json"


@pytest.mark.parametrize("row", [{}, {"stat": "DELIVRD"}, {"mobile": "me", "content": "x"}, {"mobile": "13800001234"}])
def test_a_row_that_names_no_message_or_nobody_is_no_forgery(row: dict[str, str]) -> None:
    assert not forged(own_words(), carrying(row))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"push_fields": {"id": "a", "status": "b", "phone": "c"}}, "push_fields"),
        ({"push_fields": {"status": "b"}}, "push_fields"),
        ({"push_fields": {"id": "a"}}, "push_fields"),
        ({"push_statuses": {"0": "good"}}, "push_statuses"),
    ],
)
def test_names_that_mean_nothing_are_refused(settings: dict[str, Any], key: str) -> None:
    usual = {one.name: one.default for one in PROVIDER.keys} | {"push_fields": {}, "push_statuses": {}}
    with pytest.raises(SettingError) as caught:
        PROVIDER.build({**usual, "url": "http://127.0.0.1/sms", "timeout": dt.timedelta(seconds=1), **settings}, noon)
    assert caught.value.key == key
