"""What was to be told and is not true, not needed or told already by the time somebody would try it once more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from daemon.jobs.casefile import from_row
from daemon.jobs.needless import needless
from daemon.store import cases, falling, incidents, outbox, sending
from daemon.store.alerts import AlertRow
from daemon.store.sending import Claimed
from daemon.store.tx import Tx
from rules.case import Case
from rules.overtaken import is_overtaken

_ENDS = frozenset({"feed_recovered", "rules_accepted"})
"""What is told of an incident when it is over."""


def cases_about(tx: Tx, alerts: Iterable[AlertRow]) -> dict[str, Case]:
    """The cases these alerts are about, by id."""
    wanted = {one.case_id for one in alerts if one.case_id}
    return {key: from_row(row) for key, row in cases.cases_by_id(tx, wanted).items()}


def is_stale(tx: Tx, known: Mapping[str, Case], alert: AlertRow) -> bool:
    """Whether nobody need hear of an alert any more; of a case among those `known`, or of an incident."""
    case = known.get(alert.case_id or "")
    if case is not None:
        rule = alert.facts.get("rule")
        return is_overtaken(case, alert.kind, alert.episode, rule) or _is_needless(case, alert)
    if alert.incident_id is None or alert.kind in _ENDS:
        return False
    found = incidents.incident_by_id(tx, alert.incident_id)
    return found is None or found.closed_at is not None


def _is_needless(case: Case, alert: AlertRow) -> bool:
    words = {"acknowledged": case.acknowledged_at, "acted": case.acted_at}
    given = [word for word, at in words.items() if at is not None and at >= alert.raised_at]
    return alert.kind in {"escalation", "risk", "reminder"} and any(needless(case, one)(alert) for one in given)


def without_stale(tx: Tx, claimed: Sequence[Claimed], now: dt.datetime) -> list[Claimed]:
    """These messages without what has become stale, or was told on another channel, since they were tried.

    What nobody tried was cancelled in time. What may have arrived is told whole, under its id, or not at all: all of
    it counts as told, and is corrected.
    """
    tried = [row for one in claimed if one.message.attempts for row in one.alerts]
    known, told = cases_about(tx, tried), falling.told_otherwise(tx, tried)
    why = {row.alert_id: f"told by {told[row.alert_id]}" for row in tried if row.alert_id in told}
    why |= {row.alert_id: "overtaken" for row in tried if is_stale(tx, known, row)}
    return [left for one in claimed if (left := _left(tx, why, one, now)) is not None]


def _left(tx: Tx, why: Mapping[str, str], one: Claimed, now: dt.datetime) -> Claimed | None:
    stale = [row for row in one.alerts if row.alert_id in why]
    if not stale:
        return one
    whole = len(stale) == len(one.alerts)
    if one.message.doubtful or one.repeated:
        if whole:
            sending.give_up(tx, one.message.message_id)
        return None if whole else one
    for reason in dict.fromkeys(why[row.alert_id] for row in stale):
        outbox.stop(tx, now, reason, [row for row in stale if why[row.alert_id] == reason])
    return None if whole else replace(one, alerts=tuple(row for row in one.alerts if row not in stale))
