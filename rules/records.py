"""What a feed can say, as plain values.

Records are facts as delivered: nothing here knows whether a student exists, whether a session is expected,
or who won when two records disagree. All instants are aware datetimes in UTC; all dates are the school's own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Mark(IntEnum):
    """A child's code in one roll (考勤标记); stored as this small integer, never as text.

    `UNTAKEN` is the lack of a roll: no feed ever says it, it is what the register shows where nothing is known.
    """

    UNTAKEN = 0
    UNKNOWN = 1
    ABSENT = 2
    LEAVE = 3
    PRESENT = 4
    LATE = 5
    LEFT_EARLY = 6


POSITIVE = frozenset({Mark.PRESENT, Mark.LATE, Mark.LEFT_EARLY})
"""The marks that say the child was seen."""

EARLY = dt.timedelta(hours=2)
"""How long before a session's start a sighting counts for it, and its roll may be called (absence.md, Marks 7)."""

FORETOLD = frozenset({Mark.LEAVE, Mark.UNKNOWN})
"""The marks that may be known before EARLY: leave is entered ahead, and nothing is claimed by `unknown`."""

MARK_NAMES = {mark.name.lower(): mark for mark in Mark if mark is not Mark.UNTAKEN}
"""The words of the plain feeds: present, late, left_early, absent, leave, unknown."""

UNIT_KINDS = ("province", "prefecture", "county", "town", "village", "school", "class")

ROLES = (
    "guardian",
    "class_teacher",
    "principal",
    "central_school",
    "education_office",
    "education_director",
    "county_head",
    "town_government",
    "town_head",
    "village_head",
    "mentor",
    "operator",
)

MOVEMENT_KINDS = (
    "transfer_out",
    "transfer_in",
    "suspend",
    "resume",
    "drop_out",
    "graduate",
    "verified_elsewhere",
)


class MarkRecord(NamedTuple):
    """One child's code in one session, as one line of a feed says it; not yet known to be a session at all.

    A tuple rather than a dataclass: a poll makes hundreds of thousands of them.
    """

    student_id: str
    date: dt.date
    session: str
    mark: Mark
    recorded_at: dt.datetime | None
    """When the source knew it; None where the feed does not say."""
    came_at: dt.datetime | None
    reason: str | None
    line: int


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One unit of the tree: county, town, village, school or class."""

    unit_id: str
    kind: str
    parent_id: str | None
    name: str
    code: str | None
    line: int


@dataclass(frozen=True, slots=True)
class StudentRecord:
    """One line of a roster (学籍)."""

    student_id: str
    name: str
    class_id: str
    sex: str | None
    birth_date: dt.date | None
    grade: str | None
    residence_id: str | None
    boarding: bool | None
    tags: tuple[str, ...]
    status: str | None
    status_since: dt.date | None
    id_number: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """Somebody who may be told: in a role, for a unit or for one student."""

    contact_id: str
    role: str
    unit_id: str | None
    student_id: str | None
    name: str
    phone: str | None
    email: str | None
    endpoint: str | None
    language: str | None
    line: int

    @property
    def addresses(self) -> tuple[str | None, ...]:
        """Every way to reach this person."""
        return self.phone, self.email, self.endpoint

    @property
    def id_by_address(self) -> str:
        """The id by which one of several people of one role, unit and name is told apart from the others."""
        return f"{contact_id_of(self)}-{_short('|'.join(one or '' for one in self.addresses))}"


def contact_id_of(contact: ContactRecord) -> str:
    """Return the id of a contact to whom the source gives none: of role, child or unit, and name."""
    return f"{contact.role}-{contact.student_id or contact.unit_id}-{_short(contact.name)}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]


_ID_DIGITS = 8


@dataclass(frozen=True, slots=True)
class PunchRecord:
    """One passage at a gate: proves presence, and its lack proves nothing."""

    student_id: str
    at: dt.datetime
    device: str | None
    direction: str | None
    line: int


@dataclass(frozen=True, slots=True)
class LeaveRecord:
    """An approved span of leave (请假), or its withdrawal; half-open `[starts, ends)` in UTC.

    A later record with the same `leave_id` replaces an earlier one.
    """

    leave_id: str
    student_id: str
    starts: dt.datetime
    ends: dt.datetime
    kind: str
    recorded_at: dt.datetime | None
    approved_by: str | None
    withdrawn: bool
    line: int


@dataclass(frozen=True, slots=True)
class MovementRecord:
    """A change of the roll (学籍异动): out, in, suspension, resumption; confirmed elsewhere."""

    student_id: str
    kind: str
    at: dt.datetime
    recorded_at: dt.datetime | None
    to_school: str | None
    evidence: str | None
    line: int


Record = MarkRecord | UnitRecord | StudentRecord | ContactRecord | PunchRecord | LeaveRecord | MovementRecord
"""Anything a feed can say."""
