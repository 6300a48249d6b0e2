"""The people who read what arrives: a clerk acknowledges, a teacher looks, the education office judges."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from daemon.demo.diary import Diary
from daemon.demo.told import Told

_OPENS, _CLOSES = dt.time(8, 30), dt.time(17, 30)
_FRIDAY = 4
_DILIGENT = 0.7
"""The share of reports a town's clerk acknowledges without being pressed."""


@dataclass(frozen=True, slots=True, order=True)
class Tap:
    """A link somebody will tap, and when; `number` is the case's."""

    at: dt.datetime
    url: str = field(compare=False)
    number: str = field(compare=False)
    by: str = field(compare=False)
    answer: str = field(compare=False)
    """`acknowledged`, `seen` or `absent`."""


@dataclass(frozen=True, slots=True, order=True)
class Verdict:
    """A mass absence the education office will call real, and when."""

    at: dt.datetime
    incident_id: str = field(compare=False)
    by: str = field(compare=False)


class Clerks:
    """Everybody's to-do list; knows the truth where a person would go and look. Does nothing by itself."""

    def __init__(self, diary: Diary, zone: ZoneInfo, seed: int) -> None:
        self._diary = diary
        self._zone = zone
        self._seed = seed
        self._ahead: list[tuple[dt.datetime, int, Tap | Verdict]] = []
        self._links: dict[tuple[str, int], Tap] = {}
        self._planned: set[tuple[str, int]] = set()
        self._judged: set[str] = set()
        self._count = 0

    def next_at(self) -> dt.datetime | None:
        """When somebody next does something."""
        return self._ahead[0][0] if self._ahead else None

    def due(self, now: dt.datetime) -> Iterable[Tap | Verdict]:
        """What is done at `now`."""
        while self._ahead and self._ahead[0][0] <= now:
            yield heapq.heappop(self._ahead)[2]

    def read(self, told: Told, half: int) -> None:
        """Somebody reads a message; `half` is the half-day in which they would look for the child."""
        if told.kind in {"report", "reopened"} and told.contact.role == "town_government":
            self._read_report(told)
        elif told.kind == "escalation" and told.contact.role == "town_head":
            self._press(told)
        elif told.kind == "confirm_request" and told.contact.role == "class_teacher":
            self._look(told, half)
        elif told.kind == "mass_absence" and told.contact.role == "education_office":
            self._judge(told)

    def _read_report(self, told: Told) -> None:
        for alert, url in zip(told.alerts, told.links, strict=False):
            key = (str(alert.facts["case"]), alert.episode or 0)
            if key in self._links:
                continue
            chance = self._chance(*key)
            at = self._at_work(told.at + dt.timedelta(minutes=chance.randint(12, 150)))
            self._links[key] = Tap(at, url, key[0], told.contact.name, "acknowledged")
            if chance.random() < _DILIGENT:
                self._planned.add(key)
                self._plan(self._links[key])

    def _press(self, told: Told) -> None:
        """The head of the town asks why nobody has acknowledged; the clerk does."""
        for alert in told.alerts:
            key = (str(alert.facts["case"]), alert.episode or 0)
            tap = self._links.get(key)
            if tap is not None and key not in self._planned:
                minutes = self._chance(*key, "pressed").randint(20, 60)
                self._planned.add(key)
                self._plan(replace(tap, at=self._at_work(told.at + dt.timedelta(minutes=minutes))))

    def _look(self, told: Told, half: int) -> None:
        """A question has two links a child: it is there, it is not."""
        links = told.links
        for n, alert in enumerate(told.alerts):
            if alert.student_id not in self._diary.looked_for or len(links) < 2 * n + 2:
                continue
            seen = self._diary.marks.get((alert.student_id or "", half), "present") == "present"
            at = self._at_work(told.at + dt.timedelta(minutes=self._chance(str(alert.facts["case"])).randint(15, 50)))
            url, answer = (links[2 * n], "seen") if seen else (links[2 * n + 1], "absent")
            self._plan(Tap(at, url, str(alert.facts["case"]), told.contact.name, answer))

    def _judge(self, told: Told) -> None:
        for alert in told.alerts:
            if alert.incident_id and alert.incident_id not in self._judged:
                self._judged.add(alert.incident_id)
                minutes = self._chance("storm").randint(370, 400)
                at = self._at_work(told.at + dt.timedelta(minutes=minutes))
                self._plan(Verdict(at, alert.incident_id, told.contact.name))

    def _plan(self, what: Tap | Verdict) -> None:
        self._count += 1
        heapq.heappush(self._ahead, (what.at, self._count, what))

    def _chance(self, *about: object) -> random.Random:
        return random.Random(f"clerk {self._seed} {about}")  # noqa: S311 - decides when somebody taps, keeps no secret

    def _at_work(self, at: dt.datetime) -> dt.datetime:
        """`at`, or the same minutes after the office next opens."""
        local = at.astimezone(self._zone)
        if local.weekday() <= _FRIDAY and _OPENS <= local.time() <= _CLOSES:
            return at
        day = local.date() if local.time() < _OPENS else local.date() + dt.timedelta(days=1)
        while day.weekday() > _FRIDAY:
            day += dt.timedelta(days=1)
        opened = dt.datetime.combine(day, _OPENS, self._zone)
        return (opened + dt.timedelta(minutes=local.minute)).astimezone(dt.UTC)
