"""One case as an office reads it: where it stands, who was told what, its journal, the child's dated marks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from daemon.desk.ledger import case_row, ledger
from daemon.jobs.casefile import from_row
from daemon.jobs.find import children_under, unit_called
from daemon.jobs.house import House
from daemon.jobs.naming import open_names, place_of
from daemon.jobs.people import People, child_of
from daemon.jobs.scenes import load_register
from daemon.store import absences, journal, outbox
from daemon.store.cases import CaseRow
from daemon.store.tx import Tx
from rules.case import Case
from rules.instants import to_micros
from rules.records import Mark
from rules.signs import Sign

BEFORE = dt.timedelta(days=14)
"""How much of the time before a case its dated history shows."""


def list_ledger(
    tx: Tx, house: House, *, stage: str | None = None, unit: str | None = None, closed_too: bool = False
) -> list[dict[str, Any]]:
    """Return the cases of a stage and unit, by number; DeskError for a unit nobody knows."""
    people = house.people(tx)
    students = None if unit is None else children_under(people, [unit_called(people, unit, "--unit")])
    return outlines(tx, house, ledger(tx, stage=stage, students=students, closed_too=closed_too))


def outlines(tx: Tx, house: House, rows: Sequence[CaseRow]) -> list[dict[str, Any]]:
    """Return where cases stand, each with the name of its child: None where the key does not open it."""
    people = house.people(tx)
    names = open_names(tx, people, students=[row.student_id for row in rows]).students
    return [{**outline(house, people, from_row(row)), "name": names.get(row.student_id)} for row in rows]


def outline(house: House, people: People, case: Case) -> dict[str, Any]:
    """Return where one case stands, as plain values; no name of a child."""
    child = child_of(people, case.student_id)
    _, assumed = people.directory.town(child.class_id, child.residence_id)
    return {
        "case": case.number,
        "student": case.student_id,
        **place_of(people, case.student_id),
        "residence_assumed": assumed,
        "stage": case.stage.value,
        "standing": case.standing.value,
        "open": case.is_open,
        "episode": case.episode,
        "unconfirmed": case.unconfirmed,
        "run_from": local(house, case.run_from or case.finding.run_from),
        "absent_days": case.finding.run_days,
        "due_at": local(house, case.due_at or case.pending_at or case.armed_at),
        "raised_at": local(house, case.raised_at),
        "rule": case.rule,
        "rule_version": case.rule_version,
        "acknowledged_at": local(house, case.acknowledged_at),
        "acknowledged_by": case.acknowledged_by,
        "pending_closure": case.pending_closure if case.is_open else None,
        "reason": case.reason,
        "opened_at": local(house, case.opened_at),
        "closed_at": local(house, case.closed_at),
        "wake_at": local(house, case.wake_at),
    }


def open_dossier(tx: Tx, house: House, number: str, now: dt.datetime) -> dict[str, Any]:
    """Everything about one case, with the child's name; DeskError for an unknown number."""
    case = from_row(case_row(tx, number))
    people = house.people(tx)
    names = open_names(tx, people, students=[case.student_id]).students
    numbers = people.numbers_of(case.student_id)
    lines = journal.history(tx, case.case_id)
    named = {str(one.body[key]) for one in lines for key in ("contact", "to") if key in one.body}
    told = [_told(house, people, one) for one in outbox.told(tx, case.case_id)]
    contacts = open_names(tx, people, contacts={*named, *(one["contact"] for one in told)}).contacts
    leaves = absences.load_leaves(tx, numbers)
    movements = absences.load_movements(tx, numbers)
    return {
        **outline(house, people, case),
        "name": names.get(case.student_id),
        "signs": [_sign(house, one) for one in case.signs],
        "told": told,
        "journal": [_entry(house, one) for one in lines],
        "contact_names": dict(contacts),
        "history": _history(tx, house, people, case, now),
        "leaves": [
            {"leave": one.leave_id, "from": local(house, one.starts), "to": local(house, one.ends), "kind": one.kind}
            for one in leaves
        ],
        "movements": [{"kind": one.kind, "at": local(house, one.at), "evidence": one.evidence} for one in movements],
    }


def local(house: House, instant: dt.datetime | None) -> str | None:
    """An instant where the schools are, ISO 8601 with its offset."""
    return instant.astimezone(house.calendar.zone).isoformat() if instant else None


def _sign(house: House, one: Sign) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "version": one.version,
        "due_at": local(house, one.due_at or one.armed_at),
        "raised_at": local(house, one.raised_at),
        "times": one.times,
        "stands": one.stands,
    }


def _told(house: House, people: People, one: outbox.Told) -> dict[str, Any]:
    alert = one.alert
    unit = people.directory.units.get(alert.unit_id or "")
    return {
        "kind": alert.kind,
        "episode": alert.episode,
        "rung": alert.rung,
        "contact": alert.contact_id,
        "role": alert.role,
        "unit": alert.unit_id,
        "unit_name": unit.name if unit else None,
        "channel": alert.channel,
        "told_at": local(house, one.told_at),
        "doubtful": one.doubtful,
        "in_flight": one.in_flight,
        "shadow": one.shadow,
        "message": alert.message_id,
    }


def _entry(house: House, one: journal.Entry) -> dict[str, Any]:
    body = {key: _localised(house, one.body[key]) for key in sorted(one.body)}
    return {"seq": one.seq, "at": local(house, one.at), "kind": one.kind, "body": body, "hash": one.hash}


def _localised(house: House, value: object) -> object:
    """A value of a journal line; an instant, which is written down in UTC, where the schools are."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return value
    return local(house, dt.datetime.fromisoformat(value))


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


def _history(tx: Tx, house: House, people: People, case: Case, now: dt.datetime) -> list[dict[str, Any]]:
    """The child's marks, session by session, from a while before the case to now or its closing."""
    first = min(filter(None, (case.opened_at, case.run_from, case.finding.run_from))) - BEFORE
    child = child_of(people, case.student_id)
    since, until = first.astimezone(house.calendar.zone).date(), case.closed_at or now
    register = load_register(tx, house, people, [child.ordinal], until, since)
    starts, expected = register.starts()[0], register.expected()[0]
    columns = np.flatnonzero(expected & (starts >= to_micros(first)) & (starts <= to_micros(until)))
    return [_session(house, register.variant_of(0, int(column)), int(column), register.marks[0]) for column in columns]


def _session(house: House, variant: int, column: int, marks: Sequence[int] | np.ndarray[Any, Any]) -> dict[str, Any]:
    session = house.calendar.session(variant, column)
    return {"date": session.date.isoformat(), "session": session.name, "mark": Mark(int(marks[column])).name.lower()}
