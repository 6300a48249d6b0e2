"""What a provider's code against a message means for whoever sends it: never again, or when."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from notifiers.contract import DeliveryError, Fault

_CODE = re.compile(r"[A-Za-z][\w.:-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the fault lies that a code names, and how long to wait before another try."""

    fault: Fault = Fault.PASSING
    wait: dt.timedelta | None = None


BAD_NUMBER = Verdict(Fault.ADDRESS)
"""This number will be refused whatever it is sent."""
BAD_WORDS = Verdict(Fault.MESSAGE)
"""These words will be refused whoever gets them."""
SOON = Verdict()
"""The provider's trouble: the usual pauses between tries will do."""
A_MINUTE = Verdict(wait=dt.timedelta(minutes=1))
AN_HOUR = Verdict(wait=dt.timedelta(hours=1))
A_DAY = Verdict(wait=dt.timedelta(hours=6))
"""A number or an account has had its share of the day, which is counted over 24 hours: some try will find its end."""
MENDED = Verdict(Fault.ACCOUNT, wait=dt.timedelta(minutes=15))
"""The account, a signature, a template, a key: the operator's to mend, and not about this message."""


def verdict(code: str, table: Mapping[str, Verdict]) -> Verdict:
    """The verdict of a code, else of what stands before its last dot, and so on; one nobody knows is tried again."""
    while code not in table:
        code, dot, _ = code.rpartition(".")
        if not dot:
            return SOON
    return table[code]


def refused(provider: str, code: object, found: Verdict) -> DeliveryError:
    """The error for a code; what is no code is not shown, for it may repeat the number or the words."""
    shown = code if isinstance(code, str) and _CODE.fullmatch(code) else "a value not shown"
    return DeliveryError(f"{provider} did not take the message: {shown}", found.fault, retry_after=found.wait)


_OF_THE_WORDS = re.compile(r"content|keyword|param", re.IGNORECASE)
_OF_THE_ACCOUNT = re.compile(r"sign|template|limit|route|balance|arrear|closed|frequen", re.IGNORECASE)


def fault_of_receipt(code: str | None) -> Fault:
    """Return where the fault lies of a message that was taken and did not arrive, by the provider's code.

    Carriers' codes are without number, so only what is plainly of our account or words is not the number's.
    """
    if code is not None and _OF_THE_WORDS.search(code):
        return Fault.MESSAGE
    return Fault.ACCOUNT if code is not None and _OF_THE_ACCOUNT.search(code) else Fault.ADDRESS


def coded(code: object) -> str | None:
    """A provider's code, if it is one and holds no number long enough to be a telephone's."""
    if not isinstance(code, str) or not _CODE.fullmatch(code) or re.search(r"\d{7}", code):
        return None
    return code
