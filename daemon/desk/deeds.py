"""What somebody did about a report: a word from a fixed list, with a note; knows neither page nor store."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from notifiers.phrases import one_line

DONE = "what was done"
"""Journal: somebody who was told of a case said what was done about it; the entry has the deed's code."""

LONGEST_NOTE = 500
"""Characters of a note."""
AHEAD = dt.timedelta(days=180)
"""How far ahead a child may be said to come back."""
_LONGEST_DATE = 40

Said = tuple[str, str]


class Deed(StrEnum):
    """What was done, as the journal keeps it."""

    CALLED = "called"
    VISITED = "visited"
    FOUND = "found"
    ILL = "ill"
    MOVED = "moved"
    NOT_FOUND = "not_found"
    OTHER = "other"


WORDS: Mapping[Deed, Said] = {
    Deed.CALLED: ("已电话联系", "called"),
    Deed.VISITED: ("已上门家访", "visited"),
    Deed.FOUND: ("已找到，将返校", "found, will be back"),
    Deed.ILL: ("生病，请假手续后补", "ill, leave to follow"),
    Deed.MOVED: ("已转学或搬走", "moved"),
    Deed.NOT_FOUND: ("没有找到", "not found"),
    Deed.OTHER: ("其他", "other"),
}
"""Each deed in 中文 and English, in the order in which a form offers them."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in full: the deed, the day on which the child is to be back, a note."""

    deed: Deed
    note: str = ""
    back_on: dt.date | None = None

    def body(self) -> dict[str, str]:
        """As the journal keeps it."""
        said = {
            "deed": self.deed.value,
            "note": self.note or None,
            "back_on": str(self.back_on) if self.back_on else None,
        }
        return {key: value for key, value in said.items() if value is not None}


class DeedRefusedError(Exception):
    """What was filled in cannot be kept; `words` say why, to whoever filled it in."""

    def __init__(self, words: Said) -> None:
        super().__init__(words[1])
        self.words = words


def read_done(fields: Mapping[str, str], today: dt.date) -> Done:
    """Return what a form says was done; raises DeedRefusedError with a sentence for the reader."""
    try:
        deed = Deed(fields.get("deed", ""))
    except ValueError:
        raise DeedRefusedError(("请选择一项。", "Please choose one.")) from None
    note, back_on = one_line(fields.get("note", "")), _day(fields.get("back_on", ""))
    if len(note) > LONGEST_NOTE:
        zh, en = f"说明最多{LONGEST_NOTE}字，现有{len(note)}字。", f"The note has {len(note)} characters."
        raise DeedRefusedError((zh, f"{en} At most {LONGEST_NOTE} are kept."))
    if deed is Deed.OTHER and not note:
        raise DeedRefusedError(("选择“其他”时，请在说明中写明。", "Please write down what, in the note."))
    if deed is Deed.FOUND and back_on is None:
        zh = "请填写预计返校日期；还不知道的，请选“其他”并说明。"
        raise DeedRefusedError((zh, 'Please say when the child will be back; if nobody knows, choose "other".'))
    if back_on is not None and not today <= back_on <= today + AHEAD:
        zh = f"返校日期应在{today}至{today + AHEAD}之间。"
        raise DeedRefusedError((zh, f"The day is to be between {today} and {today + AHEAD}."))
    return Done(deed, note, back_on)


def _day(text: str) -> dt.date | None:
    """A day as browsers send it, or as people write it; None where nothing is written."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_DATE]).strip()
    if not plain:
        return None
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain, re.ASCII)
    try:
        return dt.date(*map(int, found.groups())) if found else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> dt.date:
    raise DeedRefusedError(("返校日期请写成 2026-03-18 的样子。", "Please write the day like 2026-03-18."))
