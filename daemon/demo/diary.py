"""What happens to whom in the term of a demonstration: who is away, ill, gone, and which papers say so, and when."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from daemon.demo.county import SCHOOLS, Child, County, School

HALVES = 2
"""Half-days of a school day; half-day `n` is the forenoon of day `n // 2` or its afternoon."""

CUT_SCHOOL, SNOW_SCHOOL = SCHOOLS[2], SCHOOLS[3]
_CUT_DAYS = 2


@dataclass(frozen=True, slots=True)
class When:
    """A moment of the term: school day, counted from 0, and local time."""

    day: int
    time: dt.time


@dataclass(frozen=True, slots=True)
class Slip:
    """A leave slip over whole days, and when the school enters it."""

    child: Child
    first: int
    last: int
    kind: str
    entered: When


@dataclass(frozen=True, slots=True)
class Move:
    """A child's removal from the roll as the school enters it; without evidence nobody has confirmed it."""

    child: Child
    entered: When
    evidence: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A mark said again, otherwise."""

    child: Child
    half: int
    code: str
    entered: When


@dataclass
class Diary:
    """All that happens; what is not in `marks` is present. Knows the truth, which the daemon never sees."""

    days: int
    marks: dict[tuple[str, int], str] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    cut: tuple[int, int] | None = None
    """First day without a line to CUT_SCHOOL, and the day it is back."""
    looked_for: set[str] = field(default_factory=set)
    """Children whose teacher goes and looks when asked."""
    snow: int | None = None
    """The day on which hardly anybody reaches SNOW_SCHOOL."""

    def mark(self, child: Child, half: int) -> str:
        """What the roll of a half-day says of a child."""
        return self.marks.get((child.student_id, half), "present")

    def away(self, child: Child, first: int, past: int | None = None, code: str = "absent") -> None:
        """Away in the half-days `[first, past)`, by default to the end."""
        end = self.days * HALVES
        for half in range(first, end if past is None else min(past, end)):
            self.marks[child.student_id, half] = code


class _Author:
    """Writes a diary from a seed; every child plays in one story at most."""

    def __init__(self, county: County, days: int, seed: int) -> None:
        self.chance = random.Random(f"diary {seed}")  # noqa: S311 - invents stories, keeps no secret
        self.diary = Diary(days)
        self.days = days
        quiet = [room.children for room in county.rooms if room.school not in {CUT_SCHOOL, SNOW_SCHOOL}]
        self._free = [child for children in quiet for child in children]
        self.chance.shuffle(self._free)
        self._cut_room = county.rooms_of(CUT_SCHOOL)[0]
        self._county = county

    def child(self) -> Child:
        return self._free.pop()

    def times(self, a_fortnight: int, needs: int) -> Iterable[int]:
        """First days of some stories that need so many days to be told."""
        if self.days < needs:
            return ()
        count = max(1, round(a_fortnight * self.days / 10))
        return [self.chance.randint(0, self.days - needs) for _ in range(count)]

    def entered(self, day: int, hour: int) -> When:
        return When(day, dt.time(hour, self.chance.randint(0, 59)))

    # ---- incidents --------------------------------------------------------------------------------------------

    def cut_line(self) -> None:
        """A line is dead for two days; behind it one child stays away and another is long back."""
        if self.days < 3:  # noqa: PLR2004 - one day before it, one without it, one after it
            return
        back = min(max(1, round(self.days * 0.4)) + _CUT_DAYS, self.days - 1)
        first = max(back - _CUT_DAYS, 1)
        self.diary.cut = (first, back)
        gone, home, asked = self._cut_room.children[3], self._cut_room.children[11], self._cut_room.children[23]
        self.diary.away(gone, (first - 1) * HALVES, (back + 2) * HALVES)
        self.diary.away(home, (first - 1) * HALVES, first * HALVES)
        self.diary.away(asked, (first - 1) * HALVES, (back + 1) * HALVES)
        self.diary.looked_for.add(asked.student_id)

    def let_it_snow(self) -> None:
        """One day hardly anybody gets to the school on the mountain."""
        if self.days < 2:  # noqa: PLR2004 - a day before it, or nobody sees what is unusual
            return
        day = 1 if self.days < 5 else 3  # noqa: PLR2004
        self.diary.snow = day
        for room in self._county.rooms_of(SNOW_SCHOOL):
            for child in room.children:
                if self.chance.random() < 0.85:  # noqa: PLR2004
                    self.diary.away(child, day * HALVES, (day + 1) * HALVES)

    # ---- children -----------------------------------------------------------------------------------------------

    def vanish(self) -> None:
        """Gone without a word; most come back after some days, some do not."""
        for day in self.times(8, 3):
            first = day * HALVES + self.chance.randint(0, 1)
            stays = self.chance.random() < 0.4  # noqa: PLR2004
            self.diary.away(self.child(), first, None if stays else first + self.chance.randint(5, 10))

    def relapse(self) -> None:
        """Back for two days, then gone again."""
        for day in self.times(1, 10):
            child = self.child()
            self.diary.away(child, day * HALVES, (day + 4) * HALVES)
            self.diary.away(child, (day + 6) * HALVES)

    def ill_with_leave(self) -> None:
        """Leave entered while the child is away, before anybody had to be told."""
        for day in self.times(2, 2):
            child = self.child()
            self.diary.away(child, day * HALVES, (day + 2) * HALVES)
            self.diary.slips.append(Slip(child, day, day + 1, "病假", self.entered(day, 15)))

    def back_dated(self) -> None:
        """The slip comes after the report, and reaches back before it."""
        for day in self.times(2, 3):
            child = self.child()
            self.diary.away(child, day * HALVES, (day + 4) * HALVES)
            self.diary.slips.append(Slip(child, day, min(day + 3, self.days - 1), "病假", self.entered(day + 2, 15)))

    def corrected(self) -> None:
        """Yesterday's marks were another child's; the report was not owed."""
        for day in self.times(1, 3):
            child = self.child()
            self.diary.away(child, day * HALVES, (day + 3) * HALVES)
            entered = self.entered(day + 2, 10)
            for half in ((day + 1) * HALVES, (day + 1) * HALVES + 1):
                self.diary.corrections.append(Correction(child, half, "present", entered))

    def not_back_after_all(self) -> None:
        """Marked present one afternoon by mistake: what was told as a return is taken back."""
        for day in self.times(1, 6):
            child = self.child()
            seen = (day + 3) * HALVES + 1
            self.diary.away(child, day * HALVES, seen)
            self.diary.away(child, seen + 1)
            self.diary.corrections.append(Correction(child, seen, "absent", self.entered(day + 4, 9)))

    def move(self) -> None:
        """Some leave with papers in time, some with papers too late, some without any."""
        for needs, after, evidence in ((3, 1, "转学联系函 2026-017"), (5, 3, "转学联系函 2026-023"), (3, 1, "")):
            for day in self.times(1, needs):
                child = self.child()
                self.diary.away(child, day * HALVES)
                self.diary.moves.append(Move(child, self.entered(day + after, 16), evidence))

    # ---- the ordinary ---------------------------------------------------------------------------------------------

    def everyday(self) -> None:
        """Colds with a slip in the morning, forenoons missed, and the late."""
        # A slip is a word about a child too: none may speak for a class that is to be silent.
        cut = range(self.diary.cut[0] - 2, self.diary.cut[1]) if self.diary.cut else range(0)
        for school, none_on in ((None, range(0)), (SNOW_SCHOOL, range(0)), (CUT_SCHOOL, cut)):
            for child in self._free if school is None else self._unused(school):
                for day in range(self.days):
                    fate = self.chance.random()
                    if day not in none_on:
                        self._ordinary_day(child, day, fate)

    def _unused(self, school: School) -> list[Child]:
        touched = {student for student, _ in self.diary.marks}
        rooms = self._county.rooms_of(school)
        return [child for room in rooms for child in room.children if child.student_id not in touched]

    def _ordinary_day(self, child: Child, day: int, fate: float) -> None:
        half = day * HALVES
        if (child.student_id, half) in self.diary.marks:
            return
        if fate < 0.004:  # noqa: PLR2004
            last = min(day + self.chance.randint(0, 2), self.days - 1)
            self.diary.away(child, half, (last + 1) * HALVES, "leave")
            self.diary.slips.append(Slip(child, day, last, "病假", When(day, dt.time(7, 40))))
        elif fate < 0.006:  # noqa: PLR2004
            self.diary.away(child, half, half + self.chance.randint(1, 2))
        elif fate < 0.014:  # noqa: PLR2004
            self.diary.away(child, half, half + 1, "late")


def write_diary(county: County, days: int, seed: int) -> Diary:
    """Everything that happens in the first `days` school days: the same of the same seed."""
    author = _Author(county, days, seed)
    author.cut_line()
    author.let_it_snow()
    for story in (author.vanish, author.relapse, author.ill_with_leave, author.back_dated, author.corrected):
        story()
    author.not_back_after_all()
    author.move()
    author.everyday()
    return author.diary
