"""Text messages through Tencent Cloud 腾讯云短信 (sms 2021-01-11), signed with TC3-HMAC-SHA256."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from notifiers.contract import DeliveryError, Heard, Message, NotHeardError, Pushed, Receipt, Reply, Report, Waiting
from notifiers.jsonapi import JsonApi
from notifiers.network import DIRECT, Network
from notifiers.provider import NETWORK, REPLIES, TIMEOUT, Key, Limits, Now, Provider, Settings
from notifiers.refusals import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    BAD_NUMBER,
    BAD_WORDS,
    MENDED,
    SOON,
    Verdict,
    coded,
    fault_of_receipt,
    refused,
    verdict,
)
from notifiers.sms import templates
from notifiers.sms.pushes import TOKEN, china_time, demand_token, e164, each, heard, rows, text_of

LIMITS = Limits(total=500, asked=True)
"""A text has at most 500 characters; a variable 6, or what the account was granted (document/product/382/39023)."""

ENDPOINT = "https://sms.tencentcloudapi.com"
VERSION = "2021-01-11"
CONTENT_TYPE = "application/json; charset=utf-8"
_PULLED = 100
_LATE = dt.timedelta(minutes=30)
_ANSWER = b'{"result":0,"errmsg":"OK"}'

REFUSALS: Mapping[str, Verdict] = {
    "FailedOperation": MENDED,  # signatures, templates, the package of texts bought
    "FailedOperation.ContainSensitiveWord": BAD_WORDS,
    "FailedOperation.FailResolvePacket": BAD_WORDS,
    "FailedOperation.JsonParseFail": BAD_WORDS,
    "FailedOperation.PhoneNumberInBlacklist": BAD_NUMBER,
    "FailedOperation.PhoneNumberParseFail": BAD_NUMBER,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": BAD_WORDS,
    "InvalidParameter": BAD_WORDS,
    "InvalidParameter.AppidAndBizId": MENDED,  # the application is of another account
    "InvalidParameterValue": BAD_WORDS,
    "InvalidParameterValue.IncorrectPhoneNumber": BAD_NUMBER,
    "InvalidParameterValue.SdkAppIdNotExist": MENDED,
    "MissingParameter": BAD_WORDS,
    "UnsupportedOperation": BAD_WORDS,
    "InternalError": SOON,
    "InternalError.RequestTimeException": MENDED,  # this machine's clock is more than 10 minutes off
    "InternalError.SigFieldMissing": MENDED,
    "InternalError.SigVerificationFail": MENDED,
    "LimitExceeded": A_DAY,
    "LimitExceeded.PhoneNumberCountLimit": BAD_WORDS,
    "LimitExceeded.DeliveryFrequencyLimit": A_MINUTE,
    "LimitExceeded.PhoneNumberThirtySecondLimit": A_MINUTE,
    "LimitExceeded.PhoneNumberOneHourLimit": AN_HOUR,
    "RequestLimitExceeded": A_MINUTE,
    "UnauthorizedOperation": MENDED,
    "AuthFailure": MENDED,
}
"""Codes of cloud.tencent.com/document/product/382/52075; a code not here is judged by what stands before its dot."""


@dataclass(frozen=True, slots=True)
class TencentSettings:
    """An account, an application, the signature its texts begin with, and the texts approved for it."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    app_id: str
    sign_name: str
    several: tuple[templates.Template, ...]
    region: str = "ap-guangzhou"
    endpoint: str = ENDPOINT
    receipts_token: str | None = field(default=None, repr=False)
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    network: Network = DIRECT


class Tencent:
    """The SMS channel over Tencent Cloud: one number a request, and receipts pulled or pushed.

    The message's id goes along as SessionContext; Tencent does not refuse one it has seen. Receipts are taken out of
    a queue that gives each only once: what nobody confirmed is kept here and told again, and what was lost with a
    process is asked for by its number once it is late.
    """

    channel = "sms"

    def __init__(self, settings: TencentSettings, now: Now) -> None:
        self._settings = settings
        self._now = now
        self._templates = templates.Templates(settings.several, LIMITS)
        self._api = JsonApi(timeout=settings.timeout, now=now, network=settings.network)
        self._pulled: Heard = Heard()

    def send(self, message: Message) -> Receipt:
        """Hand the template's variables over once; raise DeliveryError when they were not, or not surely, taken."""
        filled = self._templates.fill(message)
        answer = self._call(
            "SendSms",
            PhoneNumberSet=[message.address],
            SmsSdkAppId=self._settings.app_id,
            SignName=self._settings.sign_name,
            TemplateId=filled.template.id,
            TemplateParamSet=[value for _, value in filled.values],
            SessionContext=message.message_id,
        )
        status = next(iter(_objects(answer.get("SendStatusSet"))), None)
        if status is None or "Code" not in status:
            raise DeliveryError("Tencent Cloud's answer says nothing of the number", doubtful=True)
        if status["Code"] != "Ok":
            raise refused("Tencent Cloud", status["Code"], verdict(str(status["Code"]), REFUSALS))
        serial = status.get("SerialNo")
        return Receipt(provider_id=str(serial)[:128] if serial else None)

    def preview(self, message: Message) -> str:
        """The template and its variables."""
        return str(self._templates.fill(message))

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        """What the queues of reports and replies hold, and what became of messages that are late."""
        reports, replies = [*self._pulled.reports], [*self._pulled.replies]
        try:
            reports += (_report(row, self._now()) for row in self._queue("PullSmsSendStatus"))
            for row in self._queue("PullSmsReplyStatus"):
                with contextlib.suppress(NotHeardError):  # from no number that could be answered
                    replies.append(_pulled_reply(row, self._now()))
        finally:
            self._pulled = Heard(tuple(reports), tuple(replies))
        known = {report.provider_id for report in reports}
        late = [one for one in waiting if one.provider_id not in known and self._now() - one.sent_at > _LATE]
        with contextlib.suppress(DeliveryError):  # what the queues gave is worth telling all the same
            reports += [report for one in late for report in self._asked(one)]
        return Heard(tuple(reports), tuple(replies))

    def confirm(self, heard: Heard) -> None:
        """What was taken out of the queues is kept elsewhere now."""
        self._pulled = Heard(
            tuple(one for one in self._pulled.reports if one not in heard.reports),
            tuple(one for one in self._pulled.replies if one not in heard.replies),
        )

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        """A callback of reports or of a reply; raises NotHeardError without the receipts_token, or for another."""
        demand_token(pushed, self._settings.receipts_token)
        return heard(each(rows(pushed), lambda row: _pushed(row, now)), _ANSWER)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _queue(self, action: str) -> Iterator[Mapping[str, Any]]:
        """Everything in a queue of the provider's, which gives at most a hundred at once."""
        while True:
            found = _objects(self._call(action, Limit=_PULLED, SmsSdkAppId=self._settings.app_id).get(f"{action}Set"))
            yield from found
            if len(found) < _PULLED:
                return

    def _asked(self, one: Waiting) -> list[Report]:
        """What became of one message, asked for by its number; nothing where the number itself is refused."""
        try:
            answer = self._by_number(one)
        except DeliveryError as error:
            if not error.permanent:
                raise
            return []
        found = _objects(answer.get("PullSmsSendStatusSet"))
        return [_report(row, self._now()) for row in found if row.get("SerialNo") == one.provider_id]

    def _by_number(self, one: Waiting) -> Mapping[str, Any]:
        return self._call(
            "PullSmsSendStatusByPhoneNumber",
            BeginTime=int(one.sent_at.timestamp()) - 60,
            EndTime=int(self._now().timestamp()),
            Offset=0,
            Limit=_PULLED,
            PhoneNumber=one.address,
            SmsSdkAppId=self._settings.app_id,
        )

    def _call(self, action: str, **body: object) -> Mapping[str, Any]:
        """The response of one action; raises DeliveryError for an error in it, which comes with HTTP 200."""
        settings = self._settings
        payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        host = urlsplit(settings.endpoint).netloc
        at = self._now()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Host": host,
            "Authorization": authorization(host, payload, at, settings.secret_id, settings.secret_key),
            "X-TC-Action": action,
            "X-TC-Timestamp": str(int(at.timestamp())),
            "X-TC-Version": VERSION,
            "X-TC-Region": settings.region,
        }
        _, answer = self._api.call(f"{settings.endpoint}/", payload, headers)
        response = answer.get("Response") if isinstance(answer, dict) else None
        if not isinstance(response, dict):
            raise DeliveryError("Tencent Cloud's answer lacks its Response", doubtful=True)
        if isinstance(error := response.get("Error"), dict):
            raise refused("Tencent Cloud", error.get("Code"), verdict(str(error.get("Code")), REFUSALS))
        return response


def authorization(
    host: str, payload: bytes, at: dt.datetime, secret_id: str, secret_key: str, service: str = "sms"
) -> str:
    """The Authorization header of one POST of JSON (cloud.tencent.com/document/product/382/52072)."""
    stamp, day = int(at.timestamp()), f"{at.astimezone(dt.UTC):%Y-%m-%d}"
    hashed = hashlib.sha256(payload).hexdigest()
    request = f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\n\ncontent-type;host\n{hashed}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed = f"Credential={secret_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
    return f"TC3-HMAC-SHA256 {signed}"


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _report(row: Mapping[str, Any], now: dt.datetime) -> Report:
    return Report(
        "delivered" if row.get("ReportStatus") == "SUCCESS" else "failed",
        china_time(row.get("UserReceiveTime"), now),
        message_id=str(row["SessionContext"]) if row.get("SessionContext") else None,
        provider_id=str(row.get("SerialNo")),
        detail=(code := coded(row.get("Description"))),
        fault=fault_of_receipt(code),
    )


def _pulled_reply(row: Mapping[str, Any], now: dt.datetime) -> Reply:
    number = e164(row.get("PhoneNumber") or row.get("SubscriberNumber"), row.get("CountryCode") or "86")
    return Reply(number, text_of(row.get("ReplyContent")), china_time(row.get("ReplyTime"), now))


def _pushed(row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
    if "text" in row:
        number = e164(row.get("mobile"), row.get("nationcode") or "86")
        return Reply(number, text_of(row["text"]), china_time(row.get("time"), now))
    if "report_status" not in row:
        raise NotHeardError("a push that is neither a report nor a reply", forged=False)
    return Report(
        "delivered" if row["report_status"] == "SUCCESS" else "failed",
        china_time(row.get("user_receive_time"), now),
        provider_id=str(row.get("sid")),
        detail=(code := coded(row.get("errmsg"))),
        fault=fault_of_receipt(code),
    )


def build(settings: Settings, now: Now) -> Tencent:
    """The channel as configured."""
    alike = ("secret_id", "app_id", "sign_name", "region", "receipts_token", "timeout", "network")
    own = {name: settings[name] for name in alike}
    endpoint = (settings["endpoint"] or ENDPOINT).rstrip("/")
    several, secret = settings["template"], settings["secret_key"] or ""
    return Tencent(TencentSettings(**own, secret_key=secret, several=several, endpoint=endpoint), now)


PROVIDER = Provider(
    name="tencent",
    keys=(
        Key("secret_id", "text", "the account's SecretId", example='"AKIDExample"', needed=True, quiet=True),
        Key("secret_key", "secret", "the account's SecretKey", example='"tencent.secret"', needed=True),
        Key("app_id", "text", "the SdkAppId of the application", example='"1400006666"', needed=True),
        Key("region", "text", "the region asked", default="ap-guangzhou"),
        templates.SIGN_NAME,
        templates.KEY,
        templates.ENDPOINT,
        TOKEN,
        REPLIES,
        TIMEOUT,
        NETWORK,
    ),
    build=build,
    limits=LIMITS,
)
