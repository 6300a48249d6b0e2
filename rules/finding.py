"""What the judge is asked and what it answers: plain values of one child at one instant."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rules.calendar import Line
from rules.instants import span
from rules.signs import View


@dataclass(frozen=True, slots=True)
class Clock:
    """The figures of the absence clock, the operator's to change (absence.md, Due)."""

    after: dt.timedelta = dt.timedelta(hours=48)
    school_time: bool = False
    run_break: dt.timedelta = dt.timedelta(days=10)
    stale_after: dt.timedelta = dt.timedelta(hours=2)

    def ripe_at(self, line: Line, run_from: int) -> int:
        """The first instant by which a run that began at `run_from` has lasted long enough."""
        if self.school_time:
            return line.after_school_time(run_from, self.after)
        return run_from + span(self.after)


@dataclass(frozen=True, slots=True)
class Question:
    """What a case needs to know beyond the current run: about a deadline that has passed, or is waiting.

    `due_at` is the deadline of the report that stands or waits; `unconfirmed` that one known day sufficed for it.
    """

    due_at: dt.datetime
    unconfirmed: bool = False
    raised_for: dt.datetime | None = None
    """Where the report was raised by another rule than today's: the start of the run it was raised for.

    It was owed if, as now known, a run that began no later was open at the deadline.
    """
    raised_at: dt.datetime | None = None
    """When it was raised; None while it waits. A sighting said by hand since then is a return, and corrects nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one child at one instant, as the absence clock sees it; decides nothing.

    Stays true while nothing new is known and nothing known takes effect, that is until `changes_at`.
    """

    run_from: dt.datetime | None = None
    """Start of the current run; it is not *open* while `leave_until` is set."""
    run_days: int = 0
    """Different school days with a known absence in the run."""
    satisfied: bool = False
    """Whether the rule's `when` holds on the run's facts."""
    ripe_at: dt.datetime | None = None
    """When the run has lasted the rule's `after`."""
    armed_at: dt.datetime | None = None
    """The instant to come at which the report will be due if nothing more becomes known; None if never, or due now."""
    leave_until: dt.datetime | None = None
    """End of the known leave in force, if one is."""
    silent_from: dt.datetime | None = None
    """From when the child is silent if nothing more becomes known."""
    out: str | None = None
    """The movement that keeps the child off the roll now."""
    stopped_by: str | None = None
    """What ended the last run: `seen`, `excused` or None."""
    changes_at: dt.datetime | None = None
    """The next instant at which something already known takes effect."""
    variant: int = 0
    """The child's calendar variant now."""
    class_index: int = 0
    last_marked: dt.datetime | None = None
    """Start of the last begun session in which a mark of the child (`unknown` is one) is known."""
    declared: bool = False
    """Somebody declared that the child dropped out."""
    asked: dt.datetime | None = None
    """The deadline asked about; what follows is about it."""
    deadline_session: bool = False
    """A session of the child begins or is in progress at that deadline."""
    deadline_marked: bool = False
    """A mark of the child in that session is known."""
    owed: bool = True
    """The report was owed at the deadline asked about, as things are now known."""
    owed_reason: str | None = None
    """Why it was not."""
    seen_since: dt.datetime | None = None
    """Start of the earliest session from that deadline on, or said by hand since, in which the child was seen."""
    moved_since: str | None = None
    """The first confirmed movement from that deadline on."""
    rule: str | None = None
    """The law by which it was judged, where there are several."""
    views: tuple[View, ...] = ()
    """What the rules beside the report's say: those that hold, and those of the case's signs that are not over."""
