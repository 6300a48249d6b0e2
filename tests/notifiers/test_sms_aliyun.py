"""Text messages through Aliyun, against a service that judges them as its documentation says."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from notifiers.contract import DeliveryError, NotHeardError, Pushed, Report, Waiting
from notifiers.sms.aliyun import Aliyun, AliyunSettings, authorization, bare, canonical_query
from notifiers.sms.templates import Parameter, Template
from tests.notifiers.letters import NOON, PHONE, SHORT, closed_port, message
from tests.phones import Answer
from tests.phones_aliyun import KEY_ID, KEY_SECRET, SIGN_NAME, TEMPLATE, AliyunPhone, refused

TOKEN = "r3ceipts-token"
PARAMETERS = (
    Parameter("case", "case_no", 20),
    Parameter("student", "student", 12),
    Parameter("school", "school", 12),
    Parameter("due_at", "due", 20),
    Parameter("callback", "phone", 20),
)
FACTS = {
    "case": "2026-000123",
    "student": "张**",
    "school": "城关镇中心小学",
    "due_at": "3月18日08:00",
    "callback": "0911-1234567",
}


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
def phone(clock: Hands) -> Iterator[AliyunPhone]:
    with AliyunPhone(clock, strict=False) as service:
        yield service


def channel(url: str, clock: Hands, **changed: Any) -> Aliyun:  # noqa: ANN401 - any setting
    own = {
        "key_id": KEY_ID,
        "key_secret": KEY_SECRET,
        "sign_name": SIGN_NAME,
        "several": (Template(TEMPLATE, ("report",), "zh", PARAMETERS),),
        "endpoint": url,
        "receipts_token": TOKEN,
        "timeout": dt.timedelta(seconds=5),
    }
    return Aliyun(AliyunSettings(**{**own, **changed}), clock)


def report(message_id: str = "m-1", address: str = PHONE, facts: Mapping[str, str] = FACTS) -> Any:  # noqa: ANN401
    return message(address, message_id=message_id, template="report", parameters=facts)


def refusal(aliyun: Aliyun, **changed: Any) -> DeliveryError:  # noqa: ANN401 - any field
    with pytest.raises(DeliveryError) as caught:
        aliyun.send(report(**changed))
    shown = f"{caught.value} {caught.value.__context__}"
    assert not any(secret in shown for secret in (KEY_ID, KEY_SECRET, PHONE[3:], "张", "000123"))
    return caught.value


def waiting(message_id: str, provider_id: str | None, sent_at: dt.datetime = NOON) -> Waiting:
    return Waiting(message_id, provider_id, PHONE, sent_at)


def test_the_signature_is_that_of_the_documentation() -> None:
    """The example of help.aliyun.com/document_detail/2712195.html, to the last digit."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    signed = authorization("POST", "/", query, headers, "YourAccessKeyId", "YourAccessKeySecret")
    assert signed == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_a_query_is_encoded_as_rfc_3986_wants() -> None:
    assert canonical_query({"b": "a b*~/中", "a": "+"}) == "a=%2B&b=a%20b%2A~%2F%E4%B8%AD"


@pytest.mark.parametrize(("address", "number"), [("+8613800001234", "13800001234"), ("+85261234567", "85261234567")])
def test_numbers_are_written_as_aliyun_wants_them(address: str, number: str) -> None:
    assert bare(address) == number


def test_the_template_goes_out_with_its_variables_and_the_messages_own_id(phone: AliyunPhone, clock: Hands) -> None:
    receipt = channel(phone.url, clock).send(report())
    arrival = phone.expects_only(PHONE)
    assert json.loads(arrival.text) == {
        "case_no": "2026-000123",
        "student": "张**",
        "school": "城关镇中心小学",
        "due": "3月18日08:00",
        "phone": "0911-1234567",
    }
    assert arrival.message_id == "m-1"
    assert receipt.provider_id == phone.details[0]["BizId"]
    assert phone.requests[0].body == b""
    assert phone.requests[0].headers["content-length"] == "0"


def test_every_attempt_has_a_nonce_of_its_own_and_the_same_id(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    phone.answers(Answer(503))
    assert not refusal(aliyun).permanent
    aliyun.send(report())
    first, second = (request.headers["x-acs-signature-nonce"] for request in phone.requests)
    assert first != second
    assert phone.expects_only(PHONE).message_id == "m-1"


def test_a_business_error_inside_http_200_is_no_success(phone: AliyunPhone, clock: Hands) -> None:
    phone.approved.clear()
    error = refusal(channel(phone.url, clock))
    assert error.reason == "Aliyun did not take the message: isv.SMS_TEMPLATE_ILLEGAL"
    assert not error.permanent
    assert error.retry_after == dt.timedelta(minutes=15)


def test_a_signature_that_is_not_approved_is_the_operators_to_mend(phone: AliyunPhone, clock: Hands) -> None:
    error = refusal(channel(phone.url, clock, sign_name="别的县"))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))
    assert "isv.SMS_SIGNATURE_ILLEGAL" in error.reason


def test_an_empty_account_is_tried_again(phone: AliyunPhone, clock: Hands) -> None:
    phone.balance = 0
    error = refusal(channel(phone.url, clock))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))


def test_an_impossible_number_is_refused_for_good_without_being_shown(phone: AliyunPhone, clock: Hands) -> None:
    error = refusal(channel(phone.url, clock), address="+8602912345")
    assert error.permanent
    assert error.reason == "Aliyun did not take the message: isv.MOBILE_NUMBER_ILLEGAL"


@pytest.mark.parametrize(("share", "wait"), [("分钟", {"minutes": 1}), ("小时", {"hours": 1}), ("天", {"hours": 6})])
def test_a_number_that_has_had_its_share_waits_for_as_long_as_the_share_says(
    phone: AliyunPhone, clock: Hands, share: str, wait: dict[str, int]
) -> None:
    phone.permits = {share: 1}
    aliyun = channel(phone.url, clock)
    aliyun.send(report("m-1"))
    error = refusal(aliyun, message_id="m-2")
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(**wait))
    clock.at += dt.timedelta(days=1, minutes=1)
    aliyun.send(report("m-2"))


@pytest.mark.parametrize("off", [dt.timedelta(minutes=16), dt.timedelta(minutes=-16)])
def test_a_clock_that_is_off_is_told_by_its_code(phone: AliyunPhone, clock: Hands, off: dt.timedelta) -> None:
    phone.now = lambda: NOON + off
    error = refusal(channel(phone.url, clock))
    assert error.reason == "Aliyun did not take the message: InvalidTimeStamp.Expired"
    assert not error.permanent
    assert not error.doubtful


def test_a_wrong_secret_is_the_operators_to_mend(phone: AliyunPhone, clock: Hands) -> None:
    error = refusal(channel(phone.url, clock, key_secret="another"))
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))
    assert "SignatureDoesNotMatch" in error.reason


def test_a_key_that_is_gone_is_the_operators_to_mend(phone: AliyunPhone, clock: Hands) -> None:
    assert not refusal(channel(phone.url, clock, key_id="LTAI5tGone")).permanent


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        ("isv.PARAM_LENGTH_LIMIT", True),
        ("isv.PARAM_NOT_SUPPORT_URL", True),
        ("isv.BLACK_KEY_CONTROL_LIMIT", True),
        ("isv.OUT_OF_SERVICE", False),
        ("isp.SYSTEM_ERROR", False),
        ("Throttling.User", False),
        ("isv.SOMETHING_NEW", False),
        ("InvalidSecurityToken.Expired", False),
        ("Anything", False),
    ],
)
def test_each_code_is_judged_by_the_table(phone: AliyunPhone, clock: Hands, code: str, permanent: bool) -> None:  # noqa: FBT001
    phone.answers(refused(code))
    assert refusal(channel(phone.url, clock)).permanent is permanent


def test_a_code_that_is_none_is_not_shown(phone: AliyunPhone, clock: Hands) -> None:
    phone.answers(refused(f"{PHONE[3:]} is unknown"))
    assert refusal(channel(phone.url, clock)).reason.endswith("a value not shown")


def test_an_answer_without_a_code_leaves_a_doubt(phone: AliyunPhone, clock: Hands) -> None:
    phone.answers(Answer(body={"Message": "OK"}))
    error = refusal(channel(phone.url, clock))
    assert (error.permanent, error.doubtful) == (False, True)


def test_a_connection_that_breaks_after_the_request_leaves_a_doubt(phone: AliyunPhone, clock: Hands) -> None:
    phone.answers(Answer(drop=True))
    assert refusal(channel(phone.url, clock)).doubtful
    phone.answers(Answer(delay=5))
    assert refusal(channel(phone.url, clock, timeout=SHORT)).doubtful


def test_a_service_that_is_not_reached_leaves_no_doubt(clock: Hands) -> None:
    error = refusal(channel(f"http://127.0.0.1:{closed_port()}", clock))
    assert (error.permanent, error.doubtful) == (False, False)


def test_what_has_no_template_is_refused_for_good_before_anything_is_sent(phone: AliyunPhone, clock: Hands) -> None:
    with pytest.raises(DeliveryError, match="no approved template for feed_stale") as caught:
        channel(phone.url, clock).send(message(PHONE, template="feed_stale", parameters=FACTS))
    assert caught.value.permanent
    assert phone.requests == []


# ---- receipts -------------------------------------------------------------------------------------------------------


def test_what_became_of_messages_is_asked_for_by_number_and_day(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    ids = [aliyun.send(report(f"m-{number}")).provider_id for number in (1, 2, 3)]
    phone.settles("m-1", arrived=True, code="DELIVERED", at=NOON + dt.timedelta(seconds=7))
    phone.settles("m-2", arrived=False, code="MOBILE_NOT_ON_SERVICE", at=NOON + dt.timedelta(seconds=9))
    heard = aliyun.gather([waiting(f"m-{number}", biz) for number, biz in zip((1, 2, 3), ids, strict=True)])
    assert heard.reports == (
        Report("delivered", NOON + dt.timedelta(seconds=7), "m-1", ids[0], "DELIVERED"),
        Report("failed", NOON + dt.timedelta(seconds=9), "m-2", ids[1], "MOBILE_NOT_ON_SERVICE"),
    )


def test_pages_of_details_are_read_to_the_end(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    phone.permits = {}
    for number in range(60):
        aliyun.send(report(f"m-{number}"))
    phone.settles("m-59", arrived=True, code="DELIVERED")
    (found,) = aliyun.gather([waiting("m-59", None)]).reports
    assert found.message_id == "m-59"


def test_a_message_sent_just_before_midnight_is_looked_for_on_both_days(phone: AliyunPhone, clock: Hands) -> None:
    clock.at = dt.datetime(2026, 3, 18, 16, 0, 1, tzinfo=dt.UTC)  # one second past midnight in China
    aliyun = channel(phone.url, clock)
    sent = aliyun.send(report())
    phone.settles("m-1", arrived=True, code="DELIVERED")
    before = dt.datetime(2026, 3, 18, 15, 59, 59, tzinfo=dt.UTC)
    assert len(aliyun.gather([waiting("m-1", sent.provider_id, before)]).reports) == 1


def test_reports_already_had_are_not_lost_when_the_service_stops_answering(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    with pytest.raises(DeliveryError):
        channel(f"http://127.0.0.1:{closed_port()}", clock).gather([waiting("m-1", "1^0")])
    sent = aliyun.send(report())
    phone.settles("m-1", arrived=True, code="DELIVERED")
    phone.failing_after = len(phone.requests) + 1
    heard = aliyun.gather([waiting("m-1", sent.provider_id), waiting("m-2", "2^0")])
    assert [one.message_id for one in heard.reports] == ["m-1"]


def test_a_number_that_is_refused_does_not_keep_others_from_being_asked_about(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    sent = aliyun.send(report())
    phone.settles("m-1", arrived=True, code="DELIVERED")
    phone.answers(refused("isv.MOBILE_NUMBER_ILLEGAL"))
    heard = aliyun.gather([Waiting("m-0", "0^0", "", NOON), waiting("m-1", sent.provider_id)])
    assert [one.message_id for one in heard.reports] == ["m-1"]


def test_what_would_leave_can_be_shown(clock: Hands) -> None:
    shown = channel("http://127.0.0.1", clock).preview(report())
    assert (
        shown
        == f"{TEMPLATE} case_no=2026-000123 student=张** school=城关镇中心小学 due=3月18日08:00 phone=0911-1234567"
    )


def push(body: bytes, path: str = f"/heard/sms/{TOKEN}", **rest: Any) -> Pushed:  # noqa: ANN401 - query or headers
    return Pushed(path, rest.get("query", {}), rest.get("headers", {}), body)


def test_a_batch_of_reports_is_heard_and_answered_as_aliyun_wants(phone: AliyunPhone, clock: Hands) -> None:
    aliyun = channel(phone.url, clock)
    for number in (1, 2):
        aliyun.send(report(f"m-{number}"))
    phone.settles("m-1", arrived=True, code="DELIVERED", at=NOON)
    phone.settles("m-2", arrived=False, code="SP_NOT_BY_SMSC", at=NOON)
    heard = aliyun.hear(push(phone.sms_report("m-1", "m-2")), NOON + dt.timedelta(hours=9))
    assert [(one.status, one.message_id, one.at) for one in heard.reports] == [
        ("delivered", "m-1", NOON),
        ("failed", "m-2", NOON),
    ]
    assert json.loads(heard.answer) == {"code": 0, "msg": "接收成功"}
    assert heard == aliyun.hear(push(phone.sms_report("m-1", "m-2")), NOON + dt.timedelta(hours=9))


def test_replies_are_heard_with_their_sender_and_their_number(clock: Hands) -> None:
    up = [
        {
            "phone_number": "13800001234",
            "send_time": "2026-03-18 12:00:00",
            "content": "收到 4821",
            "sign_name": SIGN_NAME,
            "dest_code": "1234",
            "sequence_id": 1234567890,
        }
    ]
    heard = channel("http://127.0.0.1", clock).hear(push(json.dumps(up).encode()), NOON)
    (reply,) = heard.replies
    assert (reply.sender, reply.text, reply.at, reply.reply_id) == (PHONE, "收到 4821", NOON, "1234567890")


@pytest.mark.parametrize(
    "rest",
    [
        {"path": f"/heard/sms/{TOKEN}"},
        {"path": "/heard/sms", "query": {"token": TOKEN}},
        {"path": "/heard/sms", "headers": {"authorization": f"Bearer {TOKEN}"}},
    ],
)
def test_the_token_may_stand_in_path_query_or_header(clock: Hands, rest: dict[str, Any]) -> None:
    body = b'[{"phone_number":"13800001234","success":true,"out_id":"m-1","biz_id":"1^0"}]'
    assert channel("http://127.0.0.1", clock).hear(push(body, **rest), NOON).reports[0].message_id == "m-1"


@pytest.mark.parametrize("path", ["/heard/sms", "/heard/sms/", "/heard/sms/another", f"/heard/sms/{TOKEN}x"])
def test_a_push_without_the_token_is_forged(clock: Hands, path: str) -> None:
    with pytest.raises(NotHeardError) as caught:
        channel("http://127.0.0.1", clock).hear(push(b"[]", path), NOON)
    assert caught.value.forged
    assert TOKEN not in str(caught.value)


def test_without_a_token_no_push_is_believed(clock: Hands) -> None:
    with pytest.raises(NotHeardError) as caught:
        channel("http://127.0.0.1", clock, receipts_token=None).hear(push(b"[]", "/heard/sms/"), NOON)
    assert caught.value.forged


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"[7]", b'[{"hello":1}]', b'[{"content":"x","phone_number":"me"}]', b"\xff"]
)
def test_a_push_that_is_something_else_is_no_forgery(clock: Hands, body: bytes) -> None:
    with pytest.raises(NotHeardError) as caught:
        channel("http://127.0.0.1", clock).hear(push(body), NOON)
    assert not caught.value.forged
