"""The play: papers arrive, the real jobs work, people answer; from instant to instant until the term is over."""

from __future__ import annotations

import datetime as dt
import http.client
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from daemon.demo.arrivals import Letterbox
from daemon.demo.board import Board, Deadline, Happening, Spectator
from daemon.demo.clerks import Clerks, Tap, Verdict
from daemon.demo.clock import Pace, VirtualClock
from daemon.demo.county import SCHOOLS, County
from daemon.demo.papers import Office, Paper
from daemon.demo.tally import Tally
from daemon.demo.told import Told
from daemon.demo.world import Scene, scenes
from daemon.jobs.byhand import judge_incident
from daemon.jobs.casefile import from_row
from daemon.jobs.fallback import look_at_alerts
from daemon.jobs.house import House
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.send import send_due
from daemon.jobs.silence import arm_silence, look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.store import cases, incidents, outbox, sending, timers
from daemon.store.incidents import IncidentRow

_WAIT_SECONDS = 20.0
_AFTERNOON = 13


@dataclass
class Stage:
    """One performance; holds the real house on the one side and the invented county on the other."""

    house: House
    clock: VirtualClock
    county: County
    office: Office
    clerks: Clerks
    letterbox: Letterbox
    pace: Pace
    spectator: Spectator
    stopped: Callable[[], bool]
    end: dt.datetime
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.board = Board(self._local(self.clock.now), len(self.office.dates), len(self.county.children))
        self._papers: list[Paper] = self.office.papers()[::-1]
        self._scenes: list[Scene] = scenes(self.office)[::-1]
        self._called: Counter[str] = Counter()
        self._open: dict[str, Happening] = {}
        self._closed: set[str] = set()
        self._stale = True

    def play(self) -> None:
        """From the first morning to the end, or until somebody stops it; always between two instants."""
        for feed in in_order(self.house.config.feed):
            poll_feed(self.house, feed, self.clock.now)
        self.house.store.commit(lambda tx: arm_silence(tx, self.house, self.clock.now))
        while not self.stopped() and (instant := self._next()) is not None and instant <= self.end:
            self.pace.pass_until(self.clock.now, instant, self._frame, self.stopped)
            if not self.stopped():
                self.clock.now = instant
                self._act(instant)
                self._frame(instant)

    def _next(self) -> dt.datetime | None:
        with self.house.store.read() as tx:
            waiting = [timers.next_due(tx), sending.next_at(tx), self.clerks.next_at()]
        waiting += [queue[-1].at for queue in (self._papers, self._scenes) if queue]
        found = [one for one in waiting if one is not None]
        return max(min(found), self.clock.now) if found else None

    def _frame(self, at: dt.datetime) -> None:
        if self._stale and self.spectator.watches_cases:
            self._look_at_cases()
            self._stale = False
        self.spectator.frame(self.board, self._local(at))

    # ---- one instant --------------------------------------------------------------------------------------------

    def _act(self, now: dt.datetime) -> None:
        began = time.monotonic()
        self._stale = True
        self._play_scenes(now)
        self._deliver_papers(now)
        for what in self.clerks.due(now):
            self._tap(what, now) if isinstance(what, Tap) else self._judge(what, now)
        sweep_due(self.house, now)
        look_at_feeds(self.house, now)
        look_at_alerts(self.house, now)
        for channel in sorted(self.house.notifiers):
            while send_due(self.house, channel, now):
                pass
        self._look_at_incidents(now)
        self._read_letters(began)

    def _play_scenes(self, now: dt.datetime) -> None:
        while self._scenes and self._scenes[-1].at <= now:
            scene = self._scenes.pop()
            if scene.day is not None:
                self.board.day, self.board.now = scene.day + 1, self._local(now)
                self.spectator.begins(self.board)
            elif scene.said is not None:
                self._say(now, *scene.said)
            elif self._called:
                half = ("下午", "afternoon") if self._local(now).hour >= _AFTERNOON else ("上午", "forenoon")
                schools, marks = len(self._called), self._called.total()
                self._say(
                    now,
                    ("点名", "rolls"),
                    f"{half[0]} {schools} 所学校 {marks} 条",
                    f"{half[1]}, {schools} schools, {marks} marks",
                )
                self._called.clear()

    def _deliver_papers(self, now: dt.datetime) -> None:
        """The schools put their files into the inboxes, and each feed concerned is polled."""
        fresh = set()
        while self._papers and self._papers[-1].at <= now:
            paper = self._papers.pop()
            paper.put(self.house.config.base)
            fresh.add(paper.feed)
            self.board.wanted += len(paper.rows) if paper.feed.startswith("marks") else 0
        for feed in in_order(self.house.config.feed):
            if feed.id in fresh:
                taken = poll_feed(self.house, feed, now).counts
                self.board.marks += taken["marks"]
                if taken["marks"] > 1:
                    self._called[feed.id] += taken["marks"]
                self._say_papers(now, taken)

    def _say_papers(self, now: dt.datetime, taken: Counter[str]) -> None:
        if taken["leaves"]:
            self._say(now, ("请假", "leave"), f"录入请假条 {taken['leaves']} 张", f"{taken['leaves']} slips entered")
        if taken["movements"]:
            self._say(now, ("异动", "enrolment"), "录入转学 1 人", "a child is said to have moved to another school")

    # ---- people ---------------------------------------------------------------------------------------------------

    def _tap(self, tap: Tap, now: dt.datetime) -> None:
        """Somebody presses the button behind a link: a POST to the console, as from a browser."""
        place = urlsplit(tap.url)
        connection = http.client.HTTPConnection(place.netloc, timeout=_WAIT_SECONDS)
        try:
            connection.request("POST", place.path, headers={"Content-Length": "0"})
            status = connection.getresponse().status
        finally:
            connection.close()
        if tap.answer == "acknowledged":
            self._note_acknowledgement(tap, now)
        elif status == http.client.OK:
            word = ("已到校", "at school") if tap.answer == "seen" else ("未到校", "absent")
            self.board.counts["confirmed"] += 1
            self._say(now, ("核实", "checked"), f"{tap.by} 点链接：{tap.number} {word[0]}", f"by link: {word[1]}")

    def _note_acknowledgement(self, tap: Tap, now: dt.datetime) -> None:
        with self.house.store.read() as tx:
            row = cases.by_number(tx, tap.number)
        if row is not None and from_row(row).acknowledged_at == now:
            self.board.counts["acknowledged"] += 1
            self._say(now, ("签收", "acknowledged"), f"{tap.by} 点链接签收 {tap.number}", "by link")
        else:
            self._say(
                now, ("签收", "acknowledged"), f"{tap.by} 点链接 {tap.number}：已无需签收", "by link: no need any more"
            )

    def _judge(self, verdict: Verdict, now: dt.datetime) -> None:
        self.board.counts["judged"] += 1
        judge_incident(self.house, verdict.incident_id, real=True, by=verdict.by, now=now)

    # ---- what is seen of it ---------------------------------------------------------------------------------------

    def _read_letters(self, began: float) -> None:
        arrivals = self.letterbox.empty()
        if not arrivals:
            return
        with self.house.store.read() as tx:
            alerts = outbox.alerts_by_message(tx, [one.message_id for one in arrivals])
        told = [
            Told(one, self.county.by_address[one.address], about[0].kind, about, self._local(one.at))
            for one in arrivals
            if (about := alerts.get(one.message_id))
        ]
        self.tally.add(told, began)
        self.board.counts.update({f"told {key}": n for key, n in Counter(one.channel for one in arrivals).items()})
        for kind, reports in self.tally.kinds.items():
            self.board.counts[kind] = len(reports)
        self.spectator.told(told)
        for one in told:
            self.clerks.read(one, self._half())

    def _half(self) -> int:
        """The half-day whose marks somebody would find who goes and looks now."""
        local = self._local(self.clock.now)
        day = sum(date <= local.date() for date in self.office.dates) - 1
        return day * 2 + (local.hour >= _AFTERNOON)

    def _look_at_cases(self) -> None:
        with self.house.store.read() as tx:
            found = [from_row(row) for row in cases.list_cases(tx)]
            people = self.house.people(tx)
        self.board.stages = Counter(case.stage.value for case in found)
        armed = sorted(
            (at, case.number, case.student_id)
            for case in found
            if case.is_open and (at := case.pending_at or case.armed_at) is not None
        )
        schools = {room.unit_id: room.school.name for room in self.county.rooms}
        self.board.deadlines = [
            Deadline(self._local(at), number, schools[people.class_now(student)]) for at, number, student in armed
        ]

    def _look_at_incidents(self, now: dt.datetime) -> None:
        with self.house.store.read() as tx:
            rows = incidents.list_incidents(tx)
        for row in rows:
            if row.incident_id not in self._open and row.incident_id not in self._closed:
                self._open[row.incident_id] = self._opened(row, now)
                self.spectator.happened(self._open[row.incident_id])
            if row.closed_at is not None and row.incident_id in self._open:
                del self._open[row.incident_id]
                self._closed.add(row.incident_id)
                self.board.counts["resumed"] += row.kind != "mass_absence"
                self._say(now, *_ended(row, self._unit_name(row.subject)))
        self.board.incidents = list(self._open.values())

    def _opened(self, row: IncidentRow, now: dt.datetime) -> Happening:
        name = self._unit_name(row.subject)
        if row.kind == "mass_absence":
            absent, expected = row.state["absent"], row.state["expected"]
            self.board.counts["mass"] += 1
            said = (f"大面积缺勤：{name} {absent}/{expected}", f"mass absence, {absent} of {expected}")
        else:
            classes = len(row.state["classes"])
            self.board.counts["silent"] += 1
            said = (f"考勤数据中断：{name} {classes} 个班", f"no rolls from {classes} classes")
        return Happening(self._local(now), ("事件", "incident"), *said)

    def _unit_name(self, subject: str) -> str:
        return next((one.name for one in SCHOOLS if subject.startswith((one.unit_id, f"marks-{one.unit_id}"))), subject)

    def _say(self, now: dt.datetime, topic: tuple[str, str], zh: str, en: str) -> None:
        self.spectator.happened(Happening(self._local(now), topic, zh, en))

    def _local(self, at: dt.datetime) -> dt.datetime:
        return at.astimezone(self.office.zone)


def _ended(row: IncidentRow, name: str) -> tuple[tuple[str, str], str, str]:
    if row.kind == "mass_absence":
        return ("事件", "incident"), f"教育局核实：{name}大面积缺勤属实", "the education office judged it real"
    return ("事件", "incident"), f"考勤数据恢复：{name}", "rolls have resumed"
