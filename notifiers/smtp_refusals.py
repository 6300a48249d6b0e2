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
_OF_AN_ADDRESS = frozenset({550, 551, 552, 553, 556})
"""Codes that say something of a mailbox (RFC 5321, RFC 7504); of all others the recipient is not the reason."""
_OF_A_SENDER = re.compile(r"sender|sending|mail from|发件|发信", re.IGNORECASE)
"""Words that only a refusal of whoever sends has, also where it says that somebody is unknown, or a quota exceeded."""
_ABOUT_US = re.compile(
    r"relay|spam|\bblock|black ?list|\b[dr]n?s?bl\b|spamhaus|reputation|frequen|\brates?\b|too (?:many|much|fast)|"
    r"limit(?:ed|s)? exceeded|polic(?:y|ies)|authent|authoriz|\bauth\b|log ?in\b|\bspf\b|\bdkim\b|\bdmarc\b|\bip\b|"
    r"reverse dns|\bptr\b|greylist|suspend|\bhelo\b|\behlo\b|\btls\b|spoof|prohibit|connect|licen[cs]e|"
    r"your (?:host|server|mail)|(?<!rejected: )access denied|"
    r"not (?:allowed|permitted) to|\b(?:RP|MI|HL|DT):[A-Z]|"
    r"频|垃圾|黑名单|认证|授权|登录|连接|限制",
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

    Of a recipient plain words count before a status, for many servers say 5.7.1 of a user they do not know, and 5.1.1
    of a sender they do not want. A reply that neither decides is judged by its code: one that is about a mailbox is
    about the recipient where that was refused, all others are about us.
    """
    if code < _REFUSED:
        return Fault.PASSING
    if stage is Stage.SENDER or _OF_A_SENDER.search(reply):
        return Fault.ACCOUNT
    if stage is Stage.RECIPIENT and is_bad_address(reply):
        return Fault.ADDRESS
    found = _STATUS.match(reply)
    by_status = found and (_BY_STATUS.get(f"{found[1]}.{found[2]}") or _BY_SUBJECT.get(found[1]))
    return by_status or _by_words(stage, code, reply)


def _by_words(stage: Stage, code: int, reply: str) -> Fault:
    if _TOO_LARGE.search(reply):
        return Fault.MESSAGE
    if stage is Stage.MAIL or code not in _OF_AN_ADDRESS or _ABOUT_US.search(reply):
        return Fault.ACCOUNT
    return Fault.ADDRESS
