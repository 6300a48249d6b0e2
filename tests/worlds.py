"""A generator of random small counties, tuned so that every turn of the law is met often (`test_reference` counts).

It draws plots, one a child – letters, corrections, leave – rather than loose records, so that a failure shrinks to a
story one can read. It knows nothing of what follows from them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from rules.records import MOVEMENT_KINDS, Mark
from tests.county import (
    DAY,
    HALF_DAYS,
    HOUR,
    MINUTE,
    Child,
    HandRow,
    LeaveRow,
    MarkRow,
    MovementRow,
    Parameters,
    Session,
    Slot,
    World,
    write_feeds,
)

__all__ = [
    "Child",
    "HandRow",
    "LeaveRow",
    "MarkRow",
    "MovementRow",
    "Parameters",
    "Session",
    "Slot",
    "World",
    "worlds",
    "write_feeds",
]

CODES = {"A": Mark.ABSENT, "P": Mark.PRESENT, "T": Mark.LATE, "E": Mark.LEFT_EARLY, "L": Mark.LEAVE, "?": Mark.UNKNOWN}
"""Letters of a plot; `-` is no mark of the child at all, though others of its class may have one."""
_ZONES = (
    ("Asia/Shanghai", dt.date(2026, 3, 16)),
    ("Asia/Shanghai", dt.date(2026, 3, 19)),
    ("Europe/Berlin", dt.date(2026, 3, 25)),
    ("Africa/Cairo", dt.date(2026, 4, 21)),
)
"""The clocks change in the night to a Sunday in Berlin, to a Friday in Cairo."""
_TIMETABLES = (
    HALF_DAYS,
    HALF_DAYS,
    HALF_DAYS,
    (Slot("day", dt.time(8, 30), dt.time(15, 30)),),
    (Slot("1", dt.time(8), dt.time(10)), Slot("2", dt.time(10), dt.time(12)), Slot("3", dt.time(13), dt.time(15))),
)
_ROLL_LAGS = (60, 45, 61, 200, 90, 1500, 4000, 0, -30, -700, None)
_CORRECTION_LAGS = (1500, 600, 80, 10, 130, 20, 2000, 3000, 3500, 4500, 7000, -180, -3000)
_RECORD_LAGS = (0, 60, 1440, 3000, 5000, -600, -2880, None)


@dataclass(frozen=True, slots=True)
class _Plot:
    """One child's marks as letters, and the corrections and the leave that belong to the story."""

    letters: str
    corrections: tuple[tuple[int, str, int], ...] = ()
    """Session, letter, minutes from the session's start to the correction."""
    leave: tuple[int, int, int] | None = None
    """First session, number of whole days, minutes from that session's start to the recording."""

    def after(self, letters: str) -> _Plot:
        """Put other letters before the story."""
        shift = len(letters)
        moved = tuple((n + shift, letter, lag) for n, letter, lag in self.corrections)
        leave = self.leave and (self.leave[0] + shift, *self.leave[1:])
        return _Plot(letters + self.letters, moved, leave)


@st.composite
def _anything(draw: st.DrawFn) -> _Plot:
    segment = st.tuples(st.sampled_from("PAAA-?LTE"), st.integers(1, 8))
    return _Plot("".join(letter * length for letter, length in draw(st.lists(segment, min_size=1, max_size=6))))


@st.composite
def _comes_back(draw: st.DrawFn) -> _Plot:
    missed = draw(st.integers(4, 9))
    after = draw(st.sampled_from(("P", "A", "-", "AAAAP", "?A", "AP")))
    return _Plot("A" * missed + "P" + after)


@st.composite
def _did_not_come_back(draw: st.DrawFn) -> _Plot:
    missed = draw(st.integers(5, 9))
    after = draw(st.sampled_from(("A", "-", "AAAAP", "?A", "P")))
    change = missed, draw(st.sampled_from("AA?L")), draw(st.sampled_from((600, 80, 20, 1500, 130, 3000)))
    return _Plot("A" * missed + "P" + after, (change,))


@st.composite
def _was_misjudged(draw: st.DrawFn) -> _Plot:
    letters = "A" * draw(st.integers(5, 9)) + draw(st.sampled_from(("P", "A", "-", "AAAP")))
    if draw(st.booleans()):
        return _Plot(letters, leave=(0, draw(st.integers(1, 4)), draw(st.sampled_from((3000, 4500, 1500, 7000)))))
    wrong = draw(st.integers(0, 4)), draw(st.sampled_from("PTP?L")), draw(st.sampled_from(_CORRECTION_LAGS))
    return _Plot(letters, (wrong,))


@st.composite
def _is_excused_later(draw: st.DrawFn) -> _Plot:
    """Draw a report, a day of leave, another run, and perhaps a leave for that one which is entered late."""
    missed, cut = draw(st.integers(5, 7)), draw(st.sampled_from(("L", "L", "LL", "P")))
    letters = "A" * missed + cut + "A" * draw(st.integers(2, 6)) + draw(st.sampled_from(("P", "A", "-", "AP")))
    leave = missed + len(cut), draw(st.integers(1, 2)), draw(st.sampled_from((3000, 3500, 4500, 1500)))
    return _Plot(letters, leave=draw(st.sampled_from((leave, leave, None))))


@st.composite
def _is_overlooked(draw: st.DrawFn) -> _Plot:
    gap = draw(st.sampled_from("-?")) * draw(st.integers(1, 9))
    return _Plot("A" * draw(st.integers(1, 3)) + gap + draw(st.sampled_from(("A", "AAP", "P", "-"))))


@st.composite
def _plots(draw: st.DrawFn) -> _Plot:
    told = st.one_of(_comes_back(), _did_not_come_back(), _was_misjudged(), _is_excused_later())
    plot = draw(st.one_of(_anything(), told, told, told, _is_overlooked()))
    return plot.after("P" * draw(st.integers(0, 4)))


@st.composite
def _dates(draw: st.DrawFn, first: dt.date, count: int) -> frozenset[dt.date]:
    """Weekdays without a holiday, and with make-up Saturdays."""
    span = [first + n * DAY for n in range(count * 2 + 21)]
    holiday, length = draw(st.integers(1, 12)), draw(st.sampled_from((0, 0, 1, 2, 8)))
    closed = set(span[holiday : holiday + length])
    made_up = {day for day in span if day.isoweekday() == 6 and draw(st.booleans())}
    opened = [day for day in span if day in made_up or (day.isoweekday() < 6 and day not in closed)]
    return frozenset(opened[:count])


_PARAMETERS = st.builds(
    Parameters,
    wait_for_roll=st.sampled_from((HOUR, HOUR, HOUR, 0 * HOUR, HOUR / 3)),
    unconfirmed_after=st.sampled_from((4 * HOUR, 4 * HOUR, HOUR)),
    run_break=st.sampled_from((10 * DAY, 10 * DAY, 3 * DAY)),
    mass_absence_hold=st.sampled_from((24 * HOUR, 24 * HOUR, 3 * HOUR)),
)


@st.composite
def _places(draw: st.DrawFn, *, big: bool) -> World:
    """Draw a county without children: zone, timetable, schools with their dates, classes."""
    zone, first = draw(st.sampled_from(_ZONES))
    days = draw(_dates(first, draw(st.integers(4, 6) if big else st.integers(4, 20))))
    schools = draw(st.sampled_from((("sch-1",), ("sch-1",), ("sch-1", "sch-2"))))
    lost = draw(st.sets(st.sampled_from(sorted(days)), max_size=2)) if len(schools) > 1 else set()
    classes = draw(st.integers(len(schools), 3))
    world = World(
        zone=zone,
        slots=draw(st.sampled_from(_TIMETABLES)),
        schools=tuple((school, f"t-{n}") for n, school in enumerate(schools)),
        school_days=tuple((school, days - lost if n else days) for n, school in enumerate(schools)),
        classes=tuple((f"k-{n}", schools[n % len(schools)]) for n in range(classes)),
        children=(),
        start=dt.datetime.min.replace(tzinfo=dt.UTC),
        end=dt.datetime.min.replace(tzinfo=dt.UTC),
        parameters=draw(_PARAMETERS),
    )
    last = max(days) + draw(st.sampled_from((3, 1, 0))) * DAY
    return replace(world, start=world.instant(min(days)), end=world.instant(last, dt.time(23, 47)))


@st.composite
def _few(draw: st.DrawFn, world: World, *, moves: bool) -> list[tuple[Child, _Plot]]:
    """Draw one to six children, in any class, of whom some change theirs."""
    days, classes = sorted(world.school_days[0][1]), st.sampled_from([class_id for class_id, _ in world.classes])
    cast = []
    for n in range(draw(st.sampled_from((1, 2, 3, 1, 2, 4, 6)))):
        spans = [(days[0], draw(classes))]
        if moves and draw(st.sampled_from((False, False, False, True))):
            spans.append((draw(st.sampled_from(days[1:])), draw(classes)))
        cast.append((Child(f"c-{n:02}", tuple(spans)), draw(_plots())))
    return cast


@st.composite
def _crowd(draw: st.DrawFn, world: World) -> list[tuple[Child, _Plot]]:
    """Draw a class of which nearly everybody is absent for some sessions; after it two children go their own way."""
    before, length, size = draw(st.integers(0, 3)), draw(st.integers(1, 5)), draw(st.integers(25, 40))
    spared = draw(st.sampled_from((0, 0, 3, size - 22)))
    stormy = "P" * before + "A" * length
    plots = [draw(_plots()).after(stormy) for _ in range(2)] + [_Plot(stormy + "P")] * (size - 2 - spared)
    first = min(world.school_days[0][1])
    names = [Child(f"c-{n:02}", ((first, "k-0"),)) for n in range(size)]
    return list(zip(names, [*plots, *([_Plot("P")] * spared)], strict=True))


@st.composite
def worlds(draw: st.DrawFn, *, moves: bool = True, hands: bool = False) -> World:
    """Draw a world; without `moves` no child changes its class, as plain feeds cannot say when one did.

    With `hands` people say things by hand, which no feed can.
    """
    big = draw(st.sampled_from((False,) * 6 + (True,)))
    world = draw(_places(big=big))
    cast = draw(_crowd(world)) if big else draw(_few(world, moves=moves))
    world = replace(world, children=tuple(child for child, _ in cast))
    marks = [*draw(_rolls(world, cast)), *draw(_corrections(world, cast))]
    if draw(st.booleans()):
        marks.reverse()
    marks = [replace(row, line=n + 2) for n, row in enumerate(marks)]
    world = replace(world, marks=tuple(marks), leaves=draw(_leaves(world, cast)), movements=draw(_movements(world)))
    return replace(world, hands=draw(_hands(world, cast))) if hands else world


def _late(session: Session, lag: int | None) -> dt.datetime | None:
    return None if lag is None else session.start + lag * MINUTE


@st.composite
def _rolls(draw: st.DrawFn, world: World, cast: list[tuple[Child, _Plot]]) -> list[MarkRow]:
    """Call every roll ten minutes into its session, but for some late ones, and unless the feed was dead."""
    lags = draw(st.dictionaries(st.integers(0, 30), st.sampled_from(_ROLL_LAGS), max_size=3))
    dead, length = draw(st.integers(0, 12)), draw(st.sampled_from((0, 0, 0, 2, 5, 9)))
    silent = range(dead, dead + length)
    arrears = length > 0 and draw(st.booleans())
    rows = []
    for child, plot in cast:
        sessions = world.timetable(child)
        for n, (session, letter) in enumerate(
            zip(sessions, plot.letters.ljust(len(sessions), plot.letters[-1]), strict=False)
        ):
            recorded = _late(session, lags.get(n, 10))
            if n in silent and arrears and silent.stop < len(sessions):
                recorded = sessions[silent.stop].start + 10 * MINUTE
            if letter in CODES and (n not in silent or arrears):
                rows.append(MarkRow(child.child_id, session.date, session.name, CODES[letter], recorded, 0))
    return rows


@st.composite
def _corrections(draw: st.DrawFn, world: World, cast: list[tuple[Child, _Plot]]) -> list[MarkRow]:
    """Draw what was said a second time about a session: the plots' own corrections, and any others."""
    change = st.tuples(st.integers(0, 25), st.sampled_from("PA?LAT"), st.sampled_from(_CORRECTION_LAGS))
    rows = []
    for child, plot in cast[:6]:
        sessions = world.timetable(child)
        for n, letter, lag in (*plot.corrections, *draw(st.lists(change, max_size=2))):
            if n < len(sessions):
                rank = draw(st.sampled_from((1, 1, 2)))
                said = sessions[n].date, sessions[n].name, CODES[letter], _late(sessions[n], lag)
                rows.append(MarkRow(child.child_id, *said, 0, rank))
        if draw(st.sampled_from((False, False, False, True))):
            sunday = next(day for day in (sessions[0].date + n * DAY for n in range(7)) if day.isoweekday() == 7)
            said = sunday, world.slots[0].name, CODES[draw(st.sampled_from("PA"))], world.instant(sunday, dt.time(12))
            rows.append(MarkRow(child.child_id, *said, 0))
    return rows


@st.composite
def _hands(draw: st.DrawFn, world: World, cast: list[tuple[Child, _Plot]]) -> tuple[HandRow, ...]:
    """Draw what people say by hand: mostly that a child was seen, of a session just over or of one long ago."""
    said = st.tuples(st.integers(0, 14), st.sampled_from("PPPTA?L"), st.integers(1, 9_000))
    rows = []
    for child, _ in cast[:6]:
        sessions = world.timetable(child)
        for n, letter, lag in draw(st.lists(said, max_size=2)):
            if n < len(sessions):
                one = sessions[n]
                rows.append(HandRow(child.child_id, one.date, one.name, CODES[letter], one.start + lag * MINUTE))
    return tuple(rows)


@st.composite
def _leaves(draw: st.DrawFn, world: World, cast: list[tuple[Child, _Plot]]) -> tuple[LeaveRow, ...]:
    """Draw the plots' own leaves and some more: whole days and hours, back-dated, withdrawn, changed."""
    rows: list[LeaveRow] = []
    for child, plot in cast[:6]:
        sessions = world.timetable(child)
        if plot.leave and plot.leave[0] < len(sessions):
            first = sessions[plot.leave[0]]
            span = world.instant(first.date), world.instant(first.date + plot.leave[1] * DAY)
            rows.append(
                LeaveRow("", child.child_id, *span, "sick", _late(first, plot.leave[2]), withdrawn=False, line=0)
            )
        rows += [draw(_leave(world, child, first)) for first in draw(st.lists(st.sampled_from(sessions), max_size=1))]
    rows = [replace(row, leave_id=f"l-{n}") for n, row in enumerate(rows)]
    rows += [changed for row in rows for changed in draw(_later(row))]
    return tuple(replace(row, line=n + 2) for n, row in enumerate(rows))


@st.composite
def _leave(draw: st.DrawFn, world: World, child: Child, session: Session) -> LeaveRow:
    if draw(st.booleans()):
        span = world.instant(session.date), world.instant(session.date + draw(st.integers(1, 4)) * DAY)
    else:
        starts = session.start + draw(st.sampled_from((0, -720, -60, 30, 230, 600))) * MINUTE
        span = starts, starts + draw(st.sampled_from((60, 120, 240, 600, 1440, 4320))) * MINUTE
    lag = draw(st.sampled_from(_RECORD_LAGS))
    recorded = None if lag is None else span[0] + lag * MINUTE
    return LeaveRow("", child.child_id, *span, "sick", recorded, withdrawn=False, line=0)


@st.composite
def _later(draw: st.DrawFn, row: LeaveRow) -> list[LeaveRow]:
    """Draw what became of a leave: nothing mostly, or withdrawn, or shortened or lengthened."""
    fate = draw(st.sampled_from(("kept", "kept", "withdrawn", "changed")))
    lag = draw(st.sampled_from((60, 1440, 3000, 4400)))
    known = (row.recorded_at or row.starts) + lag * MINUTE
    if fate == "kept":
        return []
    if fate == "withdrawn":
        return [replace(row, recorded_at=known, withdrawn=True)]
    return [
        replace(row, recorded_at=known, ends=max(row.ends + draw(st.sampled_from((-1, 1))) * DAY, row.starts + HOUR))
    ]


@st.composite
def _movements(draw: st.DrawFn, world: World) -> tuple[MovementRow, ...]:
    """Draw at most two movements, confirmed by evidence, by each other, or not at all."""
    return tuple(replace(row, line=n + 2) for n, row in enumerate(draw(st.lists(_movement(world), max_size=2))))


@st.composite
def _movement(draw: st.DrawFn, world: World) -> MovementRow:
    child = draw(st.sampled_from(world.children[:6]))
    session = draw(st.sampled_from(world.timetable(child)))
    at = session.start + draw(st.sampled_from((0, 600, -600, 90))) * MINUTE
    lag = draw(st.sampled_from(_RECORD_LAGS))
    recorded = None if lag is None else at + lag * MINUTE
    evidence = draw(st.sampled_from((None, "form 7")))
    return MovementRow(child.child_id, draw(st.sampled_from(MOVEMENT_KINDS)), at, recorded, evidence, 0)
