"""Where the fault lies when a mail server says no: by the stage, the enhanced status (RFC 3463), then the words."""

from __future__ import annotations

import re
from enum import Enum

from notifiers.bounce_causes import is_bad_address
from notifiers.contract import Fault

_REFUSED = 500
_STATUS = re.compile(r"\s*[245]\.(\d{1,3})\.(\d{1,3})\b")

_BY_STATUS = {
    "1.7": Fault.ACCOUNT,  # the sender's address
    "1.8": Fault.ACCOUNT,
    "2.0": Fault.ACCOUNT,  # "other mailbox status": what servers say to spam
    "2.3": Fault.MESSAGE,
    "3.4": Fault.MESSAGE,
    "4.5": Fault.ACCOUNT,  # too much, too fast
    "4.6": Fault.ACCOUNT,  # a loop of forwarding
    "4.7": Fault.ACCOUNT,
}
_BY_SUBJECT = {
    "1": Fault.ADDRESS,
    "2": Fault.ADDRESS,
    "3": Fault.ACCOUNT,
    "4": Fault.ADDRESS,
    "5": Fault.ACCOUNT,
    "6": Fault.MESSAGE,
    "7": Fault.ACCOUNT,
}
_POLICY = "7"
"""What many servers also say of a user they do not know."""
_ABOUT_US = re.compile(
    r"relay|spam|\bblock|black ?list|\b[dr]n?s?bl\b|spamhaus|reputation|frequen|\brates?\b|too (?:many|much|fast)|"
    r"limit(?:ed|s)? exceeded|polic(?:y|ies)|authenticat|authoriz|\bspf\b|\bdkim\b|\bdmarc\b|\bip\b|mail from|sender|"
    r"reverse dns|\bptr\b|greylist|suspend|频率|垃圾|黑名单|认证|发件人",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"too (?:large|big)|exceeds? .{0,30}size|size limit", re.IGNORECASE)


class Stage(Enum):
    """What a mail server refused: the sender (MAIL), the recipient (RCPT), or the mail itself (DATA and its end)."""

    SENDER = "the sender was refused"
    RECIPIENT = "the recipient was refused"
    MAIL = "the mail was refused"


def fault_of(stage: Stage, code: int, reply: str) -> Fault:
    """Return where the fault of a refusal lies; whatever is said of the sender is about us.

    A reply without an enhanced status is judged by its words: what none of them names is about the recipient where
    that was refused, and about us where the mail was.
    """
    if code < _REFUSED:
        return Fault.PASSING
    if stage is Stage.SENDER:
        return Fault.ACCOUNT
    found = _STATUS.match(reply)
    if found is None:
        return _by_words(stage, reply)
    if found[1] == _POLICY and stage is Stage.RECIPIENT and is_bad_address(reply):
        return Fault.ADDRESS
    return _BY_STATUS.get(f"{found[1]}.{found[2]}") or _BY_SUBJECT.get(found[1]) or _by_words(stage, reply)


def _by_words(stage: Stage, reply: str) -> Fault:
    if _TOO_LARGE.search(reply):
        return Fault.MESSAGE
    if stage is Stage.MAIL or _ABOUT_US.search(reply):
        return Fault.ACCOUNT
    return Fault.ADDRESS
