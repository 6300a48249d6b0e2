"""One child under two numbers (a new 学籍号): joins what is known of both, with one case, and takes it apart again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from daemon.desk.faults import DeskError
from daemon.desk.reasons import who
from daemon.jobs.apply import CASE, write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.intake import retry_parked
from daemon.jobs.office import act, closed_case, judge_anew
from daemon.jobs.people import People, child_of
from daemon.store import cases, intake, outbox, renumbering, roster, timers
from daemon.store.renumbering import Renumbering
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case, Decision, Entry, Standing

JOINED, APART, DUPLICATE = "numbers joined", "numbers taken apart", "duplicate"


@dataclass(frozen=True, slots=True)
class Joined:
    """What two numbers became: the present number, the case that goes on, the one that was closed as its duplicate."""

    student_id: str
    same_as: str
    case: str | None = None
    closed: str | None = None
    rows: int = 0
    """Rows that waited for the earlier number, and were tried again."""


def join_numbers(house: House, old: str, new: str, by: str, now: dt.datetime, *, sure: bool = False) -> Joined:
    """Let `old` and `new` be one child, which is `new` from now on; saying the same again changes nothing.

    Everything said of `old`, then and later, counts for the child: one run, one case. Of two open cases the one whose
    report is older goes on; nobody is told, and its corrections reach everybody who was told of either.
    Raises DeskError for numbers that are not known, are joined otherwise, or seem to be two children (unless `sure`).
    """
    person = who(by, f"student {old}")
    return act(house, lambda tx: _join(tx, house, old, new, person, now, sure=sure))


def part_number(house: House, old: str, by: str, now: dt.datetime) -> Renumbering:
    """Let a number that was joined to another be a child of its own again, with the cases it had.

    A case that was closed as a duplicate stays closed; what is owed is decided anew. Raises DeskError where it is not
    joined to another.
    """
    person = who(by, f"student {old}")
    return act(house, lambda tx: _part(tx, house, old, person, now))


def _join(tx: Tx, house: House, old: str, new: str, by: str, now: dt.datetime, *, sure: bool) -> Joined:
    people = house.people(tx)
    present = _present(tx, people, old, new)
    if people.same.get(old) == present:
        return Joined(old, present)
    _refuse_unfit(tx, people, old, present)
    if not sure:
        _refuse_doubtful(tx, people, old, present)
    theirs = _join_cases(tx, house, old, present, by, now)
    renumbering.record_renumbering(tx, Renumbering(old, present, now, by, theirs.moved))
    house.forget_people()
    waited = len(intake.parked_for(tx, [old]))
    retry_parked(tx, house, [old], now)
    _judge(tx, house, present, now)
    closed = theirs.duplicates[0].number if theirs.duplicates else None
    return Joined(old, present, theirs.kept.number if theirs.kept else None, closed, waited)


def _judge(tx: Tx, house: House, student: str, now: dt.datetime) -> None:
    """Ask for a child to be judged anew, in every class it was in."""
    people = house.people(tx)
    ordinal = people.roster.students.ordinals[student]
    judge_anew(tx, house, [people.class_ids[index] for index in people.classes_of([ordinal])], now)


# ---- which child is meant ---------------------------------------------------------------------------------------


def _present(tx: Tx, people: People, old: str, new: str) -> str:
    """The number `new` has now; DeskError for one that is not on the roster, or is `old` itself."""
    subject = f"student {old}"
    if old == new:
        raise DeskError(subject, "is the same number twice", "name the earlier number first, then the present one")
    students = people.roster.students
    if new not in students and old in students and intake.parked_for(tx, [new]):
        hint = f"if {old} is the number the roster has, say it the other way round: baoxue student same {new} {old}"
        raise DeskError(f"student {new}", "is not on the roster", hint)
    present = child_of(people, new).student_id
    if present == old:
        hint = f"take it apart first: baoxue student apart {new}"
        raise DeskError(subject, f"is the present number of {new} already", hint)
    return present


def _refuse_unfit(tx: Tx, people: People, old: str, present: str) -> None:
    other = people.same.get(old)
    if other is not None:
        hint = f"join that one, or take it apart first: baoxue student apart {old}"
        raise DeskError(f"student {old}", f"is {other} already, and not {present}", hint)
    if old not in people.roster.students and not intake.parked_for(tx, [old]):
        child_of(people, old)  # says so, and which number may have been meant


def _refuse_doubtful(tx: Tx, people: People, old: str, present: str) -> None:
    """Raise DeskError where two numbers seem to be two children; all reasons at once, and no name."""
    if old not in people.roster.students:
        return
    names = roster.names_of(tx, [old, present])
    doubts = []
    if renumbering.is_listed(tx, old) and renumbering.is_listed(tx, present):
        before, after = people.class_now(old), people.class_now(present)
        where = f"in class {before}" if before == after else f"in classes {before} and {after}"
        doubts.append(f"is on the newest roster beside {present}, {where}")
    if names.get(old) != names.get(present):
        doubts.append(f"has another name than {present}")
    if doubts:
        raise DeskError(f"student {old}", " and ".join(doubts), "if it is one child all the same, say it with --sure")


# ---- cases ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cases:
    """Of two numbers' cases: the one that goes on, those closed as its duplicates, and the ids of those that went."""

    kept: Case | None
    duplicates: Sequence[Case]
    moved: Sequence[str]


def _join_cases(tx: Tx, house: House, old: str, present: str, by: str, now: dt.datetime) -> _Cases:
    """Let the cases of `old` be the child's, and of several open ones only one go on."""
    cases.hold(tx, [row.case_id for row in cases.cases_of(tx, [old, present])])
    rows = cases.cases_of(tx, [old, present])
    still_open = sorted((from_row(row) for row in rows if row.is_open), key=_seniority)
    kept, duplicates = (still_open[0], still_open[1:]) if still_open else (None, [])
    if kept is not None:
        for one in duplicates:
            kept = _close_duplicate(tx, house, kept, one, by, now)
    moved = [row.case_id for row in rows if row.student_id == old]
    renumbering.give_cases(tx, moved, present)
    timers.disarm(tx, [(CASE, old)])
    if kept is not None:
        version = cases.cases_by_id(tx, [kept.case_id])[kept.case_id].version
        facts = {"earlier": old, "present": present}
        _note(tx, house, kept.but(student_id=present, version=version), JOINED, facts, by, now)
    return _Cases(kept, duplicates, moved)


def _seniority(case: Case) -> tuple[bool, dt.datetime, str]:
    """A report that stands before none, the older before the younger."""
    return case.standing is not Standing.RAISED, case.raised_at or case.opened_at, case.number


def _close_duplicate(tx: Tx, house: House, kept: Case, other: Case, by: str, now: dt.datetime) -> Case:
    """Close `other`, whose recipients are those of `kept` from now on; `kept` with what was done about the other."""
    heard = {(one.contact_id, one.kind) for one in outbox.alerts_of(tx, case_id=kept.case_id) if not one.cancelled_at}
    outbox.cancel(tx, now, DUPLICATE, case_id=other.case_id, only=lambda one: (one.contact_id, one.kind) in heard)
    body = {"reason": DUPLICATE, "case": kept.number, "by": by}
    write_decisions(tx, house, [Decision(closed_case(other, DUPLICATE, now), (Entry("closed", body),))], now)
    renumbering.give_alerts(tx, other.case_id, kept.case_id, kept.number, kept.episode)
    if kept.acknowledged_at is None and other.acknowledged_at is not None and kept.standing is Standing.RAISED:
        return kept.but(
            acknowledged_at=other.acknowledged_at,
            acknowledged_by=other.acknowledged_by,
            acknowledged_contact=other.acknowledged_contact,
            acted_at=max(filter(None, (kept.acted_at, other.acted_at)), default=None),
        )
    return kept


def _note(tx: Tx, house: House, case: Case, kind: str, facts: dict[str, str], by: str, now: dt.datetime) -> None:
    """Into a case's journal; the case is looked at again at once."""
    write_decisions(tx, house, [Decision(case, (Entry(kind, {**facts, "by": by}),))], now)
    timers.arm(tx, [Timer(CASE, case.student_id, now)])


# ---- apart ------------------------------------------------------------------------------------------------------


def _part(tx: Tx, house: House, old: str, by: str, now: dt.datetime) -> Renumbering:
    joined = next((one for one in renumbering.renumberings(tx) if one.student_id == old), None)
    if joined is None or joined.same_as is None:
        raise DeskError(f"student {old}", "is joined to no other number", '"baoxue student list" shows those that are')
    present = house.people(tx).same.get(old, joined.same_as)
    parted = replace(joined, same_as=None, known_at=now, said_by=by, cases=())
    _give_back(tx, house, joined.cases, old, present, by, now)
    renumbering.record_renumbering(tx, parted)
    house.forget_people()
    for student in (old, present):
        if student in house.people(tx).roster.students:
            _judge(tx, house, student, now)
    return joined


def _give_back(tx: Tx, house: House, moved: Sequence[str], old: str, present: str, by: str, now: dt.datetime) -> None:
    """Let the cases that went over be those of `old` again."""
    cases.hold(tx, moved)
    renumbering.give_cases(tx, moved, old)
    for row in cases.cases_by_id(tx, moved).values():
        if row.is_open:
            _note(tx, house, from_row(row), APART, {"earlier": old, "present": present}, by, now)
