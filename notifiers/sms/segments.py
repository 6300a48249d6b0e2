"""How many messages a text becomes on the air, which is what it costs."""

from __future__ import annotations

from typing import Literal

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("\f^{}\\[~]|€")
_WHOLE = {"gsm7": 160, "ucs2": 70}
_PART = {"gsm7": 153, "ucs2": 67}
_BASIC_PLANE = 0xFFFF


def sms_encoding(text: str) -> Literal["gsm7", "ucs2"]:
    """The alphabet a text needs: one character outside GSM 03.38 moves all of it to UCS-2."""
    return "gsm7" if set(text) <= _GSM | _GSM_TWICE else "ucs2"


def sms_segments(text: str) -> int:
    """The number of segments of a text; a character of two units is never split between two of them."""
    encoding = sms_encoding(text)
    widths = [_width(character, encoding) for character in text]
    if sum(widths) <= _WHOLE[encoding]:
        return 1
    segments, room = 1, _PART[encoding]
    for width in widths:
        if width > room:
            segments, room = segments + 1, _PART[encoding]
        room -= width
    return segments


def _width(character: str, encoding: str) -> int:
    if encoding == "gsm7":
        return 2 if character in _GSM_TWICE else 1
    return 2 if ord(character) > _BASIC_PLANE else 1
