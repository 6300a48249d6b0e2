"""Tencent Cloud's text messages as its documentation tells of them, traps included; written apart from what it judges.

SendSms (cloud.tencent.com/document/product/382/55981), PullSmsSendStatus (…/55980), PullSmsReplyStatus (…/55983), the
signature TC3-HMAC-SHA256 (…/52072), codes (…/52075), callbacks of reports and replies (…/59178, …/59179).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.phone import Arrival
from tests.phones_http import Answer, HttpPhone, HttpRequest

SECRET_ID, SECRET_KEY = "AKIDSampleId", "sample-secret-key"
APP_ID = "1400006666"
SIGN_NAME = "青禾县教育局"
TEMPLATE = "1110001"
ROOMS = (4, 6, 6, 5, 5)
SHARES = {
    "PhoneNumberThirtySecondLimit": dt.timedelta(seconds=30),
    "PhoneNumberOneHourLimit": dt.timedelta(hours=1),
    "PhoneNumberDailyLimit": dt.timedelta(days=1),
}


def responded(**response: object) -> Answer:
    """An answer of the service, good or bad: always HTTP 200."""
    taken = "SendStatusSet" not in response
    return Answer(body={"Response": {**response, "RequestId": "a0aabda6-cf91-4f3e"}}, taken=taken)


class TencentPhone(HttpPhone):
    """The service with one account, one application and the templates of `approved`, with their rooms."""

    path = ""

    def __init__(self, now: Callable[[], dt.datetime], **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**rest)
        self.now = now
        self.approved: dict[str, tuple[int, ...]] = {TEMPLATE: ROOMS}
        self.permits = {"PhoneNumberDailyLimit": 10}
        self.blacklist: set[str] = set()
        self.balance = 1000
        self.sent: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []
        """The queue: each is given once."""
        self.replies: list[dict[str, Any]] = []
        self.settled: list[dict[str, Any]] = []

    def hears(self, request: HttpRequest) -> Answer:
        """What the service answers; answers told in advance stand for a network that fails before or behind it."""
        self.requests.append(request)
        if self._answers:
            return self._answers.popleft()
        if (code := self._unsigned(request)) is not None:
            return responded(Error={"Code": code, "Message": f"{code} for {SECRET_ID}"})
        asked = json.loads(request.body)
        if asked["SmsSdkAppId"] != APP_ID:
            return responded(Error={"Code": "UnauthorizedOperation.SmsSdkAppIdVerifyFail", "Message": "x"})
        actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "SendSms": lambda asked: {"SendStatusSet": [self._status(asked, one) for one in asked["PhoneNumberSet"]]},
            "PullSmsSendStatus": lambda asked: {"PullSmsSendStatusSet": _taken(self.reports, asked["Limit"])},
            "PullSmsReplyStatus": lambda asked: {"PullSmsReplyStatusSet": _taken(self.replies, asked["Limit"])},
            "PullSmsSendStatusByPhoneNumber": lambda asked: {"PullSmsSendStatusSet": self._of_number(asked)},
        }
        return responded(**actions[request.headers["x-tc-action"]](asked))

    def settles(self, message_id: str, *, arrived: bool, code: str) -> None:
        """What became of a message: it goes into the queue."""
        for one in self.sent:
            if one["message_id"] == message_id:
                report = {
                    "UserReceiveTime": int(self.now().timestamp()),
                    "CountryCode": "86",
                    "SubscriberNumber": one["number"].removeprefix("+86"),
                    "PhoneNumber": one["number"],
                    "SerialNo": one["serial"],
                    "ReportStatus": "SUCCESS" if arrived else "FAIL",
                    "Description": code,
                    "SessionContext": "",
                }
                self.reports.append(report)
                self.settled.append(report)

    def answered(self, number: str, text: str) -> None:
        """Somebody replied: it goes into the queue."""
        at = int(self.now().timestamp())
        reply = {"ExtendCode": "", "CountryCode": "86", "PhoneNumber": number, "SignName": SIGN_NAME}
        self.replies.append({**reply, "ReplyContent": text, "ReplyTime": at, "SubscriberNumber": number[3:]})

    def callback(self) -> bytes:
        """The push about everything whose fate is known."""
        return json.dumps(
            [
                {
                    "user_receive_time": "2026-03-18 08:10:07",
                    "nationcode": "86",
                    "mobile": one["SubscriberNumber"],
                    "report_status": one["ReportStatus"],
                    "errmsg": one["Description"],
                    "description": "用户短信送达成功",
                    "sid": one["SerialNo"],
                }
                for one in self.settled
            ],
            ensure_ascii=False,
        ).encode()

    def _unsigned(self, request: HttpRequest) -> str | None:
        headers = request.headers
        form = (
            r"TC3-HMAC-SHA256 Credential=(\w+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
            r"SignedHeaders=([a-z;-]+), Signature=([0-9a-f]{64})"
        )
        found = re.fullmatch(form, headers.get("authorization", ""))
        if found is None:
            return "AuthFailure.SignatureFailure"
        if found[1] != SECRET_ID:
            return "AuthFailure.SecretIdNotFound"
        at = int(headers["x-tc-timestamp"])
        if abs(at - self.now().timestamp()) > 300:
            return "AuthFailure.SignatureExpire"
        if found[2] != dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat():
            return "AuthFailure.SignatureFailure"
        if headers["x-tc-version"] != "2021-01-11" or not headers.get("x-tc-region"):
            return "MissingParameter"
        good = _signature(request, found[2], found[3], str(at))
        return None if hmac.compare_digest(found[4], good) else "AuthFailure.SignatureFailure"

    def _status(self, asked: Mapping[str, Any], number: str) -> dict[str, Any]:
        """What one number of a request came to: each has its own code."""
        code = self._code(asked, number)
        serial = f"5000:{1045710669157053657 + len(self.sent)}" if code == "Ok" else ""
        if code == "Ok":
            message_id = asked["SessionContext"]
            self.balance -= 1
            self.sent.append({"number": number, "message_id": message_id, "serial": serial, "at": self.now()})
            text = "|".join(asked["TemplateParamSet"])
            self.takes(Arrival(number, text, message_id, self.now(), body=asked))
        told = {"PhoneNumber": number, "Fee": int(code == "Ok"), "SessionContext": asked.get("SessionContext", "")}
        return {"SerialNo": serial, **told, "Code": code, "Message": f"about {number}", "IsoCode": "CN"}

    def _code(self, asked: Mapping[str, Any], number: str) -> str:
        rooms = self.approved.get(asked["TemplateId"])
        given = asked["TemplateParamSet"]
        checks = (
            (not re.fullmatch(r"\+861[3-9]\d{9}", number), "InvalidParameterValue.IncorrectPhoneNumber"),
            (asked["SignName"] != SIGN_NAME, "FailedOperation.SignatureIncorrectOrUnapproved"),
            (rooms is None, "FailedOperation.TemplateIncorrectOrUnapproved"),
            (len(rooms or ()) != len(given), "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
            (
                any(len(one) > room for one, room in zip(given, rooms or (), strict=False)),
                "InvalidParameterValue.TemplateParameterLengthLimit",
            ),
            (number in self.blacklist, "FailedOperation.PhoneNumberInBlacklist"),
            (self.balance <= 0, "FailedOperation.InsufficientBalanceInSmsPackage"),
        )
        wrong = next((code for broken, code in checks if broken), None)
        return wrong or self._over_its_share(number) or "Ok"

    def _over_its_share(self, number: str) -> str | None:
        for name, permits in self.permits.items():
            since = self.now() - SHARES[name]
            if len([one for one in self.sent if one["number"] == number and one["at"] > since]) >= permits:
                return f"LimitExceeded.{name}"
        return None

    def _of_number(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [one for one in self.settled if one["PhoneNumber"] == asked["PhoneNumber"]][: asked["Limit"]]


def _taken(queue: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The first of a queue, which are gone from it."""
    assert 1 <= limit <= 100
    found, queue[:] = queue[:limit], queue[limit:]
    return found


def _signature(request: HttpRequest, day: str, names: str, stamp: str) -> str:
    lines = "".join(f"{name}:{request.headers[name].lower()}\n" for name in names.split(";"))
    canonical = f"POST\n{request.path}\n\n{lines}\n{names}\n{hashlib.sha256(request.body).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{digest}"
    secret = hmac.digest(f"TC3{SECRET_KEY}".encode(), day.encode(), "sha256")
    secret = hmac.digest(hmac.digest(secret, b"sms", "sha256"), b"tc3_request", "sha256")
    return hmac.digest(secret, text.encode(), "sha256").hex()
