"""Mails that come back, read: delivery status notifications (RFC 3464), and what servers send in their place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from email import policy
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.utils import parseaddr, parsedate_to_datetime
from typing import Literal

from notifiers.contract import Report

LONGEST = 256 * 1024
"""Bytes of a mail that are read: what a server says, and the headers of ours, stand before that."""
_MOST_PARTS = 50
_LONGEST_TEXT = 64 * 1024

Status = Literal["delivered", "failed", "delayed"]

_ACTIONS: dict[str, Status] = {"failed": "failed", "delayed": "delayed", "delivered": "delivered"}
"""`relayed` and `expanded` say that the next server tells no more: nothing is known of it."""
_CLASSES: dict[str, Status] = {"5": "failed", "4": "delayed", "2": "delivered"}
_WEIGHT: tuple[Status, ...] = ("failed", "delivered", "delayed")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_ID_LINE = re.compile(r"(?i)message-id\b[^\n]{0,20}?[:=]\s*([^\n]{0,200})")
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)", re.ASCII)
_REPLY_CODE = re.compile(r"(?:^|[\s#:(<'\"])(5[05]\d)[ -]", re.ASCII | re.MULTILINE)
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mdaemon", "maildaemon"})
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADER_PARTS = frozenset({"text/rfc822-headers", "message/global-headers"})
_RETURNED = re.compile(
    r"undeliver|could not be delivered|returned mail|returned to sender|failure notice|delivery (?:has )?fail|"
    r"mail delivery failed|delivery status notification \(failure\)|退信|退回|未送达|无法送达|无法投递|投递失败",
    re.IGNORECASE,
)
_LATE = re.compile(r"delay|warning|still being retried|延迟|推迟|仍在尝试", re.IGNORECASE)
_AWAY = re.compile(
    r"out of (?:the )?office|auto(?:matic)?[ -]?(?:reply|response)|vacation|自动回复|自动答复|外出", re.IGNORECASE
)
_AUTOREPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From")


def read_bounce(raw: bytes, domain: str, now: dt.datetime) -> Report | None:
    """What a mail says became of one of ours, whose Message-ID ends in `@domain`; None where it says nothing of that.

    Reads a standard notification by its fields. Any other mail counts only if a mail system wrote it, it names a mail
    of ours, and it says beyond mistake that it is undeliverable or late. Never raises for what somebody sent us.
    """
    mail = BytesParser(policy=policy.compat32).parsebytes(raw[:LONGEST])
    parts = list(_parts(mail))
    status = next((part for part in parts if part.get_content_type() in _STATUS_PARTS), None)
    said = _by_fields(status, mail, now) if status is not None else _by_words(mail, parts, now)
    if said is None:
        return None
    found, at, code, envelope = said
    message_id = (
        envelope or _returned_id(parts, domain) or (None if status is not None else _named_id(mail, parts, domain))
    )
    return Report(found, at, message_id, detail=code) if message_id else None


_Said = tuple[Status, dt.datetime, str | None, str | None]
"""What became of it, when, by which code, and the envelope's id if it is given."""


def _by_fields(status: Message, mail: Message, now: dt.datetime) -> _Said | None:
    blocks = _blocks(status)
    if not blocks:
        return None
    envelope = (_field(blocks[0], "Original-Envelope-Id") or "").strip("<>")
    found = [one for block in blocks if (one := _of_recipient(block)) is not None]
    if not found:
        return None
    word, code, block = min(found, key=lambda one: _WEIGHT.index(one[0]))
    at = _instant(_field(block, "Last-Attempt-Date")) or _instant(mail.get("Date")) or now
    return word, min(at, now), code, envelope if _ID.fullmatch(envelope) else None


def _of_recipient(block: Message) -> tuple[Status, str | None, Message] | None:
    action = (_field(block, "Action") or "").lower()
    known = _CODE.search(_field(block, "Status") or "")
    code = known[1] if known else None
    word = _ACTIONS.get(action) if action else _CLASSES.get((code or "")[:1])
    return None if word is None else (word, code, block)


def _by_words(mail: Message, parts: list[Message], now: dt.datetime) -> _Said | None:
    failed_header = mail.get("X-Failed-Recipients") is not None
    if _is_autoreply(mail) or not (failed_header or _is_of_a_mail_system(mail)):
        return None
    subject, text = _subject(mail), _own_text(parts)
    codes = _CODE.findall(text)
    bad = next((code for code in codes if code.startswith("5")), None)
    reply = _REPLY_CODE.search(text)
    at = min(_instant(mail.get("Date")) or now, now)
    if _LATE.search(subject) and not bad and not failed_header:
        return "delayed", at, next(iter(codes), None), None
    if bad or reply or failed_header or _RETURNED.search(subject):
        return "failed", at, bad or (reply[1] if reply else None), None
    return None


# ---- whose mail it is -----------------------------------------------------------------------------------------------


def _is_autoreply(mail: Message) -> bool:
    if any(mail.get(name) is not None for name in _AUTOREPLY_HEADERS):
        return True
    return (mail.get("Precedence") or "").strip().lower() == "auto_reply" or bool(_AWAY.search(_subject(mail)))


def _is_of_a_mail_system(mail: Message) -> bool:
    sender = parseaddr(str(mail.get("From") or ""))[1].partition("@")[0].lower()
    return sender in _DAEMONS


def _returned_id(parts: list[Message], domain: str) -> str | None:
    """The id in the headers of our own mail, as it was returned."""
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() in {"message/rfc822", "message/global"} and isinstance(payload, list) and payload:
            inner = payload[0]
            found = _own_id(str(inner.get("Message-ID") or ""), domain) if isinstance(inner, Message) else None
        elif part.get_content_type() in _HEADER_PARTS:
            found = _own_id(str(HeaderParser().parsestr(_text(part)).get("Message-ID") or ""), domain)
        else:
            found = None
        if found:
            return found
    return None


def _named_id(mail: Message, parts: list[Message], domain: str) -> str | None:
    """The id of ours that is named anywhere; None where several are, for then nobody knows which is meant."""
    found = {one for name in ("In-Reply-To", "References") for one in _ids(str(mail.get(name) or ""), domain)}
    for part in parts:
        if part.get_content_maintype() == "text":
            found |= {one for line in _ID_LINE.findall(_text(part)) for one in _ids(line, domain)}
    return found.pop() if len(found) == 1 else None


def _own_id(header: str, domain: str) -> str | None:
    return next(_ids(header, domain), None)


def _ids(text: str, domain: str) -> Iterator[str]:
    written = re.compile(rf"(?:<|&lt;)({_ID.pattern})@{re.escape(domain)}(?:>|&gt;)", re.ASCII | re.IGNORECASE)
    return (one[1] for one in written.finditer(text))


# ---- the shape of mails ---------------------------------------------------------------------------------------------


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a mail, but not what lies within the mail it returns."""
    waiting, count = [mail], 0
    while waiting and count < _MOST_PARTS:
        part = waiting.pop(0)
        count += 1
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [one for one in payload if isinstance(one, Message)]


def _blocks(status: Message) -> list[Message]:
    """The groups of fields of a status part: the mail's, then each recipient's."""
    payload = status.get_payload()
    if isinstance(payload, list):
        return [one for one in payload if isinstance(one, Message) and one.keys()]
    groups = re.split(r"\r?\n\s*\r?\n", _text(status).strip())
    return [HeaderParser().parsestr(group.strip()) for group in groups if group.strip()]


def _own_text(parts: list[Message]) -> str:
    """What the mail system wrote itself, without the mail it returns below a line of its own."""
    said = "\n".join(_text(part) for part in parts if part.get_content_type() in {"text/plain", "text/html"})
    return re.split(r"(?i)-{2,} ?(?:below this line|this is a copy|original message|原始邮件)", said)[0]


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload[:_LONGEST_TEXT].decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload[:_LONGEST_TEXT].decode("utf-8", "replace")


def _subject(mail: Message) -> str:
    try:
        return str(policy.default.header_factory("Subject", str(mail.get("Subject") or "")))[:500]
    except (ValueError, LookupError, IndexError):
        return str(mail.get("Subject") or "")[:500]


def _field(block: Mapping[str, str] | Message, name: str) -> str | None:
    """A field's value without its comment's and type's trimmings."""
    value = block.get(name)
    return str(value).strip() if value is not None else None


def _instant(written: object) -> dt.datetime | None:
    """A date of a mail as an instant; None for what is none, or of another age."""
    try:
        found = parsedate_to_datetime(str(written)) if written else None
    except (ValueError, OverflowError, TypeError):
        return None
    if found is None:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return found.astimezone(dt.UTC) if found.year >= 2000 else None  # noqa: PLR2004 - no server of ours is older
