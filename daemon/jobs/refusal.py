"""A configuration that was refused: one incident for each set of faults, told to the operator once, over by itself."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.config import Problem
from daemon.jobs.house import House
from daemon.jobs.tell import EVERY_CHANNEL, OPERATOR, queue, recipient_of, unit_draft
from daemon.store import incidents, outbox
from daemon.store.incidents import IncidentRow
from daemon.store.outbox import AlertDraft
from daemon.store.tx import Tx
from rules.instants import to_micros

KIND = "configuration_refused"
SUBJECT = "configuration"

MOST = 20
"""So many faults are told one by one; the rest are counted."""
_LONGEST = 300
"""Characters of a fault that are told: it may quote what somebody wrote, at whatever length."""


def tell_refusal(house: House, problems: Sequence[Problem], now: dt.datetime) -> None:
    """Tell the operator of what was refused, unless just these faults were told last."""
    house.store.commit(lambda tx: _refuse(tx, house, problems, now))
    house.wake()


def tell_acceptance(house: House, now: dt.datetime) -> None:
    """Tell those who know of a refusal that it is over; nobody where nothing was refused."""
    house.store.commit(lambda tx: _accept(tx, house, now))
    house.wake()


def _refuse(tx: Tx, house: House, problems: Sequence[Problem], now: dt.datetime) -> None:
    told = hashlib.sha256("\n".join(map(str, problems)).encode()).hexdigest()
    known = incidents.open_incidents(tx, KIND)
    if any(row.state["told"] == told for row in known):
        return
    for row in known:
        _end(tx, row, "other faults", now)
    faults = [_fault(problem) for problem in problems[:MOST]]
    state = {"told": told, "faults": faults, "count": len(problems), "since": to_micros(now)}
    row = IncidentRow(house.new_id(), KIND, SUBJECT, [], now, state=state)
    incidents.insert_incidents(tx, [row])
    queue(tx, house, list(_alerts(tx, house, row, now)), now)


def _accept(tx: Tx, house: House, now: dt.datetime) -> None:
    for row in incidents.open_incidents(tx, KIND):
        _end(tx, row, "accepted", now)
        drafts = [
            unit_draft("rules_accepted", row.incident_id, SUBJECT, recipient_of(one), one.channel, {}, now)
            for one in outbox.alerts_of(tx, incident_id=row.incident_id)
            if one.cancelled_at is None
        ]
        queue(tx, house, drafts, now)


def _end(tx: Tx, row: IncidentRow, verdict: str, now: dt.datetime) -> None:
    """Close an incident; what was not sent about it must not leave any more."""
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict=verdict)])
    outbox.cancel(tx, now, verdict, incident_id=row.incident_id)


def _alerts(tx: Tx, house: House, row: IncidentRow, now: dt.datetime) -> Iterator[AlertDraft]:
    """To every operator, on every channel there is."""
    facts = {key: row.state[key] for key in ("faults", "count", "since")}
    for recipient in house.people(tx).directory.everyone(OPERATOR):
        for channel in EVERY_CHANNEL:
            if channel in house.notifiers and channel in recipient.channels:
                yield unit_draft("rules_refused", row.incident_id, SUBJECT, recipient, channel, facts, now)


def _fault(problem: Problem) -> Mapping[str, Any]:
    return {
        "file": problem.path,
        "line": problem.line,
        "key": problem.key[:_LONGEST],
        "fault": problem.fault[:_LONGEST],
        "hint": problem.hint and problem.hint[:_LONGEST],
    }
