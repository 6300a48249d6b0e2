"""Texts in English as patterns, each with its words in 中文; what a text quotes is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

Patterns = Sequence[tuple[re.Pattern[str], str]]

_RECORDS = {
    "units": "单位",
    "students": "学生",
    "contacts": "联系人",
    "marks": "考勤",
    "punches": "打卡记录",
    "leaves": "请假",
    "movements": "转学等变动",
}


def compiled(*rows: tuple[str, str]) -> Patterns:
    """Return patterns of whole texts, each with the words for it."""
    return [(re.compile(pattern, re.DOTALL), words) for pattern, words in rows]


def glossed(text: str, patterns: Patterns) -> str | None:
    """The words of the first pattern that `text` is, filled with what it quotes; None if it is none of them."""
    for pattern, words in patterns:
        if (match := pattern.fullmatch(text)) is not None:
            given = {name: _AS.get(name, str)(value or "") for name, value in match.groupdict().items()}
            return words.format(**given)
    return None


def _listed(text: str) -> str:
    """A list in English, its names in quotes, as one in 中文."""
    quoted = re.sub(r'"([^"]*)(?:"|$)', "“\\1”", text)
    return quoted.replace(", …", "等").replace(", ", "、").replace(" or ", "或")


def _at(text: str) -> str:
    return re.sub(r"^line (\d+)$", r"第\1行", text)


def _span(text: str) -> str:
    """A span such as `2 d 23 h 59 min`, without what is none of it."""
    parts = re.findall(r"(\d+) (d|h|min)", text)
    units = {"d": "天", "h": "小时", "min": "分钟"}
    return "".join(f"{count}{units[unit]}" for count, unit in parts if int(count)) or "不到1分钟"


_AS: Mapping[str, Callable[[str], str]] = {
    "records": lambda text: _RECORDS.get(text, text),
    "names": _listed,
    "header": _listed,
    "words": _listed,
    "ids": _listed,
    "at": _at,
    "span": _span,
}
"""How what a text quotes is said, by the name of the group; everything else stays as it is."""
