"""Text messages through Aliyun 阿里云短信服务 (dysmsapi 2017-05-25), signed with ACS3-HMAC-SHA256."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from notifiers.contract import DeliveryError, Heard, Message, NotHeardError, Pushed, Receipt, Reply, Report, Waiting
from notifiers.jsonapi import JsonApi
from notifiers.network import DIRECT, Network
from notifiers.provider import NETWORK, REPLIES, TIMEOUT, Key, Limits, Now, Provider, Settings, network_of
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
from notifiers.sms.pushes import CHINA, TOKEN, china_time, demand_token, e164, each, heard, rows, text_of

LIMITS = Limits(variable=35)
"""A variable holds 1 to 35 characters (help.aliyun.com/document_detail/108088.html)."""

ENDPOINT = "https://dysmsapi.aliyuncs.com"
VERSION = "2017-05-25"
_PAGE = 50
_STATUS: Mapping[int, Literal["delivered", "failed"]] = {2: "failed", 3: "delivered"}
"""By SendStatus; 1 is on its way."""
_LATE = dt.timedelta(minutes=5)
_ANSWER = json.dumps({"code": 0, "msg": "接收成功"}, ensure_ascii=False).encode()

REFUSALS: Mapping[str, Verdict] = {
    "isv.MOBILE_NUMBER_ILLEGAL": BAD_NUMBER,
    "isv.MOBILE_COUNT_OVER_LIMIT": BAD_WORDS,
    "isv.TEMPLATE_MISSING_PARAMETERS": BAD_WORDS,
    "isv.TEMPLATE_PARAMS_ILLEGAL": BAD_WORDS,
    "isv.INVALID_PARAMETERS": BAD_WORDS,
    "isv.INVALID_JSON_PARAM": BAD_WORDS,
    "isv.BLACK_KEY_CONTROL_LIMIT": BAD_NUMBER,
    "isv.PARAM_LENGTH_LIMIT": BAD_WORDS,
    "isv.PARAM_NOT_SUPPORT_URL": BAD_WORDS,
    "isv.SMS_CONTENT_ILLEGAL": BAD_WORDS,
    "isv.NOT_SUPPORTED_COUNTRY": BAD_NUMBER,
    "isv.DAY_LIMIT_CONTROL": A_DAY,
    "isv.MONTH_LIMIT_CONTROL": A_DAY,
    "isv": MENDED,  # the account, its balance, its signatures and templates
    "isp.RAM_PERMISSION_DENY": MENDED,
    "isp": SOON,
    "SMS_SIGNATURE_ILLEGAL": MENDED,
    "SignatureDoesNotMatch": MENDED,
    "IncompleteSignature": MENDED,
    "InvalidTimeStamp": MENDED,  # this machine's clock is more than 15 minutes off
    "SignatureNonceUsed": SOON,
    "InvalidAccessKeyId": MENDED,
    **dict.fromkeys(("MissingAccessKeyId", "InvalidSecurityToken", "UserDisable", "Forbidden", "NoPermission"), MENDED),
    "Throttling": A_MINUTE,
}
"""Codes of help.aliyun.com/document_detail/101346.html and of the gateway before it; a longer name counts first."""

_CONTROLLED = "isv.BUSINESS_LIMIT_CONTROL"
_SHARES = (("分钟", A_MINUTE), ("小时", AN_HOUR), ("minute", A_MINUTE), ("hour", AN_HOUR))
"""What the message of a refused rate says: 触发分钟级流控, 小时级, 天级."""


@dataclass(frozen=True, slots=True)
class AliyunSettings:
    """An account, the signature its texts begin with, and the texts approved for it."""

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)
    sign_name: str
    several: tuple[templates.Template, ...]
    endpoint: str = ENDPOINT
    receipts_token: str | None = field(default=None, repr=False)
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    network: Network = DIRECT


class Aliyun:
    """The SMS channel over Aliyun: one number a request, and receipts asked for or pushed.

    The message's id goes along as OutId and comes back in every receipt; Aliyun does not refuse one it has seen.
    Parameters go in the query, as Aliyun's own clients send them: whoever logs URLs on the way would see numbers.
    """

    channel = "sms"

    def __init__(self, settings: AliyunSettings, now: Now) -> None:
        self._settings = settings
        self._now = now
        self._templates = templates.Templates(settings.several, LIMITS)
        self._api = JsonApi(timeout=settings.timeout, now=now, network=settings.network)

    def send(self, message: Message) -> Receipt:
        """Hand the template's variables over once; raise DeliveryError when they were not, or not surely, taken."""
        filled = self._templates.fill(message)
        answer = self._call(
            "SendSms",
            PhoneNumbers=bare(message.address),
            SignName=self._settings.sign_name,
            TemplateCode=filled.template.id,
            TemplateParam=json.dumps(dict(filled.values), ensure_ascii=False),
            OutId=message.message_id,
        )
        biz_id = answer.get("BizId")
        return Receipt(provider_id=str(biz_id)[:128] if biz_id else None)

    def preview(self, message: Message) -> str:
        """The template and its variables."""
        return str(self._templates.fill(message))

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        """Ask what became of each message, by its number, its BizId and the day it was sent."""
        reports: list[Report] = []
        for one in waiting:
            try:
                reports += self._reports(one)
            except DeliveryError as error:
                if error.permanent:  # about this one number, not about the others
                    continue
                if not reports:
                    raise
                break
        return Heard(reports=tuple(reports))

    def confirm(self, heard: Heard) -> None:
        """Nothing to do: what was asked for can be asked for again, for 30 days."""

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        """A batch of SmsReport or SmsUp; raises NotHeardError without the receipts_token, or for anything else."""
        demand_token(pushed, self._settings.receipts_token)
        return heard(each(rows(pushed), lambda row: _pushed(row, now)), _ANSWER)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _reports(self, one: Waiting) -> Iterator[Report]:
        for row in (row for day in _days(one.sent_at) for row in self._details(one, day)):
            status = _STATUS.get(_number(row.get("SendStatus")))
            if status is not None and row.get("OutId") in {one.message_id, None, ""}:
                at = china_time(row.get("ReceiveDate"), self._now())
                code = coded(row.get("ErrCode"))
                yield Report(status, at, one.message_id, one.provider_id, code, fault_of_receipt(code))

    def _details(self, one: Waiting, day: dt.date) -> Iterator[Mapping[str, Any]]:
        asked = {"PhoneNumber": bare(one.address), "SendDate": f"{day:%Y%m%d}", "PageSize": str(_PAGE)}
        if one.provider_id is not None:
            asked["BizId"] = one.provider_id
        page = seen = 0
        while True:
            page += 1
            answer = self._call("QuerySendDetails", **asked, CurrentPage=str(page))
            found = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
            yield from found
            seen += len(found)
            if not found or seen >= _number(answer.get("TotalCount")):
                return

    def _call(self, action: str, **parameters: str) -> Mapping[str, Any]:
        """The answer to one action, which says OK; raises DeliveryError for every other code."""
        settings = self._settings
        query = canonical_query(parameters)
        host = urlsplit(settings.endpoint).netloc
        headers = signed(action, host, query, self._now(), settings.key_id, settings.key_secret)
        status, answer = self._api.call(f"{settings.endpoint}/?{query}", b"", headers)
        code = answer.get("Code") if isinstance(answer, dict) else None
        if status < 300 and code == "OK":  # noqa: PLR2004 - the statuses of success
            return dict(answer)
        if code is None:
            doubtful = status < 300  # noqa: PLR2004 - likewise
            raise DeliveryError("Aliyun's answer lacks its Code", doubtful=doubtful)
        raise refused("Aliyun", code, _verdict(str(code), str(answer.get("Message", ""))))


def signed(action: str, host: str, query: str, at: dt.datetime, key_id: str, key_secret: str) -> dict[str, str]:
    """The headers of one POST without a body, with its signature (help.aliyun.com/document_detail/2712195.html)."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-version": VERSION,
    }
    return {**headers, "Authorization": authorization("POST", "/", query, headers, key_id, key_secret)}


def authorization(method: str, path: str, query: str, headers: Mapping[str, str], key_id: str, key_secret: str) -> str:
    """The Authorization header of a request; all `headers` are signed, and x-acs-content-sha256 is among them."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    hashed = headers["x-acs-content-sha256"]
    request = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{hashed}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={';'.join(names)},Signature={signature}"


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Parameters in order of their names, percent-encoded as RFC 3986 wants: what is signed is what is sent."""
    return "&".join(f"{quote(key, safe='~')}={quote(parameters[key], safe='~')}" for key in sorted(parameters))


def bare(address: str) -> str:
    """A number as Aliyun wants it: China's without a country, others without the plus."""
    return address.removeprefix("+86") if address.startswith("+86") else address.removeprefix("+")


def _verdict(code: str, message: str) -> Verdict:
    if code == _CONTROLLED:
        return next((found for word, found in _SHARES if word in message.lower()), A_DAY)
    return verdict(code, REFUSALS)


def _days(sent_at: dt.datetime) -> tuple[dt.date, ...]:
    """The day a message counts for in China; the next one, too, where midnight came between us and the provider."""
    return tuple(dict.fromkeys((sent_at.astimezone(CHINA).date(), (sent_at + _LATE).astimezone(CHINA).date())))


def _pushed(row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
    if "content" in row:
        return _reply(row, now)
    if not isinstance(row.get("success"), bool):
        raise NotHeardError("a push that is neither SmsReport nor SmsUp", forged=False)
    return Report(
        "delivered" if row["success"] else "failed",
        china_time(row.get("report_time"), now),
        message_id=str(row["out_id"]) if row.get("out_id") else None,
        provider_id=str(row["biz_id"]) if row.get("biz_id") else None,
        detail=(code := coded(row.get("err_code"))),
        fault=fault_of_receipt(code),
    )


def _reply(row: Mapping[str, Any], now: dt.datetime) -> Reply:
    number = row.get("sequence_id")
    return Reply(
        e164(row.get("phone_number")),
        text_of(row.get("content")),
        china_time(row.get("send_time"), now),
        reply_id=str(number) if number is not None else None,
    )


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdecimal() else 0


def build(settings: Settings, now: Now) -> Aliyun:
    """The channel as configured."""
    return Aliyun(
        AliyunSettings(
            settings["access_key_id"],
            settings["access_key_secret"] or "",
            settings["sign_name"],
            settings["template"],
            (settings["endpoint"] or ENDPOINT).rstrip("/"),
            settings["receipts_token"],
            settings["timeout"],
            network_of(settings),
        ),
        now,
    )


PROVIDER = Provider(
    name="aliyun",
    keys=(
        Key("access_key_id", "text", "the account's AccessKey id", example='"LTAI5tExample"', needed=True, quiet=True),
        Key("access_key_secret", "secret", "the account's AccessKey secret", example='"aliyun.secret"', needed=True),
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
