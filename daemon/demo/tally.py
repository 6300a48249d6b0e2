"""The reckoning at the end: counted from what arrived, and held against what the outbox says."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.demo.arrivals import Letterbox
from daemon.demo.board import CHANNELS, Board, figure
from daemon.demo.told import CORRECTIONS, STANDING, Told
from daemon.store import outbox
from daemon.store.alerts import FAILED, QUEUED, SENT
from daemon.store.tx import Tx

MANY = 1_000_000

_Report = tuple[str, int]
_Reader = tuple[str, str]
"""Address and channel."""


@dataclass
class Tally:
    """Counts what arrived and checks each correction against those who were told; asks no store."""

    arrived: Counter[str] = field(default_factory=Counter)
    """Messages by channel."""
    kinds: dict[str, set[_Report]] = field(default_factory=lambda: defaultdict(set))
    """Reports (case and episode) by what was told of them."""
    unconfirmed: set[_Report] = field(default_factory=set)
    waits: list[dt.timedelta] = field(default_factory=list)
    """From each report's deadline to its first arrival."""
    seconds: list[float] = field(default_factory=list)
    """From the instant a message was decided to its arrival, in real time."""
    corrections: int = 0
    amiss: list[str] = field(default_factory=list)
    """Case and kind of corrections that did not reach exactly those who believed otherwise."""
    _last: dict[_Report, dict[_Reader, str]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, told: Sequence[Told], began: float) -> None:
        """What arrived at one instant, whose work began at `began` on the monotonic clock."""
        corrected: dict[tuple[_Report, str, str], set[_Reader]] = defaultdict(set)
        for one in told:
            self.arrived[one.arrival.channel] += 1
            self.seconds.append(one.arrival.steady - began)
            for alert in one.alerts:
                if alert.case_id is None:
                    continue
                report = (alert.case_id, alert.episode or 0)
                if alert.kind in CORRECTIONS | {"reopened"}:
                    corrected[report, alert.kind, str(alert.facts["case"])].add(
                        (one.arrival.address, one.arrival.channel)
                    )
                if alert.kind == "report" and report not in self.kinds["report"]:
                    self._first(one, report, alert.due_at, unconfirmed=bool(alert.facts.get("unconfirmed")))
                self.kinds[alert.kind].add(report)
        self._check(corrected)
        for one in told:
            for alert in one.alerts:
                if alert.case_id is not None and alert.kind in CORRECTIONS | STANDING:
                    readers = self._last[alert.case_id, alert.episode or 0]
                    readers[one.arrival.address, one.arrival.channel] = alert.kind

    def _first(self, told: Told, report: _Report, due_at: dt.datetime | None, *, unconfirmed: bool) -> None:
        if due_at is not None:
            self.waits.append(told.at - due_at)
        if unconfirmed:
            self.unconfirmed.add(report)

    def _check(self, corrected: dict[tuple[_Report, str, str], set[_Reader]]) -> None:
        """A reopening is for those told of the return, any other correction for those who believe the report stands."""
        for (report, kind, number), readers in corrected.items():
            believed = {"return"} if kind == "reopened" else STANDING
            self.corrections += 1
            if readers != {reader for reader, last in self._last[report].items() if last in believed}:
                self.amiss.append(f"{number} {kind}")

    def faults(self, tx: Tx, board: Board, letterbox: Letterbox) -> list[str]:
        """Where what arrived is not what was sent, on either side; empty when all is as it should be."""
        sent = len(outbox.deliveries(tx, state=SENT, limit=MANY))
        left = [len(outbox.deliveries(tx, state=state, limit=MANY)) for state in (QUEUED, FAILED)]
        found = [f"更正与受告知人不符 corrections not told to exactly those told: {', '.join(self.amiss)}"] * bool(
            self.amiss
        )
        if board.marks != board.wanted:
            found.append(f"考勤 marks {board.marks} ≠ 已报送 delivered by the schools {board.wanted}")
        if sent != self.arrived.total():
            found.append(f"已发 sent {sent} ≠ 已达 arrived {self.arrived.total()}")
        if any(left):
            found.append(f"未发 not sent {left[0]}，失败 failed {left[1]}")
        if letterbox.repeats or letterbox.refused:
            found.append(f"重复 repeated {letterbox.repeats}，拒收 refused {letterbox.refused}")
        return found


def summary(tally: Tally, board: Board) -> list[tuple[str, str]]:
    """The closing lines: what, and how much of it."""
    kinds, counts = {kind: len(reports) for kind, reports in tally.kinds.items()}, board.counts
    channels = "，".join(f"{zh} {en} {figure(tally.arrived[key])}" for key, (zh, en) in CHANNELS.items())
    ended_early = board.day < board.days
    exact = f"{tally.corrections - len(tally.amiss)}/{tally.corrections}"
    return [
        ("上课日 school days", f"{board.day}" + (f"/{board.days}（提前结束 ended early）" if ended_early else "")),
        ("学生 children", figure(board.children)),
        ("考勤 marks", figure(board.marks)),
        ("报告 reports", f"{figure(kinds.get('report', 0))}（未确认 unconfirmed {len(tally.unconfirmed)}）"),
        ("时限到送达 deadline to arrival", _waits(tally.waits)),
        ("决定到送达 decision to arrival", _seconds(tally.seconds)),
        ("签收 acknowledged", f"{counts['acknowledged']}（点链接 by link）"),
        ("升级 escalated", figure(kinds.get("escalation", 0))),
        ("返校 returned", figure(kinds.get("return", 0))),
        ("撤回 retracted", figure(kinds.get("retraction", 0))),
        ("重开 reopened", figure(kinds.get("reopened", 0))),
        ("销号 closed", figure(kinds.get("closed", 0))),
        ("更正 corrections", f"{exact} 恰好告知曾被告知的人 told to exactly those told"),
        ("大面积缺勤 mass absence", f"{counts['mass']}（核实属实 judged real {counts['judged']}）"),
        ("数据中断 silent feeds", f"{counts['silent']}（已恢复 resumed {counts['resumed']}）"),
        ("送达 arrived", f"{figure(tally.arrived.total())}：{channels}"),
    ]


def _waits(waits: Sequence[dt.timedelta]) -> str:
    if not waits:
        return "–"
    minutes = statistics.median(wait.total_seconds() for wait in waits) / 60
    return f"中位数 median {minutes:.0f} min（等当节点名 the roll being called）"


def _seconds(seconds: Sequence[float]) -> str:
    if not seconds:
        return "–"
    return f"中位数 median {statistics.median(seconds):.2f} s，最长 longest {max(seconds):.2f} s（真实时间 real time）"
