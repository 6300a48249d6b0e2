"""A child's register as a picture of letters: weeks beside one another, days as columns, half-days as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

# rich is slow to load: it is imported where something is drawn.

LEGEND = {
    "P": ("到校 present", "green"),
    "T": ("迟到 late", "yellow"),
    "E": ("早退 left early", "yellow"),
    "A": ("旷课 absent", "bold white on red"),
    "L": ("请假 on leave", "blue"),
    "?": ("未点到 not named", "magenta"),
    "-": ("未点名 untaken", "dim"),
    ".": ("不在册 not on the roll", "dim"),
}
"""What each letter means, and how it is coloured; the letter alone says it too."""

COUNTED, TODAY = "*", "^"
_LEAST = len("03-16")
_GAP = " "


def draw(picture: Mapping[str, Any], width: int) -> list[Text]:
    """The lines of a picture that is `width` columns wide: as many weeks side by side as fit, then the next ones."""
    labels = [*picture["sessions"], "计入 counted", "今日 today"]
    margin = max(_cells(label) for label in labels) + 2
    weeks = [list(days) for _, days in groupby(picture["days"], key=lambda day: _monday(day["date"]))]
    lines: list[Text] = []
    for block in _blocks(weeks, width - margin):
        lines += [*_block(block, labels, margin, picture["today"]), _text("")]
    return [*lines, _legend(picture["days"])]


def _cells(words: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - see above

    return cell_len(words)


def _text(words: str, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - see above

    return Text(words, style=style)


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


def _block(weeks: Sequence[Week], labels: Sequence[str], margin: int, today: str) -> list[Text]:
    """One row of weeks: their Mondays, a line a session, the days that were counted, and today."""
    head = _line("", margin, [_text(_monday(week[0]["date"]).strftime("%m-%d"), "bold") for week in weeks], weeks)
    sessions = [
        _line(label, margin, [_marks(week, slot) for week in weeks], weeks) for slot, label in enumerate(labels[:-2])
    ]
    counted = _below(
        labels[-2], COUNTED, weeks, margin, [day["date"] for week in weeks for day in week if day["counted"]]
    )
    return [head, *sessions, *counted, *_below(labels[-1], TODAY, weeks, margin, [today])]


def _below(label: str, sign: str, weeks: Sequence[Week], margin: int, dates: Sequence[str]) -> list[Text]:
    """A line with a sign under each of `dates`; none where none of them is there."""
    signs = ["".join(sign if day["date"] in dates else " " for day in week) for week in weeks]
    return [_line(label, margin, [_text(one, "bold") for one in signs], weeks)] if any(map(str.strip, signs)) else []


def _marks(week: Week, slot: int) -> Text:
    line = _text("")
    for day in week:
        letter = day["marks"][slot] if slot < len(day["marks"]) else " "
        line.append(letter, LEGEND.get(letter, ("", ""))[1])
    return line


def _line(label: str, margin: int, parts: Sequence[Text], weeks: Sequence[Week]) -> Text:
    """A label, and a part for each week, each as wide as its week."""
    line = _text(label + " " * (margin - _cells(label)))
    for part, week in zip(parts, weeks, strict=True):
        line.append_text(part)
        line.append(" " * (max(len(week), _LEAST) - len(part.plain)) + _GAP)
    line.rstrip()
    return line


def _legend(days: Week) -> Text:
    """The letters that occur, and the signs below them."""
    used = {letter for day in days for letter in day["marks"]}
    line = _text("图例 legend  ")
    for letter, (words, style) in LEGEND.items():
        if letter in used:
            line.append(letter, style)
            line.append(f" {words}  ")
    if any(day["counted"] for day in days):
        line.append(f"{COUNTED} 计入以下事实 counted by a fact below  ")
    line.rstrip()
    return line
