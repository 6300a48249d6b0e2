"""A made-up term of two schools in which every shipped rule has a child to flag, told as feeds tell it.

Of all marks 5 % are corrected hours to days later, of all absences 2 % excused by leave entered afterwards (some of it
withdrawn), of all rolls 1 % late. It knows nothing of what follows from that.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from rules.records import Mark
from tests.county import (
    DAY,
    HALF_DAYS,
    HOUR,
    MINUTE,
    Child,
    LeaveRow,
    MarkRow,
    MovementRow,
    Session,
    Slot,
    World,
    write_feeds,
)
from tests.worlds import CODES

MONDAY = dt.date(2026, 3, 2)
HOLIDAY = frozenset(dt.date(2026, 5, day) for day in range(4, 9))
MADE_UP = dt.date(2026, 5, 16)
OWN_DAY_OFF = dt.date(2026, 4, 3)
DAYS = frozenset(
    day for n in range(18 * 7) if ((day := MONDAY + n * DAY).isoweekday() < 6 and day not in HOLIDAY) or day == MADE_UP
)
"""Eighty-six school days, with a holiday of a week after the first forty-five."""
LATER = (Slot("am", dt.time(8, 30), dt.time(11, 50)), Slot("pm", dt.time(13, 30), dt.time(16, 15)))
CLASSES = (("k-1", "sch-1", 17), ("k-2", "sch-1", 17), ("k-3", "sch-2", 17), ("k-4", "sch-2", 25))
"""Class, school and how many children."""
SNOW, DEAD = 48, (52, 53)
"""School days on which all of k-4 stayed at home, and on which nobody called the rolls of k-2."""
PACKS = ("statutory", "at-risk", "england", "us-chronic")
CORRECTED, BACK_DATED, LATE = 0.05, 0.02, 0.01
"""Of marks, of absences, of rolls."""
_DESK = (dt.time(12, 30), dt.time(17, 40))
"""When whoever corrects marks sits at it, so that many are corrected at once."""
_CORRECTED_AT = (1, 1, 2, 3, 5, 8)
"""At which of those times after the roll."""
_LATE_BY = (3, 7, 26, 50)
_EXCUSED_AFTER = (1, 2, 4)
_TAGS = ("", "left_behind", "", "poverty_registered;single_parent", "")

Stretches = tuple[tuple[str, int], ...]


class Story(NamedTuple):
    """What a child's days were like from one school day on, the letters of its sessions a day; it was there before.

    `leaves` and `moves` count school days, too: a leave's first and last, and when it became known; a movement's kind,
    day, when it became known, and whether there was a paper.
    """

    first: int
    stretches: Stretches
    leaves: tuple[tuple[int, int, int], ...] = ()
    moves: tuple[tuple[str, int, int, bool], ...] = ()


STORIES = {
    "three days": Story(20, (("AA", 3),)),
    "nine days": Story(24, (("PA", 1), ("AA", 8))),
    "gone for good": Story(26, (("AA", 31),)),
    "not there at first": Story(0, (("AA", 3), ("PP", 6), ("AA", 28))),
    "now and then": Story(6, (("AA", 1), ("PP", 5)) * 9 + (("AA", 1), ("PP", 11)) * 2),
    "long leave, overrun": Story(14, (("LA", 1), ("AA", 15)), leaves=((14, 25, 13),)),
    "suspended, not back": Story(
        12, (("--", 20), ("AA", 4)), moves=(("suspend", 12, 11, True), ("resume", 32, 31, False))
    ),
    "where to": Story(22, (("--", 22),), moves=(("transfer_out", 22, 23, False), ("resume", 44, 44, False))),
    "elsewhere": Story(30, (("--", 99),), moves=(("transfer_out", 30, 31, False), ("transfer_in", 31, 46, False))),
    "moved while away": Story(33, (("AA", 5), ("--", 99)), moves=(("transfer_out", 36, 37, True),)),
    "unnamed": Story(39, (("??", 2), ("--", 4))),
    "two spells, relapse": Story(28, (("AA", 6), ("PP", 4), ("AA", 3), ("PP", 9), ("AA", 2))),
    "late": Story(9, (("TP", 1), ("PP", 1), ("TE", 1)) * 5),
    "half there": Story(15, (("AP", 1), ("PP", 2), ("PA", 1)) * 3),
    "never on Mondays": Story(5, (("AA", 1), ("PP", 4)) * 13),
    "worse and worse": Story(60, (("AA", 1), ("PP", 1), ("AP", 1)) * 8),
    "one day, then silence": Story(51, (("AA", 1), ("--", 2), ("PP", 1), ("A-", 1), ("PP", 1))),
}
"""What happened to a child, by a name for it; a class has them in turn, each a little later than the last."""


def term(seed: int = 1) -> World:
    """The term, the same for the same seed."""
    chance = Random(seed)  # noqa: S311 - made up, not secret
    cast = list(_cast(chance))
    at_midnight = dt.datetime.combine(MONDAY, dt.time(), dt.UTC) - 8 * HOUR
    world = World(
        zone="Asia/Shanghai",
        slots=HALF_DAYS,
        schools=(("sch-1", "t-1"), ("sch-2", "t-2")),
        school_days=(("sch-1", DAYS), ("sch-2", DAYS - {OWN_DAY_OFF})),
        classes=tuple((class_id, school) for class_id, school, _ in CLASSES),
        children=tuple(child for child, _, _ in cast),
        start=at_midnight,
        end=at_midnight + 18 * 7 * DAY,
        own_slots=(("sch-2", LATER),),
    )
    marks = list(_corrected(world, _called(world, cast, chance), chance))
    leaves = [*_granted(world, cast), *_entered_afterwards(world, marks, chance)]
    movements = [row for child, story, shift in cast for row in _moved(world, child, story, shift)]
    return replace(
        world,
        marks=tuple(replace(row, line=n) for n, row in enumerate(marks, 2)),
        leaves=tuple(replace(row, line=n) for n, row in enumerate(leaves, 2)),
        movements=tuple(replace(row, line=n) for n, row in enumerate(movements, 2)),
    )


def _cast(chance: Random) -> Iterator[tuple[Child, Story, int]]:
    """Every child with its story, and by how many days that is later than written."""
    for n, (class_id, _, size) in enumerate(CLASSES):
        stories = [*STORIES.values(), *(_some_days(chance) for _ in range(size - len(STORIES)))]
        for number, story in enumerate(stories):
            shift = (n * 2) if 0 < story.first < 45 else 0
            yield Child(f"{class_id}-{number:02}", ((MONDAY, class_id),)), story, shift


def _some_days(chance: Random) -> Story:
    """A child of whom there is little to tell."""
    days = tuple(
        (chance.choice(("AA", "A?", "PA", "LL", "TP")), 1) if chance.random() < 0.06 else ("PP", 1) for _ in range(86)
    )
    return Story(0, days)


# ---- marks ----------------------------------------------------------------------------------------------------------


def _called(world: World, cast: Sequence[tuple[Child, Story, int]], chance: Random) -> list[MarkRow]:
    """Every roll ten minutes into its session, but for those that are late and those nobody called."""
    sessions = [(class_id, n) for class_id, _, _ in CLASSES for n in range(len(world.class_sessions[class_id]))]
    late = {one: chance.choice(_LATE_BY) * HOUR for one in chance.sample(sessions, round(LATE * len(sessions)))}
    rows = []
    for child, story, shift in cast:
        class_id = child.classes[0][1]
        letters = _letters(story, shift, class_id)
        for n, (session, letter) in enumerate(zip(world.timetable(child), letters, strict=False)):
            recorded = session.start + 10 * MINUTE + late.get((class_id, n), 0 * HOUR)
            if letter in CODES:
                rows.append(MarkRow(child.child_id, session.date, session.name, CODES[letter], recorded, 0))
    return rows


def _letters(story: Story, shift: int, class_id: str) -> str:
    """A letter for each session of the term, and a few more."""
    days = ["PP"] * (story.first + shift) + [letters for letters, count in story.stretches for _ in range(count)]
    days += ["PP"] * len(DAYS)
    if class_id == "k-4":
        days[SNOW] = "AA"
    if class_id == "k-2":
        for day in DEAD:
            days[day] = "--"
    return "".join(days)


def _corrected(world: World, rows: list[MarkRow], chance: Random) -> Iterator[MarkRow]:
    """The rows, some of them wrong at first."""
    wrong = {*chance.sample(range(len(rows)), round(CORRECTED * len(rows)))}
    for n, row in enumerate(rows):
        if n not in wrong or row.recorded_at is None:
            yield row
            continue
        other = chance.choice([letter for letter in "PPAALT?" if CODES[letter] is not row.mark])
        yield replace(row, mark=CODES[other])
        yield replace(row, recorded_at=_at_desk(world, row.recorded_at, chance.choice(_CORRECTED_AT)))


def _at_desk(world: World, called: dt.datetime, nth: int) -> dt.datetime:
    """The nth time after a roll was called at which somebody corrects marks."""
    days = (world.local_date(called) + n * DAY for n in range(nth + 1))
    times = (world.instant(day, time) for day in days for time in _DESK)
    return [at for at in times if at > called][nth - 1]


# ---- leaves and movements -------------------------------------------------------------------------------------------


def _granted(world: World, cast: Sequence[tuple[Child, Story, int]]) -> Iterator[LeaveRow]:
    for child, story, shift in cast:
        sessions = world.timetable(child)
        for first, last, known in story.leaves:
            starts = world.instant(_day(sessions, first + shift).date)
            ends = world.instant(_day(sessions, last + shift).date + DAY)
            at = _day(sessions, known + shift).start + 3 * HOUR
            yield LeaveRow(f"l-{child.child_id}", child.child_id, starts, ends, "sick", at, withdrawn=False, line=0)


def _entered_afterwards(world: World, marks: Sequence[MarkRow], chance: Random) -> Iterator[LeaveRow]:
    """Leave for some absences, of the day or of hours, known days later; a quarter of it is withdrawn again."""
    absences = [row for row in marks if row.mark is Mark.ABSENT]
    for n, row in enumerate(chance.sample(absences, round(BACK_DATED * len(absences)))):
        midnight = world.instant(row.date)
        span = (midnight, midnight + DAY) if n % 2 else (midnight + 7 * HOUR, midnight + 12 * HOUR)
        known = midnight + chance.choice(_EXCUSED_AFTER) * DAY + 17 * HOUR
        leave = LeaveRow(f"l-{n:03}", row.child, *span, "sick", known, withdrawn=False, line=0)
        yield leave
        if n % 4 == 0:
            yield replace(leave, recorded_at=known + 2 * DAY, withdrawn=True)


def _moved(world: World, child: Child, story: Story, shift: int) -> Iterator[MovementRow]:
    sessions = world.timetable(child)
    for kind, day, known, paper in story.moves:
        at, said = _day(sessions, day + shift).start, _day(sessions, known + shift).start + 2 * HOUR
        yield MovementRow(child.child_id, kind, at - HOUR, said, "form 7" if paper else None, 0)


def _day(sessions: Sequence[Session], day: int) -> Session:
    """The first session of a school day."""
    return sessions[2 * day]


# ---- as files -------------------------------------------------------------------------------------------------------


def write_term(world: World, folder: Path) -> Path:
    """The term's feeds with every pack in force; the configuration's path."""
    path = write_feeds(world, folder)
    packs = "packs = [" + ", ".join(f'"{name}"' for name in PACKS) + "]"
    text = path.read_text(encoding="utf-8").replace("[rules]\n", f"[rules]\n{packs}\n", 1)
    path.write_text(text + WATCH, encoding="utf-8")
    _tag(folder / "students.csv")
    return path


WATCH = """
[[ladder]]
id = "watch"
acknowledged_by = ["mentor"]
[[ladder.rung]]
after = "0h"
tell = ["mentor"]
channels = ["sms"]
"""
"""The ladder of the at-risk packs."""


def _tag(path: Path) -> None:
    """Some children are of a priority group."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        tagged = [[*row, _TAGS[n % len(_TAGS)]] for n, row in enumerate(rows)]
        csv.writer(file).writerows([[*header, "tags"], *tagged])
