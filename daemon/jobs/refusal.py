"""A configuration that was refused: one incident for each set of faults, told to the operator once, over by itself."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.config import Problem
from daemon.jobs.announce import announce, announce_to_told
from daemon.jobs.house import House
from daemon.jobs.routing import operators
from daemon.jobs.tell import queue
from daemon.store import incidents, outbox
from daemon.store.incidents import IncidentRow
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
    told_of = {key: state[key] for key in ("faults", "count", "since")}
    sought = operators(house.people(tx), about=SUBJECT)
    drafts = announce(tx, house, "rules_refused", row.incident_id, sought, told_of, now, incident_id=row.incident_id)
    queue(tx, house, drafts, now)


def _accept(tx: Tx, house: House, now: dt.datetime) -> None:
    for row in incidents.open_incidents(tx, KIND):
        _end(tx, row, "accepted", now)
        drafts = announce_to_told(tx, house, "rules_accepted", row.incident_id, {}, now)
        queue(tx, house, drafts, now)


def _end(tx: Tx, row: IncidentRow, verdict: str, now: dt.datetime) -> None:
    """Close an incident; what was not sent about it must not leave any more."""
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict=verdict)])
    outbox.cancel(tx, now, verdict, incident_id=row.incident_id)


def _fault(problem: Problem) -> Mapping[str, Any]:
    return {
        "file": problem.path,
        "line": problem.line,
        "key": problem.key[:_LONGEST],
        "fault": problem.fault[:_LONGEST],
        "hint": problem.hint and problem.hint[:_LONGEST],
    }
