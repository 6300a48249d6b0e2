"""The play on a terminal: figures, cases, deadlines and messages side by side, drawn anew as time passes."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from typing import Self

from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from daemon.demo.board import CHANNELS, ROLES, STAGES, Board, Deadline, Happening, day_words, figure
from daemon.demo.county import DISTRICT
from daemon.demo.told import Told
from notifiers.phrases import KINDS

SMALLEST = (90, 27)
"""Columns and rows below which plain lines read better."""

_KEPT = 60
_WIDE = 130
_BAR = 8
_LONGEST_NAME = 26
_COLOURS = {
    "report": "bold red",
    "escalation": "bold red",
    "retraction": "yellow",
    "return": "green",
    "reopened": "bold yellow",
    "closed": "green",
    "confirm_request": "magenta",
    "feed_stale": "bold magenta",
    "feed_recovered": "green",
    "mass_absence": "bold magenta",
}


class Picture:
    """Keeps what was last seen and draws it; knows no more than the board and what it is told."""

    watches_cases = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: deque[tuple[Told, int]] = deque(maxlen=_KEPT)
        self._happened: deque[Happening] = deque(maxlen=_KEPT)
        self._live = Live(console=console, auto_refresh=False, screen=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begins(self, board: Board) -> None:
        """Nothing: the date is always to be seen."""

    def happened(self, one: Happening) -> None:
        """Keep it for the next frame."""
        self._happened.append(one)

    def told(self, several: Sequence[Told]) -> None:
        """Keep one of each kind, with how many there were."""
        together: dict[tuple[str, str, str], list[Told]] = {}
        for one in several:
            together.setdefault((one.kind, one.contact.role, one.arrival.channel), []).append(one)
        self._told.extend((found[0], len(found)) for found in together.values())

    def frame(self, board: Board, at: dt.datetime) -> None:
        """Draw everything as it is now."""
        self._live.update(self.draw(board, at), refresh=True)

    def draw(self, board: Board, at: dt.datetime) -> RenderableType:
        """The whole picture."""
        wide = self._console.width >= _WIDE
        page, body = Layout(), Layout(name="body")
        page.split_column(Layout(_head(board, at), size=3), body, Layout(_foot(), size=1))
        left, right = Layout(size=44 if wide else 36), Layout(ratio=1)
        body.split_row(left, right)
        stages = Layout(_panel("案件 cases", _stages(board)), size=len(STAGES) + 2)
        left.split_column(
            Layout(_panel("至今 so far", _figures(board)), size=11),
            stages,
            Layout(_panel(f"待到时限 deadlines armed {len(board.deadlines)}", _deadlines(board.deadlines, at))),
        )
        rows = self._console.height - 4
        happened = max(rows // 3, 6)
        right.split_column(
            Layout(_panel("最近送达 last arrived", _arrivals(self._told, rows - happened - 2, wide=wide))),
            Layout(_panel(_events_title(board), _events(self._happened, happened - 2)), size=happened),
        )
        return page


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=f"[bold]{title}[/]", title_align="left", border_style="dim", padding=(0, 1))


def _grid(*columns: dict[str, object]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    for column in columns:
        table.add_column(no_wrap=True, overflow="ellipsis", **column)  # type: ignore[arg-type]
    return table


def _head(board: Board, at: dt.datetime) -> Panel:
    line = _grid({}, {"justify": "center"}, {"justify": "right"}, {"width": 16})
    moment = Text.assemble((day_words(at), "bold"), "  ", (f"{at:%H:%M}", "bold cyan"))
    day = Text(f"第{board.day}/{board.days}个上课日 day")
    name = Text.assemble(("保学 baoxue", "bold"), (f"  {DISTRICT}，虚构 invented", "dim"))
    line.add_row(name, moment, day, ProgressBar(board.days, max(board.day - 1, 0) + _day_passed(at), width=16))
    return Panel(line, border_style="cyan", padding=(0, 1))


def _day_passed(at: dt.datetime) -> float:
    return min(max((at.hour + at.minute / 60 - 7) / 11, 0.0), 1.0)


def _foot() -> Text:
    return Text(
        "  Ctrl-C 结束并看小结 ends it and sums up · 短信、邮件、推送都只到本机 nothing leaves this machine",
        style="dim",
    )


def _figures(board: Board) -> Table:
    table = _grid({}, {"justify": "right"})
    told = "  ".join(f"{zh} {board.counts[f'told {key}']}" for key, (zh, _) in CHANNELS.items())
    for words, value in (
        ("学生 children", figure(board.children)),
        ("考勤 marks", figure(board.marks)),
        ("报告 reports", str(board.counts["report"])),
        ("签收 acknowledged", str(board.counts["acknowledged"])),
        ("升级 escalated", str(board.counts["escalation"])),
        ("返校 returned", str(board.counts["return"])),
        ("撤回 retracted", str(board.counts["retraction"])),
        ("重开 reopened", str(board.counts["reopened"])),
    ):
        table.add_row(words, value)
    table.add_row(Text(told, style="dim"), "")
    return table


def _stages(board: Board) -> Table:
    table = _grid({"ratio": 1}, {"justify": "right", "min_width": 3}, {"width": _BAR})
    most = max(board.stages[stage] for stage in STAGES if stage != "closed") or 1
    for stage, (zh, en) in STAGES.items():
        count = board.stages[stage]
        bar = 0 if stage == "closed" else -(-_BAR * count // most)
        table.add_row(f"{zh} {en}", str(count), Text("█" * bar, style="cyan"))
    return table


def _deadlines(deadlines: Sequence[Deadline], at: dt.datetime) -> Table:
    table = _grid({"justify": "right"}, {}, {"ratio": 1})
    for one in deadlines[:30]:
        left = int((one.due_at - at).total_seconds()) // 60
        style = "bold red" if left <= 60 else ""  # noqa: PLR2004
        table.add_row(
            Text(f"{left // 60:d}:{left % 60:02d}" if left >= 0 else "到 now", style=style), one.number, one.school
        )
    return table


def _arrivals(told: Sequence[tuple[Told, int]], rows: int, *, wide: bool) -> Table:
    table = _grid({}, {}, {}, {"ratio": 1})
    for one, count in list(told)[-max(rows, 1) :]:
        kind = KINDS[one.kind][0]
        to = Text(one.contact.name if wide else ROLES[one.contact.role], style="dim")
        to.truncate(_LONGEST_NAME, overflow="ellipsis")
        words = Text.assemble((f"×{count} ", "bold") if count > 1 else "", one.point)
        table.add_row(
            Text.assemble((f"{one.local:%H:%M} ", "dim"), CHANNELS[one.arrival.channel][0]),
            to,
            Text(kind, style=_COLOURS.get(one.kind, "")),
            words,
        )
    return table


def _events_title(board: Board) -> str:
    still = "；".join(one.zh for one in board.incidents)
    return f"事件与答复 events and answers{'  [magenta]● ' + still + '[/]' if still else ''}"


def _events(happened: Sequence[Happening], rows: int) -> Table:
    table = _grid({}, {}, {"ratio": 1})
    for one in list(happened)[-max(rows, 1) :]:
        style = (
            "bold magenta"
            if one.topic[1] in {"incident", "world"}
            else "green"
            if one.topic[1] == "acknowledged"
            else ""
        )
        table.add_row(Text(f"{one.at:%H:%M}", style="dim"), Text(one.topic[0], style=style), f"{one.zh} · {one.en}")
    return table
