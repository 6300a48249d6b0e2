"""Telephone numbers: what kind each is, and whether a text message can reach it."""

from __future__ import annotations

import re
from enum import StrEnum

_CHINA = "+86"
_CHINESE_MOBILE = re.compile(r"\+861[3-9]\d{9}", re.ASCII)
"""Tables of prefixes lag behind the operators: every number of this form may be a mobile's."""


MENDING = "add a mobile number or a mail address; the number stays for people to call"
"""The hint for a number that takes no text messages."""


class NumberKind(StrEnum):
    """What a telephone number is, as far as its digits tell."""

    MOBILE = "a mobile number"
    PERHAPS_MOBILE = "a number that may be a mobile's"
    """In some countries mobiles and landlines look alike; in others new prefixes are not in any table yet."""
    LANDLINE = "a landline"
    SERVICE = "a service number, like 400 or 800"
    NO_MOBILE = "no mobile number"
    """Neither a mobile's nor of a kind that is known."""


_TEXTED = frozenset({NumberKind.MOBILE, NumberKind.PERHAPS_MOBILE})


def takes_texts(number: str) -> bool:
    """Say whether a text message may reach a number, which is in E.164."""
    return kind_of(number) in _TEXTED


def kind_of(number: str) -> NumberKind:
    """Return what kind of number one in E.164 is; one that is no number at all is `NO_MOBILE`."""
    if _CHINESE_MOBILE.fullmatch(number):
        return NumberKind.MOBILE
    return _looked_up(number)


def _looked_up(number: str) -> NumberKind:
    import phonenumbers  # noqa: PLC0415 - slow to load, and nearly every number is a Chinese mobile's
    from phonenumbers import PhoneNumberType as Type  # noqa: PLC0415 - likewise

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NumberKind.NO_MOBILE
    found = phonenumbers.number_type(parsed)
    if found == Type.FIXED_LINE:
        return NumberKind.LANDLINE
    if found in {Type.TOLL_FREE, Type.SHARED_COST, Type.PREMIUM_RATE, Type.UAN, Type.VOICEMAIL}:
        return NumberKind.SERVICE
    if number.startswith(_CHINA):
        return NumberKind.NO_MOBILE
    if found == Type.MOBILE:
        return NumberKind.MOBILE
    possible = phonenumbers.is_possible_number_for_type_with_reason(parsed, Type.MOBILE)
    fits = possible == phonenumbers.ValidationResult.IS_POSSIBLE
    return NumberKind.PERHAPS_MOBILE if fits else NumberKind.NO_MOBILE
