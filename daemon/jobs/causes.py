"""Why a report is taken back, as those who were told are told: what became known of the very run that was reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.scenes import load_judgement
from daemon.store import journal, overlays
from daemon.store.overlays import Overlay
from daemon.store.tx import Tx
from rules.case import Case, Tell
from rules.instants import to_micros
from rules.judge import Judgement
from rules.records import POSITIVE, Mark

_ASKED = frozenset({"excused", "corrected"})
"""Reasons of which the law knows no more than this; a movement names itself."""
_LONGEST_RUN = dt.timedelta(days=14)
"""How far before its deadline a report began, where the journal does not say."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A report that is taken back: whose it was, and from when until when its run was reported."""

    case: Case
    tell: Tell
    start: dt.datetime
    due_at: dt.datetime


def causes_of(tx: Tx, house: House, tells: Iterable[tuple[Case, Tell]], now: dt.datetime) -> dict[str, str]:
    """By case the code of what led to its retraction, where more is known of it than the law's own reason."""
    taken = [
        _Taken(case, tell, _reported_start(tx, case, tell.due_at), tell.due_at)
        for case, tell in tells
        if tell.kind == "retraction" and tell.reason in _ASKED and tell.due_at is not None
    ]
    if not taken:
        return {}
    people, zone = house.people(tx), house.calendar.zone
    first = min(one.start for one in taken).astimezone(zone).date()
    last = max(one.due_at for one in taken).astimezone(zone).date()
    ordinals = [people.roster.students.ordinals[one.case.student_id] for one in taken]
    judgement = load_judgement(tx, house, people, ordinals, now, first)
    said = overlays.load_overlays(tx, first, last, now)
    return {one.case.case_id: _cause(judgement, row, one, _about(people, one, said)) for row, one in enumerate(taken)}


def _reported_start(tx: Tx, case: Case, due_at: dt.datetime) -> dt.datetime:
    """When the run began that was reported: the case has forgotten it, its journal has not."""
    raised = [one.body for one in journal.history(tx, case.case_id) if one.kind == "raised"]
    start = raised[-1].get("run_from") if raised else None
    return dt.datetime.fromisoformat(start) if start else due_at - _LONGEST_RUN


def _about(people: People, one: _Taken, said: Sequence[Overlay]) -> list[Overlay]:
    """Return what people said about the child by hand since its report was raised."""
    student, since = one.case.student_id, one.tell.reported_at
    index = people.class_index.get(people.class_now(student))
    return [
        each
        for each in said
        if (since is None or each.known_at >= since)
        and (each.student_id == student or (each.unit_id and index in people.classes_under([each.unit_id])))
    ]


def _cause(judgement: Judgement, row: int, one: _Taken, said: Sequence[Overlay]) -> str:
    marks = _marks(judgement, row, one)
    seen, excused = bool(np.isin(marks, [int(mark) for mark in POSITIVE]).any()), _excuse(judgement, row, one, marks)
    if excused is not None and (one.tell.reason == "excused" or not seen):
        return excused
    if seen:
        return "present"
    return "not_real" if any(each.incident_id is not None for each in said) else "corrected"


def _marks(judgement: Judgement, row: int, one: _Taken) -> NDArray[Any]:
    """Return what is known now of the sessions of the run that was reported, up to its deadline."""
    starts = judgement.register.starts()[row]
    within = (starts >= to_micros(one.start)) & (starts < to_micros(one.due_at))
    marks: NDArray[Any] = np.asarray(judgement.register.marks[row])[within & judgement.register.expected()[row]]
    return marks


def _excuse(judgement: Judgement, row: int, one: _Taken, marks: NDArray[Any]) -> str | None:
    leaves = judgement.register.leaves.get(row, ())
    if any(leave.starts < one.due_at and leave.ends > one.start for leave in leaves):
        return "leave"
    return "marked_leave" if bool((marks == int(Mark.LEAVE)).any()) else None
