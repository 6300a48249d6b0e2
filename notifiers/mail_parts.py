"""The shape of mails that came from anywhere: their parts, texts and headers, however they are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.utils import parsedate_to_datetime

_MOST_PARTS = 50
_LONGEST_TEXT = 64 * 1024
_LONGEST_SUBJECT = 500
_FIRST_YEAR = 2000
"""No server of ours is older."""


def parts_of(mail: Message) -> Iterator[Message]:
    """Yield the parts of a mail, itself first, but not what lies within the mail it returns."""
    waiting, count = [mail], 0
    while waiting and count < _MOST_PARTS:
        part = waiting.pop(0)
        count += 1
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [one for one in payload if isinstance(one, Message)]


def text_of(part: Message) -> str:
    """Return the text of a part that holds no others; of one that does, what stands before and after them."""
    if part.is_multipart():
        return f"{part.preamble or ''}\n{part.epilogue or ''}"[:_LONGEST_TEXT]
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload[:_LONGEST_TEXT].decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, UnicodeError):
        return payload[:_LONGEST_TEXT].decode("utf-8", "replace")


def subject_of(mail: Message) -> str:
    """Return the subject in plain letters."""
    raw = header(mail, "Subject")
    try:
        return str(policy.default.header_factory("Subject", raw))[:_LONGEST_SUBJECT]
    except (ValueError, LookupError, IndexError):
        return raw[:_LONGEST_SUBJECT]


def header(block: Message, name: str) -> str:
    """Return a header's value, empty where there is none; letters that no header may hold are read as meant."""
    value = next((str(value) for key, value in block.raw_items() if key.lower() == name.lower()), "")
    raw = value.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace").strip()


def instant(written: str) -> dt.datetime | None:
    """Return a date of a mail as an instant; None for what is none, or of another age."""
    try:
        found = parsedate_to_datetime(written) if written else None
    except (ValueError, OverflowError, TypeError):
        return None
    if found is None:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return found.astimezone(dt.UTC) if found.year >= _FIRST_YEAR else None
