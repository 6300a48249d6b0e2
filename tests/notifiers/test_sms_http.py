"""Text messages through a gateway over HTTP, and with them the errors of everything that speaks HTTP."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from notifiers.contract import DeliveryError, Fault
from notifiers.network import Network
from notifiers.sms.gateway_answers import AnswerForm
from notifiers.sms.http import HttpSms, HttpSmsSettings, parse_body
from notifiers.trust import Trust
from tests.notifiers.letters import PHONE, SHORT, WORDS, closed_port, message, noon
from tests.phones import Answer, Certificate, SmsGateway

TOKEN = "t0p-secret-token"


def sms(url: str, **changed: Any) -> HttpSms:  # noqa: ANN401 - any setting or field
    of_answers = {name: changed.pop(name) for name in AnswerForm.__dataclass_fields__ if name in changed}
    settings = {"token": TOKEN, "timeout": dt.timedelta(seconds=5), "answers": AnswerForm(**of_answers), **changed}
    return HttpSms(HttpSmsSettings(url=url, **settings), noon)


def refusal(channel: HttpSms, **changed: Any) -> DeliveryError:  # noqa: ANN401 - any setting or field
    with pytest.raises(DeliveryError) as caught:
        channel.send(message(PHONE, **changed))
    channel.close()
    shown = "".join(str(part) for part in (caught.value, caught.value.reason, caught.value.__context__))
    assert not any(secret in shown for secret in (TOKEN, PHONE[1:], "控辍", "张", "sms?key"))
    return caught.value


def test_the_gateway_gets_phone_text_and_id_under_the_token() -> None:
    with SmsGateway(token=TOKEN) as gateway:
        channel = sms(gateway.url)
        receipt = channel.send(message(PHONE))
        channel.close()
        arrival = gateway.expects_only(PHONE, WORDS)
    assert arrival.message_id == "m-1"
    assert arrival.body == {"phone": PHONE, "text": WORDS, "id": "m-1"}
    assert receipt.provider_id is None


def test_a_repeated_message_keeps_its_idempotency_id() -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(503))
        channel = sms(gateway.url)
        with pytest.raises(DeliveryError):
            channel.send(message(PHONE))
        channel.send(message(PHONE))
        channel.close()
        gateway.expects_only(PHONE)
        assert [request.headers["idempotency-key"] for request in gateway.requests] == ["m-1", "m-1"]


def test_many_messages_of_a_thread_share_a_connection() -> None:
    with SmsGateway(strict=False) as gateway:
        channel = sms(gateway.url)
        for number in range(20):
            channel.send(message(PHONE, message_id=f"m-{number}"))
        channel.close()
        assert len(gateway.arrivals) == 20
        assert len({request.connection for request in gateway.requests}) == 1


def test_several_threads_send_at_once() -> None:
    with SmsGateway(strict=False) as gateway:
        channel = sms(gateway.url)
        threads = [
            threading.Thread(target=channel.send, args=(message(PHONE, message_id=f"m-{number}"),))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.close()
        assert len(gateway.arrivals) == 8


def test_refused_connection_is_temporary_and_not_doubtful() -> None:
    error = refusal(sms(f"http://127.0.0.1:{closed_port()}/sms?key=geheim", timeout=SHORT))
    assert (error.permanent, error.doubtful) == (False, False)
    assert "geheim" not in error.reason


def test_silence_after_the_request_is_temporary_and_doubtful() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(delay=60))
        error = refusal(sms(gateway.url, timeout=SHORT))
    assert (error.permanent, error.doubtful) == (False, True)


def test_a_connection_broken_after_the_request_is_temporary_and_doubtful() -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(drop=True))
        error = refusal(sms(gateway.url))
        gateway.expects(PHONE)
    assert (error.permanent, error.doubtful) == (False, True)


def test_a_host_that_never_completes_the_handshake_is_temporary_and_not_doubtful() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/sms"
        error = refusal(sms(url, timeout=SHORT))
    assert (error.permanent, error.doubtful) == (False, False)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("7", dt.timedelta(seconds=7)),
        ("Wed, 18 Mar 2026 04:02:00 GMT", dt.timedelta(minutes=2)),
        ("Wed, 18 Mar 2026 03:00:00 GMT", dt.timedelta(0)),
        ("99999999999999", dt.timedelta(days=1)),
        ("Wed, 18 Mar 2099 03:00:00 GMT", dt.timedelta(days=1)),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_busy_gateway_is_temporary_and_may_say_how_long(
    status: int, asked: str | None, wait: dt.timedelta | None
) -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(status, headers={"Retry-After": asked} if asked else {}))
        error = refusal(sms(gateway.url))
    assert (error.permanent, error.doubtful, error.retry_after) == (False, False, wait)


def test_a_gateway_timeout_is_doubtful() -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(504))
        error = refusal(sms(gateway.url))
    assert (error.permanent, error.doubtful) == (False, True)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        *((status, Fault.ADDRESS) for status in (400, 413, 422)),
        *((status, Fault.ACCOUNT) for status in (401, 403, 404, 407, 410)),
    ],
)
def test_a_number_is_at_fault_where_the_request_was_refused_and_the_account_elsewhere(
    status: int, fault: Fault
) -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(status, {"phone": PHONE}))
        error = refusal(sms(gateway.url))
    assert error.fault is fault
    assert str(status) in error.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_says_what_to_do(status: int) -> None:
    with SmsGateway() as elsewhere, SmsGateway() as gateway:
        gateway.answers(Answer(status, headers={"Location": elsewhere.url + "?key=geheim"}))
        error = refusal(sms(gateway.url))
        assert elsewhere.requests == []
    assert error.fault is Fault.ACCOUNT
    assert "configure the final address" in error.reason
    assert "geheim" not in error.reason


def test_nothing_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login somebody password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with SmsGateway(strict=False) as gateway:
        channel = sms(gateway.url, token=None)
        channel.send(message(PHONE))
        channel.close()
        assert "authorization" not in gateway.requests[0].headers


def test_a_cookie_is_not_kept() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(headers={"Set-Cookie": "a=b; Path=/"}))
        channel = sms(gateway.url)
        channel.send(message(PHONE))
        channel.send(message(PHONE, message_id="m-2"))
        channel.close()
        assert "cookie" not in gateway.requests[1].headers


@pytest.mark.parametrize("token", ["two\r\nlines: x", "口令"])
def test_a_token_no_header_can_hold_is_an_error_without_it(token: str) -> None:
    error = refusal(sms("http://127.0.0.1:9/sms", token=token))
    assert error.fault is Fault.ACCOUNT
    assert token not in error.reason


def test_an_answer_of_any_length_is_read_only_so_far() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body={"long": "x" * 5_000_000}))
        channel = sms(gateway.url, ok_field="code")
        with pytest.raises(DeliveryError) as caught:
            channel.send(message(PHONE))
        channel.close()
    assert caught.value.doubtful


def test_tls_is_verified_against_the_file_of_authorities(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with SmsGateway(strict=False, tls=certificate) as gateway:
        error = refusal(sms(gateway.url))
        assert (error.permanent, error.doubtful) == (False, False)
        assert "certificate" in error.reason
        assert gateway.arrivals == []
        channel = sms(gateway.url, network=Network(Trust(certificate.file.read_text(encoding="utf-8"))))
        channel.send(message(PHONE))
        channel.close()
        gateway.expects(PHONE)


def test_a_closed_channel_sends_nothing() -> None:
    channel = sms("http://127.0.0.1:9/sms")
    channel.close()
    with pytest.raises(RuntimeError):
        channel.send(message(PHONE))


OK = {"ok_field": "status.0.code", "id_field": "status.0.serial", "permanent_values": ("BadNumber",)}


def test_success_and_the_providers_id_are_read_where_the_settings_say() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body={"status": [{"code": "OK", "serial": 42}]}))
        channel = sms(gateway.url, **OK)
        assert channel.send(message(PHONE)).provider_id == "42"
        channel.close()


@pytest.mark.parametrize(
    ("code", "permanent", "shown"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", False, "isv.BUSINESS_LIMIT_CONTROL"),
        ("BadNumber", True, "BadNumber"),
        ("to 8613800001234: blocked", False, "a value not shown"),
        (45009, False, "45009"),
    ],
)
def test_a_business_error_inside_200_is_an_error(code: object, permanent: bool, shown: str) -> None:  # noqa: FBT001
    with SmsGateway() as gateway:
        gateway.answers(Answer(body={"status": [{"code": code}]}, taken=False))
        error = refusal(sms(gateway.url, **OK))
    assert (error.permanent, error.doubtful) == (permanent, False)
    assert error.reason.endswith(shown)


def test_an_answer_without_the_promised_field_is_doubtful() -> None:
    with SmsGateway(strict=False) as gateway:
        error = refusal(sms(gateway.url, **OK))
    assert (error.permanent, error.doubtful) == (False, True)


HTML = {"Content-Type": "text/html; charset=utf-8"}
PLAIN = {"Content-Type": "text/plain"}


@pytest.mark.parametrize("settings", [{}, OK], ids=["without ok_field", "with ok_field"])
@pytest.mark.parametrize(
    "headers", [HTML, {"Content-Type": "application/octet-stream"}], ids=["by its type", "by its beginning"]
)
def test_a_web_page_is_no_success_but_a_proxys_or_a_login(settings: dict[str, Any], headers: dict[str, str]) -> None:
    with SmsGateway() as gateway:
        gateway.answers(Answer(body=b"\n<html>please log in</html>", headers=headers, taken=False))
        error = refusal(sms(gateway.url, **settings))
    assert (error.fault, error.doubtful) == (Fault.ACCOUNT, False)
    assert "web page" in error.reason


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_by_a_web_page_is_not_about_the_number(status: int) -> None:
    page = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(status, body=page, headers=HTML, taken=False))
        assert refusal(sms(gateway.url)).fault is Fault.ACCOUNT


def test_words_that_are_called_a_web_page_leave_it_in_doubt() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=b"success,1234", headers=HTML))
        error = refusal(sms(gateway.url))
    assert (error.fault, error.doubtful) == (Fault.PASSING, True)


def test_json_in_gbk_is_read() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body='{"code": "0", "msg": "成功"}'.encode("gbk"), headers=PLAIN))
        channel = sms(gateway.url, ok_field="code", ok_value="0")
        channel.send(message(PHONE))
        channel.close()


def test_json_that_is_called_a_web_page_is_read() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=b'{"code": "0"}', headers=HTML))
        channel = sms(gateway.url, ok_field="code", ok_value="0")
        channel.send(message(PHONE))
        channel.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"0,1234",
        b"{}",
        b'{"code": 0}',
        b'{"code": "0000"}',
        b'{"code": 200, "msg": "x"}',
        b'{"code": "OK"}',
        b'{"success": true}',
        b'{"error": null}',
        b'{"error": ""}',
        b'{"errcode": 0}',
        b'{"code": 201}',
        b"[]",
        b"7",
        b"error:0,id:1234",
        b'{"status": 1}',
        b'{"result": "queued"}',
        b"<returnsms><returnstatus>Success</returnstatus></returnsms>",
    ],
)
def test_without_ok_field_an_answer_that_names_no_fault_is_a_success(body: bytes) -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=body, headers=PLAIN))
        channel = sms(gateway.url)
        channel.send(message(PHONE))
        channel.close()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"code": 5001, "msg": "balance exhausted"}', "5001"),
        (b'{"code": "-1"}', "-1"),
        (b'{"error_code": "QUOTA"}', "QUOTA"),
        (b'{"error": "no such user 8613800001234"}', "a value not shown"),
        (b'{"success": false}', "a value not shown"),
        (b'{"status": "error", "message": "x"}', "error"),
        (b'{"result": -3}', "-3"),
        (b"-2", "-2"),
        (b"-2,no balance", "a value not shown"),
        (b"error:101", "error:101"),
        (b"<returnsms><returnstatus>Faild</returnstatus></returnsms>", "a value not shown"),
    ],
)
def test_without_ok_field_an_answer_that_seems_to_refuse_is_in_doubt(body: bytes, shown: str) -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=body, headers=PLAIN))
        error = refusal(sms(gateway.url))
    assert (error.fault, error.doubtful) == (Fault.PASSING, True)
    assert f"answered {shown}, and no ok_field" in error.reason


def test_what_is_called_json_and_is_none_is_no_success() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=b"Service starting"))
        assert refusal(sms(gateway.url)).doubtful
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body=b"queued", headers=PLAIN))
        assert refusal(sms(gateway.url, id_field="sid")).doubtful


def test_a_message_the_gateway_had_already_is_told_as_taken_before() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body={"code": "DUPLICATE"}, taken=False))
        error = refusal(sms(gateway.url, ok_field="code", ok_value="0", repeated_values=("DUPLICATE", "1008")))
    assert error.taken_before
    assert not error.permanent


def test_a_true_in_the_answer_can_be_the_success() -> None:
    with SmsGateway(strict=False) as gateway:
        gateway.answers(Answer(body={"ok": True}))
        channel = sms(gateway.url, ok_field="ok", ok_value="true")
        channel.send(message(PHONE))
        channel.close()


def test_words_cannot_break_out_of_the_body() -> None:
    text = '张"},\\ {"phone": "x", {id} {phone}\n😀'
    with SmsGateway() as gateway:
        channel = sms(gateway.url, body='{"phone": "{phone}", "text": "【签名】{text}", "to": ["{phone}"], "n": 1}')
        channel.send(message(PHONE, text=text))
        channel.close()
        arrival = gateway.expects(PHONE)
    assert arrival.body == {"phone": PHONE, "text": "【签名】" + text, "to": [PHONE], "n": 1}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("{phone}", "not JSON"),
        ('{"a": "{phone}{text}{number}"}', "unknown placeholder {number}"),
        ('{"a": "{phone}"}', "lacks the placeholder {text}"),
    ],
)
def test_a_bad_body_is_refused_with_its_fault(body: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("{", r"\{")):
        parse_body(body)


def test_settings_show_no_secret() -> None:
    settings = HttpSmsSettings(url="http://x/?key=geheim", token="geheim", headers={"X-Key": "geheim"})
    assert "geheim" not in repr(settings)
