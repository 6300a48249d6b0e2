"""What a school delivers, document by document, as rows are known: exact, until a fault changes it.

Each document is one file or one address. It is made anew at every poll from the history and the time alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from tests.faults.kinds import Fault
from tests.faults.truth import HALVES, Half, History, Pupil, entered, known_at

Row = Mapping[str, str]

DAYS, GROWING, EXCEPTIONS, GATE = "a file a roll", "one growing file", "exceptions by http", "rolls beside a gate"
SHAPES = (DAYS, GROWING, EXCEPTIONS, GATE)
"""How a school delivers its marks."""
MARK = ("student_id", "date", "session", "mark", "recorded_at")
_LEAVE = ("leave_id", "student_id", "from", "to", "kind", "recorded_at")
_CONTACT = ("contact_id", "role", "unit_id", "student_id", "name", "phone")
_MINUTE = dt.timedelta(minutes=1)
ROLL_LAG = 10 * _MINUTE
CORRECTION_LAG = 70 * _MINUTE
FAR_TOWN = "t-00"
"""Where the children live who do not live in their school's town; it is nobody's fault."""


@dataclass(frozen=True)
class Document:
    """One document of a kind: its path below the folder, its columns and rows; `half` is the session it is about.

    Rows about one session carry its number under "half", which is no column.
    """

    records: str
    path: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    half: int | None = None

    def but(self, rows: Sequence[Row]) -> Document:
        """The same with other rows."""
        return replace(self, rows=rows)

    def content(self) -> bytes:
        """The document as it is delivered, a table of text."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([row[name] for name in self.columns] for row in self.rows)
        return out.getvalue().encode()


@dataclass(frozen=True)
class School:
    """One school of the county: what happens there, in which shape it tells of it, and what goes wrong with that."""

    number: int
    history: History
    shape: str
    faults: tuple[Fault, ...] = field(default=())

    @property
    def unit(self) -> str:
        """Its unit."""
        return f"sch-{self.number:02}"

    @property
    def town(self) -> str:
        """The town it lies in."""
        return f"t-{self.number:02}"

    def room(self, pupil: Pupil) -> str:
        """The unit of a child's class."""
        return f"k-{self.number:02}-{pupil.room}"

    @property
    def rooms(self) -> tuple[str, str]:
        """The units of its classes."""
        return f"k-{self.number:02}-0", f"k-{self.number:02}-1"

    def student(self, pupil: Pupil) -> str:
        """A child's id: it begins with a zero."""
        return f"0{self.number:02}{pupil.number:03}"

    def feed(self, records: str) -> str:
        """The feed of one kind of records."""
        return f"{records}-{self.number:02}"

    @property
    def at_its_end(self) -> bool:
        """Whether a session is known at its end only."""
        return self.shape == EXCEPTIONS

    # ---- documents --------------------------------------------------------------------------------------------------

    def documents(self, now: dt.datetime) -> Iterator[Document]:
        """Everything it delivers by `now` where nothing goes wrong."""
        yield self._roster()
        yield self._contacts()
        yield Document("leaves", f"{self.feed('leaves')}.csv", _LEAVE, list(self._leaves(now)))
        if self.shape == EXCEPTIONS:
            yield self._exceptions(now)
        elif self.shape == GROWING:
            yield self._growing(now)
        else:
            yield from self._rolls(now)
        if self.shape == GATE:
            yield Document("gate", f"{self.feed('gate')}.csv", ("student_id", "at"), list(self._punches(now)))

    def _roster(self) -> Document:
        homes = {"": "", "near": self.town, "far": FAR_TOWN}
        rows = [
            {
                "student_id": self.student(one),
                "name": f"学生{one.number}",
                "class_id": self.room(one),
                "residence_id": homes[one.home],
            }
            for one in self.history.pupils
        ]
        return Document("students", f"{self.feed('students')}.csv", tuple(rows[0]), rows)

    def _contacts(self) -> Document:
        people = [(role, room) for room in self.rooms for role in ("class_teacher", "mentor")]
        people += [("principal", self.unit), ("town_head", self.town), ("town_government", self.town)]
        return contacts(f"{self.feed('contacts')}.csv", people, 100 * self.number)

    def _leaves(self, now: dt.datetime) -> Iterator[Row]:
        for pupil in self.history.pupils:
            for first, last in pupil.leaves():
                if entered(first) <= now:
                    days = HALVES[2 * first].date.isoformat(), HALVES[2 * last].date.isoformat()
                    student, known = self.student(pupil), shown(entered(first))
                    values = f"{student}-{first}", student, *days, "sick", known
                    yield {**dict(zip(_LEAVE, values, strict=True)), "half": str(2 * first)}

    # ---- marks ------------------------------------------------------------------------------------------------------

    def mark_row(self, pupil: Pupil, half: Half, mark: str, recorded: dt.datetime) -> Row:
        """One row of a roll."""
        values = self.student(pupil), half.date.isoformat(), half.name, mark, shown(recorded)
        return {**dict(zip(MARK, values, strict=True)), "half": str(half.number)}

    @cached_property
    def _called(self) -> list[tuple[list[Row], list[Row]]]:
        """The rolls of each session, by class, slips included."""
        return [(self._roll(0, half), self._roll(1, half)) for half in HALVES]

    @cached_property
    def _corrected(self) -> list[tuple[list[Row], list[Row]]]:
        """What is put right of each session, by class."""
        return [(self._put_right(0, half), self._put_right(1, half)) for half in HALVES]

    def roll(self, room: int, half: int) -> list[Row]:
        """The roll of a class in a session."""
        return self._called[half][room]

    def _roll(self, room: int, half: Half) -> list[Row]:
        rows = []
        for pupil in self._of_room(room):
            there = pupil.letters[half.number] == "P" or (pupil.number, half.number) in self.history.slips
            rows.append(self.mark_row(pupil, half, "present" if there else "absent", half.start + ROLL_LAG))
        return rows

    def _put_right(self, room: int, half: Half) -> list[Row]:
        wrong = [one for one in self._of_room(room) if (one.number, half.number) in self.history.slips]
        return [self.mark_row(one, half, "absent", half.start + CORRECTION_LAG) for one in wrong]

    def _of_room(self, room: int) -> list[Pupil]:
        return [one for one in self.history.pupils if one.room == room]

    def _rolls(self, now: dt.datetime) -> Iterator[Document]:
        """A file for each roll of each class, and one more where something is put right."""
        for room, unit in enumerate(self.rooms):
            for half in _begun(now, ROLL_LAG):
                name = f"rolls-{self.number:02}/marks-{half.date}-{half.name}-{unit}"
                yield Document("marks", f"{name}.csv", MARK, self._called[half.number][room], half.number)
                rows = self._corrected[half.number][room]
                if rows and half.start + CORRECTION_LAG <= now:
                    yield Document("marks", f"{name}-更正.csv", MARK, rows, half.number)

    def _growing(self, now: dt.datetime) -> Document:
        rows = [row for half in _begun(now, ROLL_LAG) for of_room in self._called[half.number] for row in of_room]
        rows += [row for half in _begun(now, CORRECTION_LAG) for some in self._corrected[half.number] for row in some]
        return Document("marks", f"{self.feed('marks')}.csv", MARK, rows)

    def _exceptions(self, now: dt.datetime) -> Document:
        """The absences of the sessions over by now, by address; nobody who is there is named."""
        rows = [
            self.mark_row(one, half, "absent", half.end)
            for half in HALVES
            if known_at(half, at_its_end=True) <= now
            for one in self.history.pupils
            if one.letters[half.number] != "P"
        ]
        return Document("marks", f"/{self.number:02}", MARK[:4], rows)

    def _punches(self, now: dt.datetime) -> Iterator[Row]:
        """Who passed the gate ten minutes before each session."""
        for half in _begun(now, -ROLL_LAG):
            for pupil in self.history.pupils:
                if pupil.letters[half.number] == "P":
                    at = shown(half.start - ROLL_LAG)
                    yield {"student_id": self.student(pupil), "at": at, "half": str(half.number)}


def contacts(path: str, people: Sequence[tuple[str, str]], first: int) -> Document:
    """A document of contacts: roles and units, with numbers from `first` on."""
    rows = [
        dict(zip(_CONTACT, (f"{role}-{unit}", role, unit, "", f"{role} {unit}", f"138000{n:05}"), strict=True))
        for n, (role, unit) in enumerate(people, first)
    ]
    return Document("contacts", path, _CONTACT, rows)


def shown(at: dt.datetime) -> str:
    """An instant as the schools write it."""
    return f"{at + dt.timedelta(hours=8):%Y-%m-%d %H:%M}"


def _begun(now: dt.datetime, lag: dt.timedelta) -> list[Half]:
    return [half for half in HALVES if half.start + lag <= now]
