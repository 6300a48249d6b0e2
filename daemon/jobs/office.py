"""What people do to a case: acknowledge, confirm, note, close by two; each in one transaction.

It lies above the desk, whose words it uses, because it writes decisions the way the sweep does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from daemon.desk.faults import DeskError
from daemon.desk.ledger import case_row, subject_of
from daemon.desk.reasons import MOVEMENT_OF, closing_reason, is_same_person, who
from daemon.jobs.apply import write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.intake import arm_class
from daemon.jobs.needless import acted, needless
from daemon.jobs.silence import FEED, owing
from daemon.store import absences, journal, outbox, overlays, timers
from daemon.store.cases import Conflict
from daemon.store.overlays import Overlay
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.calendar import Session
from rules.case import Case, Decision, Entry, Stage, Standing, Tell
from rules.instants import to_micros
from rules.records import Mark, MovementRecord
from rules.standing import awake
from rules.watch import laid_down

T = TypeVar("T")

COMMAND_LINE = "command line"
LINK = "link"
PROPOSED = "closing requested"
"""Journal: one person asked to close a case; the entry says who, and for what reason."""

_ATTEMPTS = 5
_LONGEST_NOTE = 4_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts on a case: how they named themselves, and by which way they came.

    `role` and `contact` only where a message to them says so: by a link, or a reply.
    """

    by: str
    way: str = COMMAND_LINE
    role: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """A case somebody acted on; `changed` is False when it was so already, `session` that of a word by hand."""

    case: Case
    changed: bool = True
    session: Session | None = None


def acknowledge(house: House, number: str, actor: Actor, now: dt.datetime, *, episode: int | None = None) -> Acted:
    """The report is in somebody's hands: rungs that speak unless acknowledged stay silent. Twice is once.

    `episode` is the report a link was about. Raises DeskError: no standing report, or a role that may not.
    """
    actor = replace(actor, by=who(actor.by, subject_of(number)))
    return act(house, lambda tx: _acknowledge(tx, house, number, actor, now, episode))


def acknowledge_by_link(house: House, alert_id: str, now: dt.datetime) -> Acted:
    """As `acknowledge`, by the recipient of an alert; its role must be one the ladder lets acknowledge."""
    number, actor, alert = behind_link(house, alert_id)
    return acknowledge(house, number, actor, now, episode=alert.episode)


def _acknowledge(tx: Tx, house: House, number: str, actor: Actor, now: dt.datetime, episode: int | None) -> Acted:
    case = open_case(tx, number)
    subject = subject_of(number)
    if case.standing is not Standing.RAISED or (episode is not None and episode != case.episode):
        raise DeskError(subject, "has no such report that stands", "there is nothing to acknowledge any more")
    allowed = case.ladder.acknowledged_by
    if actor.role is not None and actor.role not in allowed:
        raise DeskError(subject, f"is not for {actor.role} to acknowledge", f"that is for {', '.join(allowed)}")
    if case.acknowledged_at is not None:
        return Acted(case, changed=False)
    after, entry = acknowledged(tx, case, actor, now)
    return _write(tx, house, after, entry.kind, entry.body, now)


def acknowledged(tx: Tx, case: Case, actor: Actor, now: dt.datetime) -> tuple[Case, Entry]:
    """The case with its report acknowledged, and the journal line; what is needless by it is cancelled."""
    outbox.cancel(tx, now, "acknowledged", case_id=case.case_id, only=needless(case, "acknowledged"))
    after = replace(case, acknowledged_at=now, acknowledged_by=actor.role or actor.way)
    after = awake(replace(after, acknowledged_contact=actor.contact), now)
    return after, Entry("acknowledged", said_by(actor, role=actor.role))


def confirm(house: House, number: str, *, seen: bool, actor: Actor, now: dt.datetime) -> Acted:
    """Somebody looked: the child is there, or is not. Counts as its mark in the current session.

    The current session is the one in progress, else the last begun. Raises DeskError when there is none.
    """
    actor = replace(actor, by=who(actor.by, subject_of(number)))
    return act(house, lambda tx: _confirm(tx, house, number, seen, actor, now))


def confirm_by_link(house: House, alert_id: str, *, seen: bool, now: dt.datetime) -> Acted:
    """As `confirm`, by the recipient of a question."""
    number, actor, _ = behind_link(house, alert_id)
    return confirm(house, number, seen=seen, actor=actor, now=now)


def _confirm(tx: Tx, house: House, number: str, seen: bool, actor: Actor, now: dt.datetime) -> Acted:  # noqa: FBT001
    case = open_case(tx, number)
    session = _current_session(tx, house, case, now)
    mark = Mark.PRESENT if seen else Mark.ABSENT
    overlay = Overlay(session.date, session.name, mark, now, actor.by, student_id=case.student_id)
    overlays.record_overlays(tx, [overlay])
    judge_anew(tx, house, [house.people(tx).class_now(case.student_id)], now)
    facts = {"seen": seen, "date": session.date.isoformat(), "session": session.name}
    done = _write(tx, house, acted(tx, case, now), "confirmed", said_by(actor, **facts), now)
    return replace(done, session=session)


def _current_session(tx: Tx, house: House, case: Case, now: dt.datetime) -> Session:
    people = house.people(tx)
    child = people.roster.students[case.student_id]
    today = now.astimezone(house.calendar.zone).date()
    variant = people.variants[people.class_on(child.ordinal, today)]
    line = house.calendar.lines[variant]
    begun = line.begun(to_micros(now))
    if not begun:
        raise DeskError(subject_of(case.number), "no session of the child has begun yet", "look at [calendar] terms")
    return house.calendar.session(variant, int(line.columns[begun - 1]))


def note(house: House, number: str, text: str, actor: Actor, now: dt.datetime) -> Acted:
    """Write a line into a case's journal, open or closed; it is something done about an open case. Raises DeskError."""
    plain, actor = text.strip(), replace(actor, by=who(actor.by, subject_of(number)))
    if not plain or len(plain) > _LONGEST_NOTE:
        raise DeskError(subject_of(number), "takes no such note", f"write 1 to {_LONGEST_NOTE} characters")

    def work(tx: Tx) -> Acted:
        case = from_row(case_row(tx, number))
        body = said_by(actor, text=plain)
        return _write(tx, house, acted(tx, case, now) if case.is_open else case, "note", body, now)

    return act(house, work)


def propose_closing(house: House, number: str, reason: str, actor: Actor, now: dt.datetime) -> Acted:
    """One person asks to close a case for a reason; a second one approves. A newer proposal replaces an older.

    Raises DeskError for what is no reason to close.
    """
    subject = subject_of(number)
    why, actor = closing_reason(reason, subject), replace(actor, by=who(actor.by, subject))

    def work(tx: Tx) -> Acted:
        case = replace(acted(tx, open_case(tx, number), now), closing_by=actor.way, pending_closure=True)
        return _write(tx, house, case, PROPOSED, said_by(actor, reason=why), now)

    return act(house, work)


def approve_closing(house: House, number: str, actor: Actor, now: dt.datetime) -> Acted:
    """A second person closes a case for the reason proposed; whoever believes its report stands is told.

    Raises DeskError when nobody proposed it, or the same person did.
    """
    actor = replace(actor, by=who(actor.by, subject_of(number)))
    return act(house, lambda tx: _approve(tx, house, number, actor, now))


def _approve(tx: Tx, house: House, number: str, actor: Actor, now: dt.datetime) -> Acted:
    case = open_case(tx, number)
    subject = subject_of(number)
    said = next((one.body for one in reversed(journal.history(tx, case.case_id)) if one.kind == PROPOSED), None)
    if case.closing_by is None or said is None:
        hint = f"first, by somebody else: baoxue case close {number} --reason R --by A"
        raise DeskError(subject, "nobody proposed to close it", hint)
    if is_same_person(str(said["by"]), actor.by):
        raise DeskError(subject, "the one who proposed to close it cannot approve it", "let a second person approve")
    reason = str(said["reason"])
    _settle_sessions(tx, house, case, reason, actor, now)
    closed = closed_case(case, reason, now)
    tell = Tell(
        "closed",
        to_told=True,
        due_at=case.due_at,
        reported_at=case.raised_at,
        reason=reason,
        rule=case.rule,
        version=case.rule_version,
    )
    body = said_by(actor, reason=reason, proposed_by=said["by"])
    write_decisions(tx, house, [Decision(closed, (Entry("closed", body),), (tell,), cancels=True)], now)
    return Acted(closed)


def closed_case(case: Case, reason: str, now: dt.datetime) -> Case:
    """Return the case closed for a reason: nothing of it waits or is armed any more."""
    return replace(
        case,
        stage=Stage.CLOSED,
        reason=reason,
        closed_at=now,
        pending_closure=False,
        pending_at=None,
        pending_unconfirmed=False,
        armed_at=None,
        asked_at=None,
        wake_at=None,
        signs=laid_down(case.signs),
    )


def _settle_sessions(tx: Tx, house: House, case: Case, reason: str, actor: Actor, now: dt.datetime) -> None:
    """What two people attest about the sessions behind a closing, lest the same run opens another case at once.

    Gone: a confirmed movement, its evidence the case. Else the run's sessions are excused, or not known. A run that
    began after a return is a relapse, which closing does not wipe out.
    """
    movement = MOVEMENT_OF.get(reason)
    if movement is not None:
        record = MovementRecord(case.student_id, movement, now, now, None, f"case {case.number}", 0)
        absences.record_movements(tx, [record], now)
    elif case.standing is not Standing.RETURNED and case.finding.run_from is not None:
        mark = Mark.LEAVE if reason == "excused" else Mark.UNKNOWN
        overlays.record_overlays(
            tx,
            [
                Overlay(one.date, one.name, mark, now, actor.by, student_id=case.student_id)
                for one in _sessions_between(house, case.finding.variant, case.finding.run_from, now)
            ],
        )
    judge_anew(tx, house, [house.people(tx).class_now(case.student_id)], now)


def _sessions_between(house: House, variant: int, first: dt.datetime, last: dt.datetime) -> list[Session]:
    line = house.calendar.lines[variant]
    columns = line.columns[line.first_from(to_micros(first)) : line.begun(to_micros(last))]
    return [house.calendar.session(variant, int(column)) for column in columns]


# ---- what every act shares ------------------------------------------------------------------------------------


def act(house: House, work: Callable[[Tx], T]) -> T:
    """Run `work` in one transaction, again when somebody else was quicker about the same case; then wake the house."""
    for _ in range(_ATTEMPTS - 1):
        try:
            done = house.store.commit(work)
        except Conflict:
            continue
        house.wake()
        return done
    done = house.store.commit(work)
    house.wake()
    return done


def open_case(tx: Tx, number: str) -> Case:
    """The open case of a number; DeskError when there is none, or it is closed."""
    case = from_row(case_row(tx, number))
    if not case.is_open:
        raise DeskError(subject_of(number), "is closed", f"see what happened with: baoxue case show {number}")
    return case


def judge_anew(tx: Tx, house: House, class_ids: list[str], now: dt.datetime) -> None:
    """Ask for these classes to be judged at `now`, and for every feed's silence to be looked at."""
    arm_class(tx, class_ids, now)
    timers.arm(tx, [Timer(FEED, feed.id, now) for feed in owing(house)])


def _write(tx: Tx, house: House, case: Case, kind: str, body: Mapping[str, Any], now: dt.datetime) -> Acted:
    write_decisions(tx, house, [Decision(case, (Entry(kind, body),))], now)
    return Acted(case)


def said_by(actor: Actor, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the journal line carries
    """The body of a journal line about what somebody did: facts that are known, who, and by which way."""
    return {**{key: value for key, value in facts.items() if value is not None}, "by": actor.by, "way": actor.way}


def behind_link(house: House, alert_id: str) -> tuple[str, Actor, outbox.AlertRow]:
    """The case an alert is about, its recipient as somebody who acts by link, and the alert; DeskError: no case."""
    with house.store.read() as tx:
        alert = outbox.alert_by_id(tx, alert_id)
        number = str(alert.facts.get("case") or "") if alert and alert.case_id else ""
    if alert is None or not number:
        raise DeskError("link", "leads to no case", "the message it came with is too old")
    return number, Actor(f"{alert.role} {alert.contact_id}", LINK, alert.role, alert.contact_id), alert
