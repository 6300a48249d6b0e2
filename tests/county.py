"""A small county: what stood in every feed, and when it was known; and the same as a folder of plain feeds.

A `World` is only what was said; what follows from it is for `tests.reference` and for the product to find out.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rules.records import Mark

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of the timetable, in local time."""

    name: str
    start: dt.time
    end: dt.time


HALF_DAYS = (Slot("am", dt.time(8), dt.time(11, 40)), Slot("pm", dt.time(14), dt.time(17)))


@dataclass(frozen=True, slots=True)
class Session:
    """One half-day (or period) of one class; instants in UTC, `[start, end)`."""

    date: dt.date
    name: str
    start: dt.datetime
    end: dt.datetime
    class_id: str
    school: str


@dataclass(frozen=True, slots=True)
class Child:
    """A child and the classes it was in, each from a date on; the first date is its enrolment."""

    child_id: str
    classes: tuple[tuple[dt.date, str], ...]

    def class_on(self, date: dt.date) -> str | None:
        """Give the class of a date; None before enrolment."""
        return next((name for since, name in reversed(self.classes) if since <= date), None)


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A mark as a feed gives it; without `recorded_at` it is recorded at the session's end."""

    child: str
    date: dt.date
    session: str
    mark: Mark
    recorded_at: dt.datetime | None
    line: int
    rank: int = 1


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """A leave, half-open; without `recorded_at` it is recorded when it starts. A later row with its id replaces it."""

    leave_id: str
    child: str
    starts: dt.datetime
    ends: dt.datetime
    kind: str
    recorded_at: dt.datetime | None
    withdrawn: bool
    line: int


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement; without `recorded_at` it is recorded when it happens."""

    child: str
    kind: str
    at: dt.datetime
    recorded_at: dt.datetime | None
    evidence: str | None
    line: int


@dataclass(frozen=True, slots=True)
class HandRow:
    """What somebody said by hand, at an instant, of a child in a session; no feed tells it."""

    child: str
    date: dt.date
    session: str
    mark: Mark
    said_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Parameters:
    """The figures of the law; all but `after`, `storm_min` and `stale_after` are `[rules]` keys of the same name."""

    after: dt.timedelta = 48 * HOUR
    wait_for_roll: dt.timedelta = HOUR
    unconfirmed_after: dt.timedelta = 4 * HOUR
    run_break: dt.timedelta = 10 * DAY
    mass_absence_share: float = 0.5
    storm_min: int = 20
    mass_absence_hold: dt.timedelta = 24 * HOUR
    stale_after: dt.timedelta = 2 * HOUR


@dataclass(frozen=True)
class World:
    """A county as its feeds tell it, and the span in which somebody listens; every instant is in UTC."""

    zone: str
    slots: tuple[Slot, ...]
    schools: tuple[tuple[str, str], ...]
    """School and its town."""
    school_days: tuple[tuple[str, frozenset[dt.date]], ...]
    """School and the dates it teaches on."""
    classes: tuple[tuple[str, str], ...]
    """Class and its school."""
    children: tuple[Child, ...]
    start: dt.datetime
    end: dt.datetime
    marks: tuple[MarkRow, ...] = ()
    leaves: tuple[LeaveRow, ...] = ()
    movements: tuple[MovementRow, ...] = ()
    parameters: Parameters = field(default_factory=Parameters)
    own_slots: tuple[tuple[str, tuple[Slot, ...]], ...] = ()
    """School and its timetable, of those that have one of their own."""
    hands: tuple[HandRow, ...] = ()

    def instant(self, date: dt.date, time: dt.time = dt.time()) -> dt.datetime:
        """Turn a local date and time into UTC."""
        return dt.datetime.combine(date, time, ZoneInfo(self.zone)).astimezone(dt.UTC)

    def local_date(self, instant: dt.datetime) -> dt.date:
        """Give the school's date of an instant."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    @cached_property
    def class_sessions(self) -> dict[str, tuple[Session, ...]]:
        """All sessions of each class, in order."""
        days, slots = dict(self.school_days), dict(self.own_slots)
        return {
            class_id: tuple(
                Session(date, slot.name, self.instant(date, slot.start), self.instant(date, slot.end), class_id, school)
                for date in sorted(days[school])
                for slot in slots.get(school, self.slots)
            )
            for class_id, school in self.classes
        }

    def timetable(self, child: Child) -> tuple[Session, ...]:
        """All sessions of the classes a child is in, in order; movements are left out of account."""
        found = [
            session
            for class_id in {name for _, name in child.classes}
            for session in self.class_sessions[class_id]
            if child.class_on(session.date) == class_id
        ]
        return tuple(sorted(found, key=lambda session: session.start))


# ------------------------------------------------------------------------------------------------- the county as files


def write_feeds(world: World, folder: Path) -> Path:
    """Write a configuration and its plain feeds into a folder; return the configuration's path.

    A child that changes its class cannot be written (`ValueError`): no plain feed says when it did.
    """
    if any(len(child.classes) > 1 for child in world.children):
        raise ValueError("plain feeds cannot date a change of class")
    _write(folder / "units.csv", ("unit_id", "kind", "parent_id", "name"), _units(world))
    _write(folder / "students.csv", ("student_id", "name", "class_id", "residence_id"), _students(world))
    _write(folder / "contacts.csv", ("role", "unit_id", "student_id", "name", "phone", "email"), _contacts(world))
    for rank in (1, 2):
        _write(
            folder / f"marks-{rank}.csv", ("student_id", "date", "session", "mark", "recorded_at"), _marks(world, rank)
        )
    columns = ("leave_id", "student_id", "from", "to", "kind", "recorded_at", "status")
    _write(folder / "leaves.csv", columns, _leaves(world))
    _write(folder / "movements.csv", ("student_id", "kind", "at", "recorded_at", "evidence"), _movements(world))
    config = folder / "config.toml"
    config.write_text(_config(world), encoding="utf-8")
    return config


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _units(world: World) -> Iterable[tuple[str, ...]]:
    yield "county", "county", "", "county"
    for town in sorted({town for _, town in world.schools}):
        yield town, "town", "county", f"town {town}"
    for school, town in world.schools:
        yield school, "school", town, f"school {school}"
    for class_id, school in world.classes:
        yield class_id, "class", school, f"class {class_id}"


def _students(world: World) -> Iterable[tuple[str, ...]]:
    towns, schools = dict(world.schools), dict(world.classes)
    for n, child in enumerate(world.children):
        class_id = child.classes[0][1]
        yield child.child_id, f"child {n}", class_id, towns[schools[class_id]] if n % 2 else ""


def _contacts(world: World) -> Iterable[tuple[str, ...]]:
    told = [("education_office", "county", ""), ("operator", "county", "")]
    told += [("town_government", town, "") for town in sorted({town for _, town in world.schools})]
    told += [("principal", school, "") for school, _ in world.schools]
    told += [("class_teacher", class_id, "") for class_id, _ in world.classes]
    told += [("mentor", "", child.child_id) for child in world.children]
    for n, (role, unit, student) in enumerate(told):
        yield role, unit, student, f"{role} {n}", f"+86138000{n:05}", f"contact-{n}@example.org"


def _iso(world: World, instant: dt.datetime | None) -> str:
    return "" if instant is None else instant.astimezone(ZoneInfo(world.zone)).isoformat()


def _marks(world: World, rank: int) -> Iterable[tuple[str, ...]]:
    for row in sorted(world.marks, key=lambda row: row.line):
        if row.rank == rank:
            recorded = _iso(world, row.recorded_at)
            yield row.child, row.date.isoformat(), row.session, row.mark.name.lower(), recorded


def _leaves(world: World) -> Iterable[tuple[str, ...]]:
    for row in sorted(world.leaves, key=lambda row: row.line):
        span = _iso(world, row.starts), _iso(world, row.ends)
        first, past = world.local_date(row.starts), world.local_date(row.ends)
        if (row.starts, row.ends) == (world.instant(first), world.instant(past)):
            span = first.isoformat(), (past - DAY).isoformat()
        status = "withdrawn" if row.withdrawn else "approved"
        yield row.leave_id, row.child, *span, row.kind, _iso(world, row.recorded_at), status


def _movements(world: World) -> Iterable[tuple[str, ...]]:
    for row in sorted(world.movements, key=lambda row: row.line):
        yield row.child, row.kind, _iso(world, row.at), _iso(world, row.recorded_at), row.evidence or ""


def _dates(dates: Iterable[dt.date]) -> str:
    return "[" + ", ".join(date.isoformat() for date in sorted(dates)) + "]"


def _config(world: World) -> str:
    """Say the calendar as weekdays of one term, with what all schools change first and what each changes after it."""
    taught = [days for _, days in world.school_days]
    first, last = min(min(days) for days in taught), max(max(days) for days in taught)
    weekdays = {first + n * DAY for n in range((last - first).days + 1) if (first + n * DAY).isoweekday() not in {6, 7}}
    closed, opened = weekdays.difference(*taught), frozenset.intersection(*taught) - weekdays
    lines = [
        "[service]",
        'district = "610999"',
        f'timezone = "{world.zone}"',
        'database = "sqlite:///baoxue.db"',
        "[calendar]",
        f"terms = [{{ from = {first}, to = {last} }}]",
        "weekdays = [1, 2, 3, 4, 5]",
        'holidays = "none"',
        f"closed = {_dates(closed)}",
        f"open = {_dates(opened)}",
        _sessions(world.slots),
    ]
    for school, days in world.school_days:
        lines += ["[[calendar.unit]]", f'unit = "{school}"', f"closed = {_dates(weekdays - closed - days)}"]
        lines += [f"open = {_dates(days - weekdays - opened)}"]
        lines += [_sessions(slots) for of, slots in world.own_slots if of == school]
    return "\n".join([*lines, *_feed_lines(world), *_rule_lines(world.parameters), _REST])


def _sessions(slots: Iterable[Slot]) -> str:
    return "sessions = [" + ", ".join(_slot(slot) for slot in slots) + "]"


def _slot(slot: Slot) -> str:
    return f'{{ name = "{slot.name}", start = {slot.start.isoformat()}, end = {slot.end.isoformat()} }}'


def _feed_lines(world: World) -> Iterable[str]:
    for name in ("units", "students", "contacts", "leaves", "movements"):
        yield f'[[feed]]\nid = "{name}"\nkind = "file"\nrecords = "{name}"\npath = "{name}.csv"'
    for rank in (1, 2):
        owed = ", ".join(f'"{school}"' for school, _ in world.schools) if rank == 1 else ""
        yield f'[[feed]]\nid = "marks-{rank}"\nkind = "file"\nrecords = "marks"\npath = "marks-{rank}.csv"'
        yield f'units = [{owed}]\nrank = {rank}\nstale_after = "{_minutes(world.parameters.stale_after)}"'


def _minutes(span: dt.timedelta) -> str:
    return f"{span // MINUTE}m"


def _rule_lines(figures: Parameters) -> Iterable[str]:
    yield "[rules]"
    for name in ("wait_for_roll", "unconfirmed_after", "run_break", "mass_absence_hold"):
        yield f'{name} = "{_minutes(getattr(figures, name))}"'
    yield f"mass_absence_share = {figures.mass_absence_share}"


_REST = """
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government", "education_office"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms"]
[channels.sms]
provider = "http"
url = "http://127.0.0.1:9902/sms"
[channels.email]
host = "127.0.0.1"
port = 2525
security = "none"
from = "baoxue@example.org"
"""
