"""What truly happened at a small school in two school weeks, and what the law makes of it.

A history is drawn from a seed. It knows nothing of feeds but when each thing becomes known where nothing goes wrong.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from zoneinfo import ZoneInfo

from rules.records import Mark
from tests.county import DAY, HALF_DAYS, Child, LeaveRow, MarkRow, Parameters, World
from tests.reference import tell

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = dt.date(2026, 3, 16)
DATES = tuple(FIRST + (n + 2 * (n // 5)) * DAY for n in range(10))
"""Two school weeks, Monday to Friday each."""
POLLS = tuple(dt.time(*at) for at in ((8, 15), (9, 30), (11, 50), (14, 15), (15, 30), (17, 10)))
"""The times of a school day at which every feed is polled."""
SESSIONS = {"am": (dt.time(8), dt.time(11, 40)), "pm": (dt.time(14), dt.time(17))}
ENTERED = dt.time(17, 10)
"""A leave is entered, and known, in the evening before its first day."""
_FRIDAY = 9
"""The afternoon before the weekend."""
SIZES = (15, 13)
"""The children of the two classes of a school."""


def local(date: dt.date, time: dt.time) -> dt.datetime:
    """The instant at which clocks of the schools show a date and time."""
    return dt.datetime.combine(date, time, ZONE).astimezone(dt.UTC)


def date_of(at: dt.datetime) -> dt.date:
    """The date of an instant at the schools."""
    return at.astimezone(ZONE).date()


def evening(at: dt.datetime) -> dt.datetime:
    """The end of the day of an instant."""
    return local(date_of(at) + DAY, dt.time())


@dataclass(frozen=True)
class Half:
    """One session of the two weeks: a date and the name of its half-day."""

    number: int

    @cached_property
    def date(self) -> dt.date:
        """Its date."""
        return DATES[self.number // 2]

    @cached_property
    def name(self) -> str:
        """Its name in the timetable."""
        return ("am", "pm")[self.number % 2]

    @cached_property
    def start(self) -> dt.datetime:
        """When it begins."""
        return local(self.date, SESSIONS[self.name][0])

    @cached_property
    def end(self) -> dt.datetime:
        """When it is over."""
        return local(self.date, SESSIONS[self.name][1])


LAST = 2 * len(DATES)
HALVES = tuple(Half(n) for n in range(LAST))


@dataclass(frozen=True, slots=True)
class Pupil:
    """A child by its number, its class, where it lives, and two letters a day: P there, A absent, L on leave."""

    number: int
    room: int
    home: str
    letters: str

    def week(self) -> str:
        """The letters a day at a time, for a person to read."""
        days = [self.letters[n : n + 2] for n in range(0, len(self.letters), 2)]
        return " ".join(days[:5]) + " | " + " ".join(days[5:])

    def leaves(self) -> Iterator[tuple[int, int]]:
        """The first and the last day of each leave."""
        days = self.letters[::2]
        for n, letter in enumerate(days):
            if letter == "L" and days[n - 1 : n] != "L":
                last = next((k for k in range(n, len(days)) if days[k] != "L"), len(days)) - 1
                yield n, last


def known_at(half: Half, *, at_its_end: bool) -> dt.datetime:
    """The poll by which a session's roll is known: soon after it began or, of exceptions, after its end."""
    since = half.end if at_its_end else half.start
    return next(at for at in (local(half.date, time) for time in POLLS) if at > since)


@dataclass(frozen=True)
class History:
    """The children of one school; `slips` are absences that were called as present and put right an hour later."""

    seed: int
    pupils: tuple[Pupil, ...]
    slips: frozenset[tuple[int, int]]
    fault_from: int
    """The number of the day, from 0, on which something begins to go wrong."""

    def world(self, *, at_its_end: bool) -> World:
        """The same as a county; what is known is known at a session's end, or soon after it began."""
        rows = [self._marks(pupil, half, at_its_end=at_its_end) for pupil in self.pupils for half in HALVES]
        return World(
            zone=str(ZONE),
            slots=HALF_DAYS,
            schools=(("school", "town"),),
            school_days=(("school", frozenset(DATES)),),
            classes=(("0", "school"), ("1", "school")),
            children=tuple(Child(str(one.number), ((FIRST, str(one.room)),)) for one in self.pupils),
            start=local(FIRST, dt.time(7)),
            end=local(DATES[-1], dt.time(21)),
            marks=tuple(row for some in rows for row in some),
            leaves=tuple(self._leaves()),
            parameters=Parameters(),
        )

    def _marks(self, pupil: Pupil, half: Half, *, at_its_end: bool) -> Iterator[MarkRow]:
        at = known_at(half, at_its_end=at_its_end)
        mark = Mark.PRESENT if pupil.letters[half.number] == "P" else Mark.ABSENT
        if (pupil.number, half.number) in self.slips and not at_its_end:
            yield MarkRow(str(pupil.number), half.date, half.name, Mark.PRESENT, at, 1)
            at = next_poll(at)
        yield MarkRow(str(pupil.number), half.date, half.name, mark, at, 2)

    def _leaves(self) -> Iterator[LeaveRow]:
        for pupil in self.pupils:
            for first, last in pupil.leaves():
                span = local(DATES[first], dt.time()), local(DATES[last] + DAY, dt.time())
                name, known = f"{pupil.number}-{first}", entered(first)
                yield LeaveRow(name, str(pupil.number), *span, "sick", known, withdrawn=False, line=1)


def next_poll(at: dt.datetime) -> dt.datetime:
    """The next poll after one."""
    times = [local(day, time) for day in DATES for time in POLLS]
    return next(one for one in times if one > at)


def entered(first: int) -> dt.datetime:
    """When a leave from a day on is entered: the school day before, or before the first poll of all."""
    return local(DATES[first - 1], ENTERED) if first else local(FIRST, dt.time(7, 15))


@dataclass(frozen=True, slots=True)
class Owed:
    """A report that must be made: of which child, due and raised when."""

    number: int
    due_at: dt.datetime
    raised_at: dt.datetime


@dataclass(frozen=True)
class Law:
    """What must come of a history: its reports, and whose report stands on the evening of each day."""

    reports: tuple[Owed, ...]
    standing: dict[dt.date, frozenset[int]]


@cache
def law_of(seed: int, *, at_its_end: bool) -> Law:
    """What the law makes of a history where nothing goes wrong."""
    told = [one for one in tell(draw_history(seed).world(at_its_end=at_its_end)) if one.student and one.due_at]
    reports = [(int(one.student), one.due_at, one.raised_at) for one in told if one.kind == "report"]  # type: ignore[arg-type]
    standing: dict[dt.date, frozenset[int]] = {}
    for day in DATES:
        last = {one.student: one.kind for one in told if one.raised_at < local(day + DAY, dt.time())}
        standing[day] = frozenset(int(one or 0) for one, kind in last.items() if kind in {"report", "reopened"})
    return Law(tuple(Owed(*one) for one in reports), standing)  # type: ignore[arg-type]


# ---- drawing one ----------------------------------------------------------------------------------------------------


def draw_history(seed: int) -> History:
    """Draw a history.

    In both classes a report stands when something begins to go wrong, other runs begin before, at and after it, and
    somebody is on leave meanwhile.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed that tells a story again
    fault_from = 2
    pupils: list[Pupil] = []
    for room, size in enumerate(SIZES):
        plots = [_absent_from(2 * (fault_from + day), chance) for day in (-1, 0, 1)]
        plots += [_filled("A" * chance.choice((7, 10, LAST)))]
        plots += [_filled("PP" * (fault_from - 1) + "LL" * chance.choice((3, 4, 6)))]
        plots += [_plot(chance) for _ in range(2)]
        plots += ["P" * LAST] * (size - len(plots))
        chance.shuffle(plots)
        for k, letters in enumerate(plots):
            home = chance.choice(("", "far")) if k % 4 == 0 else "near"
            pupils.append(Pupil(len(pupils) + 1, room, home, letters))
    return History(seed, tuple(pupils), frozenset(_slips(pupils, chance)), fault_from)


def _absent_from(first: int, chance: random.Random) -> str:
    """Absent for three to six days, or to the end, from about a session on."""
    first = max(first + chance.choice((0, 0, 1)), 0)
    missed = chance.choice((6, 7, 9, 10, LAST))
    return _filled("P" * first + "A" * missed)


def _plot(chance: random.Random) -> str:
    kind = chance.choice(("leave", "leave", "short", "short", "pattern", "present", "leave and more"))
    day, days = chance.randrange(8), chance.choice((1, 2, 3, 4))
    if kind == "leave":
        return _filled("P" * 2 * day + "L" * 2 * days)
    if kind == "short":
        return _filled("P" * (2 * day + chance.randrange(2)) + "A" * chance.choice((1, 2, 3)))
    if kind == "pattern":
        return _filled(("AP" * days).rjust(2 * (day + days), "P"))
    if kind == "leave and more":
        return _filled("P" * 2 * day + "LL" * days + "A" * chance.choice((4, 6, LAST)))
    return "P" * LAST


def _filled(story: str) -> str:
    """The letters of both weeks: there, once a story has ended."""
    return story.ljust(LAST, "P")[:LAST]


def _slips(pupils: list[Pupil], chance: random.Random) -> Iterator[tuple[int, int]]:
    """Now and then an absent child is called as present, and put right at the next poll; in each class on a Friday."""
    for room in range(len(SIZES)):
        yield next((one.number, _FRIDAY) for one in pupils if one.room == room and one.letters[_FRIDAY] == "A")
    for pupil in pupils:
        absent = [n for n, letter in enumerate(pupil.letters) if letter == "A"]
        if absent and chance.random() < 0.5:
            yield pupil.number, chance.choice(absent)
