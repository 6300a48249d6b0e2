"""Why a case may be closed (销号), and what that says about the child's sessions."""

from __future__ import annotations

import re
import unicodedata

from daemon.desk.faults import DeskError
from daemon.problems import nearest
from notifiers.phrases import REASONS

CLOSING: tuple[str, ...] = (
    "returned",
    "excused",
    "false alarm",
    "transferred",
    "suspended",
    "graduated",
    "verified elsewhere",
    "home schooling",
    "deceased",
    "not ours",
)
"""The reasons of absence.md, What a case does."""

MOVEMENT_OF = {
    "transferred": "transfer_out",
    "suspended": "suspend",
    "graduated": "graduate",
    "verified elsewhere": "verified_elsewhere",
    "home schooling": "verified_elsewhere",
    "deceased": "verified_elsewhere",
    "not ours": "verified_elsewhere",
}
"""The movement two people attest by closing for a reason: the child is not expected at school any more."""

_CHINESE = {REASONS[reason.replace(" ", "_")][0]: reason for reason in CLOSING}
_NEVER = re.compile(r"unreachable|family moved|moved away|举家|外出|失联|无法联系|联系不上|去向不明")


def closing_reason(text: str, subject: str) -> str:
    """The reason meant by `text`, in English or 中文; DeskError for one that closes nothing."""
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().replace("_", " ").replace("-", " ").split())
    found = plain if plain in CLOSING else _CHINESE.get(plain)
    if found is not None:
        return found
    if _NEVER.search(plain):
        raise DeskError(
            subject,
            "a family that moved and cannot be reached never closes a case",
            "keep it open and keep looking; write down what was tried with: baoxue case note",
        )
    meant = nearest(plain, CLOSING)
    hint = f'did you mean "{meant}"?' if meant else f"reasons: {', '.join(CLOSING)}"
    raise DeskError(subject, "is not closed for that reason", hint)


def who(text: str, subject: str) -> str:
    """A person as they named themselves, on one line; DeskError for nobody."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if not plain or len(plain) > _LONGEST_NAME:
        raise DeskError(subject, "needs to know who says so", f"--by takes a name of 1 to {_LONGEST_NAME} characters")
    return plain


def is_same_person(one: str, other: str) -> bool:
    """Whether two people named themselves alike; case, width and spaces do not make another person."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


_LONGEST_NAME = 100
