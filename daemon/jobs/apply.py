"""Applies decisions: case, journal, alerts and timers in one transaction, or none of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from daemon.jobs.casefile import numbered, to_row
from daemon.jobs.house import House
from daemon.jobs.needless import is_recall
from daemon.jobs.nobody import arm_owed, note_missed
from daemon.jobs.storms import StormChange, apply_storms
from daemon.jobs.tell import Hole, draft_alerts, queue
from daemon.store import cases, journal, outbox, timers
from daemon.store.journal import EntryDraft
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from notifiers.phrases import KINDS
from rules.case import Decision, Stage
from rules.climb import missed
from rules.decide import climb_on
from rules.standing import LAPSED

log = structlog.get_logger()

CASE = "case"
_ABOUT_THE_REPORT = tuple(kind for kind in KINDS if kind != "risk")
"""What a correction of the report overtakes; a sign says nothing about it."""
_OF_SIGNS = ("risk", "reminder")


def apply_decisions(
    house: House,
    decisions: Sequence[Decision],
    spent: Sequence[Timer],
    storms: Sequence[StormChange],
    now: dt.datetime,
    again: Sequence[Timer] = (),
) -> int:
    """Write `decisions`, clear the timers they answer and arm those of `again`; how many cases changed.

    Raises Conflict, with nothing written, when somebody else decided about one of the cases meanwhile.
    """

    def write(tx: Tx) -> int:
        timers.arm(tx, again)
        return write_decisions(tx, house, decisions, now, spent=spent, storms=storms)

    written = house.store.commit(write)
    for kind, count in Counter(entry.kind for decision in decisions for entry in decision.entries).items():
        house.metrics.raised.labels(kind=kind).inc(count)
    for timer in spent:
        house.metrics.lateness.observe(max((house.clock() - timer.due_at).total_seconds(), 0))
    house.wake()
    return written


def write_decisions(
    tx: Tx,
    house: House,
    decisions: Sequence[Decision],
    now: dt.datetime,
    *,
    spent: Sequence[Timer] = (),
    storms: Sequence[StormChange] = (),
) -> int:
    """Write `decisions` within a transaction of the caller's, who may add to it; how many cases changed.

    Raises Conflict when somebody else decided about one of the cases since it was read.
    """
    apply_storms(tx, house, storms, now)
    opened = {one.case.case_id for one in decisions if not one.case.number}
    changed = _number(tx, house, [one for one in decisions if one.changed or one.case.case_id in opened], now)
    cases.insert_cases(tx, [to_row(one.case) for one in changed if one.case.case_id in opened])
    cases.update_cases(tx, [to_row(one.case) for one in changed if one.case.case_id not in opened])
    if not house.shadow:  # There whatever was written counts as told: it is corrected, as it would have been.
        for decision in changed:
            _cancel(tx, decision, now)
    changed = _tell(tx, house, changed, opened, now)
    timers.complete(tx, spent)
    woken = {timer.subject for timer in spent if timer.kind == CASE}
    again = [one.case for one in decisions if not one.changed and one.case.student_id in woken]
    armed = [(case.student_id, case.wake_at) for case in (*(one.case for one in changed), *again)]
    timers.arm(tx, [Timer(CASE, student, at) for student, at in armed if at is not None])
    arm_owed(tx, house, [one.case for one in changed], now)
    return len(changed)


def _cancel(tx: Tx, decision: Decision, now: dt.datetime) -> None:
    """Stop what must not be told any more: about a report that does not stand, a sign that is over, a lapsed word."""
    case, over = decision.case, {one.body["rule"] for one in decision.entries if one.kind == "sign over"}
    if decision.cancels:
        kinds = None if case.stage is Stage.CLOSED else _ABOUT_THE_REPORT
        outbox.cancel(tx, now, case.reason or "overtaken", case_id=case.case_id, kinds=kinds)
    if over:
        outbox.cancel(
            tx, now, "sign over", case_id=case.case_id, kinds=_OF_SIGNS, only=lambda one: one.facts.get("rule") in over
        )
    if any(one.kind == LAPSED for one in decision.entries):
        outbox.cancel(tx, now, "lapsed", case_id=case.case_id, kinds=_OF_SIGNS, only=lambda one: is_recall(case, one))


def _tell(
    tx: Tx, house: House, decisions: Sequence[Decision], opened: Collection[str], now: dt.datetime
) -> list[Decision]:
    """Put into journals and outbox what was decided; where a rung reaches nobody, the next one speaks at once.

    The decisions as they are then.
    """
    held, begun = {one.case.case_id: one for one in decisions}, opened
    todo, missed = list(decisions), list[Hole]()
    while todo:
        drafted = draft_alerts(tx, house, todo, now)
        entries = [_entry(one, entry.kind, entry.body, now) for one in todo for entry in one.entries]
        journal.append(tx, [*entries, *drafted.notes], begun=begun)
        queue(tx, house, drafted.alerts, now)
        whole = [hole for hole in drafted.holes if hole.is_whole]
        for hole in whole:
            log.warning("nobody to tell", case=held[hole.case_id].case.number, kind=hole.tell.kind, roles=hole.roles)
        house.metrics.unreachable.inc(len(whole))
        missed += _owe(held, drafted.holes, now)
        todo, begun = _climb_on(house, held, whole, now), ()
    owed = {one.case.case_id: one.case for one in held.values()}
    note_missed(tx, house, [(owed[hole.case_id], hole) for hole in missed], now)
    moved = [held[one.case.case_id].case for one in decisions if held[one.case.case_id] is not one]
    written = [case.but(version=case.version + (case.case_id not in opened)) for case in moved]
    cases.update_cases(tx, [to_row(case) for case in written])
    return list(held.values())


def _owe(held: dict[str, Decision], holes: Sequence[Hole], now: dt.datetime) -> list[Hole]:
    """Keep with each case whom a rung of its report did not reach; those holes."""
    owing = [hole for hole in holes if hole.is_of_report and held[hole.case_id].case.is_open]
    for hole in owing:
        assert hole.audience is not None
        case = held[hole.case_id].case
        climb = missed(case.climb, hole.audience.rung, hole.roles, now)
        held[hole.case_id] = replace(held[hole.case_id], case=case.but(climb=climb))
    return owing


def _climb_on(house: House, held: dict[str, Decision], holes: Sequence[Hole], now: dt.datetime) -> list[Decision]:
    """What the next rungs say where one had nobody to tell."""
    further: list[Decision] = []
    for hole in holes:
        case = held[hole.case_id].case
        if not hole.ends_there or not case.is_open:
            continue
        decision = climb_on(case, hole.tell, now, house.laws.of(case.finding), house.calendar)
        if decision is not None:
            held[hole.case_id] = decision
            further.append(decision)
    return further


def _number(tx: Tx, house: House, decisions: Sequence[Decision], now: dt.datetime) -> list[Decision]:
    """Give the cases that are opened their numbers: sequential by district and calendar year, where the schools are."""
    opened = [one for one in decisions if not one.case.number]
    year = now.astimezone(house.calendar.zone).year
    numbers = iter(cases.next_numbers(tx, year, len(opened)) if opened else ())
    return [replace(one, case=numbered(one.case, next(numbers))) if not one.case.number else one for one in decisions]


def _entry(decision: Decision, kind: str, body: Mapping[str, Any], now: dt.datetime) -> EntryDraft:
    return EntryDraft(decision.case.case_id, now, now, kind, {key: _plain(value) for key, value in body.items()})


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.datetime) else value
