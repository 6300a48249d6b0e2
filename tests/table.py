"""The law's own table as worlds: what each row says was known, and what it says must be told of it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rules.records import Mark
from tests.county import DAY, HALF_DAYS, HOUR, MINUTE, Child, LeaveRow, MarkRow, MovementRow, World
from tests.worlds import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = """
| 1 | A A | A A | A A | | | | Wed 08:00 | Wed 08:10 |
| 2 | A A | A A | P | | | gate saw the child Wed 07:50 | – | – |
| 3 | A A | A A | P | | | | Wed 08:00 | not raised |
| 4 | A A | A A | P | | | Wednesday's roll arrives 09:30 | Wed 08:00 | Wed 09:00; return 09:30 |
| 5 | P P | P P | P P | P P | A A | Mon P | – | – |
| 6 | P P | P P | P P | P P | A A | Mon A | Mon 08:10 (second day known) | Mon 08:10 |
| 7 | A A | A A | | | | leave Mon–Wed entered Tue 17:00 | – | – |
| 8 | A A | A A | A A | A | | leave Mon–Wed entered Thu 09:00 | Wed 08:00 | Wed 08:10; retracted Thu 09:00 |
| 9 | L L | A A | A A | A | | leave for Monday only | Thu 08:00 | Thu 08:10 |
| 10 | A P | A P | A P | A P | A P | | – (a risk pattern) | – |
| 11 | A A | - - | A A | | | nobody called Tuesday's roll | Wed 08:10 | Wed 08:10 |
| 12 | A A | A A | holiday | | | eight days long, then A | Wed 08:00 | Wed 08:00 |
| 13 | A A | holiday | | | | then P | – | – |
| 14 | P A | A A | A A | | | | Wed 14:00 | Wed 14:10 |
| 15 | A A | A A | A A | | | Tuesday corrected to P P, Wed 10:00 | Wed 08:00 | Wed 08:10; retracted 10:00; new run from Wed 08:00 |
| 16 | A A | A A | | | | transfer out Tue 18:00, with evidence | – | – |
| 17 | A A | A A | A A | | | transfer out Tue 18:00, nothing else known | Wed 08:00 | Wed 08:10 |
| 18 | A A | A A | A A | A P | | Thursday's P corrected to A, Fri 09:00 | Wed 08:00 | Wed 08:10; return Thu 14:10; reopened Fri 09:00 |
| 19 | A A | ? ? | ? ? | | | rolls are called and never name the child | Wed 14:20 | Wed 14:20, unconfirmed (asked Wed 08:00) |
| 20 | A A | - - | - - | | | feed dead from Tuesday | Wed 14:20 | Wed 14:20, unconfirmed (asked Wed 08:00) |
| 21 | P P | P P | P P | A A | A - | Friday afternoon's roll never taken | Sat 08:00 | Sat 08:00 |
| 22 | P P | P P | P P | P P | A A | Mon A at 08:10, corrected to P at 09:20 | Mon 08:10 | Mon 08:10; retracted 09:20 |
| 23 | A A | - - | - - | | | as 20; Tue P P and Wed P P arrive together Thu 09:00 | Wed 14:20 | Wed 14:20, unconfirmed; retracted Thu 09:00 |
| 24 | P P | P P | P P | P A | A A | leave Sat–Mon entered Fri 18:00 | – | – |
| 25 | A A | A A | A - | | | Tue afternoon corrected to P, Wed 20:00 | Wed 08:00 | Wed 08:10; retracted Wed 20:00 (a run from Wed 08:00 is 36 h short) |
| 26 | A A | A A | A A | L A | A A | leave Thu 14:00–Fri 17:00 entered Sun 10:00; Mon P | Wed 08:00 | Wed 08:10; stands; return Mon 08:10 |
| 27 | A A | A A | A A | | | Tue 09:00 somebody fills in P for Wed to Fri | Wed 08:00 | Wed 08:10 (what was filled in ahead is refused) |
| 28 | A A | A A | A A | | | Tuesday's two rows bear a code nobody mapped | Wed 08:10 | Wed 08:10 (Tuesday unknown: #11) |
"""  # noqa: E501
MONDAY = dt.date(2026, 3, 16)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ANA, BRUNO = "ana", "bruno"
"""The child of the table, and a classmate who is present wherever a roll is called."""


@dataclass(frozen=True)
class Row:
    """One row of the law's table, its days as letters."""

    number: int
    days: tuple[str, ...]
    what_else: str
    due: str
    raised: str


def rows() -> list[Row]:
    """Every row of the table, in order."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.strip().splitlines()]
    return [Row(int(row[0]), tuple(row[1:6]), *row[6:9]) for row in cells]


def instant(text: str, week: int = 0) -> dt.datetime:
    """Turn `Wed 08:00` into UTC; with `week` 1 of the week after."""
    day, time = text.split()
    local = dt.datetime.combine(MONDAY + (DAYS.index(day) + 7 * week) * DAY, dt.time.fromisoformat(time))
    return local.replace(tzinfo=dt.UTC) - 8 * HOUR


def marks_of(date: dt.date, session: str, letter: str, at: dt.datetime | None = None) -> list[MarkRow]:
    """One mark of the child with its classmate's beside it, ten minutes into the session unless said otherwise."""
    starts = next(slot.start for slot in HALF_DAYS if slot.name == session)
    called = dt.datetime.combine(date, starts, dt.UTC) - 8 * HOUR + 10 * MINUTE
    named = [] if letter == "?" else [MarkRow(ANA, date, session, CODES[letter], at or called, 0)]
    return [*named, MarkRow(BRUNO, date, session, Mark.PRESENT, at or called, 0)]


def marks_on(text: str, letters: str, at: str | None = None, week: int = 0) -> list[MarkRow]:
    """Marks of a day as a cell says them, all recorded at one instant of that week where one is given."""
    date = MONDAY + (DAYS.index(text) + 7 * week) * DAY
    return [
        mark
        for slot, letter in zip(HALF_DAYS, letters.split(), strict=False)
        if letter != "-"
        for mark in marks_of(date, slot.name, letter, instant(at, week) if at else None)
    ]


def leave_of(first: str, last: str, at: str, week: int = 0) -> tuple[LeaveRow, ...]:
    starts, ends = instant(f"{first} 00:00"), instant(f"{last} 00:00", week) + DAY
    return (LeaveRow("l-1", ANA, starts, ends, "sick", instant(at), withdrawn=False, line=2),)


def _out(evidence: str | None) -> tuple[MovementRow, ...]:
    return (MovementRow(ANA, "transfer_out", instant("Tue 18:00"), instant("Tue 18:00"), evidence, 2),)


LATER_MARKS = {
    2: marks_on("Wed", "P", "Wed 07:50"),
    5: marks_on("Mon", "P", week=1),
    6: marks_on("Mon", "A", week=1),
    12: marks_on("Thu", "A", week=1),
    13: marks_on("Thu", "P", week=1),
    15: marks_on("Tue", "P P", "Wed 10:00"),
    18: marks_of(MONDAY + 3 * DAY, "pm", "A", instant("Fri 09:00")),
    22: marks_on("Mon", "A", week=1) + marks_on("Mon", "P", "Mon 09:20", week=1),
    23: marks_on("Tue", "P P", "Thu 09:00") + marks_on("Wed", "P P", "Thu 09:00"),
    25: marks_of(MONDAY + DAY, "pm", "P", instant("Wed 20:00")),
    26: marks_on("Mon", "P", week=1),
    27: [mark for day in ("Wed", "Thu", "Fri") for mark in marks_on(day, "P P", "Tue 09:00")],
}
"""The marks among what else is said; an earlier mark of the same child and session is one that was replaced."""
LEAVES = {
    7: leave_of("Mon", "Wed", "Tue 17:00"),
    8: leave_of("Mon", "Wed", "Thu 09:00"),
    9: leave_of("Mon", "Mon", "Mon 07:00"),
    24: leave_of("Sat", "Mon", "Fri 18:00", week=1),
    26: (
        LeaveRow(
            "l-1",
            ANA,
            instant("Thu 14:00"),
            instant("Fri 17:00"),
            "sick",
            instant("Sun 10:00"),
            withdrawn=False,
            line=2,
        ),
    ),
}
MOVEMENTS = {16: _out("form 7"), 17: _out(None)}


def world_of(row: Row) -> World:
    """Make a row a world, which ends where its cells, and what else is said or expected, end.

    If nothing is due it ends on Friday night.
    """
    open_ = [MONDAY + n * DAY for n in range(12) if n % 7 < 5]
    if "holiday" in row.days:
        first = row.days.index("holiday")
        open_ = [day for day in open_ if not first <= (day - MONDAY).days < first + 8]
    marks = [
        mark for day, cell in zip(DAYS, row.days, strict=False) if cell != "holiday" for mark in marks_on(day, cell)
    ]
    if row.number == 2:
        marks = [mark for mark in marks if mark.date != MONDAY + 2 * DAY]
    if row.number == 4:
        late = instant("Wed 09:30")
        marks = [replace(mark, recorded_at=late) if mark.date == MONDAY + 2 * DAY else mark for mark in marks]
    if row.number == 28:
        tuesday = (ANA, MONDAY + DAY)
        marks = [replace(one, mark=Mark.UNKNOWN) if (one.child, one.date) == tuesday else one for one in marks]
    marks += LATER_MARKS.get(row.number, [])
    leaves, movements = LEAVES.get(row.number, ()), MOVEMENTS.get(row.number, ())
    days = [_day_end(mark.recorded_at) for mark in marks if mark.recorded_at] + [leave.ends for leave in leaves]
    days += [_day_end(at) for at in (row_due(row), *(at for _, at in row_told(row))) if at is not None]
    last = max(n for n, cell in enumerate(row.days) if cell) if row_due(row) else 4
    days.append(instant(f"{DAYS[last]} 23:59"))
    return World(
        zone="Asia/Shanghai",
        slots=HALF_DAYS,
        schools=(("sch-1", "t-1"),),
        school_days=(("sch-1", frozenset(open_)),),
        classes=(("k-1", "sch-1"),),
        children=(Child(ANA, ((MONDAY, "k-1"),)), Child(BRUNO, ((MONDAY, "k-1"),))),
        start=instant("Mon 00:00"),
        end=max(days),
        marks=tuple(replace(mark, line=n + 2) for n, mark in enumerate(marks)),
        leaves=leaves,
        movements=movements,
    )


def _day_end(instant: dt.datetime) -> dt.datetime:
    local = (instant + 8 * HOUR).replace(hour=23, minute=59)
    return local - 8 * HOUR


def _week(row: Row) -> int:
    """Rows whose cells reach Friday speak of the Monday after."""
    return 1 if row.due.startswith("Mon") else 0


def row_due(row: Row) -> dt.datetime | None:
    """Read the column `due`."""
    found = re.match(r"\w{3} \d\d:\d\d", row.due)
    return instant(found[0], _week(row)) if found else None


def row_told(row: Row) -> list[tuple[str, dt.datetime]]:
    """Read the column `raised`: what is told and when; a time without a day is of the day told last.

    A day before that one is of the week after.
    """
    kinds = {"retracted": "retraction", "return": "return", "reopened": "reopened", "asked": "confirm_request"}
    told, day, week = [], "", _week(row)
    raised = re.sub(r"(new|a) run from [^;)]*", "", row.raised)
    for word, on, time in re.findall(r"(?:(retracted|return|reopened|asked) )?(?:(\w{3}) )?(\d\d:\d\d)", raised):
        week += bool(on and day) and DAYS.index(on) < DAYS.index(day)
        day = on or day
        told.append((kinds.get(word, "report"), instant(f"{day} {time}", week)))
    return told


def weeks(*cells: str, marks: Iterable[MarkRow] = (), **said: Any) -> World:  # noqa: ANN401
    """Ana's marks day by day from Monday 16 March, in weeks without weekends, as the table writes them."""
    taught = [MONDAY + n * DAY for n in range(40) if n % 7 < 5][: max(len(cells), 5)]
    world = world_of(Row(0, ("",) * 5, "", "–", "–"))
    first = [row for date, cell in zip(taught, cells, strict=False) for row in _day(date, cell)]
    rows = tuple(replace(row, line=n + 2) for n, row in enumerate([*first, *marks]))
    end = world.instant(taught[-1] + DAY)
    world = replace(world, school_days=(("sch-1", frozenset(taught)),), marks=rows, end=end)
    return replace(world, **said)


def _day(date: dt.date, cell: str) -> list[MarkRow]:
    letters = zip(HALF_DAYS, cell.split(), strict=False)
    return [row for slot, letter in letters if letter != "-" for row in marks_of(date, slot.name, letter)]
