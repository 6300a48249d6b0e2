"""Mails that come back, read: delivery status notifications (RFC 3464), and what servers send in their place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32
from email.utils import parseaddr
from typing import Literal

from notifiers.bounce_causes import cause_of, is_bad_address
from notifiers.bounced_ids import envelope_id, has_returned, returned_id
from notifiers.contract import Fault, Report
from notifiers.mail_parts import header, instant, parts_of, subject_of, text_of
from notifiers.return_address import ReturnAddress

LONGEST = 256 * 1024
"""Bytes of a mail that are read: what a server says, and the headers of ours, stand before that."""

Status = Literal["delivered", "failed", "delayed"]

_ACTIONS: dict[str, Status] = {"failed": "failed", "expired": "failed", "delayed": "delayed", "delivered": "delivered"}
"""`relayed` and `expanded` say that the next server tells no more: nothing is known of it."""
_CLASSES: dict[str, Status] = {"5": "failed", "4": "delayed", "2": "delivered"}
_WEIGHT: tuple[Status, ...] = ("failed", "delivered", "delayed")
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)", re.ASCII)
_REPLY_CODE = re.compile(r"(?:^|[\s#:(<'\"])(5[05]\d)[ -]", re.ASCII | re.MULTILINE)
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FIELDS = re.compile(r"(?im)^[>\s]*(?:Final-Recipient|Action)\s*:")
_RETURNED = re.compile(
    r"undeliver|non-?delivery|could\s?n[o']t be (?:\w+ )?delivered|cannot be delivered|(?:was|were) not delivered"
    r"|unable to deliver|not able to deliver|wasn't able to deliver|could not deliver|did not reach"
    r"|delivery[ \w]*(?:has |have |is |was )?(?:fail|not possible)|failed (?:to deliver|delivery)|mail (?:system )?fail"
    r"|fail(?:ure|ed) (?:notice|notification)|delivery (?:failure|error|problem)"
    r"|return(?:ed|ing) (?:mail|message|to sender)|error has occurred while attempting to deliver"
    r"|rejected (?:your|the) (?:mail|message)|message (?:was |has been )?(?:rejected|refused)"
    r"|permanent(?:ly)? (?:fatal )?(?:error|fail)|had delivery errors|mail error"
    r"|退信|退回|未送达|未能送达|无法送达|无法投递|无法发送|投递失败|发送失败|不能投递|未递送",
    re.IGNORECASE,
)
_STILL_TRIED = (
    r"still being retried|will be retried|not yet been delivered|仍在尝试|继续尝试"
    r"|(?:will|to) (?:keep|continue) (?:to )?(?:try|retry|be (?:attempted|retried))"
)
_LATE = re.compile(rf"delay|warning|{_STILL_TRIED}|延迟|推迟", re.IGNORECASE)
"""Of a subject; in a text of some length such words may stand anywhere."""
_LATE_BY_TEXT = re.compile(_STILL_TRIED, re.IGNORECASE)
_AWAY = re.compile(
    r"out of (?:the )?office|auto(?:matic)?[ -]?(?:reply|response)|vacation|自动回复|自动答复|外出", re.IGNORECASE
)
_AUTOREPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From")
_NOT_DELIVERIES = re.compile(r"feedback-report|disposition-notification", re.IGNORECASE)
"""Complaints (RFC 5965) and receipts of readers (RFC 8098): the mail arrived."""
_DAEMON = re.compile(
    r"(?:mailer|mail|m)[-._]?daemon|post[-._]?master|mail[-._ ]deliver[-._ \w]*system|mail[-._ ]delivery[-._ ]subsystem"
    r"|(?:system|mail)[-._ ]?admin(?:istrator)?",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"(?i)-{2,} ?(?:below this line|this is a copy|original message|original mail|returned message|unsent message"
    r"|message text follows|原始邮件)|message headers follow|copy of the original message"
)
"""Where what the mail system says ends, and the mail it returns begins."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What became of it, when, by which code and for which cause, and the envelope's id if it is given."""

    status: Status
    at: dt.datetime
    code: str | None = None
    fault: Fault = Fault.ADDRESS
    envelope: str | None = None


def read_bounce(raw: bytes, domain: str, now: dt.datetime, back: ReturnAddress | None = None) -> Report | None:
    """Return what a mail says became of one of ours, whose Message-ID ends in `@domain`; None where it says nothing.

    Reads a standard notification by its fields. Any other mail counts only if a mail system wrote it, it names a mail
    of ours, and it says beyond mistake that it is undeliverable or late. `back` is where mails are sent back to. Never
    raises for what somebody sent us.
    """
    mail = BytesParser(policy=compat32).parsebytes(raw[:LONGEST])
    body = re.split(rb"\r?\n\r?\n", raw[:LONGEST], maxsplit=1)[-1].decode("utf-8", "replace")
    parts = list(parts_of(mail))
    said = None if _NOT_DELIVERIES.search(header(mail, "Content-Type")) else _said(mail, parts, now)
    if said is None:
        return None
    message_id = returned_id(mail, parts, body, domain, back, said.envelope)
    if message_id is None:
        return None
    fault = said.fault if said.status == "failed" else Fault.ADDRESS
    return Report(said.status, said.at, message_id, detail=said.code, fault=fault)


def _said(mail: Message, parts: Sequence[Message], now: dt.datetime) -> _Said | None:
    blocks = _blocks(parts)
    found = [one for block in blocks if (one := _of_recipient(block)) is not None]
    if found:
        return _by_fields(blocks, found, mail, parts, now)
    if any(header(block, "Action") for block in blocks):
        return None  # it tells something else than an end: that it was relayed, expanded, or could be delivered
    return _by_words(mail, parts, now)


# ---- by fields ------------------------------------------------------------------------------------------------------

_OfRecipient = tuple[Status, str | None, Message]


def _by_fields(
    blocks: Sequence[Message], found: Sequence[_OfRecipient], mail: Message, parts: Sequence[Message], now: dt.datetime
) -> _Said:
    word, code, block = min(found, key=lambda one: _WEIGHT.index(one[0]))
    at = instant(header(block, "Last-Attempt-Date")) or instant(header(mail, "Date")) or now
    words = header(block, "Diagnostic-Code") or own_text(parts)
    envelope = next((one for each in blocks if (one := envelope_id(each))), None)
    return _Said(word, min(at, now), code, cause_of(code, words), envelope)


def _of_recipient(block: Message) -> _OfRecipient | None:
    action = next(iter(header(block, "Action").lower().split()), "")
    known = _CODE.search(header(block, "Status"))
    code = known[1] if known else None
    word = _ACTIONS.get(action) if action else _CLASSES.get((code or "")[:1])
    return None if word is None else (word, code, block)


def _blocks(parts: Sequence[Message]) -> list[Message]:
    """Return the groups of fields of a status part: the mail's, then each recipient's; of a text that is like one."""
    status = next((part for part in parts if part.get_content_type() in _STATUS_PARTS), None)
    if status is not None:
        payload = status.get_payload()
        if isinstance(payload, list):
            return [one for one in payload if isinstance(one, Message) and one.keys()]
        return _groups(text_of(status))
    text = "\n".join(text_of(part) for part in parts if part.is_multipart())
    return _groups(text) if _FIELDS.search(text) else []


def _groups(text: str) -> list[Message]:
    groups = (group.strip() for group in re.split(r"\r?\n\s*\r?\n", text))
    return [HeaderParser().parsestr(group) for group in groups if group]


# ---- by words -------------------------------------------------------------------------------------------------------


def _by_words(mail: Message, parts: Sequence[Message], now: dt.datetime) -> _Said | None:
    subject, text = subject_of(mail), own_text(parts)
    if _is_autoreply(mail, subject) or not _is_of_a_mail_system(mail, parts, text):
        return None
    at = min(instant(header(mail, "Date")) or now, now)
    codes = _CODE.findall(text)
    bad = next((code for code in codes if code.startswith("5")), None)
    reply = _REPLY_CODE.search(text)
    failed = mail.get("X-Failed-Recipients") is not None
    returned = _RETURNED.search(subject)
    if not (bad or failed) and (_LATE.search(subject) or (not returned and _LATE_BY_TEXT.search(text))):
        return _Said("delayed", at, next(iter(codes), None))
    if bad or reply or failed or returned or _RETURNED.search(text) or is_bad_address(text):
        code = bad or (reply[1] if reply else None)
        return _Said("failed", at, code, cause_of(code, text))
    return None


def own_text(parts: Iterable[Message]) -> str:
    """Return what the mail system wrote itself, without the mail it returns below a line of its own."""
    said = "\n".join(
        text_of(part)
        for part in parts
        if part.get_content_maintype() == "multipart" or part.get_content_type() in {"text/plain", "text/html"}
    )
    return _COPY.split(said)[0]


def _is_autoreply(mail: Message, subject: str) -> bool:
    if any(mail.get(name) is not None for name in _AUTOREPLY_HEADERS):
        return True
    return header(mail, "Precedence").lower() == "auto_reply" or bool(_AWAY.search(subject))


def _is_of_a_mail_system(mail: Message, parts: Sequence[Message], text: str) -> bool:
    """Return whether a mail system wrote a mail: by its sender, by its form, or because it returns ours and says so."""
    name, address = parseaddr(header(mail, "From"))
    if _DAEMON.fullmatch(address.partition("@")[0]) or (not address.strip("@ ") and header(mail, "From")):
        return True
    if mail.get("X-Failed-Recipients") is not None or mail.get("X-MS-Exchange-Message-Is-Ndr") is not None:
        return True
    if _DAEMON.search(name) or header(mail, "Return-Path") == "<>":
        return bool(_RETURNED.search(subject_of(mail)) or _RETURNED.search(text))
    return has_returned(parts) and mail.get("In-Reply-To") is None and bool(_RETURNED.search(text))
