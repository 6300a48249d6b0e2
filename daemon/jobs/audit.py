"""The self-audit: what should have been done by now and was not is queued again, counted, and told to the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from daemon.jobs.announce import announce
from daemon.jobs.backups import look_at_backups, unnoted_backup_problem
from daemon.jobs.casefile import from_row
from daemon.jobs.channel_problems import review_channels
from daemon.jobs.fallback import fall_back
from daemon.jobs.feed_problems import forget_feeds, review_rolls
from daemon.jobs.house import House
from daemon.jobs.missing_rolls import find_missing_rolls
from daemon.jobs.nobody import OWED
from daemon.jobs.problems import open_problems
from daemon.jobs.routing import operators
from daemon.jobs.sweep import CASE
from daemon.jobs.tell import FALLS, queue
from daemon.jobs.ways import ways_of
from daemon.store import cases, incidents, outbox, overdue, timers
from daemon.store.alerts import AlertRow
from daemon.store.incidents import IncidentRow
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.instants import to_micros
from rules.standing import gravely_owed, wakes_of_report

log = structlog.get_logger()

KIND = "overdue"
SUBJECT = "audit"
EVERY = dt.timedelta(minutes=10)
GRACE = dt.timedelta(minutes=10)
"""What is due is taken up within seconds; so late it is overdue, unless the daemon was not there."""
LONGEST_LEASE = dt.timedelta(hours=6)
"""Nobody leases work for longer; a lease that ends later was made by a clock that was wrong."""
GONE = "the channel is not configured any more"
LOOK_BACK = dt.timedelta(days=30)

WHAT: dict[str, tuple[str, str]] = {
    "case_unwoken": ("个案缺少定时", "cases that nothing would wake"),
    "rung_owed": ("应通知而无人可通知", "rungs told to nobody, still owed"),
    "rung_due": ("应催办而未催办", "rungs due and not spoken"),
    "timer_late": ("定时事项过期未处理", "deadlines passed and not taken up"),
    "timer_held": ("定时事项被占用", "deadlines held by nobody alive"),
    "message_late": ("消息到期未发", "messages due and not sent"),
    "channel_gone": ("渠道已停用，消息改道", "messages of channels that are no more"),
    "message_held": ("消息被占用", "messages held by nobody alive"),
    "alert_stranded": ("通知无消息可发", "alerts without a message"),
    "fallback_due": ("未送达且未改用其他渠道", "alerts not tried on their next channel"),
}
"""What can be overdue: 中文, English."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """One sort of work found overdue: how much of it, and since when the oldest is."""

    what: str
    count: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Audit:
    """What one audit found, and when; nothing found and no problem is all well."""

    at: dt.datetime
    found: tuple[Overdue, ...] = ()
    problems: tuple[IncidentRow, ...] = ()
    """What is wrong with what feeds deliver and with the service; the operator was told when it began."""


def audit(house: House, now: dt.datetime, *, up_since: dt.datetime | None = None, mend: bool = True) -> Audit:
    """Look for overdue work; with `mend` queue it again, and tell the operator once of each set of sorts of it.

    `up_since` is when the daemon began: what fell due while it was away is late for no fault of its own. Safe to be
    run again at any time: what is queued again is decided and sent once, as it would have been.
    """
    if not mend:
        with house.store.read() as tx:
            found = tuple(one for one, _ in _look(tx, house, now, up_since))
            return Audit(now, found, (*open_problems(tx), *unnoted_backup_problem(tx, house, now)))
    done = house.store.commit(lambda tx: _audit(tx, house, now, up_since))
    _count(house, done)
    if done.found:
        house.wake()
    return done


def _audit(tx: Tx, house: House, now: dt.datetime, up_since: dt.datetime | None) -> Audit:
    looked = list(_look(tx, house, now, up_since))
    for _, todo in looked:
        todo.mend(tx, now)
        overdue.give_up_messages(tx, todo.given_up, GONE, now)
        fall_back(tx, house, todo.given_up, now)
    found = tuple(one for one, _ in looked)
    _tell(tx, house, found, now)
    forget_feeds(tx, house, now)
    review_channels(tx, house, now)
    look_at_backups(tx, house, now, up_since)
    if up_since is None or up_since <= now - GRACE:
        review_rolls(tx, house, find_missing_rolls(tx, house, now), now)
    return Audit(now, found, tuple(open_problems(tx)))


def _count(house: House, done: Audit) -> None:
    counts = {one.what: one.count for one in done.found}
    for what in WHAT:
        house.metrics.overdue.labels(what=what).set(counts.get(what, 0))
        if what in counts:
            house.metrics.requeued.labels(what=what).inc(counts[what])
    house.metrics.audited.set(done.at.timestamp())
    if done.found:
        log.error("overdue work found, and queued again", **counts)


# ---- what is overdue ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Todo:
    """What brings one sort of overdue work back: timers to arm or free, messages to free or to queue again.

    Messages that are given up are told another way.
    """

    armed: Sequence[Timer] = ()
    freed: Sequence[Timer] = ()
    loosed: Sequence[str] = ()
    requeued: Sequence[str] = ()
    given_up: Sequence[str] = ()

    def mend(self, tx: Tx, now: dt.datetime) -> None:
        """Do it, but for what is given up."""
        timers.arm(tx, self.armed)
        if self.freed:
            timers.free(tx, self.freed)
        overdue.free_messages(tx, self.loosed)
        overdue.requeue_messages(tx, self.requeued, now)


def _look(tx: Tx, house: House, now: dt.datetime, up_since: dt.datetime | None) -> Iterator[tuple[Overdue, _Todo]]:
    yield from _broken(tx, now)
    yield from _owed(tx, house, now)
    before = now - GRACE
    if up_since is None or up_since <= before:
        yield from _late(tx, house, before, now)


def _broken(tx: Tx, now: dt.datetime) -> Iterator[tuple[Overdue, _Todo]]:
    """What would never be done, however long one waits."""
    unwoken = overdue.unwoken_cases(tx)
    yield from _sort("case_unwoken", [one.due_at for one in unwoken], _Todo(armed=unwoken))
    held = overdue.dead_timers(tx, now + LONGEST_LEASE)
    yield from _sort("timer_held", [one.due_at for one in held], _Todo(freed=held))
    kept = overdue.dead_messages(tx, now + LONGEST_LEASE)
    yield from _sort("message_held", [one.since for one in kept], _Todo(loosed=[one.subject for one in kept]))
    lost = overdue.stranded_alerts(tx, now - LOOK_BACK)
    yield from _sort(
        "alert_stranded", [one.created_at for one in lost], _Todo(requeued=[one.message_id for one in lost])
    )


def _owed(tx: Tx, house: House, now: dt.datetime) -> Iterator[tuple[Overdue, _Todo]]:
    """Whom no rung reached, one a case; in shadow nobody was to be told."""
    if house.shadow:
        return
    found = [(case, gravely_owed(case)) for case in map(from_row, cases.open_cases(tx))]
    owing = [(case, those) for case, those in found if those and case.finding.leave_until is None]
    looked_at = _Todo(armed=[Timer(OWED, case.case_id, now) for case, _ in owing])
    yield from _sort("rung_owed", [min(one.since for one in those) for _, those in owing], looked_at)


def _late(tx: Tx, house: House, before: dt.datetime, now: dt.datetime) -> Iterator[tuple[Overdue, _Todo]]:
    """What is due and was not done in time."""
    waiting = overdue.late_timers(tx, before, now)
    yield from _sort("timer_late", [one.due_at for one in waiting], _Todo())
    unsent = overdue.late_messages(tx, sorted(house.notifiers), before, now)
    yield from _sort("message_late", [one.since for one in unsent], _Todo())
    lost = overdue.orphaned_messages(tx, sorted(house.notifiers), before, now)
    yield from _sort("channel_gone", [one.since for one in lost], _Todo(given_up=[one.subject for one in lost]))
    silent = _silent_rungs(tx, before)
    looked_at = _Todo(armed=[replace(one, due_at=now) for one in silent])
    yield from _sort("rung_due", [one.due_at for one in silent], looked_at)
    stuck = _not_passed_on(tx, house, before, now)
    passed_on = _Todo(armed=[Timer(FALLS, one.key, now) for one in stuck])
    yield from _sort("fallback_due", [one.falls_back_at or before for one in stuck], passed_on)


def _silent_rungs(tx: Tx, before: dt.datetime) -> list[Timer]:
    """The cases a rung of which should have spoken, or an acknowledgement lapsed, by when; not those on leave."""
    late = []
    for case in map(from_row, cases.open_cases(tx)):
        due = [instant for instant in wakes_of_report(case) if instant is not None and instant < before]
        if due and case.finding.leave_until is None:
            late.append(Timer(CASE, case.student_id, min(due)))
    return late


def _not_passed_on(tx: Tx, house: House, before: dt.datetime, now: dt.datetime) -> list[AlertRow]:
    """Alerts that should have been tried on another channel by which their recipient can be reached."""
    found = overdue.unreached_alerts(tx, before, FALLS)
    ways = ways_of(tx, house.config, house.notifiers, {one.contact_id for one in found}, now)
    return [one for one in found if ways.usable(one.contact_id, one.fallback)]


def _sort(what: str, since: Sequence[dt.datetime], todo: _Todo) -> Iterator[tuple[Overdue, _Todo]]:
    if since:
        yield Overdue(what, len(since), min(since)), todo


# ---- the operator ---------------------------------------------------------------------------------------------------


def _tell(tx: Tx, house: House, found: Sequence[Overdue], now: dt.datetime) -> None:
    """Open an incident for sorts that are new, close it silently when all is well again."""
    whats = {one.what for one in found}
    known = incidents.open_incidents(tx, KIND)
    told = {what for row in known for what in row.state["told"]}
    if found and whats <= told:
        return
    new = IncidentRow(house.new_id(), KIND, SUBJECT, [], now, state={"told": sorted(whats | told)})
    sought = operators(house.people(tx), about=SUBJECT) if found else []
    facts = _facts(found) if found else {}
    drafts = announce(tx, house, KIND, new.incident_id, sought, facts, now, incident_id=new.incident_id)
    if found and not drafts:
        return  # there is no operator: whoever becomes one is told then
    for row in known:
        incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="more" if found else "all well")])
        outbox.cancel(tx, now, "overtaken", incident_id=row.incident_id)
    if found:
        incidents.insert_incidents(tx, [new])
        queue(tx, house, drafts, now)


def _facts(found: Sequence[Overdue]) -> dict[str, Any]:
    return {
        "overdue": [
            {"what": one.what, "zh": WHAT[one.what][0], "en": WHAT[one.what][1], "count": one.count} for one in found
        ],
        "count": sum(one.count for one in found),
        "since": to_micros(min(one.since for one in found)),
    }
