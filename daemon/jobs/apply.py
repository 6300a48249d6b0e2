"""Applies decisions: case, journal, alerts and timers in one transaction, or none of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.jobs.casefile import numbered, to_row
from daemon.jobs.house import House
from daemon.jobs.storms import StormChange, apply_storms
from daemon.jobs.tell import draft_alerts, queue
from daemon.store import cases, journal, outbox, timers
from daemon.store.journal import EntryDraft
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from notifiers.phrases import KINDS
from rules.case import Decision

CASE = "case"
_ABOUT_THE_REPORT = tuple(kind for kind in KINDS if kind != "risk")
"""What a correction of the report overtakes; a sign says nothing about it."""


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
    for decision in changed:
        # In shadow whatever was written counts as told: it is corrected, as it would have been, and not cancelled.
        if decision.cancels and not house.shadow:
            reason = decision.case.reason or "overtaken"
            outbox.cancel(tx, now, reason, case_id=decision.case.case_id, kinds=_ABOUT_THE_REPORT)
    drafted = draft_alerts(tx, house, changed, now)
    entries = [_entry(one, entry.kind, entry.body, now) for one in changed for entry in one.entries]
    journal.append(tx, [*entries, *drafted.notes], begun=opened)
    queue(tx, house, drafted.alerts, now)
    timers.complete(tx, spent)
    woken = {timer.subject for timer in spent if timer.kind == CASE}
    again = [one.case for one in decisions if not one.changed and one.case.student_id in woken]
    armed = [(case.student_id, case.wake_at) for case in (*(one.case for one in changed), *again)]
    timers.arm(tx, [Timer(CASE, student, at) for student, at in armed if at is not None])
    house.metrics.unreachable.inc(drafted.unheard)
    return len(changed)


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
