"""The play as plain lines, one an event, for whoever has no terminal."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.cells import cell_len

from daemon.demo.board import CHANNELS, Board, Happening, day_words
from daemon.demo.county import DISTRICT, SCHOOLS, TOWNS, VILLAGES
from daemon.demo.told import Told
from notifiers.phrases import KINDS

_FEW = 2
"""So many messages of one kind at one instant are told one by one; of more, the first and their number."""


class Lines:
    """Writes each event as a line; draws nothing and waits for nobody."""

    watches_cases = False

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def begins(self, board: Board) -> None:
        """A line above each school day."""
        self._write(f"── 第{board.day}/{board.days}个上课日 school day {board.day}  {day_words(board.now)}")

    def happened(self, one: Happening) -> None:
        """One line."""
        self._write(f"{one.at:%H:%M}  {one.topic[0]} {one.topic[1]}  {one.zh} · {one.en}")

    def told(self, several: Sequence[Told]) -> None:
        """A line a message, or one for many of a kind."""
        together: dict[tuple[str, str, str], list[Told]] = {}
        for one in several:
            together.setdefault((one.kind, one.contact.role, one.arrival.channel), []).append(one)
        for found in together.values():
            for one in found if len(found) <= _FEW else found[:1]:
                self._write(told_words(one) + (f" …共 in all {len(found)}" if len(found) > _FEW else ""))

    def frame(self, board: Board, at: dt.datetime) -> None:
        """Nothing: time passes unseen."""


def told_words(one: Told) -> str:
    """A message that arrived, as one line."""
    channel, (kind_zh, kind_en) = CHANNELS[one.arrival.channel], KINDS[one.kind]
    about = f"{channel[0]} {channel[1]} → {one.contact.name} · {kind_zh} {kind_en}"
    return f"{one.local:%H:%M}  送达 told  {about} · {one.gist}"


def opening() -> list[str]:
    """What is about to be seen."""
    places = f"{len(TOWNS)} 个乡镇、{len(VILLAGES)} 个村、{len(SCHOOLS)} 所学校"
    return [
        f"保学 baoxue 演示 demo：{DISTRICT}（虚构 invented），{places}。",
        "真实的采集、判定和发送，时间加速；消息只到本机的接收端。Real polling, judging and sending, time sped up;",
        "messages go to receivers on this machine and nowhere else.",
    ]


def closing(lines: Sequence[tuple[str, str]], faults: Sequence[str], keep: Path | None, command: str) -> list[str]:
    """Say what happened, and what can be done next; `command` is how baoxue is called on this machine."""
    width = max(cell_len(what) for what, _ in lines)
    said = ["", "小结 summary"]
    said += [f"  {what}{' ' * (width - cell_len(what))}  {value}" for what, value in lines]
    said += [f"不符 amiss: {fault}" for fault in faults]
    return [*said, "", "接下来 next steps", *_next_steps(keep, command)]


def _next_steps(keep: Path | None, command: str) -> list[str]:
    """Commands to copy: the ledger of the county that was kept, or how to keep it; then one's own county."""
    if keep is None:
        ledger = ("保留演示数据 keep the county", f"{command} demo --keep demo-county")
    else:
        ledger = ("台账 the ledger", f"{command} --config {shlex.quote(str(keep / 'config.toml'))} cases")
    steps = (
        ledger,
        ("自己的数据 your own county", f"{command} init my-county"),
        ("全部命令 all commands", f"{command} --help"),
    )
    width = max(cell_len(what) for what, _ in steps)
    return [f"  {what}{' ' * (width - cell_len(what))}  {line}" for what, line in steps]
