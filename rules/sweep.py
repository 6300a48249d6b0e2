"""One look at a set of children: judge their register, then decide every case that exists or must be opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rules.case import Case, Decision, Entry, Law, Stage, Storm
from rules.decide import decide, question
from rules.finding import Finding
from rules.idle import idle_rows
from rules.incidents import MassAbsence
from rules.instants import NEVER, to_micros
from rules.judge import Judgement
from rules.register import EXCUSED, SEEN
from rules.signs import Sign

NewCase = Callable[[str, dt.datetime], Case]
"""Makes the case to be opened for a student; ids and numbers come from outside."""


Spare = Callable[[str, Exception], None]
"""Told of a student whose case could not be decided, and why."""


@dataclass(frozen=True)
class Scene:
    """Everything a sweep looks at: a judged register, whose children its rows are, and what was decided before.

    `students`, `class_ids` and `school_ids` name the register's rows and class indices.
    """

    judgement: Judgement
    students: Sequence[str]
    class_ids: Sequence[str]
    school_ids: Sequence[str | None]
    cases: Mapping[int, Case]
    storms: Sequence[MassAbsence] = ()
    others: Collection[int] = ()
    """Rows that are not to be decided here."""
    rested: Mapping[int, tuple[Sign, ...]] = field(default_factory=dict)
    """Of rows without an open case the signs of the last one: a case that is closed must not let them speak anew."""


def sweep(scene: Scene, now: dt.datetime, law: Law, new_case: NewCase, spare: Spare | None = None) -> list[Decision]:
    """Decide what becomes of each child's case; children without run, sign and case cost nothing.

    With `spare` a case whose decision fails is handed to it and passed over; without, the failure is raised.
    """
    idle = idle_rows(scene.judgement, scene.cases, law)
    rows = [row for row in interesting(scene) if row not in idle]
    questions = {row: asked for row, case in scene.cases.items() if (asked := question(case, law))}
    kept = {row: [sign.rule for sign in case.signs if not sign.over] for row, case in scene.cases.items() if case.signs}
    findings = scene.judgement.findings(rows, questions, kept)
    decisions = []
    for row in rows:
        try:
            decisions.append(_decide_row(scene, row, findings[row], now, law, new_case))
        except Exception as error:
            if spare is None:
                raise
            spare(scene.students[row], error)
    return [decision for decision in decisions if decision is not None]


def interesting(scene: Scene) -> list[int]:
    """The rows with a current run, a sign or an open case."""
    return sorted({*to_open(scene.judgement), *scene.cases}.difference(scene.others))


def to_open(judgement: Judgement) -> set[int]:
    """The rows with a current run or a sign: of those without a case one may be opened."""
    running = np.flatnonzero(judgement.runs.start != NEVER).tolist()
    shown = judgement.views.shown.tolist() if judgement.views is not None else []
    return {*running, *shown}


def unsettled(scene: Scene) -> list[int]:
    """The rows of whom a register that goes back only a while may not know enough.

    Whoever was seen in it begins anew there, whatever was before; a question about a deadline must lie after that.
    Whoever was not, and has neither a case nor a session without leave in it, is not to be decided at all.
    """
    judgement = scene.judgement
    starts = judgement.register.starts()
    limit = np.full(judgement.register.rows, NEVER, np.int64)
    for row, case in scene.cases.items():
        if asked := question(case):
            limit[row] = to_micros(asked.due_at)
    shown = (judgement.meaning == SEEN) & (starts < limit[:, None])
    for row, said in judgement.register.sightings.items():
        shown[row, [one.column for one in said]] = False  # a report may have been raised before it was said
    seen = shown.any(axis=1)
    missing = judgement.register.expected() & (starts <= judgement.now) & (judgement.meaning != EXCUSED)
    wanted = missing.any(axis=1)
    wanted[list(scene.cases)] = True
    rows: list[int] = np.flatnonzero(wanted & ~seen).tolist()
    return rows


def _decide_row(
    scene: Scene, row: int, finding: Finding, now: dt.datetime, law: Law, new_case: NewCase
) -> Decision | None:
    calendar = scene.judgement.register.calendar
    case = scene.cases.get(row)
    storm = storm_of(scene, finding)
    if case is not None:
        return decide(case, finding, now, law, calendar, storm=storm)
    runs = finding.run_from is not None and finding.leave_until is None
    if not runs and not any(view.holds and view.rule in law.signs for view in finding.views):
        return None
    stage, rested = Stage.FIRST_ABSENCE if runs else Stage.WATCH, scene.rested.get(row, ())
    opened = new_case(scene.students[row], now).but(stage=stage, signs=rested)
    decision = decide(opened, finding, now, law, calendar, storm=storm)
    entry = Entry("opened", {"run_from": finding.run_from} if runs else {"stage": Stage.WATCH.value})
    return Decision(decision.case, (entry, *decision.entries), decision.tells, decision.cancels)


def storm_of(scene: Scene, finding: Finding) -> Storm | None:
    """The mass absence in which a child's run began."""
    units = {scene.class_ids[finding.class_index], scene.school_ids[finding.class_index]}
    return storm_among(scene.storms, units, finding.run_from)


def storm_among(
    storms: Iterable[MassAbsence], units: Collection[str | None], run_from: dt.datetime | None
) -> Storm | None:
    """Of the mass absences of `units` the one in which a run began: an unjudged one before a judged one."""
    found = [storm for storm in storms if storm.unit_id in units and run_from in storm.starts]
    found.sort(key=lambda storm: (storm.real is not None, storm.incident_id))
    return Storm(found[0].incident_id, found[0].real is not None) if found else None
