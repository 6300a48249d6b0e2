"""Ed-Fi 5.x interchanges: attendance events, contacts, and students where their schools are given."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from daemon.config import FeedConfig
from daemon.feeds import fields, rows
from daemon.feeds.dates import Dates
from daemon.feeds.ids import an_id
from daemon.feeds.marks import Tally, mark_of
from daemon.feeds.payload import Fault, Payload, Reading, RefusedMark
from daemon.feeds.reading import build, reading, refused
from daemon.feeds.xml import Element, elements
from rules.records import Mark, MarkRecord

EVERY_SESSION = ""
"""The session of a daily event: it speaks of all the child's sessions of that day."""

DESCRIPTORS = {
    "early departure": Mark.LEFT_EARLY,
    "excused absence": Mark.LEAVE,
    "in attendance": Mark.PRESENT,
    "partial": Mark.LEFT_EARLY,
    "present": Mark.PRESENT,
    "tardy": Mark.LATE,
    "unexcused absence": Mark.ABSENT,
}
"""The categories that ship with Ed-Fi; `mapping.codes` adds a district's own, or overrides them."""

STRENGTH = (Mark.LEAVE, Mark.LATE, Mark.LEFT_EARLY, Mark.PRESENT, Mark.ABSENT, Mark.UNKNOWN)
"""Of several events on one day the first of these is the day's mark: an unexcused absence only counts alone."""


@dataclass(frozen=True, slots=True)
class _Event:
    mark: Mark
    came_at: dt.datetime | None
    reason: str | None
    line: int


def read_edfi(feed: FeedConfig, payload: Payload, zone: ZoneInfo, region: str | None) -> Reading:
    """Return what one interchange says of the feed's kind of records; elements of other kinds are passed over.

    Telephone numbers without a country code are those of `region`. Raises Fault when the file as a whole cannot be
    taken: nothing of it is then taken.
    """
    if feed.records not in _READERS:
        raise Fault(f"Ed-Fi files are not read for {feed.records}", "give them as a table (csv, xlsx, jsonl)")
    customs = rows.Customs.of(feed.mapping, Dates(zone, feed.mapping.dates, tuple), region)
    wanted, reader = _READERS[feed.records]
    kinds: Counter[str] = Counter()
    read = reader(payload, _counted(elements(payload.content), kinds), customs)
    if kinds and not kinds[wanted]:
        raise Fault(f"holds no {wanted}, only {', '.join(kind for kind, _ in kinds.most_common(3))}")
    return read


def _counted(source: Iterator[Element], kinds: Counter[str]) -> Iterator[Element]:
    for element in source:
        kinds[element.name] += 1
        yield element


def _marks(payload: Payload, source: Iterator[Element], customs: rows.Customs) -> Reading:
    """One mark a child and day, of every session of that day."""
    tally = Tally()
    days: dict[tuple[str, dt.date], list[_Event]] = {}
    by_section = 0
    for element in source:
        by_section += element.name == "StudentSectionAttendanceEvent"
        if element.name != "StudentSchoolAttendanceEvent":
            continue
        student = element.at("StudentReference", "StudentIdentity", "StudentUniqueId")
        try:
            date = customs.dates.date(_given(element.at("AttendanceEvent", "EventDate"), "EventDate"))
            tally.dates.add(date)
            event = _event(element, date, customs)
            days.setdefault((rows.named("StudentUniqueId", an_id, student), date), []).append(event)
        except Fault as fault:
            tally.faults.append((element.line, fault, student))
            tally.refused.append(_subject(element, student, customs))
    if by_section:
        hint = "export StudentSchoolAttendanceEvent"
        tally.faults.append((0, Fault(f"{by_section} events of single sections are not read", hint), ""))
    tally.records.extend(_day(student, date, events) for (student, date), events in days.items())
    problems = [refused(payload.name, line, fault, student) for line, fault, student in tally.faults]
    return reading(tally.records, problems, tally.dates, refused_marks=tally.refused)


def _subject(element: Element, student: str, customs: rows.Customs) -> RefusedMark:
    """What an event that was not taken is about, as far as it can be told."""
    child: str | None = None
    day: dt.date | None = None
    with contextlib.suppress(Fault):
        child = an_id(student)
    with contextlib.suppress(Fault):
        day = customs.dates.date(element.at("AttendanceEvent", "EventDate"))
    return RefusedMark(child, day, EVERY_SESSION, None, element.line)


def _event(element: Element, date: dt.date, customs: rows.Customs) -> _Event:
    category = _given(element.at("AttendanceEvent", "AttendanceEventCategory"), "AttendanceEventCategory")
    mark = rows.named("AttendanceEventCategory", lambda text: _category(text, customs), category)
    reason = rows.named("AttendanceEventReason", fields.words, element.at("AttendanceEvent", "AttendanceEventReason"))
    arrival = element.at("ArrivalTime")
    came_at = customs.dates.instant(f"{date.isoformat()} {arrival}") if arrival else None
    return _Event(mark, came_at, reason, element.line)


def _category(text: str, customs: rows.Customs) -> Mark:
    code = text.rpartition("#")[2].strip()
    for known in (text, code):
        if known in customs.codes:
            return mark_of(customs, known)
    return DESCRIPTORS.get(code.casefold()) or mark_of(customs, code)


def _day(student: str, date: dt.date, events: list[_Event]) -> MarkRecord:
    """What a child's events of one day say together."""
    event = min(events, key=lambda one: STRENGTH.index(one.mark))
    came_at = next((one.came_at for one in events if one.came_at is not None), None)
    return MarkRecord(student, date, EVERY_SESSION, event.mark, None, came_at, event.reason, event.line)


def _given(text: str, column: str) -> str:
    if not text:
        raise Fault("is missing", column=column)
    return text


@dataclass(slots=True)
class _Person:
    """A contact before it is known whose."""

    id: str
    name: str
    phone: str
    email: str
    line: int
    used: bool = False


@dataclass(slots=True)
class _Family:
    people: dict[str, _Person] = field(default_factory=dict)
    ties: list[tuple[str, str, int]] = field(default_factory=list)
    """Student, the contact's reference, line."""


def _contacts(payload: Payload, source: Iterator[Element], customs: rows.Customs) -> Reading:
    """One guardian a StudentContactAssociation; a contact tied to no child is refused."""
    family = _Family()
    for element in source:
        if element.name == "Contact":
            person = _person(element)
            family.people |= {key: person for key in (person.id, element.id) if key}
        elif element.name == "StudentContactAssociation":
            reference = element.all("ContactReference")
            tied = (reference[0].ref or reference[0].at("ContactIdentity", "ContactUniqueId")) if reference else ""
            student = element.at("StudentReference", "StudentIdentity", "StudentUniqueId")
            family.ties.append((student, tied, element.line))
    records, problems = build(payload.name, _guardians(family, customs), rows.contact)
    return reading(records, problems)


def _person(element: Element) -> _Person:
    name = " ".join(part for part in (element.at("Name", "FirstName"), element.at("Name", "LastSurname")) if part)
    email = element.at("ElectronicMail", "ElectronicMailAddress")
    return _Person(element.at("ContactUniqueId"), name, _best_phone(element), email, element.line)


def _best_phone(element: Element) -> str:
    """A mobile before any other, then by the order the contact gave; never a fax."""
    numbers = [one for one in element.all("Telephone") if one.code("TelephoneNumberType") != "Fax"]

    def preference(one: Element) -> tuple[bool, int]:
        order = one.at("OrderOfPriority")
        return one.code("TelephoneNumberType") != "Mobile", int(order) if order.isdecimal() and len(order) < 4 else 999  # noqa: PLR2004

    return min(numbers, key=preference).at("TelephoneNumber") if numbers else ""


def _guardians(family: _Family, customs: rows.Customs) -> Iterator[rows.Row | tuple[int, Fault]]:
    for student, tied, line in family.ties:
        person = family.people.get(tied)
        if person is None:
            yield line, Fault("names a contact that is not in this file", column="ContactReference")
            continue
        person.used = True
        cells = {
            "role": "guardian",
            "student_id": student,
            "name": person.name,
            "contact_id": f"guardian-{student}-{person.id}",
            "phone": person.phone,
            "email": person.email,
        }
        yield _row(cells, line, customs)
    for person in {id(one): one for one in family.people.values()}.values():
        if not person.used:
            yield person.line, Fault("is no child's contact: no StudentContactAssociation names it", column="Contact")


def _row(cells: Mapping[str, str], line: int, customs: rows.Customs) -> rows.Row:
    return rows.Row(list(cells.values()), {name: at for at, name in enumerate(cells)}, line, customs)


def _students(payload: Payload, source: Iterator[Element], customs: rows.Customs) -> Reading:
    """Students whose school an association in the same file names; a school is its own class."""
    people: list[tuple[str, dict[str, str], int]] = []
    schools: dict[str, tuple[tuple[bool, str], str, str]] = {}
    for element in source:
        if element.name == "Student":
            student = element.at("StudentUniqueId")
            people.append((student, _child(element), element.line))
        elif element.name == "StudentSchoolAssociation":
            _enrol(element, schools)
    if people and not schools:
        hint = "add StudentSchoolAssociation to the file, or give the roster as a table"
        raise Fault(f"names no school for its {len(people)} students", hint)
    joined = (_row(cells | _school(schools.get(key)), line, customs) for key, cells, line in people)
    records, problems = build(payload.name, joined, rows.student)
    return reading(records, problems)


def _child(element: Element) -> dict[str, str]:
    name = (element.at("Name", part) for part in ("FirstName", "MiddleName", "LastSurname"))
    return {
        "student_id": element.at("StudentUniqueId"),
        "name": " ".join(part for part in name if part),
        "birth_date": element.at("BirthData", "BirthDate"),
        "sex": element.code("BirthData", "BirthSex"),
    }


def _enrol(element: Element, schools: dict[str, tuple[tuple[bool, str], str, str]]) -> None:
    """Keep a student's enrolment that has not ended, the latest entered if there are several."""
    student = element.at("StudentReference", "StudentIdentity", "StudentUniqueId")
    school = element.at("SchoolReference", "SchoolIdentity", "SchoolId")
    standing = (not element.at("ExitWithdrawDate"), element.at("EntryDate"))
    if student not in schools or standing > schools[student][0]:
        schools[student] = (standing, school, element.code("EntryGradeLevel"))


def _school(enrolment: tuple[tuple[bool, str], str, str] | None) -> dict[str, str]:
    return {} if enrolment is None else {"class_id": enrolment[1], "grade": enrolment[2]}


_READERS = {
    "marks": ("StudentSchoolAttendanceEvent", _marks),
    "contacts": ("Contact", _contacts),
    "students": ("Student", _students),
}
