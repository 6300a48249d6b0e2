"""Ladders: who is to be told what, when and unless; and who holds a role for one child."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder, `after` the report was raised.

    `unless` names what makes it needless: "acknowledged", or "acted" (something was done since). It speaks again
    every `repeat` until what `until` names: "acknowledged", "acted", or "seen" (the child is back). `channels` are in
    order of preference: with `reach` "first" each recipient is told on the first that reaches it, the next being
    tried when one fails, or has not left within `fall_back`; with "every" on each at once.
    """

    after: dt.timedelta
    unless: str | None
    tell: tuple[str, ...]
    channels: tuple[str, ...]
    repeat: dt.timedelta | None = None
    until: str = "acknowledged"
    reach: str = "first"
    fall_back: dt.timedelta = dt.timedelta(minutes=15)

    @property
    def kind(self) -> str:
        """What its alerts are called: the rung that speaks at once reports, later ones escalate."""
        return "report" if not self.after else "escalation"

    @property
    def audience(self) -> Audience:
        """Whom it tells, and how."""
        return Audience(self.tell, self.channels, self.reach, self.fall_back)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom one rung tells, and how; several when a rung speaks for lower ones that time has overtaken, too."""

    roles: tuple[str, ...]
    channels: tuple[str, ...]
    reach: str = "first"
    fall_back: dt.timedelta = dt.timedelta(minutes=15)
    rung: int = 0
    """Its index on the ladder."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs a reported case climbs, in order of delay, and whose acknowledgement counts.

    An acknowledgement after which nothing was done is recalled to whoever gave it after `remind_after`, and lapses
    `lapses_after` it was given; None: never.
    """

    ladder_id: str
    rungs: tuple[Rung, ...]
    acknowledged_by: tuple[str, ...]
    remind_after: dt.timedelta | None = None
    lapses_after: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree, without its children; `name` is what messages call it."""

    unit_id: str
    kind: str
    parent_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact as routing sees it: in which role, for whom, and on which channels it can be reached.

    Holds no name and no address.
    """

    contact_id: str
    role: str
    unit_id: str | None
    student_id: str | None
    channels: frozenset[str]
    language: str | None


HOUSEHOLD_ROLES = frozenset({"town_government", "town_head", "village_head"})
"""Roles found along the line of residence (户籍线); all others along the line of the roll (学籍线)."""


class Directory:
    """The unit tree with its recipients: answers who holds a role for a child; knows no child by name."""

    def __init__(self, units: Mapping[str, Unit], recipients: Sequence[Recipient]) -> None:
        self.units = units
        self.recipients = {one.contact_id: one for one in recipients}
        self._by_unit: dict[tuple[str, str], list[Recipient]] = {}
        self._by_student: dict[tuple[str, str], list[Recipient]] = {}
        for recipient in sorted(recipients, key=lambda r: r.contact_id):
            if recipient.student_id:
                self._by_student.setdefault((recipient.role, recipient.student_id), []).append(recipient)
            elif recipient.unit_id:
                self._by_unit.setdefault((recipient.role, recipient.unit_id), []).append(recipient)

    def upward(self, unit_id: str | None) -> Iterator[Unit]:
        """`unit_id` and the units above it, nearest first; ends at a unit that is not there or was passed before."""
        passed: set[str] = set()
        while unit_id and unit_id not in passed and (unit := self.units.get(unit_id)):
            passed.add(unit_id)
            yield unit
            unit_id = unit.parent_id

    def nearest(self, unit_id: str | None, kind: str) -> Unit | None:
        """The nearest unit of `kind` at or above `unit_id`."""
        return next((unit for unit in self.upward(unit_id) if unit.kind == kind), None)

    def school(self, class_id: str) -> Unit | None:
        """The school of a class; a school without classes is its own class."""
        return self.nearest(class_id, "school")

    def town(self, class_id: str, residence_id: str | None) -> tuple[Unit | None, bool]:
        """The town of a child's residence; else the school's town, and True because it was assumed."""
        home = self.nearest(residence_id, "town")
        return (home, False) if home else (self.nearest(class_id, "town"), True)

    def for_student(self, role: str, student_id: str, class_id: str, residence_id: str | None) -> list[Recipient]:
        """Who holds `role` for one child: named for the child, else nearest along the role's line."""
        named = self._by_student.get((role, student_id))
        if named:
            return named
        if role in HOUSEHOLD_ROLES:
            found = self.for_unit(role, residence_id)
            if found or self.town(class_id, residence_id)[1] is False:
                return found
        return self.for_unit(role, class_id)

    def for_unit(self, role: str, unit_id: str | None) -> list[Recipient]:
        """Who holds `role` for a unit: its own recipients, else those of the nearest unit above."""
        for unit in self.upward(unit_id):
            found = self._by_unit.get((role, unit.unit_id))
            if found:
                return found
        return []

    def everyone(self, role: str) -> list[Recipient]:
        """Every recipient in `role`, for any unit."""
        return [one for (of, _), found in sorted(self._by_unit.items()) if of == role for one in found]

    def below(self, unit_id: str) -> set[str]:
        """`unit_id` and every unit under it."""
        return {one for one in self.units if any(unit.unit_id == unit_id for unit in self.upward(one))}
