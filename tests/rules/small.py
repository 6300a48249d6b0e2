"""Small calendars and registers, written as letters; Monday is 16 March 2026 in Shanghai unless said otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from rules.calendar import Calendar, Line, Period, Timetable
from rules.compiler import compile_predicate
from rules.finding import Clock
from rules.instants import from_micros, to_micros
from rules.judge import Judgement
from rules.records import Mark
from rules.register import Register, Spell, build_register
from rules.rolls import Rolls
from tests.table import instant

MONDAY = dt.date(2026, 3, 16)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
AM, PM = Period("am", dt.time(8), dt.time(11, 40)), Period("pm", dt.time(14), dt.time(17))
LETTERS = {"A": Mark.ABSENT, "P": Mark.PRESENT, "L": Mark.LEAVE, "?": Mark.UNKNOWN, "T": Mark.LATE}
TWO_DAYS = compile_predicate("absent_days >= 2")


def timetable(first: dt.date = MONDAY, days: int = 40, **rest: Any) -> Timetable:  # noqa: ANN401 - its own fields
    """A term of so many days from `first`, Monday to Friday, mornings and afternoons."""
    return Timetable(**({"terms": ((first, first + (days - 1) * DAY),), "periods": (AM, PM)} | rest))


def calendar(
    table: Timetable | None = None, zone: str = "Asia/Shanghai", own: Mapping[str, Timetable] | None = None
) -> Calendar:
    """A calendar of one timetable, with what units have of their own."""
    return Calendar(ZoneInfo(zone), table or timetable(), own)


def line_of(table: Timetable | None = None, zone: str = "Asia/Shanghai") -> Line:
    """The sessions of a timetable."""
    return calendar(table, zone).lines[0]


def local(line_calendar: Calendar, micros: int) -> str:
    """An instant of a line as its school's clock shows it."""
    return from_micros(micros).astimezone(line_calendar.zone).strftime("%a %H:%M")


Said = tuple[int, int, int, str]
"""One mark: class, row, column, letter."""


def rolls_of(
    *rolls: Sequence[Said],
    at: Sequence[dt.datetime] = (),
    rank: Sequence[int] = (),
    line: Sequence[int] = (),
    implied: int = -1,
) -> Rolls:
    """Rolls as sequences of marks; each a minute after the one before, unless `at` says otherwise."""
    said = [instant("Mon 08:00") + n * dt.timedelta(minutes=1) for n in range(len(rolls))]
    recorded = [to_micros(one) for one in (at or said)]
    flat = [
        (n, row, LETTERS[letter]) for n, roll in enumerate(rolls) for _, row, _, letter in roll if letter in LETTERS
    ]
    cells = np.array(flat, np.int64).reshape(-1, 3)
    return Rolls(
        np.array([roll[0][0] for roll in rolls], np.int32),
        np.array([roll[0][2] for roll in rolls], np.int32),
        np.array(recorded, np.int64),
        np.array(rank or [1] * len(rolls), np.int32),
        np.array(line or [2] * len(rolls), np.int32),
        np.arange(len(rolls)) == implied,
        cells[:, 0].astype(np.int32),
        cells[:, 1].astype(np.int32),
        cells[:, 2].astype(np.uint8),
    )


def register_of(*letters: str, known: Calendar | None = None, **rest: Any) -> Register:  # noqa: ANN401 - passed on
    """One class; each child's marks from the first session on, a letter a session: `A`, `P`, `T`, `L`, `?`, or `-`."""
    known = known or calendar()
    width = max((len(row) for row in letters), default=0)
    rolls = []
    for column in range(width):
        marks = [(0, row, column, line[column]) for row, line in enumerate(letters) if column < len(line)]
        if any(letter in LETTERS for *_, letter in marks):
            rolls.append(marks)
    spells = rest.pop("spells", [[Spell(0, None)] for _ in letters])
    return build_register(known, spells, [0], rolls_of(*rolls), **rest)


def judged(register: Register, when: str | dt.datetime, week: int = 0, **clock: Any) -> Judgement:  # noqa: ANN401
    """The register judged at an instant."""
    now = instant(when, week) if isinstance(when, str) else when
    return Judgement(register, Clock(**clock), TWO_DAYS, now)


def row_of(register: Register, row: int = 0, width: int = 10) -> str:
    """A child's marks as letters again."""
    names = {int(mark): letter for letter, mark in LETTERS.items()} | {0: "-"}
    return "".join(names[int(code)] for code in register.marks[row, :width])
