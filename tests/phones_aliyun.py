"""Aliyun's text messages as its documentation tells of them, traps included; written apart from what it judges.

SendSms (help.aliyun.com/document_detail/419273.html), QuerySendDetails (…/419277.html), the signature ACS3-HMAC-SHA256
(…/2712195.html), codes (…/101346.html), SmsReport and SmsUp (…/101508.html, …/101511.html).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tests.phone import Arrival
from tests.phones_http import Answer, HttpPhone, HttpRequest

KEY_ID, KEY_SECRET = "LTAI5tSampleKeyId", "sample-key-secret"
SIGN_NAME = "青禾县教育局"
TEMPLATE = "SMS_487120001"
VARIABLES = ("case_no", "student", "school", "due", "phone")
CHINA = dt.timezone(dt.timedelta(hours=8))
SHARES = {"分钟": dt.timedelta(minutes=1), "小时": dt.timedelta(hours=1), "天": dt.timedelta(days=1)}


def refused(code: str, message: str = "refused") -> Answer:
    """A business error: it comes with HTTP 200."""
    return Answer(body={"Code": code, "Message": message, "RequestId": "F655A8D5-B967-440B-8683"}, taken=False)


class AliyunPhone(HttpPhone):
    """The service with one account, one signature and the templates of `approved` with their variables."""

    path = ""

    def __init__(self, now: Callable[[], dt.datetime], **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**rest)
        self.now = now
        self.approved: dict[str, tuple[str, ...]] = {TEMPLATE: VARIABLES}
        self.permits = {"天": 50}
        self.balance = 1000
        self.failing_after: int | None = None
        """After so many requests it answers no more."""
        self.details: list[dict[str, Any]] = []
        self._nonces: set[str] = set()

    def hears(self, request: HttpRequest) -> Answer:
        """What the service answers; answers told in advance stand for a network that fails before or behind it."""
        self.requests.append(request)
        if self._answers:
            return self._answers.popleft()
        if self.failing_after is not None and len(self.requests) > self.failing_after:
            return Answer(503)
        if (wrong := self._unsigned(request)) is not None:
            return wrong
        asked = dict(parse_qsl(urlsplit(request.path).query, keep_blank_values=True))
        action = request.headers["x-acs-action"]
        if action == "QuerySendDetails":
            return self._told(asked)
        if action != "SendSms":
            return Answer(404, {"Code": "InvalidAction.NotFound", "Message": "no such action"})
        return self._refusal(asked) or self._sent(asked)

    def settles(self, message_id: str, *, arrived: bool, code: str, at: dt.datetime | None = None) -> None:
        """What became of a message."""
        for one in self.details:
            if one["OutId"] == message_id:
                when = (at or self.now()).astimezone(CHINA)
                status = 3 if arrived else 2
                one |= {"SendStatus": status, "ErrCode": code, "ReceiveDate": f"{when:%Y-%m-%d %H:%M:%S}"}

    def sms_report(self, *message_ids: str) -> bytes:
        """The batch that is pushed about messages whose fate is known."""
        return json.dumps(
            [
                {
                    "phone_number": one["PhoneNum"],
                    "send_time": one["SendDate"],
                    "report_time": one["ReceiveDate"],
                    "success": one["SendStatus"] == 3,
                    "err_code": one["ErrCode"],
                    "err_msg": "用户接收成功",
                    "sms_size": "1",
                    "biz_id": one["BizId"],
                    "out_id": one["OutId"],
                }
                for one in self.details
                if one["OutId"] in message_ids
            ],
            ensure_ascii=False,
        ).encode()

    def _unsigned(self, request: HttpRequest) -> Answer | None:
        """The gateway's refusal of a request that is not signed, or not now; these come with HTTP 4xx."""
        headers = request.headers
        form = r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})"
        found = re.fullmatch(form, headers.get("authorization", ""))
        if found is None:
            return self._gateway("IncompleteSignature")
        if found[1] != KEY_ID:
            return self._gateway("InvalidAccessKeyId.NotFound", 404)
        at = dt.datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        if abs(at - self.now()) > dt.timedelta(minutes=15):
            return self._gateway("InvalidTimeStamp.Expired")
        if headers["x-acs-signature-nonce"] in self._nonces:
            return self._gateway("SignatureNonceUsed")
        self._nonces.add(headers["x-acs-signature-nonce"])
        if not hmac.compare_digest(found[3], self._signature(request, found[2])):
            return self._gateway("SignatureDoesNotMatch")
        return None

    def _signature(self, request: HttpRequest, names: str) -> str:
        path, _, query = request.path.partition("?")
        digest = hashlib.sha256(request.body).hexdigest()
        # What arrived is decoded and written anew: Aliyun's own clients send blanks as "+" and sign them as "%20".
        given = sorted(parse_qsl(query, keep_blank_values=True))
        lines = [request.method, path, urlencode(given, quote_via=quote, safe="~")]
        lines += [f"{name}:{request.headers[name]}" for name in names.split(";")]
        canonical = "\n".join([*lines, "", names, digest])
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        return hmac.digest(KEY_SECRET.encode(), text.encode(), "sha256").hex()

    def _gateway(self, code: str, status: int = 400) -> Answer:
        return Answer(status, {"Code": code, "Message": f"{code} of {KEY_ID}", "RequestId": "x", "HostId": "x"})

    def _refusal(self, asked: Mapping[str, str]) -> Answer | None:
        if asked["SignName"] != SIGN_NAME:
            return refused("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
        if asked["TemplateCode"] not in self.approved:
            return refused("isv.SMS_TEMPLATE_ILLEGAL", "模版不合法(不存在或被拉黑)")
        if not re.fullmatch(r"1[3-9]\d{9}", asked["PhoneNumbers"]):
            return refused("isv.MOBILE_NUMBER_ILLEGAL", f"{asked['PhoneNumbers']}invalid mobile number")
        if (code := self._wrong_parameters(asked)) is not None:
            return refused(code)
        if self.balance <= 0:
            return refused("isv.AMOUNT_NOT_ENOUGH", "账户余额不足")
        return self._over_its_share(asked)

    def _wrong_parameters(self, asked: Mapping[str, str]) -> str | None:
        try:
            given = json.loads(asked.get("TemplateParam", "{}"))
        except ValueError:
            return "isv.INVALID_JSON_PARAM"
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            return "isv.INVALID_JSON_PARAM"
        if set(self.approved[asked["TemplateCode"]]) - given.keys():
            return "isv.TEMPLATE_MISSING_PARAMETERS"
        if not all(1 <= len(one) <= 35 for one in given.values()):
            return "isv.PARAM_LENGTH_LIMIT"
        if any(re.search(r"https?://|www\.", one) for one in given.values()):
            return "isv.PARAM_NOT_SUPPORT_URL"
        return None

    def _over_its_share(self, asked: Mapping[str, str]) -> Answer | None:
        for word, permits in self.permits.items():
            since = self.now() - SHARES[word]
            same = ("PhoneNum", "TemplateCode")
            about = (asked["PhoneNumbers"], asked["TemplateCode"])
            taken = [one for one in self.details if tuple(one[key] for key in same) == about and one["at"] > since]
            if len(taken) >= permits:
                return refused("isv.BUSINESS_LIMIT_CONTROL", f"触发{word}级流控Permits:{permits}")
        return None

    def _sent(self, asked: Mapping[str, str]) -> Answer:
        now = self.now()
        biz_id = f"{int(now.timestamp())}^{len(self.details)}"
        self.details.append(
            {
                "PhoneNum": asked["PhoneNumbers"],
                "SendStatus": 1,
                "ErrCode": "",
                "TemplateCode": asked["TemplateCode"],
                "SendDate": f"{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
                "OutId": asked["OutId"],
                "BizId": biz_id,
                "at": now,
            }
        )
        self.balance -= 1
        self.takes(Arrival(f"+86{asked['PhoneNumbers']}", asked["TemplateParam"], asked["OutId"], now, body=asked))
        return Answer(body={"Code": "OK", "Message": "OK", "BizId": biz_id, "RequestId": "F655A8D5"})

    def _told(self, asked: Mapping[str, str]) -> Answer:
        """One page of what was sent to a number on a day."""
        size, page = int(asked["PageSize"]), int(asked["CurrentPage"])
        if not 1 <= size <= 50:
            return refused("isv.PAGE_SIZE_ILLEGAL")
        day = re.sub(r"(\d{4})(\d\d)(\d\d)", r"\1-\2-\3", asked["SendDate"])
        found = [
            {key: value for key, value in one.items() if key not in {"at", "BizId"}}
            for one in self.details
            if one["PhoneNum"] == asked["PhoneNumber"]
            and one["SendDate"].startswith(day)
            and asked.get("BizId", one["BizId"]) == one["BizId"]
        ]
        rows: Sequence[object] = found[(page - 1) * size : page * size]
        body = {
            "Code": "OK",
            "Message": "OK",
            "TotalCount": str(len(found)),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows},
        }
        return Answer(body=body)
