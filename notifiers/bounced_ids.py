"""Which mail of ours a returned mail is about: by its return address, its own headers, or wherever it is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from email.parser import HeaderParser

from notifiers.mail_parts import header, text_of
from notifiers.return_address import ReturnAddress

ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TO = (
    "Delivered-To",
    "X-Original-To",
    "X-Delivered-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-RCPT-TO",
    "X-Apparently-To",
    "To",
    "Received",
)
"""Headers that name where a mail was delivered to."""
_FROM = ("Return-Path", "X-Postfix-Sender", "X-Envelope-From", "X-Envelope-Sender", "Sender")
"""Headers of the returned mail that name its envelope sender."""
_RETURNED = frozenset({"message/rfc822", "message/global", "message/partial"})
_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers", "message/rfc822-headers"})
_ID_LINE = re.compile(r"(?i)message-?id\b[^\n]{0,20}?[:=]\s*([^\n]{0,200})")
_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"


def returned_id(
    mail: Message, parts: Sequence[Message], body: str, domain: str, back: ReturnAddress | None, envelope: str | None
) -> str | None:
    """Return the id of the one mail of ours that `mail` returns; None where there is none, or more than one.

    `body` is what stands below its headers as it came, for mails whose parts cannot be told apart; `envelope` the id
    its notification gives. What counts first: the address it came back to, an envelope's id that looks like ours (some
    relays make up others), the headers of our mail in it, what it answers, whichever it names.
    """
    return (
        _by_address(mail, parts, back)
        or (envelope if envelope and re.fullmatch(_UUID, envelope, re.IGNORECASE) else None)
        or next(_in_headers(parts, domain), None)
        or _only(_answered(mail, domain))
        or _only(_named(mail, [*map(text_of, parts), body], domain))
        or envelope
    )


def envelope_id(block: Message) -> str | None:
    """Return the id in a notification's Original-Envelope-Id, where it is of the form of ours."""
    written = header(block, "Original-Envelope-Id").partition(";")[2] or header(block, "Original-Envelope-Id")
    found = written.strip().strip("<>")
    return found if ID.fullmatch(found) else None


def has_returned(parts: Sequence[Message]) -> bool:
    """Return whether a mail holds another one, or the headers of another."""
    return any(part.get_content_type() in _RETURNED | _HEADERS for part in parts)


def _by_address(mail: Message, parts: Sequence[Message], back: ReturnAddress | None) -> str | None:
    if back is None:
        return None
    places = [str(value) for name in _TO for value in mail.get_all(name, [])]
    places += [str(value) for one in _returned(parts) for name in _FROM for value in one.get_all(name, [])]
    return _only({one for place in places for one in back.ids_in(place)})


def _in_headers(parts: Sequence[Message], domain: str) -> Iterator[str]:
    return (one for inner in _returned(parts) for one in ids_in(header(inner, "Message-ID"), domain))


def _returned(parts: Sequence[Message]) -> Iterator[Message]:
    """Yield the mails that a mail returns, or what there is of their headers."""
    for part in parts:
        payload = part.get_payload()
        if part.get_content_type() in _RETURNED and isinstance(payload, list):
            yield from (one for one in payload if isinstance(one, Message))
        elif part.get_content_type() in _HEADERS | _RETURNED:
            yield HeaderParser().parsestr(text_of(part).lstrip())


def _answered(mail: Message, domain: str) -> set[str]:
    return {one for name in ("In-Reply-To", "References") for one in ids_in(header(mail, name), domain)}


def _named(mail: Message, texts: Sequence[str], domain: str) -> set[str]:
    """Return the ids of ours that stand in a line `Message-ID:` anywhere; else those that look like nothing else."""
    own = set(ids_in(header(mail, "Message-ID"), domain))
    lines = {one for text in texts for line in _ID_LINE.findall(text) for one in ids_in(line, domain)}
    if lines - own:
        return lines - own
    unlike = re.compile(rf"(?<![\w.-])({_UUID})@{re.escape(domain)}(?![\w-])", re.IGNORECASE)
    return {found[1] for text in texts for found in unlike.finditer(text)} - own


def ids_in(text: str, domain: str) -> Iterator[str]:
    """Yield every id of ours in angle brackets, be they written as HTML writes them."""
    written = re.compile(rf"(?:<|&lt;)\s*({ID.pattern})@{re.escape(domain)}\s*(?:>|&gt;)", re.ASCII | re.IGNORECASE)
    return (one[1] for one in written.finditer(text))


def _only(found: set[str]) -> str | None:
    """Return the one there is; None where there are several, for then nobody knows which is meant."""
    return next(iter(found)) if len(found) == 1 else None
