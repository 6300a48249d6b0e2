"""One row of a table to one record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from daemon.config import MappingConfig
from daemon.feeds import fields
from daemon.feeds.dates import Dates, is_utc_midnight
from daemon.feeds.ids import an_id, plainer, unwrapped
from daemon.feeds.payload import Fault, quote
from daemon.problems import choose
from rules.records import (
    MOVEMENT_KINDS,
    ROLES,
    UNIT_KINDS,
    ContactRecord,
    LeaveRecord,
    MovementRecord,
    PunchRecord,
    Record,
    StudentRecord,
    UnitRecord,
    contact_id_of,
)

Value = TypeVar("Value")

LANGUAGES = ("zh", "en")
LEAVE_STATES = ("approved", "withdrawn")
LONGEST_LEAVE = dt.timedelta(days=370)
"""A leave without an end in sight hides a child; a year's is entered anew."""
LEFT_OUT = "; left out, the row is kept"


@dataclass(frozen=True, slots=True)
class Customs:
    """How one source writes: its dates, its codes, the country of its telephone numbers (None: nobody can tell)."""

    dates: Dates
    codes: Mapping[str, str]
    region: str | None

    @classmethod
    def of(cls, mapping: MappingConfig, dates: Dates, region: str | None = None) -> Customs:
        """The customs a feed's `mapping` declares."""
        return cls(dates, {code.strip(): meaning for code, meaning in mapping.codes.items()}, region)

    def meaning(self, code: str) -> str:
        """What a code stands for; itself where the mapping is silent."""
        plain = plainer(code)
        return self.codes.get(code, self.codes.get(plain, plain))


class Row:
    """One row's cells by field; gathers what was wrong with those it can do without."""

    __slots__ = ("_cells", "_places", "customs", "doubts", "line")

    def __init__(self, cells: Sequence[str], places: Mapping[str, int], line: int, customs: Customs) -> None:
        self._cells = cells
        self._places = places
        self.line = line
        self.customs = customs
        self.doubts: list[Fault] = []

    def raw(self, column: str) -> str:
        """The trimmed cell of `column`, empty where there is none."""
        at = self._places.get(column)
        return unwrapped(self._cells[at].strip()).strip() if at is not None and at < len(self._cells) else ""

    def must(self, column: str, read: Callable[[str], Value]) -> Value:
        """The value of a cell the record cannot do without; raises Fault naming the column."""
        text = self.raw(column)
        if not text:
            raise Fault("is missing", column=column)
        return named(column, read, text)

    def may(self, column: str, read: Callable[[str], Value | None]) -> Value | None:
        """The value of a cell that may be empty; what is there must be right. Raises Fault naming the column."""
        text = self.raw(column)
        return named(column, read, text) if text else None

    def spare(self, column: str, read: Callable[[str], Value]) -> Value | None:
        """Like `may`, but a wrong value is left out and noted rather than costing the row."""
        try:
            return self.may(column, read)
        except Fault as fault:
            self.doubts.append(Fault(fault.fault + LEFT_OUT, fault.hint, column=column))
            return None

    def one_of(self, known: Collection[str]) -> Callable[[str], str]:
        """A reader of codes that must mean one of `known`."""

        def read(text: str) -> str:
            meaning = self.customs.meaning(text)
            if meaning not in known:
                meaning = meaning.casefold()
            if meaning not in known:
                raise Fault(f"{quote(text)} is not known here", f"{choose(text, known)} or add it to mapping.codes")
            return meaning

        return read

    def coded(self, text: str) -> str | None:
        """Free text that a code may stand for."""
        return fields.words(self.customs.meaning(text))


def named(column: str, read: Callable[[str], Value], text: str) -> Value:
    """What `read` makes of `text`; a Fault it raises gets the name of the column."""
    try:
        return read(text)
    except Fault as fault:
        fault.column = column
        raise


def _name(row: Row) -> str:
    return row.must("name", fields.words) or ""


def unit(row: Row) -> UnitRecord:
    """A unit; the topmost has no parent."""
    unit_id, parent_id = row.must("unit_id", an_id), row.may("parent_id", an_id)
    if unit_id == parent_id:
        raise Fault("names the unit itself", column="parent_id")
    kind = row.must("kind", row.one_of(UNIT_KINDS))
    return UnitRecord(unit_id, kind, parent_id, _name(row), row.may("code", fields.words), row.line)


def student(row: Row) -> StudentRecord:
    """A child of the roster. A birthday nobody can read is left out: a child missing from the roster is worse."""
    dates = row.customs.dates
    return StudentRecord(
        student_id=row.must("student_id", an_id),
        name=_name(row),
        class_id=row.must("class_id", an_id),
        sex=row.may("sex", row.coded),
        birth_date=row.spare("birth_date", dates.date),
        grade=row.may("grade", row.coded),
        residence_id=row.spare("residence_id", an_id),
        boarding=row.spare("boarding", lambda text: fields.boolean(row.customs.meaning(text))),
        tags=row.may("tags", fields.tags) or (),
        status=row.may("status", row.coded),
        status_since=row.spare("status_since", dates.date),
        id_number=row.spare("id_number", an_id),
        line=row.line,
    )


def contact(row: Row) -> ContactRecord:
    """Somebody to tell. A wrong address is left out and noted; only one with no address left is refused."""
    role = row.must("role", row.one_of(ROLES))
    unit_id, student_id = row.may("unit_id", an_id), row.may("student_id", an_id)
    if unit_id is None and student_id is None:
        raise Fault("is missing, and so is student_id", column="unit_id")
    if role == "guardian" and student_id is None:
        raise Fault("is missing, and a guardian is always a child's", column="student_id")
    name = _name(row)
    phone = row.spare("phone", lambda text: fields.phone(text, row.customs.region))
    email, endpoint = row.spare("email", fields.mail), row.spare("endpoint", fields.endpoint)
    if phone is None and email is None and endpoint is None:
        doubt = row.doubts[0] if row.doubts else Fault("is missing, and so are email and endpoint", column="phone")
        raise Fault(doubt.fault.removesuffix(LEFT_OUT), doubt.hint, column=doubt.column)
    found = ContactRecord(
        row.may("contact_id", an_id) or "",
        role,
        unit_id,
        student_id,
        name,
        phone,
        email,
        endpoint,
        row.spare("language", lambda text: row.one_of(LANGUAGES)(text.partition("-")[0])),
        row.line,
    )
    return found if found.contact_id else replace(found, contact_id=contact_id_of(found))


def key_of(row: Row) -> str | None:
    """Return the id of the contact, unit or child that a row names, taken or refused; None if it cannot be told.

    "" for a contact without any address: whoever wrote it says that nobody is to be told there any more.
    """
    try:
        if row.raw("role"):
            if not any(row.raw(one) for one in ("phone", "email", "endpoint")):
                return ""
            return row.may("contact_id", an_id) or contact_id_of(_nameable(row))
        return row.may("unit_id", an_id) or row.may("student_id", an_id)
    except Fault:
        return None


def _nameable(row: Row) -> ContactRecord:
    """As much of a contact as its id is made of."""
    role = row.must("role", row.one_of(ROLES))
    where = row.may("unit_id", an_id), row.may("student_id", an_id)
    return ContactRecord("", role, *where, _name(row), None, None, None, None, row.line)


def punch(row: Row) -> PunchRecord:
    """One passage; a time of day is needed."""
    return PunchRecord(
        row.must("student_id", an_id),
        row.must("at", row.customs.dates.instant),
        row.may("device", fields.words),
        row.may("direction", row.coded),
        row.line,
    )


def leave(row: Row) -> LeaveRecord:
    """A leave, half-open in UTC; a bare date means the whole day, on either side.

    Its default id is made from the student and the instant it starts, however that was written.
    """
    student_id = row.must("student_id", an_id)
    starts = row.must("from", lambda text: _edge(row.customs.dates, text, days_after=0))
    ends = row.must("to", lambda text: _edge(row.customs.dates, text, days_after=1))
    _refuse_doubtful_days(row)
    if ends <= starts:
        raise Fault("is not after from", column="to")
    if ends - starts > LONGEST_LEAVE:
        raise Fault("is more than a year after from", "write the day on which the leave ends", column="to")
    status = row.may("status", row.one_of(LEAVE_STATES))
    return LeaveRecord(
        leave_id=row.may("leave_id", an_id) or f"{student_id}-{starts:%Y%m%dT%H%M%SZ}",
        student_id=student_id,
        starts=starts,
        ends=ends,
        kind=row.must("kind", row.coded) or "",
        recorded_at=row.may("recorded_at", row.customs.dates.known_at),
        approved_by=row.may("approved_by", fields.words),
        withdrawn=status == "withdrawn",
        line=row.line,
    )


def _refuse_doubtful_days(row: Row) -> None:
    """Both ends at midnight in UTC are whole days, or hours of another zone; a day of leave too many hides a child."""
    if all(is_utc_midnight(row.raw(column)) for column in ("from", "to")):
        raise Fault("may be whole days or instants: both are midnight in UTC", "write 2026-03-16", column="from")


def _edge(dates: Dates, text: str, *, days_after: int) -> dt.datetime:
    day = dates.whole_day(text)
    return dates.instant(text) if day is None else dates.midnight(day + dt.timedelta(days=days_after))


def movement(row: Row) -> MovementRecord:
    """A change of the roll; a bare date means from that day's beginning."""
    return MovementRecord(
        student_id=row.must("student_id", an_id),
        kind=row.must("kind", row.one_of(MOVEMENT_KINDS)),
        at=row.must("at", lambda text: _edge(row.customs.dates, text, days_after=0)),
        recorded_at=row.may("recorded_at", row.customs.dates.known_at),
        to_school=row.may("to_school", fields.words),
        evidence=row.may("evidence", fields.words),
        line=row.line,
    )


BUILDERS: Mapping[str, Callable[[Row], Record]] = {
    "units": unit,
    "students": student,
    "contacts": contact,
    "punches": punch,
    "leaves": leave,
    "movements": movement,
}
"""What makes a record of a row, by the feed's `records`; marks are many and have a module of their own."""
