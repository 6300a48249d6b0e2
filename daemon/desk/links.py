"""Signed links: what a recipient may do to a case with one tap; says nothing about whom."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_BEGINNING_BYTES = 5
"""Of the alert's id: the quarter of a second in which it was drafted, which few alerts share."""
_MAC_BYTES = 7
"""Whoever guesses links would have to ask for some trillions of them."""


class Act(StrEnum):
    """What a link does once its button is pressed."""

    ACKNOWLEDGE = "a"
    SEEN = "s"
    ABSENT = "m"


@dataclass(frozen=True, slots=True)
class Link:
    """An act on the case of one alert; the alert knows the case and the recipient."""

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
        raw = bytes.fromhex(alert_id)[:_BEGINNING_BYTES] + _mac(self._keys[0], act, alert_id)
        return f"{self._base}/a/{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"

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
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        beginning, mac = raw[:_BEGINNING_BYTES], raw[_BEGINNING_BYTES:]
        if len(mac) != _MAC_BYTES:
            return None
        return next((link for link in self._possible(beginning_with(beginning.hex())) if self._made(link, mac)), None)

    def _possible(self, alert_ids: Iterable[str]) -> Iterable[Link]:
        return (Link(act, alert_id) for alert_id in alert_ids for act in Act)

    def _made(self, link: Link, mac: bytes) -> bool:
        return any(hmac.compare_digest(mac, _mac(key, link.act, link.alert_id)) for key in self._keys)


def _mac(key: bytes, act: Act, alert_id: str) -> bytes:
    return hmac.digest(key, act.value.encode() + bytes.fromhex(alert_id), "sha256")[:_MAC_BYTES]


def _code(key: bytes, message_id: str) -> str:
    """Five digits: few enough to type, and so many that a slip of the finger hardly ever is another's."""
    mac = hmac.digest(key, b"reply\0" + message_id.encode(), "sha256")
    return f"{int.from_bytes(mac[:8]) % 100_000:05}"
