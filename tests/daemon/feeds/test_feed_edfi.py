"""Ed-Fi interchanges, and exports nobody here wrote."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.feeds.fetch import fetch
from daemon.feeds.payload import Cursor, Reading
from daemon.feeds.read import read
from rules.records import ContactRecord, Mark, MarkRecord, StudentRecord
from tests.daemon.feeds.sources import CHICAGO, EDFI, NOW, OEA, feed, needs_shared, reading, utc


def take(path: Path, records: str, zone: ZoneInfo = CHICAGO, **settings: Any) -> Reading:  # noqa: ANN401 - as the models take them
    """What is fetched and read of a file."""
    asked = feed(records, path=path.name, **settings)
    (payload,), _ = fetch(asked, path.parent, Cursor(), NOW)
    return read(asked, payload, zone)


def marks(result: Reading) -> list[MarkRecord]:
    return [one for one in result.records if isinstance(one, MarkRecord)]


def event(category: str, day: str = "2022-05-13", student: str = "604822", more: str = "") -> str:
    return f"""<StudentSchoolAttendanceEvent>
      <AttendanceEvent><EventDate>{day}</EventDate>
        <AttendanceEventCategory>uri://ed-fi.org/AttendanceEventCategoryDescriptor#{category}</AttendanceEventCategory>
      </AttendanceEvent>
      <StudentReference><StudentIdentity><StudentUniqueId>{student}</StudentUniqueId></StudentIdentity></StudentReference>
      {more}</StudentSchoolAttendanceEvent>"""


def interchange(*inside: str, kind: str = "StudentAttendance", version: str = "5.2.0") -> str:
    return f'<Interchange{kind} xmlns="http://ed-fi.org/{version}">{"".join(inside)}</Interchange{kind}>'


def day_of(*categories: str, **settings: Any) -> Mark:  # noqa: ANN401 - as the models take them
    """The mark that events of these categories make of one day."""
    (mark,) = marks(reading(interchange(*(event(one) for one in categories)), zone=CHICAGO, kind="edfi", **settings))
    return mark.mark


@pytest.mark.parametrize(
    ("categories", "mark"),
    [
        (["Unexcused Absence"], Mark.ABSENT),
        (["Excused Absence"], Mark.LEAVE),
        (["Partial", "Excused Absence"], Mark.LEAVE),
        (["Unexcused Absence", "Excused Absence"], Mark.LEAVE),
        (["Unexcused Absence", "Tardy"], Mark.LATE),
        (["Early departure"], Mark.LEFT_EARLY),
        (["Partial", "Unexcused Absence"], Mark.LEFT_EARLY),
        (["In Attendance"], Mark.PRESENT),
        (["present", "Tardy"], Mark.LATE),
    ],
)
def test_the_events_of_a_day_make_one_mark(categories: list[str], mark: Mark) -> None:
    assert day_of(*categories) is mark


def test_an_event_speaks_of_every_session_of_its_day_and_knows_when_the_child_came() -> None:
    result = reading(interchange(event("Tardy", more="<ArrivalTime>13:15:00</ArrivalTime>")), zone=CHICAGO, kind="edfi")

    expected = MarkRecord("604822", dt.date(2022, 5, 13), "", Mark.LATE, None, utc(2022, 5, 13, 18, 15), None, 1)
    assert marks(result) == [expected]


def test_a_category_nobody_declared_is_refused_and_its_day_is_still_covered() -> None:
    result = reading(interchange(event("Unexcused Absence"), event("Field trip", "2022-05-16")), kind="edfi")

    assert [(one.line, one.column, one.fault) for one in result.problems] == [
        (6, "AttendanceEventCategory", '"Field trip" is no mark')
    ]
    assert result.last_date == dt.date(2022, 5, 16)


def test_a_district_adds_its_own_categories_or_overrides_ours() -> None:
    assert day_of("Field trip", codes={"Field trip": "present"}) is Mark.PRESENT
    assert day_of("Tardy", codes={"uri://ed-fi.org/AttendanceEventCategoryDescriptor#Tardy": "absent"}) is Mark.ABSENT


@pytest.mark.parametrize("version", ["5.0.0", "5.1.0", "5.2.0", "5.3", "5.12.1"])
def test_every_fifth_version_is_read(version: str) -> None:
    assert len(reading(interchange(event("Tardy"), version=version), kind="edfi").records) == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (interchange(event("Tardy"), version="3.1"), "is Ed-Fi of another version"),
        (interchange(event("Tardy"))[:-5], "is not well-formed XML"),
        ("<html/>", "is no Ed-Fi interchange"),
        (interchange("<Student/>"), "holds no StudentSchoolAttendanceEvent, only Student"),
        ("<?xml version='1.0' encoding='GB18030'?><a/>", "is in an encoding that cannot be read"),
    ],
)
def test_what_is_no_such_interchange_is_refused_whole(content: str, fault: str) -> None:
    result = reading(content, kind="edfi")

    assert not result.records
    assert [fault in problem.fault for problem in result.problems] == [True]


def test_an_interchange_without_events_covers_nothing() -> None:
    assert reading(interchange(), kind="edfi") == Reading([])


def test_events_of_single_sections_are_not_taken_for_days() -> None:
    result = reading(interchange(event("Tardy"), "<StudentSectionAttendanceEvent/>"), kind="edfi")

    assert [problem.fault for problem in result.problems] == ["1 events of single sections are not read"]


def contact(unique: str, *telephones: tuple[str, str], mail: str = "") -> str:
    numbers = "".join(
        f"<Telephone><TelephoneNumber>{number}</TelephoneNumber>"
        f"<TelephoneNumberType>uri://ed-fi.org/TelephoneNumberTypeDescriptor#{kind}</TelephoneNumberType></Telephone>"
        for kind, number in telephones
    )
    post = f"<ElectronicMail><ElectronicMailAddress>{mail}</ElectronicMailAddress></ElectronicMail>" if mail else ""
    name = "<Name><FirstName>Ana</FirstName><LastSurname>Dyer</LastSurname></Name>"
    return f'<Contact id="C_{unique}"><ContactUniqueId>{unique}</ContactUniqueId>{name}{numbers}{post}</Contact>'


def tie(student: str, reference: str) -> str:
    identity = f"<StudentIdentity><StudentUniqueId>{student}</StudentUniqueId></StudentIdentity>"
    child = f"<StudentReference>{identity}</StudentReference>"
    return f"<StudentContactAssociation>{child}{reference}</StudentContactAssociation>"


def test_a_guardian_is_a_contact_tied_to_a_child() -> None:
    result = reading(
        interchange(
            contact("7", ("Fax", "(950) 111 1111"), ("Home", "(950) 222 2222"), ("Mobile", "(950) 333 3333")),
            contact("8", ("Fax", "(950) 111 1111"), mail="ana@example.org"),
            contact("9", ("Home", "(950) 222 2222")),
            tie("s-1", '<ContactReference ref="C_7"/>'),
            tie(
                "s-2",
                "<ContactReference><ContactIdentity><ContactUniqueId>7</ContactUniqueId></ContactIdentity></ContactReference>",
            ),
            tie("s-1", '<ContactReference ref="C_8"/>'),
            tie("s-1", '<ContactReference ref="C_99"/>'),
            kind="Contact",
        ),
        "contacts",
        CHICAGO,
        kind="edfi",
    )

    taken = [one for one in result.records if isinstance(one, ContactRecord)]
    assert [(one.role, one.student_id, one.contact_id, one.phone, one.email) for one in taken] == [
        ("guardian", "s-1", "guardian-s-1-7", "+19503333333", None),
        ("guardian", "s-2", "guardian-s-2-7", "+19503333333", None),
        ("guardian", "s-1", "guardian-s-1-8", None, "ana@example.org"),
    ]
    assert {problem.column for problem in result.problems} == {"Contact", "ContactReference"}


def enrolment(student: str, school: str, entered: str, left: str = "") -> str:
    gone = f"<ExitWithdrawDate>{left}</ExitWithdrawDate>" if left else ""
    return f"""<StudentSchoolAssociation>
      <StudentReference><StudentIdentity><StudentUniqueId>{student}</StudentUniqueId></StudentIdentity></StudentReference>
      <SchoolReference><SchoolIdentity><SchoolId>{school}</SchoolId></SchoolIdentity></SchoolReference>
      <EntryDate>{entered}</EntryDate>{gone}
      <EntryGradeLevel>uri://ed-fi.org/GradeLevelDescriptor#Sixth grade</EntryGradeLevel></StudentSchoolAssociation>"""


def test_a_student_is_in_the_class_that_the_last_open_enrolment_names() -> None:
    name = "<Name><FirstName>Ana</FirstName><LastSurname>Dyer</LastSurname></Name>"
    child = "<Student><StudentUniqueId>{}</StudentUniqueId>" + name + "</Student>"
    result = reading(
        interchange(
            child.format("s-1"),
            child.format("s-2"),
            enrolment("s-1", "2", "2021-08-23"),
            enrolment("s-1", "1", "2020-08-23"),
            enrolment("s-1", "3", "2022-01-10", "2022-02-10"),
            kind="StudentEnrollment",
        ),
        "students",
        kind="edfi",
    )

    (student,) = (one for one in result.records if isinstance(one, StudentRecord))
    assert (student.name, student.class_id, student.grade) == ("Ana Dyer", "2", "Sixth grade")
    assert [(problem.student_id, problem.column) for problem in result.problems] == [("s-2", "class_id")]


@needs_shared
def test_a_years_events_of_a_district_are_read() -> None:
    result = take(EDFI / "StudentSchoolAttendance.xml", "marks", kind="edfi", presence="implied")
    taken = marks(result)

    assert Counter(mark.mark for mark in taken) == {Mark.LEAVE: 1_077, Mark.ABSENT: 773, Mark.LATE: 66}
    assert (result.first_date, result.last_date, result.problems) == (dt.date(2021, 8, 23), dt.date(2022, 5, 27), ())
    assert {mark.session for mark in taken} == {""}
    assert len({(mark.student_id, mark.date) for mark in taken}) == len(taken) == 1_916


@needs_shared
def test_events_on_a_sunday_are_given_on_as_they_are() -> None:
    taken = marks(take(EDFI / "StudentSchoolAttendance.xml", "marks", kind="edfi"))

    assert [mark.mark for mark in taken if mark.date == dt.date(2022, 5, 15)] == [Mark.LATE] * 3


@needs_shared
def test_a_child_both_excused_and_partly_there_is_on_leave() -> None:
    taken = marks(take(EDFI / "StudentSchoolAttendance.xml", "marks", kind="edfi"))

    (mark,) = (one for one in taken if (one.student_id, one.date) == ("604822", dt.date(2021, 12, 15)))
    assert mark.mark is Mark.LEAVE


@needs_shared
def test_a_districts_guardians_are_read_where_they_can_be_reached() -> None:
    result = take(EDFI / "Contact.xml", "contacts", kind="edfi")

    assert len(result.records) == 1_668
    assert Counter(problem.column for problem in result.problems) == {"phone": 204, "email": 3, "Contact": 1}
    taken = [one for one in result.records if isinstance(one, ContactRecord)]
    assert all(one.phone or one.email for one in taken)
    assert all(one.phone.startswith("+1950") for one in taken if one.phone)


@needs_shared
def test_students_without_schools_are_one_problem_and_not_a_thousand() -> None:
    result = take(EDFI / "Student.xml", "students", kind="edfi")

    assert [problem.fault for problem in result.problems] == ["names no school for its 960 students"]


@needs_shared
@pytest.mark.parametrize(("records", "count"), [("units", 5), ("students", 227), ("contacts", 3)])
def test_the_overlay_of_the_district_is_read_without_a_problem(records: str, count: int) -> None:
    result = take(EDFI / f"{records}.csv", records)

    assert (len(result.records), result.problems) == (count, ())


OEA_COLUMNS = {"attendance_date": "date", "Period": "session", "AttendanceCode": "mark"}


@needs_shared
@pytest.mark.parametrize("order", ["auto", "as written"])
@pytest.mark.parametrize(
    ("name", "written", "count", "absent", "first", "last"),
    [
        ("oea_day1.csv", "dmy", 1_462, 292, dt.date(2019, 9, 1), dt.date(2020, 5, 30)),
        ("oea_mck.csv", "mdy", 1_050, 0, dt.date(2020, 8, 15), dt.date(2020, 8, 15)),
        ("oea_small_day2.csv", "dmy", 2_928, 600, dt.date(2019, 9, 1), dt.date(2020, 5, 30)),
    ],
)
def test_one_systems_three_exports_are_read_by_mapping_alone(
    name: str, written: str, count: int, absent: int, first: dt.date, last: dt.date, order: str
) -> None:
    result = take(
        OEA / name,
        "marks",
        columns=OEA_COLUMNS,
        codes={"P": "present", "A": "absent"},
        sessions={"1": "am"},
        dates="auto" if order == "auto" else written,
    )

    tally = Counter(mark.mark for mark in marks(result))
    assert (len(result.records), tally[Mark.ABSENT], result.problems) == (count, absent, ())
    assert (result.first_date, result.last_date) == (first, last)
    assert {mark.session for mark in marks(result)} == {"am"}


@needs_shared
def test_a_wrong_order_is_noticed_by_the_days_it_cannot_read() -> None:
    result = take(OEA / "oea_mck.csv", "marks", columns=OEA_COLUMNS, codes={"P": "present"}, dates="dmy")

    assert (len(result.records), len(result.problems)) == (0, 1_050)
