"""Deliveries that lack much of what is in force: held until a person accepts them, or until they stay so for a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from daemon.feeds.payload import Reading, Refused, digest
from daemon.jobs.delivery import Delivery
from daemon.jobs.house import House
from daemon.store import enrolment, incidents
from daemon.store.incidents import IncidentRow
from daemon.store.namesakes import known_again
from daemon.store.tx import Tx
from rules.instants import from_micros, to_micros
from rules.records import ContactRecord, StudentRecord, UnitRecord

KIND = "held_deliveries"
"""Incident: what is held of a feed (subject), each delivery by its name with since when; it tells nobody by itself."""

ROSTERS: Mapping[str, type[StudentRecord | ContactRecord | UnitRecord]] = {
    "students": StudentRecord,
    "contacts": ContactRecord,
    "units": UnitRecord,
}
LONG_ENOUGH = dt.timedelta(days=1)
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """What a delivery would take out of force: the ids that it lacks, and how many there were."""

    gone: tuple[str, ...]
    of: int

    @property
    def fingerprint(self) -> str:
        """A digest of what would go."""
        return digest("\n".join(self.gone).encode())

    def refusal(self, delivery: Delivery) -> Refused:
        """The delivery as something not taken, in words for the operator."""
        few = ", ".join(self.gone[:MOST_NAMED]) + (", …" if len(self.gone) > MOST_NAMED else "")
        fault = f"lacks {len(self.gone)} of {self.of} {delivery.feed.records} that are in force ({few})"
        hint = f"send it whole, or accept it: baoxue feed accept {delivery.feed.id} --by WHO"
        return Refused(delivery.name, 0, None, fault, hint)


def shrinkage_of(tx: Tx, delivery: Delivery, reading: Reading) -> Shrinkage | None:
    """Return what a roster's delivery lacks, if that is as much as its feed must ask about; None if it may be taken.

    A row that was refused lacks nobody it names: what was in force of them stays.
    """
    kind = ROSTERS.get(delivery.feed.records)
    share = delivery.feed.hold_when_missing
    if kind is None or not share:
        return None
    listed = {key_of(one) for one in _as_stored(tx, delivery, kind)}
    known = enrolment.listed_by(tx, delivery.feed.records, source_of(delivery))
    gone = tuple(sorted(known.difference(listed, kept_of(tx, delivery, reading))))
    return Shrinkage(gone, len(known)) if gone and len(gone) >= share * len(known) else None


def kept_of(tx: Tx, delivery: Delivery, reading: Reading) -> frozenset[str]:
    """Return the ids that stay in force though no row that was taken lists them: those that refused rows name.

    Where a refused row names nobody who can be told, it may name anybody: all stay.
    """
    taken = {one.line for one in reading.records}
    refused = [one for one in reading.problems if one.line not in taken]
    if any(one.key is None for one in refused):
        return enrolment.listed_by(tx, delivery.feed.records, source_of(delivery))
    return frozenset(one.key for one in refused if one.key)


def _as_stored(
    tx: Tx, delivery: Delivery, kind: type[StudentRecord | ContactRecord | UnitRecord]
) -> Sequence[StudentRecord | ContactRecord | UnitRecord]:
    """The records under the ids they are stored by."""
    return known_again(tx, delivery.of(ContactRecord)) if kind is ContactRecord else delivery.of(kind)


def source_of(delivery: Delivery) -> str:
    """Return what a roster's rows are listed by: the feed and the file."""
    return f"{delivery.feed.id}:{delivery.name}"


def key_of(record: StudentRecord | ContactRecord | UnitRecord) -> str:
    """Return the id of a roster's record."""
    if isinstance(record, StudentRecord):
        return record.student_id
    return record.contact_id if isinstance(record, ContactRecord) else record.unit_id


def is_accepted(tx: Tx, feed_id: str, name: str, shrinkage: Shrinkage, now: dt.datetime) -> bool:
    """Return whether a person has accepted what would go, or it has been the same for long enough."""
    entry = _entries(_incident(tx, feed_id)).get(name)
    if entry is None or entry["fingerprint"] != shrinkage.fingerprint:
        return False
    return bool(entry["accepted"]) or now - from_micros(entry["since"]) >= LONG_ENOUGH


def hold(tx: Tx, house: House, feed_id: str, name: str, shrinkage: Shrinkage, now: dt.datetime) -> None:
    """Keep since when a delivery lacks just this; the operator is told with the other problems of the feed."""
    row = _incident(tx, feed_id)
    entries = _entries(row)
    if name in entries and entries[name]["fingerprint"] == shrinkage.fingerprint:
        return
    size = {"gone": len(shrinkage.gone), "of": shrinkage.of}
    entry = {"fingerprint": shrinkage.fingerprint, "since": to_micros(now), "accepted": False, **size}
    _save(tx, house, feed_id, row, {**entries, name: entry}, now)


def release(tx: Tx, house: House, feed_id: str, names: Collection[str], now: dt.datetime) -> None:
    """Forget of deliveries that are not held any more; the incident ends with the last."""
    row = _incident(tx, feed_id)
    entries = _entries(row)
    left = {name: entry for name, entry in entries.items() if name not in names}
    if len(left) < len(entries):
        _save(tx, house, feed_id, row, left, now)


def accept(tx: Tx, feed_id: str, by: str, now: dt.datetime) -> Sequence[str]:
    """Accept everything held of a feed as it is now; the names of the deliveries, none where nothing is held."""
    row = _incident(tx, feed_id)
    if row is None:
        return ()
    entries = {name: {**entry, "accepted": True} for name, entry in _entries(row).items()}
    incidents.update_incidents(tx, [replace(row, judged_by=by, judged_at=now, state={"held": entries})])
    return sorted(entries)


def entries_of(tx: Tx, feed_id: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what is held of a feed, by the name of the delivery: `gone` of how many (`of`), `since`, `fingerprint`."""
    return _entries(_incident(tx, feed_id))


def _incident(tx: Tx, feed_id: str) -> IncidentRow | None:
    return next((row for row in incidents.open_incidents(tx, KIND) if row.subject == feed_id), None)


def _entries(row: IncidentRow | None) -> Mapping[str, Mapping[str, Any]]:
    return {} if row is None else row.state["held"]


def _save(
    tx: Tx, house: House, feed_id: str, row: IncidentRow | None, entries: Mapping[str, Any], now: dt.datetime
) -> None:
    state = {"held": entries}
    if row is None:
        incidents.insert_incidents(tx, [IncidentRow(house.new_id(), KIND, feed_id, [], now, state=state)])
    else:
        incidents.update_incidents(tx, [replace(row, closed_at=None if entries else now, state=state)])
