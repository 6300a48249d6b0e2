"""Rows for children not yet on the roster: kept sealed, and read back when the child appears."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from daemon.desk.similar_ids import MOST_NAMED
from daemon.store import intake
from daemon.store.intake import Refusal
from daemon.store.tx import Tx
from rules.instants import from_micros, to_micros
from rules.records import LeaveRecord, Mark, MarkRecord, MovementRecord, PunchRecord

Waiting = MarkRecord | PunchRecord | LeaveRecord | MovementRecord
_KINDS: dict[str, type[Waiting]] = {
    kind.__name__: kind for kind in (MarkRecord, PunchRecord, LeaveRecord, MovementRecord)
}
_INSTANTS = frozenset({"recorded_at", "came_at", "at", "starts", "ends"})


NOT_THERE = "the child is not on the roster yet"
KEPT = (
    "the row is kept and taken when the roster names the child; "
    "one child under two numbers: baoxue student same OLD NEW --by WHO"
)


def park_rows(
    payload_id: str,
    feed_id: str,
    records: Iterable[Waiting],
    similar: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Refusal]:
    """Return `records` as refusals that will be tried again; `similar` are ids of the roster that look alike."""
    return [
        Refusal(
            payload_id,
            record.line,
            "student_id",
            NOT_THERE,
            _hint(similar.get(record.student_id, ())),
            record.student_id,
            {"feed": feed_id, "kind": type(record).__name__, **_values(record)},
            retry=True,
        )
        for record in records
    ]


def _hint(similar: Sequence[str]) -> str:
    if not similar:
        return KEPT
    return f"the roster has {', '.join(similar[:MOST_NAMED])}: write the id alike in both; {KEPT}"


def waiting_for(tx: Tx, students: Sequence[str]) -> dict[str, list[tuple[Refusal, Waiting]]]:
    """The rows that waited for `students`, by feed, in the order they came."""
    found: dict[str, list[tuple[Refusal, Waiting]]] = {}
    for refusal in intake.parked_for(tx, students):
        if refusal.row is not None:
            found.setdefault(refusal.row["feed"], []).append((refusal, _record(refusal.row)))
    return found


def _values(record: Waiting) -> dict[str, Any]:
    names = type(record).__annotations__
    return {name: _plain(getattr(record, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return to_micros(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _record(row: Any) -> Waiting:  # noqa: ANN401 - JSON is what it is
    kind = _KINDS[row["kind"]]
    values = {name: _back(name, row[name]) for name in kind.__annotations__}
    return kind(**values)


def _back(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON is what it is
    if value is None:
        return None
    if name in _INSTANTS:
        return from_micros(value)
    if name == "date":
        return dt.date.fromisoformat(value)
    return Mark(value) if name == "mark" else value
