"""Polls one feed: fetch, read, take in; a bad payload or row stops only itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from daemon.config import FeedConfig
from daemon.feeds.fetch import fetch
from daemon.feeds.payload import Cursor, FeedError, Payload, Reading, Refused
from daemon.feeds.read import read
from daemon.jobs.delivery import Delivery, TakenIn
from daemon.jobs.feed_findings import passed_over_by
from daemon.jobs.feed_problems import review_feed
from daemon.jobs.held import ROSTERS, kept_of
from daemon.jobs.house import House
from daemon.jobs.intake import call_ahead
from daemon.jobs.recording import Recorded, covered, record
from daemon.store import deliveries, intake
from daemon.store.deliveries import Outcome
from daemon.store.engine_errors import store_fault
from daemon.store.intake import FeedState
from daemon.store.tx import Tx

log = structlog.get_logger()

ORDER = ("units", "students", "contacts", "leaves", "movements", "marks", "punches")
"""The order in which feeds are polled together: who is where before what they did."""

AT_ONCE = 200_000
"""Payloads of one poll are taken in by one transaction up to so many rows: nothing is decided on half of them."""

_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
_TICK = dt.timedelta(microseconds=1)


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
    """What we failed at ourselves."""
    held: list[str] = field(default_factory=list)
    """What waits to be accepted, and is read again at the next poll."""
    delivered_at: dt.datetime = _LONG_AGO
    """When the payload before was written: of two in one poll the later counts."""


def poll_feed(house: House, feed: FeedConfig, now: dt.datetime) -> TakenIn:
    """Fetch what is new and take it in; the feed's state says how it went, and the operator hears of its problems.

    Does not raise for what a source does wrong: the state, the log and the metrics tell of it. A payload we fail at
    ourselves is passed over, shown in the log, and tried again at the next poll.
    """
    with house.store.read() as tx:
        this = _Round(feed, now, intake.feed_state(tx, feed.id))
    this.cursor = Cursor.from_json(this.before.cursor)
    try:
        while _take_piece(house, this):
            pass
    except FeedError as error:
        log.warning("feed not polled", feed=feed.id, reason=error.reason, permanent=error.permanent)
        _note_failure(house, this, error.reason)
        return this.taken
    except Exception as error:
        if store_fault(error) is None:  # where the store fails nothing can be noted in it, and the feed is not at fault
            _note_failure(house, this, "unexpected failure, see the log")
        raise
    finally:
        house.unread.pop(feed.id, None)
    _save(house, this)
    house.wake()
    return this.taken


def _take_piece(house: House, this: _Round) -> bool:
    """Fetch what is new, or the part of it that was written first, and take it in; whether files are left."""
    payloads, this.cursor = fetch(this.feed, house.config.base, this.cursor, this.now)
    left = this.cursor.left
    if left:
        house.unread[this.feed.id] = left
        log.info("files are still to be read", feed=this.feed.id, count=left)
        house.store.commit(lambda tx: intake.save_feed_state(tx, _reading(tx, this, left)))
    _take_payloads(house, this, payloads)
    return left > 0


def _reading(tx: Tx, this: _Round, left: int) -> FeedState:
    """The state of a feed of which files are still to be read."""
    state = intake.feed_state(tx, this.feed.id)
    return replace(state, state="reading", last_polled_at=this.now, problem=f"{left} files are still to be read")


def _note_failure(house: House, this: _Round, reason: str) -> None:
    house.metrics.polls.labels(feed=this.feed.id, outcome="failed").inc()

    def write(tx: Tx) -> None:
        # What was taken before it failed is taken: the cursor is where that got to.
        failed = replace(_failed(this, reason), cursor=intake.feed_state(tx, this.feed.id).cursor)
        intake.save_feed_state(tx, failed)
        review_feed(tx, house, this.feed, failed, (), this.now)

    house.store.commit(write)
    house.wake()


def _failed(this: _Round, reason: str) -> FeedState:
    """The state of a feed that failed once more; its cursor is the one before."""
    return replace(
        this.before,
        state="failed",
        last_polled_at=this.now,
        problem=reason,
        failed_polls=this.before.failed_polls + 1,
        failing_since=this.before.failing_since or this.now,
    )


def _save(house: House, this: _Round) -> None:
    """Write how the poll went, and review the problems of the feed."""
    passed_over = passed_over_by(house, this.feed)
    this.taken.notices += passed_over
    state = house.store.commit(lambda tx: _settle(tx, house, this, passed_over))
    outcome = "failed" if state.state == "failed" else "ok"
    house.metrics.polls.labels(feed=this.feed.id, outcome=outcome).inc()
    if outcome == "ok":
        house.metrics.feed_ok.labels(feed=this.feed.id).set(this.now.timestamp())
    house.metrics.refused.labels(feed=this.feed.id).inc(len(this.taken.refused))
    house.metrics.marks.labels(feed=this.feed.id).inc(this.taken.counts["marks"])


def _settle(tx: Tx, house: House, this: _Round, passed_over: Sequence[Refused]) -> FeedState:
    cursor, left = this.cursor, {*this.failed, *this.held}
    if left:
        kept = {name: seen for name, seen in cursor.seen.items() if name not in left}
        cursor = replace(cursor, seen=kept, etag=None, last_modified=None)
    names = {*this.cursor.seen, *this.failed, *this.held}
    reason = _why_failing(tx, this, names)
    counts = dict(this.taken.counts) or dict(this.before.counts)
    ahead = this.before.dates_ahead or this.taken.dates_ahead
    if reason is not None:
        state = replace(_failed(this, reason), cursor=cursor.to_json(), counts=counts, dates_ahead=ahead)
    else:
        ok = ("ok", this.now, this.now)
        state = FeedState(this.feed.id, cursor.to_json(), *ok, None, counts, dates_ahead=ahead)
    problem = review_feed(tx, house, this.feed, state, passed_over, this.now, names)
    state = replace(state, problem=reason or problem)
    intake.save_feed_state(tx, state)
    return state


def _why_failing(tx: Tx, this: _Round, names: set[str]) -> str | None:
    """Why nothing that the feed has to give could be taken; None while anything could."""
    if this.failed:
        return f"{len(this.failed)} deliveries could not be taken, see the log"
    if not names and this.feed.records in ROSTERS:
        return f"{this.feed.path}: no file is there"
    unreadable = {
        row.name: row
        for row in deliveries.troubled_payloads(tx, this.feed.id, None)
        if row.outcome == Outcome.UNREADABLE and row.name in names
    }
    if not unreadable or len(unreadable) < len(names):
        return None
    first = intake.refusals_in(tx, [next(iter(unreadable.values())).payload_id], 1)
    return f"{next(iter(unreadable))}: {first[0].fault}" if first else f"{next(iter(unreadable))}: cannot be read"


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
    except Exception as error:
        if store_fault(error) is not None:
            raise
        if len(batch) == 1:
            _give_up(house, this, batch[0][0], error)
            return
        for one in batch:
            _take_batch(house, this, [one])
    else:
        for part in parts:
            _merge(this.taken, part.taken)
            this.held += [part.held] if part.held else []


def _call_ahead(house: House, this: _Round, batch: Sequence[_Read]) -> list[_Ready]:
    """Do before the transaction what can be done before it: nobody else can write while it lasts."""
    ready = []
    with house.store.read() as tx:
        for payload, reading in batch:
            delivery = _delivery(tx, house, this, payload, reading)
            if not reading.unreadable:
                call_ahead(tx, house, delivery)
            ready.append((payload, reading, delivery))
    return ready


def _delivery(tx: Tx, house: House, this: _Round, payload: Payload, reading: Reading) -> Delivery:
    feed, today = this.feed, this.now.astimezone(house.calendar.zone).date()
    this.delivered_at = max(min(payload.modified_at or this.now, this.now), this.delivered_at + _TICK)
    delivery = Delivery(feed, payload.name, "", this.now, reading.records, covered(feed, reading, today))
    delivery.refused_marks = reading.refused_marks
    if feed.records in ROSTERS:
        delivery.kept = kept_of(tx, delivery, reading)
    delivery.modified_at = this.delivered_at
    delivery.dates_ahead = this.before.dates_ahead
    if payload.seen_before:
        delivery.covered_until = this.before.last_ok_at
    elif feed.presence != "implied":
        delivery.first_known_at = deliveries.first_delivered(tx, feed.id, payload.name, payload.sha256)
    return delivery


def _record_batch(tx: Tx, house: House, this: _Round, batch: Sequence[_Ready]) -> list[Recorded]:
    parts = [record(tx, house, *one, meaning=this.cursor.meaning) for one in batch]
    held = {part.held for part in parts}
    _keep_place(tx, this, [payload.name for payload, _, _ in batch if payload.name not in held])
    return parts


def _give_up(house: House, this: _Round, payload: Payload, error: Exception) -> None:
    log.critical("delivery not taken", feed=this.feed.id, payload=payload.sha256[:12], exc_info=error)
    house.metrics.failures.labels(job=f"poll {this.feed.id}").inc()
    this.failed.append(payload.name)


def _keep_place(tx: Tx, this: _Round, names: Iterable[str]) -> None:
    """Remember that these were taken, with what they said: a death after it must not take them in again."""
    state = intake.feed_state(tx, this.feed.id)
    before = Cursor.from_json(state.cursor)
    before = before if before.meaning == this.cursor.meaning else Cursor(meaning=this.cursor.meaning)
    seen = {name: this.cursor.seen[name] for name in names if name in this.cursor.seen}
    reached = replace(before, seen={**before.seen, **seen})
    intake.save_feed_state(tx, replace(state, cursor=reached.to_json()))


def _merge(whole: TakenIn, part: TakenIn) -> None:
    whole.counts.update(part.counts)
    whole.refused += part.refused
    whole.parked += part.parked
    whole.notices += part.notices
    whole.held += part.held
    whole.missing += part.missing
    whole.odd_classes += part.odd_classes
    whole.dates_ahead |= part.dates_ahead
