"""One child of a county, as known: what was expected of it, which run is open, whether it was heard of.

It holds what the reference decided about the child, and decides nothing itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rules.records import POSITIVE, Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.county import Child, LeaveRow, MarkRow, MovementRow, Session

_OUT = frozenset({"transfer_out", "suspend", "graduate", "verified_elsewhere"})
_IN = frozenset({"transfer_in", "resume"})


BY_HAND = 1_000_000
"""The rank of what is said by hand."""


def is_sighting_since(row: MarkRow, since: dt.datetime) -> bool:
    """Tell whether somebody said by hand, after an instant, that the child was seen."""
    return row.rank == BY_HAND and row.mark in POSITIVE and row.recorded_at is not None and row.recorded_at > since


@dataclass(slots=True)
class Run:
    """Consecutive absences, as known when it was looked at; it says nothing about being open."""

    first: Session
    last: Session
    days: set[dt.date]
    bridged: bool = False
    """Whether there is a hole between two of its absences."""

    @property
    def start(self) -> dt.datetime:
        """The start of its first session."""
        return self.first.start


@dataclass(slots=True)
class Report:
    """The latest report of a child's open case."""

    episode: int
    due_at: dt.datetime
    unconfirmed: bool
    of_run: dt.datetime
    """The start of the run whose deadline `due_at` is."""
    raised_at: dt.datetime
    fate: str = "stands"
    """stands, returned, retracted."""
    came_back: dt.datetime | None = None
    """The start of the session whose mark was the return."""


@dataclass(slots=True)
class Pending:
    """A report that is due and waits for a roll, or is held in a mass absence."""

    due_at: dt.datetime
    unconfirmed: bool
    awaited: Session | None


class _Move(NamedTuple):
    """A change of what is expected of a child, as known: in, or confirmed out."""

    at: dt.datetime
    returns: bool
    """Whether the child comes in; of one instant, out comes first."""
    kind: str


@dataclass(slots=True)
class Pupil:
    """A child: its timetable, all that is known about it by now, and what was decided about it."""

    child: Child
    timetable: tuple[Session, ...]
    stale_at: dict[Session, dt.datetime]
    run_break: dt.timedelta
    marks: dict[tuple[dt.date, str], MarkRow] = field(default_factory=dict)
    rows: list[tuple[MarkRow, Session]] = field(default_factory=list)
    """Everything that was said of a session, whether or not it counts."""
    leaves: dict[str, LeaveRow] = field(default_factory=dict)
    movements: list[MovementRow] = field(default_factory=list)
    report: Report | None = None
    pending: Pending | None = None
    asked_at: dt.datetime | None = None
    ask_ends: dt.datetime | None = None

    def moves(self, until: dt.datetime, *, before: bool = False) -> list[_Move]:
        """Give the effective movements up to an instant (or before it) in order; an unconfirmed one is none."""
        found = [
            _Move(row.at, row.kind in _IN, row.kind)
            for row in self.movements
            if (row.at < until or (row.at == until and not before)) and (row.kind in _IN or self._confirmed(row))
        ]
        return sorted(found)

    def _confirmed(self, row: MovementRow) -> bool:
        """Tell whether a movement is out and confirmed, by its evidence or by another record of the child."""
        if row.kind == "transfer_out":
            others = (other for other in self.movements if other.kind in {"transfer_in", "verified_elsewhere"})
            return bool(row.evidence) or any(other.at >= row.at for other in others)
        return row.kind == "verified_elsewhere" or (row.kind in _OUT and bool(row.evidence))

    def spans(self) -> list[LeaveRow]:
        """Give the known leaves that were not withdrawn."""
        return [row for row in self.leaves.values() if not row.withdrawn]

    def covered(self, session: Session) -> bool:
        """Tell whether a known leave overlaps a session."""
        return any(row.starts < session.end and session.start < row.ends for row in self.spans())

    def mark(self, session: Session) -> Mark:
        """Give the mark of a session as known; `UNTAKEN` where there is none."""
        row = self.marks.get((session.date, session.name))
        return Mark.UNTAKEN if row is None else row.mark

    def expected(self, until: dt.datetime, *, before: bool = False) -> Iterator[tuple[Session, bool]]:
        """Yield expected sessions begun by an instant (or before it), and whether a movement out led up to each."""
        moves = self.moves(until, before=before)
        here, cut = True, False
        for session in self.timetable:
            if session.start > until or (before and session.start == until):
                return
            while moves and moves[0].at <= session.start:
                here = moves.pop(0).returns
                cut = cut or not here
            if here:
                yield session, cut
                cut = False

    def run(self, at: dt.datetime, *, before: bool = False, though_on_leave: bool = False) -> Run | None:
        """Give the run that is open at an instant, by all that is known now.

        With `before`, sessions, leaves and movements that start at that instant or later are left aside.
        `though_on_leave` gives a run that is not open because a leave is in force.
        """
        spans = [row for row in self.spans() if not before or row.starts < at]
        if not though_on_leave and any(row.starts <= at < row.ends for row in spans):
            return None
        run: Run | None = None
        hole = False
        for session, cut in self.expected(at, before=before):
            mark = self.mark(session)
            covered = mark is Mark.LEAVE or any(row.starts < session.end and session.start < row.ends for row in spans)
            if mark in POSITIVE or covered or cut:
                run = None
            if mark in POSITIVE or covered:
                continue
            if mark is not Mark.ABSENT:
                hole = True
            elif run is None or session.start - run.last.start > self.run_break:
                run, hole = Run(session, session, {session.date}), False
            else:
                run = Run(run.first, session, run.days | {session.date}, run.bridged or hole)
        if run and any(not move.returns and move.at > run.last.start for move in self.moves(at, before=before)):
            return None
        return run

    def absent(self, session: Session) -> bool:
        """Tell whether the child is missed in a session: marked absent, and covered by no leave."""
        return self.mark(session) is Mark.ABSENT and not self.covered(session)

    def silent(self, now: dt.datetime) -> bool:
        """Tell whether an expected session went stale after the last one that gave any sign."""
        silent = False
        for session, _ in self.expected(now):
            if self.covered(session) or self.mark(session) not in {Mark.UNTAKEN, Mark.UNKNOWN}:
                silent = False
            elif self.stale_at[session] <= now:
                silent = True
        return silent

    def here(self, now: dt.datetime) -> bool:
        """Tell whether the child is on the roll: no confirmed movement out is the last word."""
        moves = self.moves(now)
        return not moves or moves[-1].returns

    def seen_since(self, report: Report, now: dt.datetime) -> Session | None:
        """Give the earliest session in which the child was seen since a report was due, or by hand since it was raised.

        A sighting by hand counts whichever session it is booked on.
        """
        by_hand = {(row.date, row.session) for row, _ in self.rows if is_sighting_since(row, report.raised_at)}
        begun = (session for session, _ in self.expected(now))
        late = (one for one in begun if one.start >= report.due_at or (one.date, one.name) in by_hand)
        return next((session for session in late if self.mark(session) in POSITIVE), None)

    def moved_since(self, since: dt.datetime, now: dt.datetime) -> str | None:
        """Give the kind of the first confirmed movement out from an instant on."""
        return next((move.kind for move in self.moves(now) if move.at >= since and not move.returns), None)
