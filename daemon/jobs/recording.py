"""Records one delivery: as taken in, as held, or as one of which nothing could be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from daemon.config import FeedConfig
from daemon.feeds.payload import Payload, Reading, Refused
from daemon.jobs import held
from daemon.jobs.delivery import Delivery, TakenIn
from daemon.jobs.house import House
from daemon.jobs.intake import take_in
from daemon.store import deliveries, intake
from daemon.store.deliveries import Outcome, PayloadRow
from daemon.store.intake import Refusal
from daemon.store.tx import Tx

EMPTY = "has no rows", "a roster without anybody is none: send it whole"


@dataclass(frozen=True)
class Recorded:
    """What became of one delivery; `held` is its name while it waits to be accepted."""

    taken: TakenIn = field(default_factory=TakenIn)
    held: str | None = None


def covered(feed: FeedConfig, reading: Reading, today: dt.date | None = None) -> tuple[dt.date, dt.date] | None:
    """The days an exception feed's payload speaks for: those it names, and of an http feed up to `today`, too.

    None for feeds that name everybody, and for what could not be read. A file says nothing about days after its last:
    nobody knows when it was made.
    """
    if feed.presence != "implied" or reading.unreadable:
        return None
    asked = [today] if feed.url is not None and today is not None else []
    days = [day for day in (reading.first_date, reading.last_date, *asked) if day is not None]
    return (min(days), max(days)) if days else None


def record(tx: Tx, house: House, payload: Payload, reading: Reading, delivery: Delivery, *, meaning: str) -> Recorded:
    """Record what a payload said, read in one way (`meaning`); needs a write transaction."""
    sha256 = f"{payload.sha256}/{meaning}"  # the same bytes read otherwise are news
    newest = deliveries.newest_payload(tx, delivery.feed.id, payload.name)
    again = newest if newest is not None and newest.sha256 == sha256 else None
    if again is not None and again.outcome == Outcome.UNREADABLE:
        return Recorded()
    if again is not None and again.outcome == Outcome.TAKEN:
        return _speak_again(tx, house, delivery, again) if delivery.covers is not None else Recorded()
    problems = [*reading.problems, *_emptiness(delivery, reading)]
    if not reading.records and problems:
        _note(tx, delivery, sha256, problems, reading, Outcome.UNREADABLE)
        return Recorded(TakenIn(refused=problems))
    shrinkage = held.shrinkage_of(tx, delivery, reading)
    if shrinkage and not held.is_accepted(tx, delivery.feed.id, delivery.name, shrinkage, delivery.known_at):
        if again is None:
            _note(tx, delivery, sha256, problems, reading, Outcome.HELD)
        held.hold(tx, house, delivery.feed.id, delivery.name, shrinkage, delivery.known_at)
        return Recorded(TakenIn(refused=problems, held=[shrinkage.refusal(delivery)]), delivery.name)
    held.release(tx, house, delivery.feed.id, {delivery.name}, delivery.known_at)
    return _take(tx, house, delivery, reading, sha256, again)


def _emptiness(delivery: Delivery, reading: Reading) -> Sequence[Refused]:
    if delivery.feed.records not in held.ROSTERS or reading.records or reading.problems:
        return ()
    return (Refused(delivery.name, 0, None, *EMPTY),)


def _note(
    tx: Tx, delivery: Delivery, sha256: str, problems: Sequence[Refused], reading: Reading, outcome: Outcome
) -> None:
    """Note a delivery and what was refused of it; its id is then the delivery's."""
    payload_id = deliveries.record_payload(
        tx,
        feed_id=delivery.feed.id,
        sha256=sha256,
        name=delivery.name,
        fetched_at=delivery.known_at,
        covers=delivery.covers if outcome is Outcome.TAKEN else None,
        row_count=len(reading.records),
        refused_count=len(problems),
        outcome=outcome,
        delivered_at=delivery.modified_at,
    )
    assert payload_id is not None
    delivery.payload_id = payload_id
    rows = [Refusal(payload_id, one.line, one.column, one.fault, one.hint, one.student_id) for one in problems]
    intake.park(tx, rows)


def _take(
    tx: Tx, house: House, delivery: Delivery, reading: Reading, sha256: str, accepted: PayloadRow | None
) -> Recorded:
    if accepted is None:
        _note(tx, delivery, sha256, reading.problems, reading, Outcome.TAKEN)
    else:
        delivery.payload_id = accepted.payload_id
    taken = take_in(tx, house, delivery)
    taken.refused[:0] = reading.problems
    taken.notices[:0] = reading.notices
    deliveries.amend_payload(
        tx,
        delivery.payload_id,
        outcome=Outcome.TAKEN,
        refused_count=len(taken.refused),
        waiting_count=len(taken.parked),
        notices=[[one.source, one.line, one.column, one.fault, one.hint] for one in taken.notices],
    )
    return Recorded(taken)


def _speak_again(tx: Tx, house: House, delivery: Delivery, before: PayloadRow) -> Recorded:
    """An exception feed that says the same once more speaks for the sessions that are over since."""
    delivery.covered_until = delivery.covered_until or _NEVER
    delivery.payload_id = before.payload_id
    assert delivery.covers is not None
    deliveries.amend_payload(tx, before.payload_id, covers_to=delivery.covers[1])
    take_in(tx, house, delivery)
    return Recorded()


_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
