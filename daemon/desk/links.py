"""Signed links: what a recipient may do to a case or an incident; says nothing about whom."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_BEGINNING = 11
"""Hexadecimal digits of the alert's id: the 16 milliseconds in which it was drafted, which few alerts share."""
_MAC = 25
"""Hexadecimal digits: a hundred bits that nobody guesses. When an alert was drafted anybody may know."""
_DIGITS = _BEGINNING + _MAC
_LONG_BODY, _LONG_MAC = 17, 20
"""Of earlier, longer links: the bytes of the act and the whole id, and the digits after them."""


_TOKEN = re.compile(r"(https?://[^\s\"'<>]+/a/)[A-Za-z0-9_=-]{16,}")


def without_tokens(text: str) -> str:
    """Return a text whose links nobody can follow: of each address its end, which lets whoever has it act, is gone."""
    return _TOKEN.sub(r"\1…", text)


class Act(StrEnum):
    """What a link does once its button is pressed."""

    ACKNOWLEDGE = "a"
    SEEN = "s"
    ABSENT = "m"
    DEED = "d"
    """Says what was done about the case."""
    JUDGE = "j"
    """Says whether a mass absence is real."""


@dataclass(frozen=True, slots=True)
class Link:
    """An act on the case or incident of one alert; the alert knows which, and the recipient."""

    act: Act
    alert_id: str


class Links:
    """Makes links with the first of `keys` and checks them with any; keeps nothing, so a link lives as long as its key.

    The token is short because it travels in text messages: the beginning of the alert's id, and an HMAC-SHA256 over the
    act and the whole id, which finds the right one among those that begin so.
    """

    def __init__(self, keys: Sequence[bytes], public_url: str) -> None:
        self._keys = [hashlib.sha256(b"baoxue links\0" + key).digest() for key in keys]
        self._base = public_url.rstrip("/")

    def moved_to(self, public_url: str) -> Links:
        """Links of the same keys that begin with another address."""
        twin = Links((), public_url)
        twin._keys = self._keys
        return twin

    def url(self, act: Act, alert_id: str) -> str:
        """The address to be put into a message; `alert_id` is 32 hexadecimal digits."""
        raw = bytes.fromhex(alert_id[:_BEGINNING] + _mac(self._keys[0], _body(act, alert_id), _MAC))
        return f"{self._base}/a/{base64.urlsafe_b64encode(raw).decode()}"

    def reply_code(self, message_id: str) -> str:
        """The code that, answered by text message, acknowledges what a message is about; the same for ever."""
        return _code(self._keys[0], message_id)

    def reply_codes(self, message_id: str) -> frozenset[str]:
        """The codes a message may have left with: one a key."""
        return frozenset(_code(key, message_id) for key in self._keys)

    def read(self, token: str, beginning_with: Callable[[str], Iterable[str]]) -> Link | None:
        """The link behind a token; None when it was not made here.

        `beginning_with` gives the ids of the alerts that begin so, in hexadecimal digits; it is asked once at most.
        """
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        digits, body = raw.hex(), raw[:_LONG_BODY]
        if len(digits) == 2 * _LONG_BODY + _LONG_MAC and self._made(body, digits[2 * _LONG_BODY :]):
            return Link(Act(body[:1].decode()), body[1:].hex())
        if len(digits) != _DIGITS:
            return None
        possible = (Link(act, one) for one in beginning_with(digits[:_BEGINNING]) for act in Act)
        return next(
            (link for link in possible if self._made(_body(link.act, link.alert_id), digits[_BEGINNING:])), None
        )

    def _made(self, body: bytes, mac: str) -> bool:
        return any(hmac.compare_digest(mac, _mac(key, body, len(mac))) for key in self._keys)


def _body(act: Act, alert_id: str) -> bytes:
    return act.value.encode() + bytes.fromhex(alert_id)


def _mac(key: bytes, body: bytes, digits: int) -> str:
    return hmac.digest(key, body, "sha256").hex()[:digits]


def _code(key: bytes, message_id: str) -> str:
    """Five digits: few enough to type, and so many that a slip of the finger hardly ever is another's."""
    mac = hmac.digest(key, b"reply\0" + message_id.encode(), "sha256")
    return f"{int.from_bytes(mac[:8]) % 100_000:05}"
