"""The delivery record as an operator reads it: one line a message, and what each channel comes to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from daemon.desk.ledger import case_row
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.jobs.naming import Names, open_names
from daemon.jobs.sent import sent_values
from daemon.store import cases, record
from daemon.store.alerts import FAILED, QUEUED, SENT, UNDELIVERED, AttemptRow
from daemon.store.receipts import ReceiptRow
from daemon.store.record import Posted, Taken
from daemon.store.tx import Tx


def list_deliveries(
    tx: Tx,
    house: House,
    *,
    number: str | None = None,
    texts: bool = False,
    **asked: Any,  # noqa: ANN401 - as `record.list_posted` takes them
) -> list[dict[str, Any]]:
    """Return messages as plain values, newest first, with their attempts and receipts; no address.

    `texts`: also what they said. Names are None where the key does not open them. Raises DeskError for a case `number`
    that is not known.
    """
    row = case_row(tx, number) if number else None
    found = record.list_posted(tx, case_id=row.case_id if row else None, **asked)
    alerts = [alert for one in found for alert in one.alerts]
    about = cases.cases_by_id(tx, sorted({alert.case_id for alert in alerts if alert.case_id}))
    names = open_names(
        tx,
        house.people(tx),
        students=[alert.student_id for alert in alerts],
        contacts=[one.message.contact_id for one in found],
    )
    numbers = {key: case.number for key, case in about.items()}
    said = sent_values(tx, [one.message.message_id for one in found]) if texts else {}
    return [
        _delivery(house, one, numbers, names) | ({"texts": said.get(one.message.message_id, [])} if texts else {})
        for one in found
    ]


def _delivery(house: House, one: Posted, numbers: Mapping[str, str], names: Names) -> dict[str, Any]:
    row = one.message
    students = sorted({alert.student_id for alert in one.alerts if alert.student_id})
    errors = [attempt.error for attempt in one.attempts if attempt.error]
    last = one.receipts[-1] if one.receipts else None
    return {
        "message": row.message_id,
        "kind": row.kind,
        "channel": row.channel,
        "contact": row.contact_id,
        "contact_name": names.contacts.get(row.contact_id),
        "role": one.alerts[0].role if one.alerts else None,
        "students": students,
        "names": [names.students.get(student) for student in students],
        "state": row.state,
        "attempts": row.attempts,
        "created_at": local(house, row.created_at),
        "told_at": local(house, row.told_at),
        "delivered_at": local(house, row.delivered_at),
        "queued_for": _seconds(row.created_at, row.told_at),
        "on_its_way_for": _seconds(row.told_at, row.delivered_at),
        "next_at": local(house, row.next_at) if row.state == QUEUED else None,
        "held": row.held if row.state == QUEUED else None,
        "doubtful": row.doubtful,
        "receipt": f"{last.status} {last.detail or ''}".strip() if last else None,
        "provider_id": row.provider_id,
        "error": errors[-1] if errors and row.state not in (SENT, UNDELIVERED) else None,
        "cases": sorted({numbers[alert.case_id] for alert in one.alerts if alert.case_id and alert.case_id in numbers}),
        "tries": [attempt_values(house, each) for each in one.attempts],
        "receipts": [receipt_values(house, each) for each in one.receipts],
    }


def attempt_values(house: House, one: AttemptRow) -> dict[str, Any]:
    """One attempt as plain values."""
    return {
        "n": one.n,
        "started_at": local(house, one.started_at),
        "ended_at": local(house, one.ended_at),
        "outcome": one.outcome,
        "error": one.error,
        "provider_id": one.provider_id,
        "doubtful": one.doubtful,
    }


def receipt_values(house: House, one: ReceiptRow) -> dict[str, Any]:
    """One receipt as plain values."""
    return {
        "status": one.status,
        "at": local(house, one.at),
        "known_at": local(house, one.known_at),
        "way": one.way,
        "code": one.detail,
    }


def _seconds(first: dt.datetime | None, last: dt.datetime | None) -> float | None:
    return None if first is None or last is None else round((last - first).total_seconds(), 1)


# ---- what each channel comes to -------------------------------------------------------------------------------------

_STATES = (SENT, UNDELIVERED, FAILED, QUEUED)


def summary(taken: Iterable[Taken]) -> list[dict[str, Any]]:
    """By channel how many messages there were, what became of them, and how long they took: median and 95th percentile.

    The times are in seconds; those of messages that did not come so far are left out.
    """
    by_channel: dict[str, list[Taken]] = {}
    for one in taken:
        by_channel.setdefault(one.channel, []).append(one)
    return [_summary(channel, rows) for channel, rows in sorted(by_channel.items())]


def _summary(channel: str, rows: Sequence[Taken]) -> dict[str, Any]:
    states = Counter(one.state for one in rows)
    sent = [_seconds(one.created_at, one.told_at) for one in rows]
    arrived = [_seconds(one.told_at, one.delivered_at) for one in rows]
    whole = [_seconds(one.created_at, one.delivered_at) for one in rows]
    return {
        "channel": channel,
        "messages": len(rows),
        **{state: states[state] for state in _STATES},
        "other": len(rows) - sum(states[state] for state in _STATES),
        "arrived": sum(one.delivered_at is not None for one in rows),
        "attempts": sum(one.attempts for one in rows),
        **_spread("to_sent", sent),
        **_spread("to_arrival", arrived),
        **_spread("in_all", whole),
    }


def _spread(name: str, seconds: Iterable[float | None]) -> dict[str, float | None]:
    known = [one for one in seconds if one is not None]
    if not known:
        return {f"{name}_median": None, f"{name}_p95": None}
    median, high = np.percentile(np.maximum(known, 0), (50, 95))
    return {f"{name}_median": round(float(median), 1), f"{name}_p95": round(float(high), 1)}
