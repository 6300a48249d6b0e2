"""Who is where: the roster as judging and routing need it, held in memory between two changes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.desk.faults import DeskError
from daemon.jobs.numbers import NOTHING_MERGED, Merged, join_spells
from daemon.problems import nearest
from daemon.store import roster as rosters
from daemon.store.children import RosterStudent
from daemon.store.renumbering import same_children
from daemon.store.tx import Tx
from rules.calendar import Calendar
from rules.ladder import Directory, Recipient, Unit
from rules.register import Spell
from rules.traits import Traits, grade_number


@dataclass(frozen=True)
class People:
    """A snapshot of children, classes and recipients; holds no name, and does not change when the store does.

    `class_ids` is every class any child is or was in; a class's index in it is its number everywhere below.
    """

    roster: rosters.Roster
    directory: Directory
    class_ids: tuple[str, ...]
    spells: Sequence[tuple[Spell, ...]]
    """By ordinal, in order of time; children who never changed class share theirs."""
    variants: tuple[int, ...]
    school_ids: tuple[str | None, ...]
    merged: Merged = NOTHING_MERGED
    """Children who have another number now; nearly always none."""

    @property
    def same(self) -> Mapping[str, str]:
        """Numbers that are another child's, to the number that child has now."""
        return self.merged.same

    @cached_property
    def class_index(self) -> dict[str, int]:
        """Number of each class."""
        return {class_id: n for n, class_id in enumerate(self.class_ids)}

    @cached_property
    def student_of(self) -> Sequence[str]:
        """Student id of each ordinal; empty where there is no child."""
        found = [""] * len(self.spells)
        for student_id, ordinal in self.roster.students.by_id.items():
            found[ordinal] = student_id
        return found

    @cached_property
    def members(self) -> dict[int, NDArray[np.int32]]:
        """Ordinals of those who are, or ever were, in each class, in order."""
        settled = np.flatnonzero(self._home >= 0)
        moved = [(index, ordinal) for ordinal in self._movers for index in self._classes_ever(ordinal)]
        pairs = np.array(moved, np.int32).reshape(-1, 2)
        classes = np.concatenate([self._home[settled], pairs[:, 0]])
        ordinals = np.concatenate([settled.astype(np.int32), pairs[:, 1]])
        order = np.lexsort((ordinals, classes))
        present, firsts = np.unique(classes[order], return_index=True)
        return dict(zip(present.tolist(), np.split(ordinals[order], firsts[1:]), strict=True)) if len(order) else {}

    @cached_property
    def classes_of_school(self) -> dict[str, list[int]]:
        """Numbers of the classes of each school."""
        found: dict[str, list[int]] = {}
        for index, school in enumerate(self.school_ids):
            if school is not None:
                found.setdefault(school, []).append(index)
        return found

    def class_on(self, ordinal: int, day: dt.date) -> int:
        """Number of the class a child is in on `day`; its first class on days before."""
        spells = self.spells[ordinal]
        if len(spells) == 1:
            return spells[0].class_index
        for spell in reversed(spells):
            if spell.starts_on is None or spell.starts_on <= day:
                return spell.class_index
        return spells[0].class_index

    def class_now(self, student_id: str) -> str:
        """The class a child is in by the newest roster."""
        return self.roster.students.class_of(student_id)

    def numbers_of(self, student_id: str) -> list[str]:
        """Every number a child is or was known under, the present one first."""
        return [student_id, *self._earlier.get(student_id, ())]

    def with_earlier(self, by_id: dict[str, int]) -> dict[str, int]:
        """What is given by present number, also by every earlier one."""
        if not self.same:
            return by_id
        return by_id | {old: by_id[new] for old, new in self.same.items() if new in by_id}

    @cached_property
    def _earlier(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for old, new in self.same.items():
            found.setdefault(new, []).append(old)
        return found

    def children_of(self, classes: Iterable[int]) -> list[int]:
        """Ordinals of everybody who is or was in one of `classes`, in order."""
        found = [self.members[index] for index in classes if index in self.members]
        ordinals: list[int] = np.unique(np.concatenate(found)).tolist() if found else []
        return ordinals

    def was_in(self, student_id: str, classes: Collection[int]) -> bool:
        """Whether a child is or ever was in one of `classes`."""
        return any(spell.class_index in classes for spell in self.spells[self.roster.students.ordinals[student_id]])

    def classes_of(self, ordinals: Sequence[int]) -> set[int]:
        """Every class these children are or were in."""
        home: list[int] = np.unique(self._home[np.asarray(ordinals, np.intp)]).tolist()
        moved = self._movers.intersection(ordinals) if self._movers else ()
        return {index for index in home if index >= 0}.union(*map(self._classes_ever, moved))

    def _classes_ever(self, ordinal: int) -> set[int]:
        return {spell.class_index for spell in self.spells[ordinal]}

    @cached_property
    def _home(self) -> NDArray[np.int32]:
        """By ordinal the one class a child was ever in; −1 for those who changed, and where there is no child."""
        return np.array([line[0].class_index if len(line) == 1 else -1 for line in self.spells], np.int32)

    @cached_property
    def _movers(self) -> frozenset[int]:
        """Those who changed class."""
        return frozenset(ordinal for ordinal, line in enumerate(self.spells) if len(line) > 1)

    def traits(self, ordinals: Sequence[int]) -> Traits:
        """What these children are by the newest roster; the work is theirs alone, however many others there are."""
        index = np.asarray(ordinals, np.intp)
        grades, grade = self._values("grade", index)
        boards, boarding = self._values("boarding", index)
        tagged, tags = self._values("tags", index)
        homes, home = self._values("class_id", index)
        lines = [self._upward(class_id) for class_id in homes]
        numbers = np.array([grade_number(text) for text in grades], np.int16)
        return Traits(
            numbers[grade],
            [grades[n] for n in grade.tolist()],
            np.array([bool(value) for value in boards], np.bool_)[boarding],
            {
                tag: np.array([tag in found for found in tagged], np.bool_)[tags]
                for tag in sorted({tag for found in tagged for tag in found})
            },
            [lines[n] for n in home.tolist()],
        )

    def _values(self, name: str, ordinals: NDArray[np.intp]) -> tuple[list[Any], NDArray[np.intp]]:
        """The different values of a field among some children, and which of them each has."""
        values, codes = self.roster.students.column(name)
        used, which = np.unique(codes[ordinals], return_inverse=True)
        return [values[code] for code in used.tolist()], which

    def _upward(self, class_id: str) -> tuple[str, ...]:
        """A class and every unit above it, nearest first."""
        return tuple(unit.unit_id for unit in self.directory.upward(class_id)) or (class_id,)

    def classes_under(self, units: Sequence[str]) -> list[int]:
        """The classes at or below any of `units`."""
        if len(units) == 1:
            return self._classes_by_unit.get(units[0], [])
        return sorted({index for unit in units for index in self._classes_by_unit.get(unit, ())})

    def shortest_of_class(self, spans: tuple[tuple[tuple[str, ...], dt.timedelta], ...]) -> Mapping[int, dt.timedelta]:
        """Of spans of time given for units, the shortest for each class; the answer is kept."""
        if spans not in self._spans:
            found: dict[int, dt.timedelta] = {}
            for units, span in spans:
                for index in self.classes_under(units):
                    found[index] = min(span, found.get(index, span))
            self._spans[spans] = found
        return self._spans[spans]

    @cached_property
    def _spans(self) -> dict[tuple[tuple[tuple[str, ...], dt.timedelta], ...], Mapping[int, dt.timedelta]]:
        return {}

    @cached_property
    def _classes_by_unit(self) -> dict[str, list[int]]:
        """Numbers of the classes at or below each unit."""
        found: dict[str, list[int]] = {}
        for index, class_id in enumerate(self.class_ids):
            for unit in {class_id, *(unit.unit_id for unit in self.directory.upward(class_id))}:
                found.setdefault(unit, []).append(index)
        return found


def child_of(people: People, student_id: str) -> RosterStudent:
    """Find a child on the roster; raises DeskError when there is none of that id."""
    child = people.roster.students.get(student_id)
    if child is not None:
        return child
    few = people.roster.students if len(people.roster.students) <= FEW else ()
    meant = nearest(student_id, few)
    hint = f'did you mean "{meant}"?' if meant else "the id is the 学籍号 of the students feed; import it first"
    raise DeskError(f"student {student_id}", "is not on the roster", hint)


FEW = 5_000
"""A nearest id is looked for among no more than this: comparing a county's is slow."""


def load_people(tx: Tx, calendar: Calendar) -> People:
    """Read the whole roster and make it ready."""
    found = rosters.roster(tx)
    same = same_children(tx)
    directory = _directory(found, same)
    held = rosters.memberships(tx)
    class_ids = tuple(sorted({*held.classes, *found.students.class_ids}))
    number = {class_id: n for n, class_id in enumerate(class_ids)}
    lines = [[unit.unit_id for unit in directory.upward(class_id)] or [class_id] for class_id in class_ids]
    schools = [directory.school(class_id) for class_id in class_ids]
    spells = _spells(held, [number[class_id] for class_id in held.classes], found.students.ordinals.values())
    people = People(
        found,
        directory,
        class_ids,
        spells,
        tuple(calendar.variant(line) for line in lines),
        tuple(school.unit_id if school else None for school in schools),
    )
    return _joined(people, held, same, calendar) if same else people


def _joined(people: People, held: rosters.Memberships, same: Mapping[str, str], calendar: Calendar) -> People:
    """The same people, each child who has another number now under that one."""
    students = people.roster.students
    spells, merged = join_spells(people.spells, students.ordinals, held, same, calendar.zone)
    roster = replace(people.roster, students=students.joined(same))
    return replace(people, roster=roster, spells=spells, merged=merged)


def _directory(found: rosters.Roster, same: Mapping[str, str]) -> Directory:
    units = {unit.unit_id: Unit(unit.unit_id, unit.kind, unit.parent_id, unit.name) for unit in found.units.values()}
    recipients = [to_recipient(contact) for contact in found.contacts]
    if same:
        recipients = [replace(one, student_id=same.get(one.student_id or "", one.student_id)) for one in recipients]
    return Directory(units, recipients)


def to_recipient(contact: rosters.RosterContact) -> Recipient:
    """A contact as routing sees it: its role and place, and the channels on which it can be reached."""
    channels = _channels(sms=contact.has_phone, email=contact.has_email, webhook=contact.endpoint is not None)
    return Recipient(contact.contact_id, contact.role, contact.unit_id, contact.student_id, channels, contact.language)


@cache
def _channels(**reach: bool) -> frozenset[str]:
    """The channels there are; thousands of contacts share the few sets that occur."""
    return frozenset(channel for channel, there in reach.items() if there)


def _spells(held: rosters.Memberships, number: Sequence[int], ordinals: Collection[int]) -> Sequence[tuple[Spell, ...]]:
    """Memberships as spells by ordinal; of several that start on one day the one known last counts."""
    always = {index: (Spell(index, None),) for index in number}
    found: list[tuple[Spell, ...]] = [()] * (max(ordinals, default=0) + 1)
    for ordinal, code, since in zip(
        held.ordinal.tolist(), held.class_index.tolist(), held.starts_on.tolist(), strict=True
    ):
        index, before = number[code], found[ordinal]
        starts_on = None if since == rosters.FIRST_DAY else since
        if before and before[-1].starts_on == starts_on:
            before = before[:-1]
        line = always[index] if starts_on is None else (Spell(index, starts_on),)
        found[ordinal] = before + line if before else line
    return found
