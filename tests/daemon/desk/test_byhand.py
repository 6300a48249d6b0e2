"""What an office knows before its feeds do, as whole stories."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from daemon.desk.faults import DeskError
from daemon.desk.spans import span_end, span_start
from daemon.jobs.byhand import add_leave, judge_incident, mark
from daemon.store import incidents
from tests.daemon.desk.county_office import MONDAY, Office, local, write_county

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.engine import Store

TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)


def test_a_mark_by_hand_brings_a_child_back(office: Office) -> None:
    office.report()
    mark(office.house, "s-001", WEDNESDAY, "am", "late", "Tess", local(2, "09:00"))
    assert office.step(2, "09:00") == [("1", "return"), ("3", "return")]
    assert ("marked by hand", "late") in [(kind, body.get("mark")) for kind, body in office.journal(office.number())]


def test_a_mark_by_hand_for_a_session_to_come_is_known_when_it_begins(office: Office) -> None:
    office.report()
    mark(office.house, "s-001", WEDNESDAY, "pm", "present", "Tess", local(2, "12:30"))
    assert office.step(2, "12:30") == []
    assert office.step(2, "14:00") == [("1", "return"), ("3", "return")]


@pytest.mark.parametrize(
    ("student", "day", "session", "code", "fault"),
    [
        ("s-00", MONDAY, "am", "absent", "not on the roster"),
        ("s-001", MONDAY, "noon", "absent", "no session of that class"),
        ("s-001", dt.date(2026, 3, 21), "am", "absent", "nobody is expected"),
        ("s-001", MONDAY, "am", "abscent", "is no mark"),
    ],
)
def test_a_mark_that_fits_nothing_is_refused_with_a_hint(
    office: Office, student: str, day: dt.date, session: str, code: str, fault: str
) -> None:
    with pytest.raises(DeskError, match=fault) as refused:
        mark(office.house, student, day, session, code, "Tess", local(2, "09:00"))
    assert refused.value.hint


def test_a_leave_entered_before_the_deadline_prevents_the_report(office: Office) -> None:
    office.two_days()
    zone = office.house.calendar.zone
    span = span_start("2026-03-16", zone, ""), span_end("2026-03-18", zone, "")
    add_leave(office.house, "s-001", *span, "sick", "Tess", local(1, "17:00"))
    office.step(1, "17:00")
    assert office.roll(2, "am", "APP", "08:10") == []


def test_a_leave_entered_late_retracts_the_report(office: Office) -> None:
    office.report()
    zone = office.house.calendar.zone
    span = span_start("2026-03-16", zone, ""), span_end("2026-03-18", zone, "")
    add_leave(office.house, "s-001", *span, "sick", "Tess", local(2, "09:00"))
    assert office.step(2, "09:00") == [("1", "retraction"), ("3", "retraction")]


def test_a_leave_that_ends_before_it_begins_is_refused(office: Office) -> None:
    with pytest.raises(DeskError, match="ends before"):
        add_leave(office.house, "s-001", local(2, "08:00"), local(1, "08:00"), "sick", "Tess", local(2, "09:00"))


@pytest.fixture
def snowed_in(tmp_path: Path, sqlite_store: Store) -> Office:
    """A class of thirty, twenty-five of them absent on Monday and Tuesday; the storm is not judged."""
    write_county(tmp_path, students=30)
    office = Office(tmp_path, sqlite_store)
    office.two_days("A" * 25 + "P" * 5)
    assert office.roll(2, "am", "A" * 25 + "P" * 5, "08:10") == []
    return office


def incident_of(office: Office) -> str:
    with office.store.read() as tx:
        return incidents.open_incidents(tx, "mass_absence")[0].incident_id


def test_reports_held_by_a_mass_absence_go_once_it_is_judged_real(snowed_in: Office) -> None:
    row = judge_incident(snowed_in.house, incident_of(snowed_in), real=True, by="Eve", now=local(2, "09:00"))
    told = snowed_in.step(2, "09:00")
    assert ("1", "report") in told
    assert (row.verdict, row.judged_by) == ("real", "Eve")


def test_reports_held_by_a_mass_absence_vanish_once_it_is_judged_not_real(snowed_in: Office) -> None:
    judge_incident(snowed_in.house, incident_of(snowed_in), real=False, by="Eve", now=local(2, "09:00"))
    assert snowed_in.step(2, "09:00") == []
    assert [one for one in snowed_in.step(3, "08:30") if one[1] == "report"] == []
    assert not snowed_in.case(snowed_in.number()).is_open


def test_judging_again_the_same_way_changes_nothing(snowed_in: Office) -> None:
    incident = incident_of(snowed_in)
    first = judge_incident(snowed_in.house, incident, real=False, by="Eve", now=local(2, "09:00"))
    again = judge_incident(snowed_in.house, incident, real=False, by="Tao", now=local(2, "09:30"))
    assert again.judged_at == first.judged_at
    with pytest.raises(DeskError, match="not real before"):
        judge_incident(snowed_in.house, incident, real=True, by="Eve", now=local(2, "10:00"))


def test_an_unknown_incident_is_refused(office: Office) -> None:
    with pytest.raises(DeskError, match="no mass absence"):
        judge_incident(office.house, "7", real=True, by="Eve", now=local(2, "09:00"))
