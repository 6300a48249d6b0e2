"""What an office knows before its feeds do: a mark, a leave, whether a mass absence is real."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from daemon.desk.faults import DeskError
from daemon.desk.reasons import who
from daemon.jobs.apply import write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.intake import arm_class
from daemon.jobs.needless import acted
from daemon.jobs.office import LINK, Actor, act, judge_anew
from daemon.jobs.people import People, child_of
from daemon.problems import choose
from daemon.store import absences, cases, incidents, overlays
from daemon.store.alerts import AlertRow
from daemon.store.children import RosterStudent
from daemon.store.incidents import IncidentRow
from daemon.store.overlays import Overlay
from daemon.store.tx import Tx
from rules.case import Decision, Entry
from rules.instants import from_micros, to_micros
from rules.records import EARLY, FORETOLD, MARK_NAMES, LeaveRecord, Mark


@dataclass(frozen=True, slots=True)
class Marked:
    """One mark said by hand: of whom, in which session."""

    student_id: str
    date: dt.date
    session: str
    mark: Mark


def mark(house: House, student_id: str, day: dt.date, session: str, code: str, by: str, now: dt.datetime) -> Marked:
    """Say what a child's mark in one session is, over whatever the feeds say.

    Raises DeskError for a child not on the roster, a session not expected or more than two hours ahead, or a word that
    is no mark.
    """
    subject = f"mark {student_id}"
    person, meant = who(by, subject), MARK_NAMES.get(code.strip().lower())
    if meant is None:
        raise DeskError(f"{subject} code", f'"{code}" is no mark', choose(code, MARK_NAMES))
    return act(house, lambda tx: _mark(tx, house, Marked(student_id, day, session, meant), person, now))


def _mark(tx: Tx, house: House, said: Marked, by: str, now: dt.datetime) -> Marked:
    people = house.people(tx)
    child = child_of(people, said.student_id)
    start = _session_start(house, people, child, said)
    if start - now > EARLY and said.mark not in FORETOLD:
        hint = "a roll cannot be called in advance; leave may: baoxue leave add"
        raise DeskError(f"mark {said.student_id} date", "its session has not begun", hint)
    overlay = Overlay(said.date, said.session, said.mark, now, by, student_id=said.student_id)
    overlays.record_overlays(tx, [overlay])
    classes = [child.class_id, people.class_ids[people.class_on(child.ordinal, said.date)]]
    judge_anew(tx, house, classes, now)
    if start > now:
        arm_class(tx, classes, start)
    body = {"date": said.date.isoformat(), "session": said.session, "mark": said.mark.name.lower(), "by": by}
    _journal(tx, house, child.student_id, Entry("marked by hand", body), now)
    return said


def _session_start(house: House, people: People, child: RosterStudent, said: Marked) -> dt.datetime:
    variant = people.variants[people.class_on(child.ordinal, said.date)]
    names = house.calendar.names(variant)
    subject = f"mark {said.student_id}"
    if said.session not in names:
        fault = f'"{said.session}" is no session of that class'
        raise DeskError(f"{subject} session", fault, choose(said.session, names))
    column = house.calendar.column(variant, said.date, said.session)
    if column is None:
        hint = "look at [calendar]: terms, weekdays, holidays, closed, open"
        raise DeskError(f"{subject} date", f"nobody is expected on {said.date}", hint)
    return from_micros(int(house.calendar.starts[variant, column]))


def add_leave(
    house: House, student_id: str, starts: dt.datetime, ends: dt.datetime, kind: str, by: str, now: dt.datetime
) -> LeaveRecord:
    """Enter a leave, half-open `[starts, ends)`; a later one of the same child and start replaces it.

    It gets the id the plain feeds would give it, so that the school's own record of it is the same leave.
    """
    subject = f"leave {student_id}"
    person, plain = who(by, subject), " ".join(kind.split())
    if not plain:
        raise DeskError(subject, "needs a kind", "such as sick or personal, 病假 or 事假")
    if ends <= starts:
        raise DeskError(subject, "ends before it begins", "FROM comes before TO; both may be the same date")
    leave_id = f"{student_id}-{starts:%Y%m%dT%H%M%SZ}"
    record = LeaveRecord(leave_id, student_id, starts, ends, plain, now, person, withdrawn=False, line=0)
    return act(house, lambda tx: _add_leave(tx, house, record, now))


def _add_leave(tx: Tx, house: House, record: LeaveRecord, now: dt.datetime) -> LeaveRecord:
    child = child_of(house.people(tx), record.student_id)
    absences.record_leaves(tx, [record], now)
    judge_anew(tx, house, [child.class_id], now)
    span = {"starts": record.starts.isoformat(), "ends": record.ends.isoformat(), "leave": record.kind}
    _journal(tx, house, child.student_id, Entry("leave entered", {**span, "by": record.approved_by}), now)
    return record


def judge_incident(house: House, incident_id: str, *, real: bool, by: str, now: dt.datetime) -> IncidentRow:
    """Say whether a mass absence is real. Not real: its sessions are unknown for the unit. Held reports go or vanish.

    Saying the same again changes nothing. Raises DeskError for no such incident, or one judged not real before.
    """
    actor = Actor(who(by, f"incident {incident_id}"))
    return act(house, lambda tx: _judge(tx, house, incident_id, real, actor, now))


def judge_by_link(house: House, alert: AlertRow, *, real: bool, now: dt.datetime) -> IncidentRow:
    """As `judge_incident`, by the recipient of the message about it."""
    subject = alert.incident_id or ""
    actor = Actor(f"{alert.role} {alert.contact_id}", LINK, alert.role, alert.contact_id)
    return act(house, lambda tx: _judge(tx, house, subject, real, actor, now))


def _judge(tx: Tx, house: House, incident_id: str, real: bool, actor: Actor, now: dt.datetime) -> IncidentRow:  # noqa: FBT001
    subject = f"incident {incident_id}"
    row = incidents.incident_by_id(tx, incident_id)
    if row is None or row.kind != "mass_absence":
        raise DeskError(subject, "is no mass absence", '"baoxue incident list" shows those there are')
    verdict = "real" if real else "not_real"
    if row.verdict == verdict:
        return row
    if row.verdict == "not_real":
        raise DeskError(subject, "was judged not real before", "correct single children with: baoxue mark")
    if not real:
        overlays.record_overlays(tx, _unknown(tx, house, row, actor.by, now))
    whose = {key: word for key, word in (("role", actor.role), ("contact", actor.contact)) if word is not None}
    line = {"at": to_micros(now), "verdict": verdict, "way": actor.way, **whose}
    said = [*row.state.get("journal", ()), line]
    judged = replace(
        row, verdict=verdict, judged_by=actor.by, judged_at=now, closed_at=now, state={**row.state, "journal": said}
    )
    incidents.update_incidents(tx, [judged])
    people = house.people(tx)
    arm_class(tx, [people.class_ids[index] for index in people.classes_under([row.subject])], now)
    return judged


def _unknown(tx: Tx, house: House, row: IncidentRow, by: str, now: dt.datetime) -> list[Overlay]:
    """`unknown` for the unit in each session of the incident, whatever each of its timetables calls it."""
    people, calendar = house.people(tx), house.calendar
    starts = set(row.state["starts"])
    sessions = [
        calendar.session(variant, int(column))
        for variant in {people.variants[index] for index in people.classes_under([row.subject])}
        for column in calendar.lines[variant].columns
        if int(calendar.starts[variant, column]) in starts
    ]
    return [
        Overlay(date, name, Mark.UNKNOWN, now, by, unit_id=row.subject, incident_id=row.incident_id)
        for date, name in sorted({(session.date, session.name) for session in sessions})
    ]


def _journal(tx: Tx, house: House, student_id: str, entry: Entry, now: dt.datetime) -> None:
    """Into the child's case, if one is open: what was said by hand belongs to its story, and is something done."""
    decisions = [Decision(acted(tx, from_row(row), now), (entry,)) for row in cases.open_cases(tx, [student_id])]
    write_decisions(tx, house, decisions, now)
