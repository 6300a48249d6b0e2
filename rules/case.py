"""A case and everything a decision may say about it; values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rules.climb import START, Climb
from rules.finding import Clock, Finding
from rules.ladder import Audience, Ladder
from rules.signs import Sign

if TYPE_CHECKING:
    from rules.rule import Rule

NO_LADDER = Ladder("", (), ())
NOTHING_KNOWN = Finding()


class Stage(StrEnum):
    """Where a case stands in the office's ledger (absence.md, What a case does)."""

    WATCH = "watch"
    FIRST_ABSENCE = "first_absence"
    REPORTED = "reported"
    SUSPECTED = "suspected"
    DROPPED_OUT = "dropped_out"
    RETURNED = "returned"
    CLOSED = "closed"


class Standing(StrEnum):
    """Where the report of the current episode stands; a report still waiting to be raised is in none of these."""

    NONE = "none"
    RAISED = "raised"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Law:
    """The rules in force for a child and every figure of absence.md that is the operator's to change.

    `rule` and `version` are those of the report's.
    """

    rule: str = "absent-48h"
    version: str = ""
    clock: Clock = field(default_factory=Clock)
    ladder: Ladder = NO_LADDER
    wait_for_roll: dt.timedelta = dt.timedelta(minutes=60)
    unconfirmed_after: dt.timedelta = dt.timedelta(hours=4)
    mass_absence_hold: dt.timedelta = dt.timedelta(hours=24)
    chase: dt.timedelta = dt.timedelta(hours=24)
    """A corrected run that will be due this soon keeps the report standing."""
    first_absence_after: dt.timedelta = dt.timedelta(minutes=60)
    first_absence_to: tuple[str, ...] = ("class_teacher",)
    confirm_to: tuple[str, ...] = ("class_teacher", "principal")
    observation: int = 10
    """School days after a return until closing is proposed."""
    stages: tuple[Rule, ...] = ()
    """The rules by which a reported case is suspected or dropped out; the farther stage first."""
    signs: Mapping[str, Rule] = field(default_factory=dict)
    """The rules that are signs, by id."""
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    """Every ladder configured, by id."""


@dataclass(frozen=True)
class Case:
    """One child's open or closed case (一人一案); changed only by a Decision, never in place."""

    case_id: str
    number: str
    student_id: str
    opened_at: dt.datetime
    stage: Stage = Stage.FIRST_ABSENCE
    standing: Standing = Standing.NONE
    episode: int = 0
    """Reports raised in this case so far; the current one's number."""
    run_from: dt.datetime | None = None
    """Start of the run the case is about, as last noted."""
    armed_at: dt.datetime | None = None
    """The deadline armed: when the report will be due if nothing more becomes known."""
    pending_at: dt.datetime | None = None
    """The deadline that passed and whose report waits for a roll or a judged incident."""
    pending_unconfirmed: bool = False
    due_at: dt.datetime | None = None
    """Legal deadline of the report that stands, or stood last."""
    raised_at: dt.datetime | None = None
    unconfirmed: bool = False
    rule: str | None = None
    """The rule by which it was raised, and that rule's version then; a later change of the rule changes neither."""
    rule_version: str | None = None
    reported_run: dt.datetime | None = None
    """Start of the run whose deadline `due_at` is."""
    corrected: bool = False
    """The run began otherwise than the reported one; its own deadline is awaited."""
    asked_at: dt.datetime | None = None
    """When teacher and principal were asked to confirm; None while the child is not silent."""
    returned_session: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    observed_until: dt.datetime | None = None
    """When, after a return, closing is proposed."""
    pending_closure: bool = False
    told_first: bool = False
    """The class teacher has this absence on a list."""
    ladder: Ladder = NO_LADDER
    """The ladder as it was when the report was raised."""
    climb: Climb = START
    """How far up the ladder the report has come."""
    untold: bool = False
    """The report was raised, and what was said of it left nobody's desk: its first rung is to speak when it can."""
    climbs_from: dt.datetime | None = None
    """From when the delays of the ladder count, where that is later than when the report was raised."""
    acknowledged_at: dt.datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_contact: str | None = None
    """The contact that acknowledged, where it is known: by a link, or a reply."""
    reminded_at: dt.datetime | None = None
    """When whoever acknowledged was last reminded that nothing was done since."""
    acted_at: dt.datetime | None = None
    """When somebody last did something about the case that is on record: a note, a confirmation, a mark, …"""
    reopened_at: dt.datetime | None = None
    """When the report of this episode was last reopened; an acknowledgement is counted from there."""
    closing_by: str | None = None
    """Who proposed to close it; a second person approves."""
    reason: str | None = None
    closed_at: dt.datetime | None = None
    signs: tuple[Sign, ...] = ()
    """How the rules beside the report's stand with the child; and, told of, the stage its report has reached."""
    finding: Finding = NOTHING_KNOWN
    wake_at: dt.datetime | None = None
    """When this case must be looked at again though nothing new is known."""
    version: int = 1
    """The version read from the store, which guards writing it back."""

    def but(self, **fields: Any) -> Case:  # noqa: ANN401 - the fields of this class
        """The same case with other values; a sweep makes tens of thousands, and `replace` takes ten times as long."""
        twin = object.__new__(Case)
        twin.__dict__.update(self.__dict__, **fields)
        return twin

    @property
    def is_open(self) -> bool:
        """Whether the case still counts as the child's one open case."""
        return self.stage is not Stage.CLOSED


@dataclass(frozen=True, slots=True)
class Storm:
    """The mass absence in which a run began; a report waits while it is not `judged`."""

    incident_id: str
    judged: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal line in the making: what happened to the case and why; never changed once written."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tell:
    """Something to be told about a case: to `roles`, to `contacts`, or to exactly those told before (`to_told`).

    A rung of a ladder tells its `audience`, each recipient once: its own first (whose roles and channels are `roles`
    and `channels`), then those of lower rungs that it speaks for. `group` puts alerts that share it, a class or town,
    a recipient and a channel into one message. `channels` empty means every channel on which a recipient can be
    reached.
    """

    kind: str
    roles: tuple[str, ...] = ()
    to_told: bool = False
    channels: tuple[str, ...] = ()
    rung: int = 0
    turn: int = 0
    """How often the ladder had spoken before; tells a rung that speaks again from its first time."""
    due_at: dt.datetime | None = None
    reported_at: dt.datetime | None = None
    """When the report it is about was raised."""
    unconfirmed: bool = False
    reason: str | None = None
    group: str | None = None
    rule: str | None = None
    """The rule it is about, with its version and what it is called by language."""
    version: str | None = None
    title: Mapping[str, str] = field(default_factory=dict)
    times: int = 0
    """Which raising of a sign it is about."""
    audience: tuple[Audience, ...] = ()
    contacts: tuple[str, ...] = ()
    """Contacts to tell instead of roles, by id; for those no longer known, `roles` are told."""


def is_unconfirmed(tell: Tell, case: Case) -> bool:
    """Whether what is told is about a report on one known day; a sign has facts of its own, and never is."""
    return tell.unconfirmed or (case.unconfirmed and not tell.times)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one case at one instant; applied in one transaction or not at all.

    `cancels` says that what is queued and unsent about the current report must not leave any more.
    """

    case: Case
    entries: tuple[Entry, ...] = ()
    tells: tuple[Tell, ...] = ()
    cancels: bool = False
    changed: bool = True
    """Whether the case is other than it was; if not, there is nothing to write."""
