"""A child's register as a picture of letters: weeks beside one another, days as columns, half-days as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import click

from daemon.cli.language import in_words, worded
from daemon.cli.layout import columns_of, folded

LEGEND: Mapping[str, tuple[tuple[str, str], Mapping[str, Any]]] = {
    "P": (("到校", "present"), {"fg": "green"}),
    "T": (("迟到", "late"), {"fg": "yellow"}),
    "E": (("早退", "left early"), {"fg": "yellow"}),
    "A": (("旷课", "absent"), {"fg": "white", "bg": "red", "bold": True}),
    "L": (("请假", "on leave"), {"fg": "blue"}),
    "?": (("未点到", "not named"), {"fg": "magenta"}),
    "-": (("未点名", "untaken"), {"dim": True}),
    ".": (("不在册", "not on the roll"), {"dim": True}),
}
"""What each letter means, and how it is coloured; the letter alone says it too."""

COUNTED, TODAY = "*", "^"
_LEAST = len("03-16")
_GAP = " "


def draw(picture: Mapping[str, Any], width: int) -> list[str]:
    """Return the lines of a picture `width` columns wide: as many weeks side by side as fit, then the next ones."""
    labels = [*picture["sessions"], worded("计入", "counted"), worded("今日", "today")]
    margin = max(columns_of(label) for label in labels) + 2
    weeks = [list(days) for _, days in groupby(picture["days"], key=lambda day: _monday(day["date"]))]
    lines: list[str] = []
    for block in _blocks(weeks, width - margin):
        lines += [*_block(block, labels, margin, picture["today"]), ""]
    return [*lines, *folded(_legend(picture["days"]), width)]


def _monday(date: str) -> dt.date:
    day = dt.date.fromisoformat(date)
    return day - dt.timedelta(days=day.weekday())


Week = Sequence[Mapping[str, Any]]


def _blocks(weeks: Sequence[Week], width: int) -> Iterator[list[Week]]:
    """The weeks in rows that fit."""
    row: list[Week] = []
    used = 0
    for week in weeks:
        needs = max(len(week), _LEAST) + len(_GAP)
        if row and used + needs > width:
            yield row
            row, used = [], 0
        row.append(week)
        used += needs
    if row:
        yield row


def _block(weeks: Sequence[Week], labels: Sequence[str], margin: int, today: str) -> list[str]:
    """One row of weeks: their Mondays, a line a session, the days that were counted, and today."""
    head = _line("", margin, [_monday(week[0]["date"]).strftime("%m-%d") for week in weeks], weeks)
    sessions = [
        _line(label, margin, [_marks(week, slot) for week in weeks], weeks) for slot, label in enumerate(labels[:-2])
    ]
    counted = _below(
        labels[-2], COUNTED, weeks, margin, [day["date"] for week in weeks for day in week if day["counted"]]
    )
    return [head, *sessions, *counted, *_below(labels[-1], TODAY, weeks, margin, [today])]


def _below(label: str, sign: str, weeks: Sequence[Week], margin: int, dates: Sequence[str]) -> list[str]:
    """A line with a sign under each of `dates`; none where none of them is there."""
    signs = ["".join(sign if day["date"] in dates else " " for day in week) for week in weeks]
    return [_line(label, margin, signs, weeks)] if any(map(str.strip, signs)) else []


def _marks(week: Week, slot: int) -> str:
    return "".join(_letter(day["marks"][slot]) if slot < len(day["marks"]) else " " for day in week)


def _letter(letter: str) -> str:
    return click.style(letter, **LEGEND[letter][1]) if letter in LEGEND else letter


def _line(label: str, margin: int, parts: Sequence[str], weeks: Sequence[Week]) -> str:
    """Return a label, and a part for each week, each as wide as its week."""
    line = label + " " * (margin - columns_of(label))
    for part, week in zip(parts, weeks, strict=True):
        line += part + " " * (max(len(week), _LEAST) - len(click.unstyle(part))) + _GAP
    return line.rstrip()


def _legend(days: Week) -> str:
    """Return the letters that occur, and the signs below them, in words."""
    used = {letter for day in days for letter in day["marks"]}
    known = [f"{letter} {in_words(words)}" for letter, (words, _) in LEGEND.items() if letter in used]
    if any(day["counted"] for day in days):
        known.append(f"{COUNTED} {worded('计入以下事实', 'counted by a fact below')}")
    return "  ".join([worded("图例", "legend"), *known])
