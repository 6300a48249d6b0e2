"""Text messages through Tencent Cloud, against a service that judges them as its documentation says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from notifiers.contract import DeliveryError, Heard, NotHeardError, Pushed, Report, Waiting
from notifiers.sms.templates import Parameter, Template
from notifiers.sms.tencent import Tencent, TencentSettings, authorization
from tests.notifiers.letters import NOON, PHONE, SHORT, closed_port, message
from tests.phones import Answer
from tests.phones_tencent import APP_ID, SECRET_ID, SECRET_KEY, SIGN_NAME, TEMPLATE, TencentPhone, responded

TOKEN = "r3ceipts-token"
PARAMETERS = (
    Parameter("case_year", "1", 4),
    Parameter("case_serial", "2", 6),
    Parameter("student", "3", 6),
    Parameter("due_date", "4", 5),
    Parameter("due_time", "5", 5),
)
FACTS = {"case_year": "2026", "case_serial": "000123", "student": "张**", "due_date": "03-18", "due_time": "08:00"}


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> dt.datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def phone(clock: Hands) -> Iterator[TencentPhone]:
    with TencentPhone(clock, strict=False) as service:
        yield service


def channel(url: str, clock: Hands, **changed: Any) -> Tencent:  # noqa: ANN401 - any setting
    own = {
        "secret_id": SECRET_ID,
        "secret_key": SECRET_KEY,
        "app_id": APP_ID,
        "sign_name": SIGN_NAME,
        "several": (Template(TEMPLATE, ("report",), "zh", PARAMETERS),),
        "endpoint": url,
        "receipts_token": TOKEN,
        "timeout": dt.timedelta(seconds=5),
    }
    return Tencent(TencentSettings(**{**own, **changed}), clock)


def report(message_id: str = "m-1", address: str = PHONE, **facts: str) -> Any:  # noqa: ANN401
    return message(address, message_id=message_id, template="report", parameters={**FACTS, **facts})


def refusal(tencent: Tencent, **changed: Any) -> DeliveryError:  # noqa: ANN401 - any field or fact
    with pytest.raises(DeliveryError) as caught:
        tencent.send(report(**changed))
    shown = f"{caught.value} {caught.value.__context__}"
    assert not any(secret in shown for secret in (SECRET_ID, SECRET_KEY, PHONE[3:], "张", "000123"))
    return caught.value


def waiting(message_id: str, provider_id: str | None, sent_at: dt.datetime = NOON) -> Waiting:
    return Waiting(message_id, provider_id, PHONE, sent_at)


def test_the_signature_is_that_of_the_documentation() -> None:
    """The example of cloud.tencent.com/document/api/1021/34193 (and 382/52072), to the last digit."""
    payload = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    at = dt.datetime.fromtimestamp(1551113065, dt.UTC)
    secret_id, secret_key = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", "Gu5t9xGARNpq86cd98joQYCN3*******"
    assert authorization("cvm.tencentcloudapi.com", payload, at, secret_id, secret_key, "cvm") == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
    )


def test_the_day_of_a_signature_is_that_of_utc(phone: TencentPhone, clock: Hands) -> None:
    clock.at = dt.datetime(2026, 3, 18, 7, 59, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    channel(phone.url, clock).send(report())
    assert "/2026-03-17/sms/" in phone.requests[0].headers["authorization"]


def test_the_template_goes_out_with_its_variables_in_order(phone: TencentPhone, clock: Hands) -> None:
    receipt = channel(phone.url, clock).send(report())
    arrival = phone.expects_only(PHONE, "2026|000123|张**|03-18|08:00")
    assert arrival.message_id == "m-1"
    assert arrival.body["PhoneNumberSet"] == [PHONE]
    assert receipt.provider_id == phone.sent[0]["serial"]


def test_a_number_that_is_refused_inside_http_200_is_no_success(phone: TencentPhone, clock: Hands) -> None:
    phone.blacklist.add(PHONE)
    error = refusal(channel(phone.url, clock))
    assert error.permanent
    assert error.reason == "Tencent Cloud did not take the message: FailedOperation.PhoneNumberInBlacklist"


def test_an_error_of_the_whole_request_is_no_success_either(phone: TencentPhone, clock: Hands) -> None:
    error = refusal(channel(phone.url, clock, secret_key="another"))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))
    assert "AuthFailure.SignatureFailure" in error.reason


@pytest.mark.parametrize("off", [dt.timedelta(minutes=6), dt.timedelta(minutes=-6)])
def test_a_signature_that_has_expired_is_told_by_its_code(phone: TencentPhone, clock: Hands, off: dt.timedelta) -> None:
    phone.now = lambda: NOON + off
    error = refusal(channel(phone.url, clock))
    assert "AuthFailure.SignatureExpire" in error.reason
    assert (error.permanent, error.doubtful) == (False, False)


def test_a_template_that_is_not_approved_is_the_operators_to_mend(phone: TencentPhone, clock: Hands) -> None:
    phone.approved.clear()
    error = refusal(channel(phone.url, clock))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))


def test_a_template_with_other_variables_than_ours_is_refused_for_good(phone: TencentPhone, clock: Hands) -> None:
    phone.approved[TEMPLATE] = (4, 6)
    assert refusal(channel(phone.url, clock)).permanent


def test_a_variable_longer_than_the_account_was_granted_is_refused_for_good(phone: TencentPhone, clock: Hands) -> None:
    phone.approved[TEMPLATE] = (4, 5, 6, 5, 5)
    error = refusal(channel(phone.url, clock))
    assert error.permanent
    assert "TemplateParameterLengthLimit" in error.reason


def test_a_package_that_is_used_up_is_tried_again(phone: TencentPhone, clock: Hands) -> None:
    phone.balance = 0
    error = refusal(channel(phone.url, clock))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))


@pytest.mark.parametrize(
    ("share", "wait"),
    [
        ("PhoneNumberThirtySecondLimit", {"minutes": 1}),
        ("PhoneNumberOneHourLimit", {"hours": 1}),
        ("PhoneNumberDailyLimit", {"hours": 6}),
    ],
)
def test_a_number_that_has_had_its_share_waits(
    phone: TencentPhone, clock: Hands, share: str, wait: dict[str, int]
) -> None:
    phone.permits = {share: 1}
    tencent = channel(phone.url, clock)
    tencent.send(report("m-1"))
    error = refusal(tencent, message_id="m-2")
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(**wait))
    clock.at += dt.timedelta(days=1, seconds=1)
    tencent.send(report("m-2"))


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        ("InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", True),
        ("InvalidParameterValue.ContentLengthLimit", True),
        ("FailedOperation.ContainSensitiveWord", True),
        ("UnsupportedOperation.UnsupportedRegion", True),
        ("InternalError.Timeout", False),
        ("InternalError.RequestTimeException", False),
        ("RequestLimitExceeded", False),
        ("UnauthorizedOperation.RequestIpNotInWhitelist", False),
        ("InvalidParameterValue.IncorrectPhoneNumber", True),
        ("InvalidParameter.AppidAndBizId", False),
        ("InternalError.SigVerificationFail", False),
        ("Something.New", False),
    ],
)
def test_each_code_is_judged_by_the_table(phone: TencentPhone, clock: Hands, code: str, permanent: bool) -> None:  # noqa: FBT001
    phone.answers(responded(Error={"Code": code, "Message": "x"}))
    assert refusal(channel(phone.url, clock)).permanent is permanent


@pytest.mark.parametrize("body", [{}, {"Response": {"SendStatusSet": []}}, {"Response": {"SendStatusSet": [{}]}}])
def test_an_answer_that_says_nothing_leaves_a_doubt(phone: TencentPhone, clock: Hands, body: dict[str, Any]) -> None:
    phone.answers(Answer(body=body))
    assert refusal(channel(phone.url, clock)).doubtful


def test_an_answer_that_does_not_come_leaves_a_doubt_and_a_second_attempt_the_same_id(
    phone: TencentPhone, clock: Hands
) -> None:
    phone.answers(Answer(delay=5))
    assert refusal(channel(phone.url, clock, timeout=SHORT)).doubtful
    channel(phone.url, clock).send(report())
    assert {json.loads(one.body)["SessionContext"] for one in phone.requests} == {"m-1"}


def test_the_variables_together_fit_a_text(phone: TencentPhone, clock: Hands) -> None:
    long = (Template(TEMPLATE, ("report",), "zh", tuple(Parameter("school", str(n), 200) for n in range(3))),)
    with pytest.raises(DeliveryError, match="longer than the provider takes") as caught:
        channel(phone.url, clock, several=long).send(report(school="校" * 200))
    assert caught.value.permanent
    assert phone.requests == []


# ---- receipts -------------------------------------------------------------------------------------------------------


def test_reports_and_replies_are_taken_out_of_the_queues(phone: TencentPhone, clock: Hands) -> None:
    tencent = channel(phone.url, clock)
    serials = [tencent.send(report(f"m-{number}")).provider_id for number in (1, 2)]
    phone.settles("m-1", arrived=True, code="DELIVRD")
    phone.settles("m-2", arrived=False, code="DB:0141")
    phone.answered(PHONE, "收到 4821")
    heard = tencent.gather([waiting("m-1", serials[0]), waiting("m-2", serials[1])])
    assert heard.reports == (
        Report("delivered", NOON, None, serials[0], "DELIVRD"),
        Report("failed", NOON, None, serials[1], "DB:0141"),
    )
    assert [(one.sender, one.text, one.at) for one in heard.replies] == [(PHONE, "收到 4821", NOON)]
    assert phone.reports == phone.replies == []


def test_long_queues_are_taken_out_to_the_end(phone: TencentPhone, clock: Hands) -> None:
    tencent = channel(phone.url, clock)
    phone.permits = {}
    for number in range(120):
        tencent.send(report(f"m-{number}"))
        phone.settles(f"m-{number}", arrived=True, code="DELIVRD")
    assert len(tencent.gather([]).reports) == 120


def test_what_was_taken_out_and_not_kept_is_told_again_until_it_is(phone: TencentPhone, clock: Hands) -> None:
    tencent = channel(phone.url, clock)
    tencent.send(report())
    phone.settles("m-1", arrived=True, code="DELIVRD")
    phone.answered(PHONE, "4821")
    first = tencent.gather([])
    assert tencent.gather([]) == first
    tencent.confirm(first)
    assert tencent.gather([]) == Heard()


def test_a_failure_halfway_forgets_nothing(phone: TencentPhone, clock: Hands) -> None:
    tencent = channel(phone.url, clock)
    tencent.send(report())
    phone.settles("m-1", arrived=True, code="DELIVRD")
    row = phone.reports.pop()
    phone.answers(responded(PullSmsSendStatusSet=[row]), Answer(503))
    with pytest.raises(DeliveryError):
        tencent.gather([])
    assert [one.provider_id for one in tencent.gather([]).reports] == [row["SerialNo"]]


def test_a_report_lost_with_a_process_is_asked_for_by_its_number_once_it_is_late(
    phone: TencentPhone, clock: Hands
) -> None:
    serial = channel(phone.url, clock).send(report()).provider_id
    phone.settles("m-1", arrived=True, code="DELIVRD")
    phone.reports.clear()
    clock.at += dt.timedelta(minutes=20)
    assert channel(phone.url, clock).gather([waiting("m-1", serial)]) == Heard()
    clock.at += dt.timedelta(minutes=20)
    (found,) = channel(phone.url, clock).gather([waiting("m-1", serial)]).reports
    assert (found.status, found.provider_id) == ("delivered", serial)


def test_what_the_queues_gave_is_told_though_a_late_message_cannot_be_asked_about(
    phone: TencentPhone, clock: Hands
) -> None:
    tencent = channel(phone.url, clock)
    tencent.send(report())
    phone.settles("m-1", arrived=True, code="DELIVRD")
    phone.answered("Bank", "offer")
    row = phone.reports.pop()
    phone.answers(responded(PullSmsSendStatusSet=[row]), responded(PullSmsReplyStatusSet=phone.replies), Answer(503))
    heard = tencent.gather([waiting("m-0", "5000:1", NOON - dt.timedelta(hours=1))])
    assert ([one.provider_id for one in heard.reports], heard.replies) == ([row["SerialNo"]], ())


def push(body: bytes, path: str = f"/heard/sms/{TOKEN}") -> Pushed:
    return Pushed(path, {}, {}, body)


def test_a_callback_of_reports_is_heard_and_answered_as_tencent_wants(phone: TencentPhone, clock: Hands) -> None:
    tencent = channel(phone.url, clock)
    serial = tencent.send(report()).provider_id
    phone.settles("m-1", arrived=False, code="DB:0141")
    heard = tencent.hear(push(phone.callback()), NOON)
    at = dt.datetime(2026, 3, 18, 0, 10, 7, tzinfo=dt.UTC)
    assert heard.reports == (Report("failed", at, None, serial, "DB:0141"),)
    assert json.loads(heard.answer) == {"result": 0, "errmsg": "OK"}


def test_a_callback_of_a_reply_is_heard() -> None:
    body = {"extend": "", "mobile": "13800001234", "nationcode": "86", "sign": SIGN_NAME, "text": "4821"}
    pushed = push(json.dumps({**body, "time": int(NOON.timestamp())}).encode())
    (reply,) = channel("http://127.0.0.1", Hands()).hear(pushed, NOON).replies
    assert (reply.sender, reply.text, reply.at) == (PHONE, "4821", NOON)


def test_a_callback_without_the_token_is_forged() -> None:
    with pytest.raises(NotHeardError) as caught:
        channel("http://127.0.0.1", Hands()).hear(push(b"[{}]", "/heard/sms/guess"), NOON)
    assert caught.value.forged


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"no", b'{"text":"x","mobile":"1"}'])
def test_a_callback_of_something_else_is_no_forgery(body: bytes) -> None:
    with pytest.raises(NotHeardError) as caught:
        channel("http://127.0.0.1", Hands()).hear(push(body), NOON)
    assert not caught.value.forged


def test_a_service_that_is_not_reached_leaves_no_doubt() -> None:
    error = refusal(channel(f"http://127.0.0.1:{closed_port()}", Hands()))
    assert (error.permanent, error.doubtful) == (False, False)
