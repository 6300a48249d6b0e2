"""Drives the pure core over a county, instant by instant, without store or daemon: what the rules alone would tell.

Takes in everything that becomes known at one instant, sweeps, and goes on to the next instant at which something is
known, takes effect, or was armed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from rules.calendar import Calendar, Period, Timetable
from rules.case import Case, Decision, Entry, Law, Stage, Tell
from rules.compiler import compile_predicate
from rules.finding import Clock
from rules.incidents import MassAbsence, mass_absences
from rules.instants import from_micros, to_micros
from rules.judge import Judgement
from rules.ladder import Ladder, Rung
from rules.records import Mark
from rules.register import Leave, Movement, Spell, build_register
from rules.rolls import Overlay, Rolls
from rules.rulebook import Rulebook, read_rules
from rules.signs import Sign
from rules.sweep import Scene, sweep
from tests.county import Child, Parameters, World
from tests.reference import is_ahead


@dataclass(frozen=True)
class MarkKnown:
    """One mark of one child (by row), known at an instant."""

    known_at: dt.datetime
    row: int
    date: dt.date
    session: str
    mark: Mark
    line: int = 0
    rank: int = 1


@dataclass(frozen=True)
class HandKnown:
    """What somebody said by hand of one child (by row) in a session, at an instant."""

    known_at: dt.datetime
    row: int
    date: dt.date
    session: str
    mark: Mark


@dataclass(frozen=True)
class LeaveKnown:
    """One version of a leave, known at an instant."""

    known_at: dt.datetime
    leave_id: str
    row: int
    starts: dt.datetime
    ends: dt.datetime
    withdrawn: bool = False
    line: int = 0


@dataclass(frozen=True)
class MovementKnown:
    """One movement record, known at an instant."""

    known_at: dt.datetime
    row: int
    kind: str
    at: dt.datetime
    evidence: bool


Known = MarkKnown | HandKnown | LeaveKnown | MovementKnown


@dataclass(frozen=True)
class Spoken:
    """One thing the rules wanted told, about one child or unit."""

    kind: str
    student: str | None
    due_at: dt.datetime | None
    raised_at: dt.datetime
    episode: int
    unconfirmed: bool
    reason: str | None
    unit: str | None = None


@dataclass
class County:
    """What the replay knows so far, and what was decided; rows are children."""

    calendar: Calendar
    students: Sequence[str]
    spells: Sequence[Sequence[Spell]]
    class_ids: Sequence[str]
    school_ids: Sequence[str | None]
    law: Law
    mass_absence_share: float = 0.5
    marks: list[MarkKnown] = field(default_factory=list)
    hands: list[HandKnown] = field(default_factory=list)
    leaves: list[LeaveKnown] = field(default_factory=list)
    movements: list[MovementKnown] = field(default_factory=list)
    cases: dict[int, Case] = field(default_factory=dict)
    storms: list[MassAbsence] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    journal: list[tuple[dt.datetime, str, Entry]] = field(default_factory=list)
    counted: int = 0
    rested: dict[int, tuple[Sign, ...]] = field(default_factory=dict)
    """The signs of the last case that closed, by row."""

    def sweep(self, now: dt.datetime) -> list[Decision]:
        """Judge and decide everybody at `now`, and apply it."""
        judgement = self.judge(now)
        self._count_absent(judgement, now)
        known = dict(self.cases), tuple(self.storms)
        scene = Scene(judgement, self.students, self.class_ids, self.school_ids, *known, rested=self.rested)
        decisions = sweep(scene, now, self.law, self._new_case)
        for decision in decisions:
            self._apply(decision, now)
        return decisions

    def judge(self, now: dt.datetime) -> Judgement:
        """The register as known at `now`, judged."""
        variants = [self.calendar.variant([one]) for one in self.class_ids]
        register = build_register(
            self.calendar,
            self.spells,
            variants,
            self._rolls(variants),
            overlays=[
                Overlay(np.array([one.row]), one.date, one.session, one.mark, one.known_at)
                for one in sorted(self.hands, key=lambda one: one.known_at)
            ],
            leaves=self._leaves(),
            movements=self._movements(),
        )
        when, rules = compile_predicate("absent_days >= 2"), (*self.law.stages, *self.law.signs.values())
        return Judgement(register, self.law.clock, when, now, rules=rules, schools=self.school_ids)

    def wakes(self) -> list[dt.datetime]:
        """Instants at which open cases want to be looked at."""
        return [case.wake_at for case in self.cases.values() if case.wake_at]

    def _new_case(self, student: str, now: dt.datetime) -> Case:
        self.counted += 1
        return Case(f"{self.counted}", f"{now.year}-{self.counted:06d}", student, now)

    def _class_at(self, row: int, day: dt.date) -> int:
        spells = [spell for spell in self.spells[row] if spell.starts_on is None or spell.starts_on <= day]
        return (spells or self.spells[row])[-1].class_index

    def _rolls(self, variants: Sequence[int]) -> Rolls:
        grouped: dict[tuple[int, int, int, int, int], list[tuple[int, int]]] = {}
        for mark in self.marks:
            class_index = self._class_at(mark.row, mark.date)
            column = self.calendar.column(variants[class_index], mark.date, mark.session)
            if column is not None:
                key = (class_index, column, to_micros(mark.known_at), mark.rank, mark.line)
                grouped.setdefault(key, []).append((mark.row, int(mark.mark)))
        keys = list(grouped)
        flat = [(n, row, code) for n, key in enumerate(keys) for row, code in grouped[key]]
        table = np.array(keys, np.int64).reshape(-1, 5)
        cells = np.array(flat, np.int64).reshape(-1, 3)
        return Rolls(
            table[:, 0].astype(np.int32),
            table[:, 1].astype(np.int32),
            table[:, 2],
            table[:, 3].astype(np.int32),
            table[:, 4].astype(np.int32),
            np.zeros(len(keys), np.bool_),
            cells[:, 0].astype(np.int32),
            cells[:, 1].astype(np.int32),
            cells[:, 2].astype(np.uint8),
        )

    def _leaves(self) -> Mapping[int, Sequence[Leave]]:
        latest: dict[str, LeaveKnown] = {}
        for leave in sorted(self.leaves, key=lambda one: (one.known_at, one.line)):
            latest[leave.leave_id] = leave
        found: dict[int, list[Leave]] = {}
        for leave in latest.values():
            if not leave.withdrawn:
                found.setdefault(leave.row, []).append(Leave(leave.starts, leave.ends, "leave"))
        return found

    def _movements(self) -> Mapping[int, Sequence[Movement]]:
        found: dict[int, list[Movement]] = {}
        for one in self.movements:
            found.setdefault(one.row, []).append(Movement(one.kind, one.at, one.evidence))
        return found

    def _count_absent(self, judgement: Judgement, now: dt.datetime) -> None:
        columns = np.flatnonzero((judgement.meaning > 0).any(axis=0)).tolist()
        classes = judgement.register.classes[:, -1]
        of_class = [self.class_ids[index] for index in classes]
        of_school = [self.school_ids[index] for index in classes]
        units: list[Sequence[str | None]] = [of_school]
        if any(a != b for a, b in zip(of_class, of_school, strict=True)):
            units.append(of_class)
        for unit_of_row in units:
            for count in mass_absences(judgement, unit_of_row, columns, self.mass_absence_share):
                start = int(judgement.register.calendar.starts[:, count.column].max())
                self._storm(count.unit_id, from_micros(start), now)

    def _storm(self, unit: str, start: dt.datetime, now: dt.datetime) -> None:
        known = next((n for n, storm in enumerate(self.storms) if storm.unit_id == unit), None)
        if known is None:
            self.storms.append(MassAbsence(f"storm-{len(self.storms)}", unit, (start,)))
            self.spoken.append(Spoken("mass_absence", None, None, now, 0, unconfirmed=False, reason=None, unit=unit))
        elif start not in self.storms[known].starts:
            self.storms[known] = replace(self.storms[known], starts=(*self.storms[known].starts, start))

    def _apply(self, decision: Decision, now: dt.datetime) -> None:
        case = decision.case
        row = self.students.index(case.student_id)
        if case.stage is Stage.CLOSED:
            self.cases.pop(row, None)
            self.rested[row] = case.signs
        else:
            self.cases[row] = case
        self.journal += [(now, case.student_id, entry) for entry in decision.entries]
        self.spoken += [self._speak(case, tell, now) for tell in decision.tells]

    @staticmethod
    def _speak(case: Case, tell: Tell, now: dt.datetime) -> Spoken:
        return Spoken(tell.kind, case.student_id, tell.due_at, now, case.episode, tell.unconfirmed, tell.reason)


Looks = Callable[["County", dt.datetime], object]


def live_through(world: World, *, after_each: Looks | None = None, **figures: Any) -> County:  # noqa: ANN401 - of Law
    """A world lived through from its first instant to its last; `figures` of the law differ from the world's own.

    `after_each` is called at every instant, once everything was decided.
    """
    county = County(
        calendar=_calendar(world),
        students=[child.child_id for child in world.children],
        spells=[_spells(world, child) for child in world.children],
        class_ids=[class_id for class_id, _ in world.classes],
        school_ids=[school for _, school in world.classes],
        law=replace(_law(world.parameters), **figures),
        mass_absence_share=world.parameters.mass_absence_share,
    )
    row = {child.child_id: n for n, child in enumerate(world.children)}
    leaves = [
        LeaveKnown(
            one.recorded_at or one.starts, one.leave_id, row[one.child], one.starts, one.ends, one.withdrawn, one.line
        )
        for one in world.leaves
    ]
    movements = [
        MovementKnown(one.recorded_at or one.at, row[one.child], one.kind, one.at, bool(one.evidence))
        for one in world.movements
    ]
    hands = [HandKnown(one.said_at, row[one.child], one.date, one.session, one.mark) for one in world.hands]
    replay(county, _marks(world, row), leaves, movements, world.start, world.end, after_each, hands)
    return county


def _calendar(world: World) -> Calendar:
    slots = dict(world.own_slots)
    periods = {
        school: tuple(Period(slot.name, slot.start, slot.end) for slot in slots.get(school, world.slots))
        for school, _ in world.schools
    }
    tables = {
        school: Timetable(((min(days), max(days)),), periods[school], weekdays=frozenset(), open=days)
        for school, days in world.school_days
    }
    own = {class_id: tables[school] for class_id, school in world.classes}
    return Calendar(ZoneInfo(world.zone), tables[world.schools[0][0]], own)


def _spells(world: World, child: Child) -> list[Spell]:
    index = {class_id: n for n, (class_id, _) in enumerate(world.classes)}
    return [Spell(index[class_id], since if n else None) for n, (since, class_id) in enumerate(child.classes)]


PACK = Path(__file__).parents[1] / "rules" / "packs" / "statutory.toml"


@cache
def statutory() -> Rulebook:
    """The rules that ship for everybody."""
    return read_rules([("statutory", PACK.read_text(encoding="utf-8"))], ["statutory"])


def _law(figures: Parameters) -> Law:
    return Law(
        stages=statutory().stages,
        clock=Clock(after=figures.after, run_break=figures.run_break, stale_after=figures.stale_after),
        ladder=Ladder("statutory", (Rung(dt.timedelta(0), None, ("town_government",), ("sms",)),), ()),
        wait_for_roll=figures.wait_for_roll,
        unconfirmed_after=figures.unconfirmed_after,
        mass_absence_hold=figures.mass_absence_hold,
    )


def _marks(world: World, row: Mapping[str, int]) -> list[MarkKnown]:
    """The marks of sessions there are, none called in advance; by default one is known at its session's end."""
    held = {
        (child.child_id, session.date, session.name): session
        for child in world.children
        for session in world.timetable(child)
    }
    return [
        MarkKnown(
            one.recorded_at or held[one.child, one.date, one.session].end,
            row[one.child],
            one.date,
            one.session,
            one.mark,
            one.line,
            one.rank,
        )
        for one in world.marks
        if (session := held.get((one.child, one.date, one.session))) is not None and not is_ahead(one, session, world)
    ]


def replay(
    county: County,
    marks: Sequence[MarkKnown],
    leaves: Sequence[LeaveKnown],
    movements: Sequence[MovementKnown],
    start: dt.datetime,
    end: dt.datetime,
    after_each: Looks | None = None,
    hands: Sequence[HandKnown] = (),
) -> list[Spoken]:
    """Everything told between `start` and `end`, in order."""
    arrivals: dict[dt.datetime, list[Known]] = {}
    known: list[Known] = [*marks, *hands, *leaves, *movements]
    for one in known:
        arrivals.setdefault(max(one.known_at, start), []).append(one)
    ahead = sorted(arrivals)
    said: list[MarkKnown | HandKnown] = [*marks, *hands]
    early = {
        session_start
        for mark in said
        if (session_start := _starts(county, mark)) is not None and mark.known_at < session_start
    }
    taking_effect = {one.at for one in movements if one.at > max(one.known_at, start)}
    ahead = sorted({*ahead, *early, *taking_effect})
    while True:
        wakes = county.wakes()
        candidates = [*ahead[:1], *([min(wakes)] if wakes else [])]
        if not candidates or min(candidates) > end:
            return county.spoken
        now = min(candidates)
        if ahead and ahead[0] == now:
            ahead.pop(0)
            for one in arrivals.get(now, ()):
                _take_in(county, one)
        county.sweep(now)
        if after_each is not None:
            after_each(county, now)


def _starts(county: County, mark: MarkKnown | HandKnown) -> dt.datetime | None:
    variants = [county.calendar.variant([one]) for one in county.class_ids]
    variant = variants[county._class_at(mark.row, mark.date)]
    column = county.calendar.column(variant, mark.date, mark.session)
    return None if column is None else from_micros(int(county.calendar.starts[variant, column]))


def _take_in(county: County, one: Known) -> None:
    if isinstance(one, MarkKnown):
        county.marks.append(one)
    elif isinstance(one, HandKnown):
        county.hands.append(one)
    elif isinstance(one, LeaveKnown):
        county.leaves.append(one)
    else:
        county.movements.append(one)
