"""The register: children × sessions as known at an instant, with leaves and movements laid over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rules.calendar import Calendar
from rules.instants import NEVER, to_micros
from rules.records import POSITIVE, Mark
from rules.rolls import Overlay, Rolls, column_of, lay_marks

SKIP, HOLE, MISSED, EXCUSED, SEEN = range(5)
"""What a cell means to the clock: not expected (or not begun), untaken or unknown, absent, on leave, seen."""

MEANING = np.array([HOLE, HOLE, MISSED, EXCUSED, SEEN, SEEN, SEEN], np.uint8)
"""By mark what a cell means where the child is expected and no leave covers it."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A child's time in one class, from `starts_on` (local date; None: always) until the next spell."""

    class_index: int
    starts_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Leave:
    """An approved span `[starts, ends)` as known; withdrawn ones are not here."""

    starts: dt.datetime
    ends: dt.datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement record as known, confirmed or not."""

    kind: str
    at: dt.datetime
    evidence: bool


@dataclass(frozen=True, slots=True)
class Out:
    """A confirmed time away from the roll, `[at, until)`; `kind` is the movement that began it."""

    kind: str
    at: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A cell of which somebody said by hand that the child was seen, first and last when; and which shows it.

    `without` is the mark that the cell would hold had nobody said so.
    """

    column: int
    first_at: dt.datetime
    last_at: dt.datetime
    without: Mark


@dataclass(frozen=True)
class Register:
    """Children (rows) × sessions (columns) as known at one instant; the only thing facts are read from.

    `marks` uint8 (rows, columns) holds `Mark` values: UNKNOWN where a roll was taken that does not name the child.
    `variant` int (rows, 1), or (rows, columns) where some child changed to a school with another timetable.
    `enrolled` bool (rows, columns) or None where nobody came, left or was suspended.
    """

    calendar: Calendar
    marks: NDArray[np.uint8]
    variant: NDArray[np.intp]
    classes: NDArray[np.int32]
    enrolled: NDArray[np.bool_] | None
    leaves: Mapping[int, Sequence[Leave]] = field(default_factory=dict)
    movements: Mapping[int, Sequence[Movement]] = field(default_factory=dict)
    outs: Mapping[int, Sequence[Out]] = field(default_factory=dict)
    sightings: Mapping[int, Sequence[Sighting]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many children."""
        return int(self.marks.shape[0])

    def variant_of(self, row: int, column: int = -1) -> int:
        """The calendar variant of `row`, at `column` where it changed."""
        line = self.variant[row]
        return int(line[0] if len(line) == 1 else line[column])

    def expects(self, row: int, column: int) -> bool:
        """Whether one child is expected in one session."""
        on_roll = self.enrolled is None or bool(self.enrolled[row, column])
        return on_roll and bool(self.calendar.expected[self.variant_of(row, column), column])

    def expected(self) -> NDArray[np.bool_]:
        """Where each child is expected: by the calendar, while on the roll; bool (rows, columns)."""
        calendar = self.calendar
        if self.variant.shape[1] == 1:
            expected = calendar.expected[self.variant[:, 0]]
        else:
            expected = calendar.expected[self.variant, np.arange(self.marks.shape[1])]
        return expected if self.enrolled is None else expected & self.enrolled

    def part(self, rows: Sequence[int]) -> Register:
        """The same register with only `rows`, renumbered."""
        index = np.asarray(rows, np.intp)
        return Register(
            self.calendar,
            self.marks[index],
            self.variant[index],
            self.classes[index],
            None if self.enrolled is None else self.enrolled[index],
            {n: self.leaves[row] for n, row in enumerate(rows) if row in self.leaves},
            {n: self.movements[row] for n, row in enumerate(rows) if row in self.movements},
            {n: self.outs[row] for n, row in enumerate(rows) if row in self.outs},
            {n: self.sightings[row] for n, row in enumerate(rows) if row in self.sightings},
        )

    def starts(self) -> NDArray[np.int64]:
        """Start of each cell's session, microseconds; (rows, columns)."""
        if self.variant.shape[1] == 1:
            return self.calendar.starts[self.variant[:, 0]]
        return self.calendar.starts[self.variant, np.arange(self.marks.shape[1])]


def confirmed_outs(movements: Sequence[Movement]) -> tuple[Out, ...]:
    """The confirmed times away among a child's movement records, in whatever order they became known.

    A transfer out is confirmed by evidence, or by the new school (`transfer_in`) or a verification dated at or after
    it; suspension and graduation by evidence; `verified_elsewhere` by itself (absence.md, Words). Coming back needs
    no confirmation: on doubt a child is expected.
    """
    outs: list[Out] = []
    for movement in sorted(movements, key=lambda m: (m.at, m.kind in _BACK)):
        away = bool(outs) and outs[-1].until is None
        if movement.kind in _BACK and away:
            outs[-1] = Out(outs[-1].kind, outs[-1].at, movement.at)
        elif movement.kind in _AWAY and not away and is_confirmed(movement, movements):
            outs.append(Out(movement.kind, movement.at, None))
    return tuple(outs)


_BACK = frozenset({"transfer_in", "resume"})
_AWAY = frozenset({"transfer_out", "suspend", "graduate", "verified_elsewhere"})
_CONFIRMS = frozenset({"transfer_in", "verified_elsewhere"})


def is_confirmed(movement: Movement, others: Sequence[Movement]) -> bool:
    """Whether a movement out carries evidence, or another record of the child confirms it."""
    if movement.evidence or movement.kind == "verified_elsewhere":
        return True
    return movement.kind == "transfer_out" and any(
        other.kind in _CONFIRMS and other.at >= movement.at for other in others
    )


def build_register(
    calendar: Calendar,
    spells: Sequence[Sequence[Spell]],
    class_variant: Sequence[int],
    rolls: Rolls,
    *,
    overlays: Sequence[Overlay] = (),
    leaves: Mapping[int, Sequence[Leave]] | None = None,
    movements: Mapping[int, Sequence[Movement]] | None = None,
) -> Register:
    """Lay everything known over one another: rolls by precedence, then hand verdicts, enrolment and movements."""
    classes, enrolled = memberships(calendar, spells)
    variant = np.asarray(class_variant, np.intp)[classes] if len(spells) else np.zeros((0, 1), np.intp)
    marks = lay_marks(calendar, rolls, overlays, classes, variant, len(class_variant))
    outs = {row: found for row, known in (movements or {}).items() if (found := confirmed_outs(known))}
    if outs and enrolled is None:
        enrolled = np.ones(marks.shape, np.bool_)
    without = [one for one in overlays if one.mark not in POSITIVE]
    bare = (
        marks
        if len(without) == len(overlays)
        else lay_marks(calendar, rolls, without, classes, variant, len(class_variant))
    )
    said = _sightings(calendar, overlays, variant, marks, bare)
    register = Register(calendar, marks, variant, classes, enrolled, leaves or {}, movements or {}, outs, said)
    if enrolled is not None:
        _take_out(register, enrolled)
    return register


def _sightings(
    calendar: Calendar,
    overlays: Sequence[Overlay],
    variant: NDArray[np.intp],
    marks: NDArray[np.uint8],
    bare: NDArray[np.uint8],
) -> Mapping[int, Sequence[Sighting]]:
    """By row the cells that show a sighting said by hand; what a later word took back is none."""
    cells: dict[tuple[int, int], list[dt.datetime]] = {}
    for one in (overlay for overlay in overlays if overlay.mark in POSITIVE):
        for row in one.rows.tolist():
            column = column_of(calendar, one, variant[row])
            if column is not None and marks[row, column] in POSITIVE:
                cells.setdefault((row, column), []).append(one.said_at)
    found: dict[int, list[Sighting]] = {}
    for (row, column), said in sorted(cells.items()):
        found.setdefault(row, []).append(Sighting(column, min(said), max(said), Mark(int(bare[row, column]))))
    return found


def unsighted(register: Register, since: Sequence[dt.datetime | None]) -> Register:
    """The register had nobody said by hand, after the instant given for each row, that its child was seen.

    A row for which none is given stays as it is.
    """
    undone = [
        (row, one)
        for row, said in register.sightings.items()
        for one in said
        if (instant := since[row]) is not None and one.first_at > instant
    ]
    if not undone:
        return register
    marks = register.marks.copy()
    for row, one in undone:
        marks[row, one.column] = one.without
    return replace(register, marks=marks)


def memberships(
    calendar: Calendar, spells: Sequence[Sequence[Spell]]
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    """Class index of each row, (rows, 1), or of each cell where somebody changed class; and who came late."""
    first = np.array([row[0].class_index for row in spells], np.int32).reshape(-1, 1)
    changed = [n for n, row in enumerate(spells) if len(row) > 1]
    late = [n for n, row in enumerate(spells) if row[0].starts_on is not None]
    enrolled = None
    days = calendar.day_of
    if late:
        enrolled = np.ones((len(spells), len(days)), np.bool_)
        for row in late:
            starts_on = spells[row][0].starts_on
            if starts_on is not None:
                enrolled[row] = days >= starts_on.toordinal()
    if changed:
        first = np.repeat(first, len(days), axis=1)
        for row in changed:
            for spell in spells[row][1:]:
                if spell.starts_on is not None:
                    first[row, days >= spell.starts_on.toordinal()] = spell.class_index
    return first, enrolled


def _take_out(register: Register, enrolled: NDArray[np.bool_]) -> None:
    """Sessions that start in a confirmed time away are not expected."""
    for row, outs in register.outs.items():
        starts = register.calendar.starts[register.variant[row], np.arange(enrolled.shape[1])]
        for out in outs:
            until = NEVER if out.until is None else to_micros(out.until)
            enrolled[row] &= ~((starts >= to_micros(out.at)) & (starts < until))


def states(register: Register, now: int, before: NDArray[np.int64] | None = None) -> NDArray[np.uint8]:
    """What each begun cell means to the clock at `now`; uint8 (rows, columns) of SKIP … SEEN.

    With `before` (int64 microseconds a row), sessions, leaves and movements that start at or after it are left aside,
    as when asking whether a report was owed at its deadline. (A session that starts before the limit is taken out only
    by a movement before it, so the limit on sessions leaves later movements aside, too.)
    """
    meaning = MEANING[register.marks]
    starts = register.starts()
    for row, leaves in register.leaves.items():
        limit = NEVER if before is None else int(before[row])
        for leave in leaves:
            if to_micros(leave.starts) < limit:
                _excuse(register, meaning, starts, row, leave)
    visible = register.expected() & (starts <= now)
    if before is not None:
        visible &= starts < before[:, None]
    meaning[~visible] = SKIP
    return meaning


def _excuse(register: Register, meaning: NDArray[np.uint8], starts: NDArray[np.int64], row: int, leave: Leave) -> None:
    of = register.variant[row]
    ends = register.calendar.ends[of, np.arange(meaning.shape[1])]
    covered = (starts[row] < to_micros(leave.ends)) & (ends > to_micros(leave.starts))
    meaning[row, covered & (meaning[row] != SEEN)] = EXCUSED
