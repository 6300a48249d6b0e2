"""Polls one feed: fetch, read, take in; a bad payload or row stops only itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from daemon.config import FeedConfig
from daemon.feeds.fetch import fetch
from daemon.feeds.payload import Cursor, FeedError, Payload, Reading
from daemon.feeds.read import read
from daemon.jobs.delivery import Delivery, TakenIn
from daemon.jobs.house import House
from daemon.jobs.intake import call_ahead, take_in
from daemon.store import intake
from daemon.store.intake import FeedState, Refusal
from daemon.store.tx import Tx

log = structlog.get_logger()

ORDER = ("units", "students", "contacts", "leaves", "movements", "marks", "punches")
"""The order in which feeds are polled together: who is where before what they did."""

AT_ONCE = 200_000
"""Payloads of one poll are taken in by one transaction up to so many rows: nothing is decided on half of them."""


def in_order(feeds: tuple[FeedConfig, ...]) -> list[FeedConfig]:
    """`feeds` with rosters first."""
    return sorted(feeds, key=lambda feed: ORDER.index(feed.records))


@dataclass
class _Round:
    """One poll under way: where the feed stood and will stand, what came, and the names of what was not taken."""

    feed: FeedConfig
    now: dt.datetime
    before: FeedState
    cursor: Cursor = field(default_factory=Cursor)
    taken: TakenIn = field(default_factory=TakenIn)
    failed: list[str] = field(default_factory=list)


def poll_feed(house: House, feed: FeedConfig, now: dt.datetime) -> TakenIn:
    """Fetch what is new and take it in; the feed's state says how it went.

    Does not raise for what a source does wrong: the state, the log and the metrics tell of it. A payload we fail at
    ourselves is passed over, shown in the log, and tried again at the next poll.
    """
    with house.store.read() as tx:
        this = _Round(feed, now, intake.feed_state(tx, feed.id))
    try:
        payloads, this.cursor = fetch(feed, house.config.base, Cursor.from_json(this.before.cursor), now)
    except FeedError as error:
        log.warning("feed not polled", feed=feed.id, reason=error.reason, permanent=error.permanent)
        _note_failure(house, this, error.reason)
        return this.taken
    except Exception:
        _note_failure(house, this, "unexpected failure, see the log")
        raise
    _take_payloads(house, this, payloads)
    _save(house, this, news=bool(payloads))
    house.wake()
    return this.taken


def _note_failure(house: House, this: _Round, reason: str) -> None:
    house.metrics.polls.labels(feed=this.feed.id, outcome="failed").inc()
    failed = replace(this.before, state="failed", last_polled_at=this.now, problem=reason)
    house.store.commit(lambda tx: intake.save_feed_state(tx, failed))


def _save(house: House, this: _Round, *, news: bool) -> None:
    cursor = this.cursor
    problem = None if news else this.before.problem
    if this.taken.refused:
        problem = f"{len(this.taken.refused)} rows refused"
    if this.taken.missing:
        problem = f"{len(this.taken.missing)} children are missing from the newest roster; they stay judged"
    if this.failed:
        problem = f"{len(this.failed)} deliveries could not be taken, see the log"
        kept = {name: seen for name, seen in cursor.seen.items() if name not in this.failed}
        cursor = replace(cursor, seen=kept, etag=None, last_modified=None)
    counts = dict(this.taken.counts) or dict(this.before.counts)
    state = FeedState(this.feed.id, cursor.to_json(), "ok", this.now, this.now, problem, counts)
    house.store.commit(lambda tx: intake.save_feed_state(tx, state))
    house.metrics.polls.labels(feed=this.feed.id, outcome="ok").inc()
    house.metrics.feed_ok.labels(feed=this.feed.id).set(this.now.timestamp())
    house.metrics.refused.labels(feed=this.feed.id).inc(len(this.taken.refused))
    house.metrics.marks.labels(feed=this.feed.id).inc(this.taken.counts["marks"])


# ---- payloads ---------------------------------------------------------------------------------------------------

_Read = tuple[Payload, Reading]
_Ready = tuple[Payload, Reading, Delivery]


def _take_payloads(house: House, this: _Round, payloads: Iterable[Payload]) -> None:
    batch: list[_Read] = []
    for payload in payloads:
        try:
            batch.append((payload, read(this.feed, payload, house.calendar.zone)))
        except Exception as error:  # noqa: BLE001 - a bug met by one delivery must not stop the others
            _give_up(house, this, payload, error)
        if sum(len(reading.records) for _, reading in batch) >= AT_ONCE:
            _take_batch(house, this, batch)
            batch = []
    _take_batch(house, this, batch)


def _take_batch(house: House, this: _Round, batch: Sequence[_Read]) -> None:
    """All of them in one transaction, so that one instant is taken in whole; singly, when one of them is at fault."""
    if not batch:
        return
    try:
        ready = _call_ahead(house, this, batch)
        parts = house.store.commit(lambda tx: _record_batch(tx, house, this, ready))
    except Exception as error:  # noqa: BLE001 - likewise
        if len(batch) == 1:
            _give_up(house, this, batch[0][0], error)
            return
        for one in batch:
            _take_batch(house, this, [one])
    else:
        for part in parts:
            _merge(this.taken, part)


def _call_ahead(house: House, this: _Round, batch: Sequence[_Read]) -> list[_Ready]:
    """Do before the transaction what can be done before it: nobody else can write while it lasts."""
    today = this.now.astimezone(house.calendar.zone).date()
    ready = []
    with house.store.read() as tx:
        for payload, reading in batch:
            covers = covered(this.feed, reading, today)
            delivery = Delivery(this.feed, payload.name, "", this.now, reading.records, covers)
            call_ahead(tx, house, delivery)
            ready.append((payload, reading, delivery))
    return ready


def _record_batch(tx: Tx, house: House, this: _Round, batch: Sequence[_Ready]) -> list[TakenIn]:
    parts = [_record(tx, house, this, *one) for one in batch]
    _keep_place(tx, this, [payload.name for payload, _, _ in batch])
    return parts


def _give_up(house: House, this: _Round, payload: Payload, error: Exception) -> None:
    log.critical("delivery not taken", feed=this.feed.id, payload=payload.sha256[:12], exc_info=error)
    house.metrics.failures.labels(job=f"poll {this.feed.id}").inc()
    this.failed.append(payload.name)


def _record(tx: Tx, house: House, this: _Round, payload: Payload, reading: Reading, delivery: Delivery) -> TakenIn:
    payload_id = intake.record_payload(
        tx,
        feed_id=this.feed.id,
        sha256=f"{payload.sha256}/{this.cursor.meaning}",  # the same bytes read otherwise are news
        name=payload.name,
        fetched_at=payload.fetched_at,
        covers=delivery.covers,
        row_count=len(reading.records),
        refused_count=len(reading.problems),
    )
    if payload_id is None:
        return TakenIn()
    refusals = [
        Refusal(payload_id, one.line, one.column, one.fault, one.hint, one.student_id) for one in reading.problems
    ]
    intake.park(tx, refusals)
    delivery.payload_id = payload_id
    taken = take_in(tx, house, delivery)
    taken.refused[:0] = reading.problems
    return taken


def _keep_place(tx: Tx, this: _Round, names: Iterable[str]) -> None:
    """Remember that these were taken, with what they said: a death after it must not take them in again."""
    state = intake.feed_state(tx, this.feed.id)
    before = Cursor.from_json(state.cursor)
    before = before if before.meaning == this.cursor.meaning else Cursor(meaning=this.cursor.meaning)
    seen = {name: this.cursor.seen[name] for name in names if name in this.cursor.seen}
    reached = replace(before, seen={**before.seen, **seen})
    intake.save_feed_state(tx, replace(state, cursor=reached.to_json()))


def covered(feed: FeedConfig, reading: Reading, today: dt.date | None = None) -> tuple[dt.date, dt.date] | None:
    """The days an exception feed's payload speaks for: those it names, and of an http feed up to `today`, too.

    None for feeds that name everybody. A file says nothing about days after its last: nobody knows when it was made.
    """
    if feed.presence != "implied":
        return None
    asked = [today] if feed.url is not None and today is not None else []
    days = [day for day in (reading.first_date, reading.last_date, *asked) if day is not None]
    return (min(days), max(days)) if days else None


def _merge(whole: TakenIn, part: TakenIn) -> None:
    whole.counts.update(part.counts)
    whole.refused += part.refused
    whole.missing += part.missing
    whole.odd_classes += part.odd_classes
