"""Random pasts of four classes in three schools, as registers, tuned so that every fact has something to say often.

It draws plots, one a child, of stretches of days that end today, so that a failure shrinks to a story one can read.
It knows nothing of what facts are made of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from rules.calendar import Calendar, Period, Timetable
from rules.facts.catalogue import TAGS
from rules.instants import to_micros
from rules.judge import Judgement
from rules.records import Mark
from rules.register import Leave, Movement, Register, Spell, build_register
from rules.rolls import Rolls
from rules.traits import Traits
from tests.rules.small import DAY, HOUR, judged

ZONE = ZoneInfo("Asia/Shanghai")
NATIONAL_DAY = frozenset(dt.date(2026, 10, day) for day in range(1, 8))
COMMON = Timetable(
    terms=((dt.date(2026, 6, 1), dt.date(2026, 7, 3)), (dt.date(2026, 9, 1), dt.date(2026, 11, 13))),
    periods=(Period("am", dt.time(8), dt.time(11, 40)), Period("pm", dt.time(14), dt.time(17))),
    days_off=NATIONAL_DAY,
    make_up=frozenset({dt.date(2026, 10, 10)}),
)
SUMMER = Timetable(
    terms=((dt.date(2026, 7, 6), dt.date(2026, 8, 14)), (dt.date(2026, 9, 2), dt.date(2026, 11, 13))),
    periods=tuple(Period(name, dt.time(hour), dt.time(hour + 2)) for name, hour in (("1", 8), ("2", 10), ("3", 14))),
    weekdays=frozenset({1, 2, 3, 4, 5, 6}),
    closed=frozenset({dt.date(2026, 9, 16)}),
    open=frozenset({dt.date(2026, 8, 22)}),
)
"""Teaches across 1 August, on Saturdays, and on one day between its terms."""
CALENDAR = Calendar(ZONE, COMMON, {"s-2": SUMMER})
VARIANTS = (0, 0, 1, 0)
SCHOOLS = ("s-1", "s-1", "s-2", None)

CODES = {"A": Mark.ABSENT, "P": Mark.PRESENT, "T": Mark.LATE, "E": Mark.LEFT_EARLY, "L": Mark.LEAVE, "?": Mark.UNKNOWN}
_DAYS = {
    "there": "P",
    "gone": "A",
    "late": "TPE",
    "leave": "L",
    "unnamed": "?",
    "half": "PA",
    "other half": "AP",
    "leave, then gone": "LA",
    "there, then leave": "PL",
}
"""What a day of a stretch is like, session by session; the last letter goes on."""
_STRETCHES = (*_DAYS, "gone", "gone", "leave", "unnamed", "outer days", "anything", "anything")
_KINDS = ("transfer_out", "transfer_out", "transfer_in", "suspend", "suspend", "resume", "verified_elsewhere")


@dataclass(frozen=True)
class Plot:
    """One child: its classes, what its days were like up to today, its leaves and movements; days count from today."""

    class_index: int
    joined: int | None
    changed: tuple[int, int] | None
    stretches: tuple[tuple[str, int], ...]
    leaves: tuple[tuple[int, int], ...]
    movements: tuple[tuple[str, int, bool], ...]
    seed: int

    def spells(self, today: dt.date) -> list[Spell]:
        """Its time in classes."""
        first = Spell(self.class_index, None if self.joined is None else today - self.joined * DAY)
        return [first] if self.changed is None else [first, Spell(self.changed[1], today - self.changed[0] * DAY)]


@dataclass(frozen=True)
class Past:
    """What is known of some children at an instant."""

    register: Register
    now: dt.datetime
    traits: Traits
    plots: tuple[Plot, ...]

    @property
    def judged(self) -> Judgement:
        """The register judged now."""
        return judged(self.register, self.now)


_lengths = st.sampled_from((1, 2, 3, 6, 11, 25))
_anything = st.lists(st.tuples(st.sampled_from(_STRETCHES), _lengths), min_size=1, max_size=6)
_relapses = st.tuples(st.integers(1, 4), st.integers(1, 24), st.integers(4, 9)).map(
    lambda days: [("gone", days[0]), ("there", days[1]), ("gone", days[2])]
)
_movements = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.sampled_from((-5, 0, 2, 5, 12, 30)), st.booleans()), max_size=3
)
_resumed = st.tuples(st.sampled_from((2, 5, 12)), st.sampled_from((12, 30)), st.booleans()).map(
    lambda drawn: [("suspend", drawn[1], drawn[2]), ("resume", drawn[0], False)]
)
_plots = st.builds(
    Plot,
    class_index=st.integers(0, 3),
    joined=st.sampled_from((None, None, None, 60, 30, 9)),
    changed=st.sampled_from((None, None, None, (40, 2), (12, 0), (3, 2), (-4, 2), (0, 1))),
    stretches=st.one_of(_anything, _anything, _relapses).map(tuple),
    leaves=st.lists(
        st.tuples(st.sampled_from((-90, 3, 20, 48, 49, 70, 75, 200, 600)), st.sampled_from((4, 24, 72, 240))),
        max_size=2,
    ).map(tuple),
    movements=st.one_of(_movements, _resumed).map(tuple),
    seed=st.integers(0, 2**16),
)
"""Leaves are (hours from now back to the start, hours long), movements (kind, days from now back, with evidence)."""

_todays = st.sampled_from(
    [dt.date(2026, 9, 4), dt.date(2026, 10, 9), dt.date(2026, 8, 7), dt.date(2026, 8, 24)]
    + [dt.date(2026, 9, 14) + n * DAY for n in range(60)]
)
_gaps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(1, 12)), max_size=3)


@st.composite
def pasts(draw: st.DrawFn, *, ahead: bool = True) -> Past:
    """A past; with `ahead` some roll may have been made before its session."""
    plots = tuple(draw(st.lists(_plots, min_size=5, max_size=9)))
    today = draw(_todays)
    now = dt.datetime.combine(today, draw(st.sampled_from((dt.time(8, 20), dt.time(15), dt.time(21)))), ZONE)
    last = now + (DAY if ahead and draw(st.booleans()) else 0 * DAY)
    rolls = _rolls(plots, today, to_micros(last), draw(_gaps))
    spells = [plot.spells(today) for plot in plots]
    leaves = {row: [_leave(now, *one) for one in plot.leaves] for row, plot in enumerate(plots) if plot.leaves}
    moves = {row: [_move(now, *one) for one in plot.movements] for row, plot in enumerate(plots) if plot.movements}
    register = build_register(CALENDAR, spells, VARIANTS, rolls, leaves=leaves, movements=moves)
    return Past(register, now.astimezone(dt.UTC), _traits(plots), plots)


def _leave(now: dt.datetime, back: int, hours: int) -> Leave:
    return Leave(now - back * HOUR, now + (hours - back) * HOUR, "sick")


def _move(now: dt.datetime, kind: str, back: int, evidence: bool) -> Movement:  # noqa: FBT001 - as drawn
    return Movement(kind, now - back * DAY, evidence)


def _traits(plots: Sequence[Plot]) -> Traits:
    grades = np.array([plot.seed % 10 for plot in plots], np.int16)
    tags = {tag: np.array([Random(f"{tag} {plot.seed}").random() < 0.3 for plot in plots]) for tag in TAGS}  # noqa: S311
    boarding = np.array([plot.seed % 3 == 0 for plot in plots])
    return Traits(grades, [str(grade) for grade in grades], boarding, tags, [()] * len(plots))


def _rolls(plots: Sequence[Plot], today: dt.date, last: int, gaps: Sequence[tuple[int, int, int]]) -> Rolls:
    """A roll of each class in each session up to `last` (microseconds) that lies in no gap."""
    letters = [_letters(plot, today) for plot in plots]
    rolls: list[tuple[int, int]] = []
    marks: list[tuple[int, int, Mark]] = []
    for column, day in enumerate(CALENDAR.dates[n // CALENDAR.slots] for n in range(len(CALENDAR.day_of))):
        back = (today - day).days
        for index, variant in enumerate(VARIANTS):
            untaken = any(of == index and first <= back < first + length for of, first, length in gaps)
            if untaken or not CALENDAR.expected[variant, column] or CALENDAR.starts[variant, column] > last:
                continue
            said = [
                (row, line.get(column, "P")) for row, line in enumerate(letters) if _class_of(plots[row], back) == index
            ]
            marks += [(len(rolls), row, CODES[letter]) for row, letter in said if letter != "?"]
            rolls.append((index, column))
    of, cells = np.array(rolls, np.int64).reshape(-1, 2), np.array(marks, np.int64).reshape(-1, 3)
    size = len(rolls)
    return Rolls(
        of[:, 0].astype(np.int32),
        of[:, 1].astype(np.int32),
        np.arange(size, dtype=np.int64),
        np.ones(size, np.int32),
        np.full(size, 2, np.int32),
        np.zeros(size, np.bool_),
        cells[:, 0].astype(np.int32),
        cells[:, 1].astype(np.int32),
        cells[:, 2].astype(np.uint8),
    )


def _class_of(plot: Plot, back: int) -> int:
    return plot.changed[1] if plot.changed is not None and back <= plot.changed[0] else plot.class_index


def _letters(plot: Plot, today: dt.date) -> Mapping[int, str]:
    """By column what is said of the child, its stretches laid back from tomorrow; it was there before."""
    found: dict[int, str] = {}
    chance = Random(plot.seed)  # noqa: S311 - shrinks as one number
    days = [index for index, day in enumerate(CALENDAR.dates) if day <= today + DAY]
    for stretch, length in plot.stretches:
        for index in reversed(days[-length:]):
            found |= _letters_of_day(stretch, index, chance)
        days = days[:-length]
    return found


def _letters_of_day(stretch: str, index: int, chance: Random) -> dict[int, str]:
    columns = range(index * CALENDAR.slots, (index + 1) * CALENDAR.slots)
    if stretch == "anything":
        return {column: chance.choice("PPPPAAALTE??") for column in columns}
    outer = CALENDAR.dates[index].isoweekday() in {1, 5, 6}
    day = ("A" if outer else "P") if stretch == "outer days" else _DAYS[stretch]
    return {column: day[min(slot, len(day) - 1)] for slot, column in enumerate(columns)}
