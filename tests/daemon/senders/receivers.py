"""One receiver for each channel and provider, that behaves well or in one of the ways receivers misbehave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from tests.phone import Arrival
from tests.phones import SmtpSink
from tests.phones_http import Answer, HttpPhone, HttpRequest

SLOW_SECONDS = 0.6
TIMEOUT_SECONDS = 1


class Behaviour(StrEnum):
    """How a receiver treats what it is given."""

    TAKEN = "taken"
    REFUSED_FOR_THE_ACCOUNT = "refused for the account"
    REFUSED_FOR_THE_RECIPIENT = "refused for the recipient"
    BUSY = "busy"
    SLOW = "slow"
    BROKEN_AFTER_TAKING = "broken after taking"
    SILENT = "silent"


class Receiver(Protocol):
    """What a cell of the matrix needs of a receiver: to misbehave, to be mended, and to say how many copies it took."""

    def behaves(self, behaviour: Behaviour) -> None:
        """Treat everything so from now on."""

    def copies(self) -> int:
        """Return how many messages it took."""


def _said(**fields: Any) -> Answer:  # noqa: ANN401 - JSON
    return Answer(body=fields, taken=False)


def _tencent(code: str) -> Answer:
    return _said(Response={"SendStatusSet": [{"Code": code, "SerialNo": "1:1"}], "RequestId": "r"})


_YES: Mapping[str, Mapping[str, Any] | None] = {
    "http": {"code": "OK"},
    "aliyun": {"Code": "OK", "BizId": "900619746936498440^0", "Message": "OK", "RequestId": "r"},
    "tencent": {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "1:1"}], "RequestId": "r"}},
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"code": 0, "msg": "success"},
    "webhook": None,
    "curl": None,
    "operator": None,
}
_NO: Mapping[str, tuple[Answer, Answer, Answer]] = {
    "http": (Answer(401), Answer(422), Answer(503)),
    "aliyun": (
        _said(Code="isv.AMOUNT_NOT_ENOUGH", Message="x"),
        _said(Code="isv.MOBILE_NUMBER_ILLEGAL", Message="x"),
        _said(Code="isp.SYSTEM_ERROR", Message="x"),
    ),
    "tencent": (
        _tencent("FailedOperation.InsufficientBalanceInSmsPackage"),
        _tencent("FailedOperation.PhoneNumberInBlacklist"),
        _tencent("InternalError.Timeout"),
    ),
    "wecom": (_said(errcode=93000), _said(errcode=40058), _said(errcode=-1)),
    "dingtalk": (_said(errcode=310000), _said(errcode=430104), _said(errcode=-1)),
    "feishu": (_said(code=19021), _said(code=19002), _said(code=11247)),
    "webhook": (Answer(401), Answer(410), Answer(503)),
    "curl": (Answer(403), Answer(410), Answer(502)),
}
"""What each answers against its caller's account, against the recipient (a robot: against the words), and when busy."""


class HttpReceiver(HttpPhone):
    """A provider, a robot or an endpoint; believes every signature, for others judge those."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False)
        self.name = name
        self.usual = Answer(body=_YES[name])

    def behaves(self, behaviour: Behaviour) -> None:
        account, recipient, busy = _NO[self.name]
        body = _YES[self.name]
        self.usual = {
            Behaviour.TAKEN: Answer(body=body),
            Behaviour.REFUSED_FOR_THE_ACCOUNT: account,
            Behaviour.REFUSED_FOR_THE_RECIPIENT: recipient,
            Behaviour.BUSY: busy,
            Behaviour.SLOW: Answer(body=body, delay=SLOW_SECONDS),
            Behaviour.BROKEN_AFTER_TAKING: Answer(drop=True, taken=True),
            Behaviour.SILENT: Answer(delay=60, taken=False),
        }[behaviour]

    def copies(self) -> int:
        return len(self.arrivals) + len(self.repeats)

    def fault(self, request: HttpRequest) -> Answer | None:
        """Refuse what asks for receipts: only messages are looked at here."""
        action = request.headers.get("x-tc-action") or request.headers.get("x-acs-action") or "SendSms"
        return None if action == "SendSms" else Answer(503)

    def arrival(self, request: HttpRequest) -> Arrival:
        text = request.body.decode()
        return Arrival(self.name, text, f"{len(self.requests)}", dt.datetime.now(dt.UTC))


class MailReceiver(SmtpSink):
    """A mail server."""

    def __init__(self) -> None:
        super().__init__(strict=False)

    def behaves(self, behaviour: Behaviour) -> None:
        self.forgets_plans()
        self.thinks(after_mail=SLOW_SECONDS if behaviour is Behaviour.SLOW else 0)
        match behaviour:
            case Behaviour.REFUSED_FOR_THE_ACCOUNT:
                self.refuses("MAIL", "553 Mail from must equal authorized user", times=100)
            case Behaviour.REFUSED_FOR_THE_RECIPIENT:
                self.refuses("RCPT", "550 5.1.1 no such user", times=100)
            case Behaviour.BUSY:
                self.refuses("RCPT", "451 4.3.2 busy", times=100)
            case Behaviour.BROKEN_AFTER_TAKING:
                self.refuses("END", "", times=100)
            case Behaviour.SILENT:
                for _ in range(100):
                    self.hangs("MAIL")

    def copies(self) -> int:
        return len(self.mails)


class SpoolReceiver:
    """The spool of smsd: it takes what lies in its outbox, and is not there while its account is at fault."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool
        for name in ("outbox", "sent", "error", "inbox"):
            (spool / name).mkdir(parents=True)

    def behaves(self, behaviour: Behaviour) -> None:
        outbox = self.spool / "outbox"
        if behaviour is Behaviour.REFUSED_FOR_THE_ACCOUNT:
            outbox.rmdir()
        else:
            outbox.mkdir(exist_ok=True)

    def copies(self) -> int:
        return len(list((self.spool / "outbox").glob("OUT*"))) if (self.spool / "outbox").exists() else 0
