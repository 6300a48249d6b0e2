"""What a spectator is shown: the figures so far, the cases as they stand, and what just happened."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.demo.told import Told

STAGES = {
    "first_absence": ("首次缺勤", "first absence"),
    "reported": ("已报告", "reported"),
    "suspected": ("疑似辍学", "suspected"),
    "dropped_out": ("辍学", "dropped out"),
    "returned": ("复学观察", "returned"),
    "closed": ("已销号", "closed"),
}
CHANNELS = {"sms": ("短信", "SMS"), "email": ("邮件", "mail"), "webhook": ("推送", "webhook")}
ROLES = {
    "class_teacher": "班主任",
    "principal": "校长",
    "mentor": "帮扶人",
    "town_government": "乡镇政府",
    "town_head": "乡镇领导",
    "education_office": "教育局",
    "education_director": "教育局长",
    "operator": "管理员",
}
"""Roles in few words; those of a message are longer."""
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened besides messages, in both languages; `topic` is one word of each."""

    at: dt.datetime
    topic: tuple[str, str]
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A report that will be due if nothing more becomes known."""

    due_at: dt.datetime
    number: str
    school: str


@dataclass
class Board:
    """The state of the play, in local time; says nothing a message would not say."""

    now: dt.datetime
    days: int
    children: int
    day: int = 0
    marks: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    deadlines: Sequence[Deadline] = ()
    """All that are armed, the next first."""
    incidents: Sequence[Happening] = ()
    """Those that are open, as they were when they opened."""
    wanted: int = 0
    """Marks the schools have put into their inboxes."""
    counts: Counter[str] = field(default_factory=Counter)
    """Distinct reports, returns, acknowledgements and so on; messages by channel."""


class Spectator(Protocol):
    """Somebody who watches; never asked, never answers."""

    watches_cases: bool
    """Whether the cases of the board are wanted, which cost a look into the store."""

    def begins(self, board: Board) -> None:
        """A school day begins."""

    def happened(self, one: Happening) -> None:
        """Something happened."""

    def told(self, several: Sequence[Told]) -> None:
        """Messages arrived at one instant."""

    def frame(self, board: Board, at: dt.datetime) -> None:
        """Time passes; it is `at` (local) now."""


def day_words(at: dt.datetime) -> str:
    """A date as it is read: 2026-03-18 周三."""
    return f"{at:%Y-%m-%d} 周{WEEKDAYS[at.weekday()]}"


def figure(number: int) -> str:
    """A number with thin gaps between its thousands."""
    return f"{number:,}".replace(",", " ")
