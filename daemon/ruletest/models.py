"""A file of rule tests, key by key; the tables it shares with the configuration are the configuration's own."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from daemon.config.school import CalendarConfig, SessionConfig, Term
from daemon.config.sources import RulesConfig
from daemon.config.speech import LadderConfig
from daemon.config.table import Table
from daemon.config.values import Day, Duration, Text, Zone, kind_of, refusal

MOST_CHILDREN = 19
"""With twenty absent children there is a mass absence, which holds reports until somebody judges it."""
MOST = 200
"""Tests of a file, and entries of each list within one."""

YEARS = range(1990, 2101)
"""Years a test may speak of."""

Kind = Literal[
    "first_absence",
    "report",
    "escalation",
    "risk",
    "reminder",
    "retraction",
    "return",
    "reopened",
    "closed",
    "confirm_request",
    "stage",
]
MarkWord = Literal["absent", "present", "leave", "late", "left_early", "unknown"]
MovementKind = Literal["transfer_out", "transfer_in", "suspend", "resume", "drop_out", "graduate", "verified_elsewhere"]
StageWord = Literal["watch", "first_absence", "reported", "suspected", "dropped_out", "returned", "closed"]


def _instant(value: object) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise refusal(f"is {kind_of(value)}, not an instant", "write 2026-03-18T08:10, local to the schools")
    _sensible(value)
    return value


def _when(value: object) -> dt.date:
    if not isinstance(value, dt.date):
        raise refusal(f"is {kind_of(value)}, not a date", "write 2026-03-18, or 2026-03-18T12:00 for a part of a day")
    return _sensible(value)


def _sensible(day: dt.date) -> dt.date:
    if day.year not in YEARS:
        raise refusal(f"is in the year {day.year}", f"write a year from {YEARS[0]} to {YEARS[-1]}")
    return day


def _row(value: object) -> str | tuple[str, ...]:
    hint = 'write a day as one letter a session, "AA PP -P", or a list with such a text for each week'
    if isinstance(value, list | tuple) and value and all(isinstance(week, str) for week in value):
        return tuple(value)
    if not isinstance(value, str):
        raise refusal(f"is {kind_of(value)}, not a row of letters", hint)
    return value


def _grade(value: object) -> object:
    return str(value) if type(value) is int else value


def _value(value: object) -> bool | int | float:
    if not isinstance(value, bool | int | float):
        raise refusal(f"is {kind_of(value)}, not a number and not true or false", "facts are numbers, or true or false")
    return value


Instant = Annotated[dt.datetime, BeforeValidator(_instant)]
"""An instant, local to the schools unless it says its offset."""
When = Annotated[dt.datetime | dt.date, BeforeValidator(_when)]
Date = Annotated[Day, AfterValidator(_sensible)]
Row = Annotated[str | tuple[str, ...], BeforeValidator(_row)]
Grade = Annotated[Text, BeforeValidator(_grade)]
Yes = Annotated[bool, Strict()]
Value = Annotated[bool | int | float, BeforeValidator(_value)]

_SESSIONS = (
    SessionConfig(name="am", start=dt.time(8), end=dt.time(11, 40)),
    SessionConfig(name="pm", start=dt.time(14), end=dt.time(17)),
)


class TrialCalendar(CalendarConfig):
    """`[calendar]`: as in the configuration, but with a usual week where nothing is said."""

    terms: tuple[Term, ...] = Field(
        default=(), description="the school terms", examples=["[{ from = 2026-03-02, to = 2026-07-10 }]"]
    )
    holidays: Literal["CN", "none"] = Field(default="none", description="the public holidays and make-up days")
    sessions: Annotated[tuple[SessionConfig, ...], Field(min_length=1)] = Field(
        default=_SESSIONS, description="the half-days of a school day"
    )


class ChildTable(Table):
    """What one child is; without a class it has one of its own."""

    class_: Text | None = Field(default=None, validation_alias="class", description="its class", examples=['"7-1"'])
    school: Text = Field(default="school", description="the school of its class")
    units: tuple[Text, ...] = Field(default=(), description="the units above the school", examples=['["town-1"]'])
    grade: Grade | None = Field(default=None, description="its grade, as a roster says it", examples=['"七年级"'])
    boarding: Yes = Field(default=False, description="whether it boards at school")
    tags: tuple[Text, ...] = Field(default=(), description="its tags", examples=['["left_behind"]'])


class MarkTable(Table):
    """`[[test.mark]]`: one more mark, known at an instant of its own: a correction, or a roll that came late."""

    student: Text | None = Field(default=None, description="whose mark", examples=['"ana"'])
    date: Date = Field(description="the date of the session", examples=["2026-03-18"])
    session: Text = Field(description="the session", examples=['"am"'])
    mark: MarkWord = Field(description="the mark", examples=['"present"'])
    at: Instant = Field(description="when it became known", examples=["2026-03-18T10:00"])


class LeaveTable(Table):
    """`[[test.leave]]`: a leave, or a later version of one; whole dates mean both days inclusive."""

    student: Text | None = Field(default=None, description="whose leave", examples=['"ana"'])
    from_: When = Field(validation_alias="from", description="its first day, or instant", examples=["2026-03-18"])
    to: When = Field(description="its last day, or the instant it ends", examples=["2026-03-20"])
    kind: Text = Field(default="sick", description="the kind of leave")
    id: Text | None = Field(default=None, description="its id; a later one of that id replaces it", examples=['"l-1"'])
    known: Instant | None = Field(
        default=None, description="when it became known; otherwise as it begins", examples=["2026-03-18T09:00"]
    )
    withdrawn: Yes = Field(default=False, description="whether it was taken back")


class MovementTable(Table):
    """`[[test.movement]]`: one movement record."""

    student: Text | None = Field(default=None, description="whose movement", examples=['"ana"'])
    kind: MovementKind = Field(description="what it is", examples=['"transfer_out"'])
    at: Instant = Field(description="when it takes effect", examples=["2026-03-17T18:00"])
    known: Instant | None = Field(
        default=None, description="when it became known; otherwise then", examples=["2026-03-18T09:00"]
    )
    evidence: Yes = Field(default=False, description="whether it carries evidence")


class ExpectTable(Table):
    """`[[test.expect]]`: one thing to be told, at its very instant; a key left out is not compared."""

    at: Instant = Field(description="when it is raised", examples=["2026-03-18T08:10"])
    student: Text | None = Field(default=None, description="about whom", examples=['"ana"'])
    rule: Text | None = Field(default=None, description="by which rule", examples=['"absent-48h"'])
    kind: Kind | None = Field(default=None, description="what is told; otherwise what its rule tells")
    due: Instant | None = Field(default=None, description="the deadline it is about", examples=["2026-03-18T08:00"])
    unconfirmed: Yes | None = Field(default=None, description="whether on one known day only", examples=["true"])
    stage: StageWord | None = Field(default=None, description="the stage of kind stage", examples=['"suspected"'])


class FactTable(Table):
    """`[[test.fact]]`: the value of one fact of one child, as known at an instant."""

    at: Instant = Field(description="as known when", examples=["2026-03-18T12:00"])
    student: Text | None = Field(default=None, description="of whom", examples=['"ana"'])
    fact: Text = Field(description="the fact, in either language", examples=['"unexcused_days_20"'])
    value: Value = Field(description="its value, compared to as many decimals as are written", examples=["3"])


class TrialTable(Table):
    """`[[test]]`: some children, what was known of them when, and what is to be told."""

    name: Text = Field(description="what it shows, as a sentence", examples=['"a third day is reported"'])
    from_: Date = Field(validation_alias="from", description="the first day of the rows", examples=["2026-03-16"])
    until: Instant | None = Field(
        default=None,
        description="how long is watched; otherwise to the end of the last day anything is said of",
        examples=["2026-03-20T18:00"],
    )
    about: tuple[Text, ...] = Field(
        default=(),
        description="the rules of which all must be declared; otherwise every rule",
        examples=['["absent-48h"]'],
    )
    roll_after: Duration = Field(
        default=dt.timedelta(minutes=10), description="how long after its start a session's roll is known"
    )
    students: dict[str, ChildTable] = Field(
        default={}, description="what the children are", examples=['{ ana = { grade = "7" } }']
    )
    marks: dict[str, Row] = Field(default={}, description="marks by session", examples=['{ ana = "AA AA P-" }'])
    mark: tuple[MarkTable, ...] = Field(default=(), max_length=MOST, description="marks with an instant of their own")
    leave: tuple[LeaveTable, ...] = Field(default=(), max_length=MOST, description="leaves")
    movement: tuple[MovementTable, ...] = Field(default=(), max_length=MOST, description="movements")
    expect: tuple[ExpectTable, ...] = Field(default=(), max_length=MOST, description="what is to be told")
    fact: tuple[FactTable, ...] = Field(default=(), max_length=MOST, description="facts and their values")


class TrialFile(Table):
    """The whole file."""

    timezone: Zone = Field(default="Asia/Shanghai", description="the time zone of the schools")
    calendar: TrialCalendar = Field(default=TrialCalendar(), description="when children are expected")
    rules: RulesConfig | None = Field(
        default=None,
        description="the packs and files under test, and figures",
        examples=['{ packs = ["statutory"] }'],
    )
    ladder: tuple[LadderConfig, ...] = Field(default=(), description="who is told, one after the other")
    test: Annotated[tuple[TrialTable, ...], Field(min_length=1, max_length=MOST)] = Field(
        description="the tests", examples=['[{ name = "…", from = 2026-03-16 }]']
    )
