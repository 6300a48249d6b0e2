"""The one law again, read child by child and instant by instant, as plainly as it can be.

This is what the product is measured against, so it shares nothing with it but the codes of marks. It walks a `World`
from its first instant to its last, stops wherever anything can change, takes in what is known by then, and decides
every child from scratch. It does not judge mass absences, acknowledge, climb a ladder or tell of first absences.
"""

from __future__ import annotations

import datetime as dt
import heapq
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rules.records import POSITIVE, Mark
from tests.county import LeaveRow, MarkRow
from tests.pupil import BY_HAND, Pending, Pupil, Report, Run, is_sighting_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.county import Child, MovementRow, Session, World

_DAY = dt.timedelta(hours=24)
_SILENCE_AT_MOST = dt.timedelta(hours=72)
KINDS = (
    "report",
    "retraction",
    "return",
    "reopened",
    "closed",
    "confirm_request",
    "mass_absence",
    "feed_stale",
    "feed_recovered",
)
"""What the reference tells of; a simulation has further kinds, which it says nothing about."""
_ABOUT_A_REPORT = KINDS[:5]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing told, about a child or a unit, whoever the recipients are."""

    kind: str
    student: str | None
    unit: str | None
    due_at: dt.datetime | None
    raised_at: dt.datetime
    """When it was decided."""
    episode: int | None
    reason: str
    unconfirmed: bool = False


@dataclass(slots=True)
class Due:
    """A report came due, whether or not it was ever raised."""

    student: str
    at: dt.datetime


def session_time(sessions: Iterable[Session], since: dt.datetime, amount: dt.timedelta) -> dt.datetime:
    """Give the first instant with so much session time since another, but no later than 72 hours after it."""
    cap = since + _SILENCE_AT_MOST
    for session in sessions:
        begins = max(session.start, since)
        if session.end > begins:
            if session.end - begins >= amount:
                return min(begins + amount, cap)
            amount -= session.end - begins
    return cap


class Replay:
    """A county lived through once; `told` and `due` are what came of it. It can be run only once."""

    def __init__(self, world: World, extra: Iterable[dt.datetime] = ()) -> None:
        self.world = world
        self.figures = world.parameters
        self.told: list[Told] = []
        self.due: list[Due] = []
        self.pupils = {child.child_id: self._pupil(child) for child in world.children}
        self.called: set[tuple[str, dt.date, str]] = set()
        """Class and session of every roll taken."""
        self.storms: set[tuple[str, dt.date, str]] = set()
        """Unit and session of every mass absence, none of them ever judged."""
        self.stale = False
        self.arrivals = sorted(self._arrivals(), key=lambda arrival: arrival[0])
        self.instants = list({at for at in (*self._instants(), *extra) if world.start <= at <= world.end})
        heapq.heapify(self.instants)

    def _pupil(self, child: Child) -> Pupil:
        timetable = self.world.timetable(child)
        stale_at = {session: session_time(timetable, session.end, self.figures.stale_after) for session in timetable}
        return Pupil(child, timetable, stale_at, self.figures.run_break)

    # ------------------------------------------------------------------------------------------------- what is known

    def _arrivals(self) -> Iterator[tuple[dt.datetime, MarkRow | LeaveRow | MovementRow]]:
        """Yield every record with the instant it becomes known; a mark is none before its session begins.

        Nobody can know two hours before a session who is in it, but who will be on leave.
        """
        for mark in self.world.marks:
            session = self._session(mark)
            if session is not None and not is_ahead(mark, session, self.world):
                yield max(mark.recorded_at or session.end, session.start), mark
        for said in self.world.hands:
            row = MarkRow(said.child, said.date, said.session, said.mark, said.said_at, 0, BY_HAND)
            session = self._session(row)
            if session is not None:
                yield max(said.said_at, session.start), row
        for leave in self.world.leaves:
            yield leave.recorded_at or leave.starts, leave
        for movement in self.world.movements:
            yield movement.recorded_at or movement.at, movement

    def _session(self, row: MarkRow) -> Session | None:
        timetable = self.pupils[row.child].timetable
        return next((session for session in timetable if (session.date, session.name) == (row.date, row.session)), None)

    def _instants(self) -> Iterator[dt.datetime]:
        """Yield every instant at which anything can change by itself, but the deadlines that decisions set."""
        yield self.world.start
        yield from (at for at, _ in self.arrivals)
        for leave in self.world.leaves:
            yield from (leave.starts, leave.ends)
        yield from (movement.at for movement in self.world.movements)
        for pupil in self.pupils.values():
            yield from (self.world.instant(since) for since, _ in pupil.child.classes)
            for session in pupil.timetable:
                begun = session.start + self.figures.after
                yield from (session.start, session.end, pupil.stale_at[session], begun, begun - _DAY)

    def _take_in(self, now: dt.datetime) -> None:
        while self.arrivals and self.arrivals[0][0] <= now:
            self._learn(self.arrivals.pop(0)[1])

    def _learn(self, row: MarkRow | LeaveRow | MovementRow) -> None:
        pupil = self.pupils[row.child]
        if isinstance(row, MarkRow):
            session = self._session(row)
            assert session is not None
            if row.rank != BY_HAND:
                self.called.add((session.class_id, session.date, session.name))
            pupil.rows.append((row, session))
            _lay(pupil.marks, row, session)
        elif isinstance(row, LeaveRow):
            old = pupil.leaves.get(row.leave_id)
            if old is None or (old.recorded_at or old.starts, old.line) < (row.recorded_at or row.starts, row.line):
                pupil.leaves[row.leave_id] = row
        else:
            pupil.movements.append(row)

    # -------------------------------------------------------------------------------------------- instant by instant

    def run(self) -> Replay:
        """Live through all of it, from the first instant to the last."""
        last = None
        while self.instants:
            now = heapq.heappop(self.instants)
            if now != last:
                self._take_in(now)
                self._look_for_storms(now)
                self._listen(now)
                for pupil in self.pupils.values():
                    self._decide(pupil, now)
            last = now
        return self

    def _wake(self, at: dt.datetime) -> None:
        if at <= self.world.end:
            heapq.heappush(self.instants, at)

    def _look_for_storms(self, now: dt.datetime) -> None:
        """Tell of every class and school with too many absent in one session, once while it goes on."""
        expected: dict[tuple[str, dt.date, str], int] = defaultdict(int)
        absent: dict[tuple[str, dt.date, str], int] = defaultdict(int)
        if len(self.pupils) < self.figures.storm_min:
            return
        for pupil in self.pupils.values():
            for session, _ in pupil.expected(now):
                for unit in (session.class_id, session.school):
                    expected[unit, session.date, session.name] += 1
                    absent[unit, session.date, session.name] += pupil.absent(session)
        schools = dict(self.world.classes)
        for key in sorted(absent, key=lambda key: (key[0] in schools, key[1], self._order(key[2]))):
            count = absent[key]
            many = count >= self.figures.storm_min and count > self.figures.mass_absence_share * expected[key]
            whole = (schools.get(key[0]), *key[1:]) in self.storms
            if many and key not in self.storms and not whole:
                begins = not self._beside(key) & self.storms
                self.storms.add(key)
                if begins:
                    self._tell_of_unit("mass_absence", now, key[0], f"{count} of {expected[key]}")

    def _order(self, name: str) -> int:
        return [slot.name for slot in self.world.slots].index(name)

    def _beside(self, key: tuple[str, dt.date, str]) -> set[tuple[str, dt.date, str]]:
        """Give the unit's sessions before and after one: a mass absence that goes on is told of once."""
        unit = key[0]
        days = dict(self.world.school_days)[dict(self.world.classes).get(unit, unit)]
        line = [(unit, day, slot.name) for day in sorted(days) for slot in self.world.slots]
        at = line.index(key)
        return {line[n] for n in (at - 1, at + 1) if 0 <= n < len(line)}

    def _listen(self, now: dt.datetime) -> None:
        """Tell when the feed falls silent for a class, and when it is silent for none any more."""
        today = self.world.local_date(now)
        silent = []
        for class_id, _ in self.world.classes:
            pupils = [pupil for pupil in self.pupils.values() if pupil.child.class_on(today) == class_id]
            pupils = [pupil for pupil in pupils if pupil.here(now)]
            if pupils and all(pupil.silent(now) for pupil in pupils):
                silent.append(class_id)
        if bool(silent) != self.stale:
            self.stale = bool(silent)
            self._tell_of_unit("feed_stale" if silent else "feed_recovered", now, None, ", ".join(silent))

    def _decide(self, pupil: Pupil, now: dt.datetime) -> None:
        """Say what changed about the child's report, then whether a new one is due and may be raised."""
        fate = None
        while pupil.report is not None and pupil.report.fate != fate:
            fate = pupil.report.fate
            self._reconsider(pupil, pupil.report, now)
        if pupil.report is not None and pupil.report.fate == "stands":
            pupil.pending = pupil.asked_at = None
            return
        run = pupil.run(now)
        self._look_for_due(pupil, run, now)
        if pupil.pending is not None and run is not None and self._may_go(pupil, pupil.pending, run, now):
            self._raise(pupil, pupil.pending, run, now)

    # ------------------------------------------------------------------------------------------------ due and raised

    def _old(self, run: Run | None, at: dt.datetime) -> bool:
        return run is not None and at - run.start >= self.figures.after

    def _is_due(self, run: Run | None, at: dt.datetime) -> bool:
        return run is not None and self._old(run, at) and len(run.days) >= 2

    def _look_for_due(self, pupil: Pupil, run: Run | None, now: dt.datetime) -> None:
        pending = pupil.pending
        if pending and not (self._old(run, now) if pending.unconfirmed else self._is_due(run, now)):
            pupil.pending = None
        if pupil.pending is None and self._is_due(run, now):
            self._fall_due(pupil, now, unconfirmed=False)
        if pupil.pending is None and self._old(run, now) and pupil.silent(now):
            self._ask(pupil, now)
        else:
            pupil.asked_at = None

    def _ask(self, pupil: Pupil, now: dt.datetime) -> None:
        """Ask by hand about a child of whom one day is known, and wait while nothing is heard."""
        if pupil.asked_at is None:
            pupil.asked_at = now
            pupil.ask_ends = session_time(pupil.timetable, now, self.figures.unconfirmed_after)
            self._wake(pupil.ask_ends)
            episode = pupil.report.episode + 1 if pupil.report else 1
            name = pupil.child.child_id
            self.told.append(Told("confirm_request", name, None, None, now, episode, "nothing heard"))
        assert pupil.ask_ends is not None
        if now >= pupil.ask_ends:
            pupil.asked_at = None
            self._fall_due(pupil, now, unconfirmed=True)

    def _fall_due(self, pupil: Pupil, now: dt.datetime, *, unconfirmed: bool) -> None:
        begun = [session for session, _ in pupil.expected(now) if session.start <= now < session.end]
        awaited = None if unconfirmed or not begun or self._is_called(pupil, begun[0]) else begun[0]
        pupil.pending = Pending(now, unconfirmed, awaited)
        self.due.append(Due(pupil.child.child_id, now))
        self._wake(now + self.figures.wait_for_roll)
        self._wake(now + self.figures.mass_absence_hold)

    def _is_called(self, pupil: Pupil, session: Session) -> bool:
        """Tell whether the child has a mark in a session; a roll that does not name it says `unknown`."""
        key = (session.class_id, session.date, session.name)
        return pupil.mark(session) is not Mark.UNTAKEN or key in self.called

    def _may_go(self, pupil: Pupil, pending: Pending, run: Run, now: dt.datetime) -> bool:
        stormy = any(
            (unit, run.first.date, run.first.name) in self.storms for unit in (run.first.class_id, run.first.school)
        )
        held = stormy and now < pending.due_at + self.figures.mass_absence_hold
        session = pending.awaited
        waits = session is not None and not self._is_called(pupil, session)
        return not held and not (waits and now < pending.due_at + self.figures.wait_for_roll)

    def _raise(self, pupil: Pupil, pending: Pending, run: Run, now: dt.datetime) -> None:
        episode = pupil.report.episode + 1 if pupil.report else 1
        pupil.report = Report(episode, pending.due_at, pending.unconfirmed, run.start, now)
        pupil.pending = pupil.asked_at = None
        self._tell(pupil, pupil.report, "report", now, "absent")

    # ---------------------------------------------------------------------------------------- what was known changes

    def _reconsider(self, pupil: Pupil, report: Report, now: dt.datetime) -> None:
        run = pupil.run(now)
        if report.fate == "stands":
            self._does_it_stand(pupil, report, run, now)
        elif report.fate == "returned":
            assert report.came_back is not None
            if run is not None and run.start < report.came_back and self._old(run, now):
                report.fate = "stands"
                self._tell(pupil, report, "reopened", now, "the return was taken back")
            elif pupil.moved_since(report.due_at, now) or not pupil.here(now):
                pupil.report = None
        elif pupil.run(now, though_on_leave=True) is None:
            pupil.report = None

    def _does_it_stand(self, pupil: Pupil, report: Report, run: Run | None, now: dt.datetime) -> None:
        if run is not None and self._old(run, now + _DAY):
            self._note_correction(pupil, report, run, now)
            return
        if not self._was_owed(pupil, report):
            self._retract(pupil, report, now)
            return
        seen = pupil.seen_since(report, now)
        moved = pupil.moved_since(report.due_at, now)
        if seen is not None:
            report.fate, report.came_back = "returned", seen.start
            self._tell(pupil, report, "return", now, f"seen {seen.date} {seen.name}")
        elif moved is not None:
            pupil.report = None
            self._tell(pupil, report, "closed", now, moved)

    def _was_owed(self, pupil: Pupil, report: Report) -> bool:
        """Tell whether, as now known, the report was owed at the instant it was due.

        That the child was seen, if somebody said so by hand since it was raised, is a return and corrects nothing.
        """
        known, pupil.marks = pupil.marks, {}
        for row, session in pupil.rows:
            if not is_sighting_since(row, report.raised_at):
                _lay(pupil.marks, row, session)
        then = pupil.run(report.due_at, before=True)
        pupil.marks = known
        return self._old(then, report.due_at) if report.unconfirmed else self._is_due(then, report.due_at)

    def _note_correction(self, pupil: Pupil, report: Report, run: Run, now: dt.datetime) -> None:
        """Let a report that is not owed any more be owed by another run that is due itself."""
        if run.start != report.of_run and self._is_due(run, now) and not self._was_owed(pupil, report):
            report.due_at, report.of_run = now, run.start

    def _retract(self, pupil: Pupil, report: Report, now: dt.datetime) -> None:
        """Take a report back; the case is one that was never reported, and closes when no run is left."""
        self._tell(pupil, report, "retraction", now, "not owed as now known")
        report.fate = "retracted"

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell(self, pupil: Pupil, report: Report, kind: str, now: dt.datetime, reason: str) -> None:
        name = pupil.child.child_id
        told = Told(kind, name, None, report.due_at, now, report.episode, reason, report.unconfirmed)
        self.told.append(told)

    def _tell_of_unit(self, kind: str, now: dt.datetime, unit: str | None, reason: str) -> None:
        self.told.append(Told(kind, None, unit, None, now, None, reason))


def _lay(marks: dict[tuple[dt.date, str], MarkRow], row: MarkRow, session: Session) -> None:
    """Let a mark count, unless one that weighs more does."""
    known = marks.get((row.date, row.session))
    if known is None or _weight(row, session) > _weight(known, session):
        marks[row.date, row.session] = row


def is_ahead(row: MarkRow, session: Session, world: World) -> bool:
    """Tell whether a mark was made too long before its session to be one."""
    known = max(row.recorded_at or session.end, world.start)
    return row.mark not in {Mark.LEAVE, Mark.UNKNOWN} and session.start - known > dt.timedelta(hours=2)


def _weight(row: MarkRow, session: Session) -> tuple[dt.datetime, int, int, int]:
    """Give what decides between two marks of one child and session; the greater wins."""
    certainty = 2 if row.mark in POSITIVE else 1 if row.mark is Mark.ABSENT else 0
    return row.recorded_at or session.end, row.rank, row.line, certainty


def tell(world: World, extra: Iterable[dt.datetime] = ()) -> list[Told]:
    """Give all that is to be told in a world, in order; further instants to look at must change nothing."""
    told = Replay(world, extra).run().told
    return sorted(told, key=lambda one: (one.raised_at, KINDS.index(one.kind), one.student or "", one.unit or ""))


# ------------------------------------------------------------------------------------------- beside a simulation

Line: TypeAlias = tuple[str, str | None, str | None, str, int | None, bool | None]
"""kind, student, due_at, raised_at, episode, unconfirmed; instants in UTC. Whatever the law leaves open is None."""


def told_lines(world: World) -> list[Line]:
    """Give what a simulation of a world must say, in the form `simulated_lines` brings it to."""
    return sorted(
        {_line(one.kind, one.student, one.due_at, one.raised_at, one.episode, one.unconfirmed) for one in tell(world)},
        key=repr,
    )


def simulated_lines(lines: Iterable[str]) -> list[Line]:
    """Bring a simulation's JSON lines to comparable form: each thing told once, whoever was told."""
    found = set()
    for line in lines:
        said = json.loads(line)
        if said["kind"] in KINDS:
            due_at, raised_at = (said[key] and dt.datetime.fromisoformat(said[key]) for key in ("due_at", "raised_at"))
            found.add(_line(said["kind"], said["student"], due_at, raised_at, said["episode"], said["unconfirmed"]))
    return sorted(found, key=repr)


def _line(
    kind: str,
    student: str | None,
    due_at: dt.datetime | None,
    raised_at: dt.datetime,
    episode: int | None,
    unconfirmed: bool,  # noqa: FBT001
) -> Line:
    raised = raised_at.astimezone(dt.UTC).isoformat()
    if kind not in _ABOUT_A_REPORT or due_at is None:
        return kind, student, None, raised, None, None
    due = due_at.astimezone(dt.UTC).isoformat()
    return kind, student, due, raised, episode, unconfirmed if kind == "report" else None
