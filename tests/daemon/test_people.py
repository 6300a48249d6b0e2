"""What children are, as rules may ask: read from the roster for those asked about, and for nobody else."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from daemon.jobs.people import load_people
from daemon.store import enrolment
from daemon.store.engine import Store
from rules.calendar import Calendar, Period, Timetable
from rules.records import StudentRecord, UnitRecord

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
TERM = Timetable(((dt.date(2026, 3, 2), dt.date(2026, 7, 10)),), (Period("am", dt.time(8), dt.time(11)),))


def child(
    student_id: str, class_id: str, grade: str | None, tags: tuple[str, ...], *, boards: bool | None
) -> StudentRecord:
    return StudentRecord(student_id, "张", class_id, None, None, grade, None, boards, tags, None, None, None, line=2)


def test_traits_are_of_the_children_asked_about_in_the_order_asked(store: Store) -> None:
    units = [
        UnitRecord("county", "county", None, "县", None, 2),
        UnitRecord("sch", "school", "county", "校", None, 3),
        UnitRecord("k-1", "class", "sch", "一班", None, 4),
    ]
    children = [
        child("a", "k-1", "七年级", ("left_behind", "orphan"), boards=True),
        child("b", "k-1", None, (), boards=None),
        child("c", "k-9", "Grade 3", ("orphan",), boards=False),
    ]
    with store.write() as tx:
        enrolment.upsert_units(tx, units, NOON, source="test")
        enrolment.upsert_students(tx, children, NOON, source="test", on=NOON.date())
    with store.read() as tx:
        people = load_people(tx, Calendar(ZoneInfo("Asia/Shanghai"), TERM))

    found = people.traits([people.roster.students.ordinals[one] for one in ("c", "a", "b")])

    assert found.grade.tolist() == [3, 7, 0]
    assert found.grade_text == ["Grade 3", "七年级", None]
    assert found.boarding.tolist() == [False, True, False]
    assert found.tagged("orphan").tolist() == [True, True, False]
    assert found.tagged("left_behind").tolist() == [False, True, False]
    assert found.tagged("migrant").tolist() == [False, False, False]
    assert list(found.units) == [("k-9",), ("k-1", "sch", "county"), ("k-1", "sch", "county")]
