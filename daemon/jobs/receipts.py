"""What becomes of messages: ask the channels that can be asked, keep every word, and act on the one that counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import structlog

from daemon.jobs.fallback import after_arriving, fall_back
from daemon.jobs.house import House
from daemon.jobs.replies import answer_reply
from daemon.store import cases, journal, outbox, receipts, timers
from daemon.store import roster as rosters
from daemon.store.alerts import MessageRow
from daemon.store.journal import EntryDraft
from daemon.store.receipts import DELIVERED, FAILED, Kept, ReceiptRow, Word
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Fault, Gatherer, Heard, Overhearing, Report, Waiting

log = structlog.get_logger()

EARLY = "receipt"
"""Timer: a receipt came before its message was known or settled; to be looked at again (subject: the receipt)."""
GATHER = "gather"
"""Timer: a channel is to be asked what became of its messages (subject: the channel)."""

PUSHED, ASKED = "pushed", "asked"
UNDELIVERED = "undelivered"
"""Journal: a message about the case was taken by its channel and did not arrive."""
ARRIVED = "delivered after all"
"""Journal: a message about the case of which the contrary was said has arrived."""

EVERY = dt.timedelta(minutes=1)
SELDOM = dt.timedelta(minutes=15)
"""How often a channel is asked while a message sent lately is waited for, and otherwise: for late words and replies."""
LATELY = dt.timedelta(hours=1)
LEASE = dt.timedelta(minutes=10)
WAITS = dt.timedelta(days=3)
"""How long after its making a message is asked about; later words are kept all the same."""
MOST = 500
"""Messages asked about at once."""
FIRST_LOOK = dt.timedelta(seconds=30)
LAST_LOOK = dt.timedelta(days=1)
"""How soon a word that was early is looked at again, and until when; it is kept for ever."""
_STRIDES = ((dt.timedelta(minutes=10), 1), (dt.timedelta(hours=1), 5), (dt.timedelta(hours=6), 15), (WAITS, 60))
"""How often a message of which nothing is known is asked about, in minutes, until it is so old."""


# ---- asking ---------------------------------------------------------------------------------------------------------


def gatherers(house: House) -> Mapping[str, Gatherer]:
    """The configured channels that can be asked."""
    return {name: one for name, one in sorted(house.notifiers.items()) if isinstance(one, Gatherer)}


def next_look(house: House) -> dt.datetime | None:
    """When to ask a channel, or look again at a word that was early."""
    with house.store.read() as tx:
        return timers.next_due(tx, (EARLY, GATHER))


def look_at_receipts(house: House, now: dt.datetime) -> None:
    """Ask every channel whose turn it is, and look again at words that were early.

    Safe to be killed and run again: what a channel gave is confirmed to it when it is kept.
    """
    _look_again(house, now)
    asked = gatherers(house)
    _arm(house, asked, now)
    won = house.store.commit(lambda tx: timers.claim(tx, now, LEASE, house.worker, MOST, (GATHER,)))
    for timer in won:
        if timer.subject in asked:
            _gather(house, timer.subject, asked[timer.subject], now)
    house.store.commit(lambda tx: _arm_next(tx, won, asked, now))


def _arm(house: House, asked: Mapping[str, Gatherer], now: dt.datetime) -> None:
    """A timer for every channel that has none yet; soon, where a message was sent that is waited for."""
    with house.store.read() as tx:
        armed = {timer.subject: timer.due_at for timer in timers.armed(tx, (GATHER,))}
        late = [name for name in asked if armed.get(name, now) > now + EVERY and _gap(tx, name, now) == EVERY]
    new = [Timer(GATHER, name, now) for name in asked if name not in armed]
    new += [Timer(GATHER, name, now + EVERY) for name in late]
    if new:
        house.store.commit(lambda tx: timers.arm(tx, new))


def _arm_next(tx: Tx, won: Sequence[Timer], asked: Mapping[str, Gatherer], now: dt.datetime) -> None:
    timers.complete(tx, won)
    names = [timer.subject for timer in won if timer.subject in asked]
    timers.arm(tx, [Timer(GATHER, name, now + _gap(tx, name, now)) for name in names])


def _gap(tx: Tx, channel: str, now: dt.datetime) -> dt.timedelta:
    """How long until a channel is asked again."""
    return EVERY if receipts.waiting(tx, channel, now - LATELY, 1) else SELDOM


def _gather(house: House, channel: str, source: Gatherer, now: dt.datetime) -> None:
    """Ask one channel; what goes wrong stays with it, and is tried again a minute later."""
    try:
        heard = source.gather(_waiting(house, channel, source, now))
        keep(house, channel, ASKED, heard, now)
        source.confirm(heard)
    except DeliveryError as error:
        log.warning("receipts not asked for", channel=channel, reason=error.reason)
        house.metrics.failures.labels(job=f"receipts {channel}").inc()
    except Exception:
        # A bug in one channel must not keep the others from being asked.
        log.critical("asking for receipts failed unexpectedly", channel=channel, exc_info=True)
        house.metrics.failures.labels(job=f"receipts {channel}").inc()


def _waiting(house: House, channel: str, source: Gatherer, now: dt.datetime) -> list[Waiting]:
    """The messages to ask about now: each the more seldom, the older it is; all of them where nobody is asked."""
    all_of_them = isinstance(source, Overhearing) and source.overhears
    minute = int(now.timestamp()) // 60
    with house.store.read() as tx:
        gap = _gap(tx, channel, now) // dt.timedelta(minutes=1)
        rows = receipts.waiting(tx, channel, now - WAITS, 20 * MOST)
        chosen = rows if all_of_them else [row for row in rows if _is_asked(row, minute, gap, now)][:MOST]
        contacts = rosters.contacts_of(tx, {row.contact_id for row in chosen})
    addresses = {key: {"sms": one.phone, "email": one.email}.get(channel) or "" for key, one in contacts.items()}
    return [
        Waiting(row.message_id, row.provider_id, addresses.get(row.contact_id, ""), row.told_at or row.created_at)
        for row in chosen
    ]


def _is_asked(row: MessageRow, minute: int, gap: int, now: dt.datetime) -> bool:
    """Whether the message's turn came in the last `gap` minutes; turns are spread by its id."""
    age = now - (row.told_at or row.created_at)
    stride = next((stride for until, stride in _STRIDES if age < until), _STRIDES[-1][1])
    return (minute + crc32(row.message_id.encode())) % stride < gap


# ---- keeping --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Landed:
    """What was kept, and which of the new rows are about cases that were closed by then."""

    kept: Kept
    late: frozenset[str]


def keep(house: House, channel: str, way: str, heard: Heard, now: dt.datetime) -> Kept:
    """Keep what was heard of a channel and act on it; a repeat changes nothing. Replies are answered one by one."""
    words = [_word(report, now) for report in heard.reports]
    kept = Kept()
    if words:
        landed = house.store.commit(lambda tx: _keep(tx, house, channel, way, words, now))
        _count(house, channel, landed)
        kept = landed.kept
    for reply in heard.replies:
        answer_reply(house, channel, reply, now)
    if kept.failed or kept.recovered or heard.replies:
        house.wake()
    return kept


def _word(report: Report, now: dt.datetime) -> Word:
    """A report as the store keeps it; nothing comes about later than we hear of it."""
    fault = None if report.fault is Fault.ADDRESS else str(report.fault)
    return Word(report.status, min(report.at, now), report.message_id, report.provider_id, report.detail, fault)


def _keep(tx: Tx, house: House, channel: str, way: str, words: Sequence[Word], now: dt.datetime) -> _Landed:
    kept = receipts.record(tx, channel, way, words, now)
    _act(tx, house, kept, now)
    timers.arm(tx, [Timer(EARLY, row.receipt_id, now + FIRST_LOOK) for row in kept.early])
    return _Landed(kept, _late(tx, kept.new))


def _look_again(house: House, now: dt.datetime) -> None:
    """Words that were early: as soon as their message is known and settled they take effect."""

    def work(tx: Tx) -> Kept:
        due = timers.due(tx, now, MOST, (EARLY,))
        kept = receipts.look_again(tx, [timer.subject for timer in due], now)
        _act(tx, house, kept, now)
        timers.complete(tx, due)
        timers.arm(tx, list(_later(kept.early, now)))
        return kept

    with house.store.read() as tx:
        if not timers.due(tx, now, 1, (EARLY,)):
            return
    if any((kept := house.store.commit(work), kept.failed or kept.recovered)[1:]):
        house.wake()


def _later(early: Sequence[ReceiptRow], now: dt.datetime) -> Iterator[Timer]:
    """The next look at each, after as long as it has been known; none for one that has been known for too long."""
    for row in early:
        age = now - row.known_at
        if age < LAST_LOOK:
            yield Timer(EARLY, row.receipt_id, now + max(age, FIRST_LOOK))


def _act(tx: Tx, house: House, kept: Kept, now: dt.datetime) -> None:
    """Say in the journals what did not arrive, or did after all; and tell whom it was for on the next channel."""
    changed = [*((UNDELIVERED, row) for row in kept.failed), *((ARRIVED, row) for row in kept.recovered)]
    _note(tx, changed, now)
    if kept.arrived:
        after_arriving(tx, [row.message_id for row in kept.arrived], now)
    if kept.failed:
        fall_back(tx, house, [row.message_id for row in kept.failed], now)


def _note(tx: Tx, changed: Sequence[tuple[str, MessageRow]], now: dt.datetime) -> None:
    alerts = outbox.alerts_by_message(tx, [row.message_id for _, row in changed])
    codes = _codes(tx, [row.message_id for _, row in changed])
    noted = [
        EntryDraft(case_id, now, now, kind, _said(row, codes.get((row.message_id, kind))))
        for kind, row in changed
        for case_id in sorted({alert.case_id for alert in alerts.get(row.message_id, ()) if alert.case_id})
    ]
    cases.hold(tx, [entry.case_id for entry in noted])
    journal.append(tx, noted)


def _said(row: MessageRow, code: str | None) -> dict[str, str]:
    said = {"message": row.message_id, "channel": row.channel, "contact": row.contact_id}
    return said | ({"code": code} if code else {})


def _codes(tx: Tx, message_ids: Sequence[str]) -> dict[tuple[str, str], str | None]:
    """The provider's code of the last word of each kind about each message."""
    kinds = {FAILED: UNDELIVERED, DELIVERED: ARRIVED}
    said = receipts.receipts_of(tx, message_ids)
    return {(key, kinds[row.status]): row.detail for key, rows in said.items() for row in rows if row.status in kinds}


def _late(tx: Tx, rows: Sequence[ReceiptRow]) -> frozenset[str]:
    """Those of the rows all of whose cases are closed."""
    alerts = outbox.alerts_by_message(tx, [row.message_id for row in rows if row.message_id])
    known = cases.cases_by_id(tx, {one.case_id for each in alerts.values() for one in each if one.case_id})
    over: set[str] = set()
    for row in rows:
        about = [known[one.case_id] for one in alerts.get(row.message_id or "", ()) if one.case_id in known]
        if about and not any(case.is_open for case in about):
            over.add(row.receipt_id)
    return frozenset(over)


def _count(house: House, channel: str, landed: _Landed) -> None:
    counted = house.metrics.receipts
    for row in landed.kept.new:
        standing = "unknown" if row.message_id is None else "late" if row.receipt_id in landed.late else "new"
        counted.labels(channel=channel, status=row.status, standing=standing).inc()
    if landed.kept.repeated:
        counted.labels(channel=channel, status="any", standing="repeated").inc(landed.kept.repeated)
    for message in landed.kept.arrived:
        if message.delivered_at is not None:
            age = (message.delivered_at - message.created_at).total_seconds()
            house.metrics.arrival.labels(channel=channel).observe(max(age, 0))
    if landed.kept.failed:
        house.metrics.undelivered.labels(channel=channel).inc(len(landed.kept.failed))
        log.warning("messages did not arrive", channel=channel, messages=[row.message_id for row in landed.kept.failed])
