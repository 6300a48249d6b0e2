"""Sends what is due: claim, look once more, put into words, hand over, settle; each channel by itself."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from threading import Event
from typing import cast

import structlog

from daemon.jobs.compose import Opened, compose, open_for
from daemon.jobs.fallback import after_sending
from daemon.jobs.flight import Flight, Pace, Ready
from daemon.jobs.house import House
from daemon.jobs.pace import gate
from daemon.jobs.stale import without_stale
from daemon.store import cases, journal, sending
from daemon.store.journal import EntryDraft
from daemon.store.keys import KeyringError
from daemon.store.outbox import SENT
from daemon.store.sending import FAILED, RETRY, Claimed, Outcome, Places, Started
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Fault, Message, Notifier, Receipt, Swift
from notifiers.words import WordsError

log = structlog.get_logger()

REPEATED = "possibly repeated"
"""Journal: a message about the case leaves again, and nobody knows whether it had reached its recipient before."""

LEASE = dt.timedelta(minutes=2)
STEPS = 12
LOOK_SECONDS = 0.5
"""How long a message queued meanwhile may wait for a look when all that is on its way is slow."""
SWIFT = 4
"""So many times more messages of a swift channel are on their way at once, also to each addressee."""
LONGEST_PAUSE = 4.0
"""In seconds, between two tries to write down what was sent."""
FIRST_RETRY = dt.timedelta(seconds=10)
LONGEST_RETRY = dt.timedelta(minutes=10)
GIVE_UP = dt.timedelta(days=7)
TRIES = 20
"""A message that could not leave for this long, and was tried so often, is given up; its case has long climbed on."""


def send_due(house: House, channel: str, now: dt.datetime, *, limit: int = 100) -> int:
    """Send at most `limit` due messages of one channel, one by one; how many were claimed.

    Safe to be killed and run again.
    """
    started = _start(house, channel, now, limit)
    _settle(house, [_hand_over(house, channel, one, words) for one, words in started])
    return len(started)


def send_side_by_side(
    house: House,
    channel: str,
    workers: Executor,
    width: int,
    *,
    each: int | None = None,
    stopping: Callable[[], bool] = lambda: False,
    bell: Event | None = None,
) -> int:
    """Send what is due of one channel, `width` messages at once, until nothing is; how many were claimed.

    Of those `each` to any one addressee, so that a slow one holds up nobody else, however much waits for it. A channel
    that is swift needs no worker for a message, and has more at once. Claimed is what has a place, and while receivers
    are quick as much as they will take in an instant (see `Pace`); whatever waits so long for its place that its lease
    nears its end is given back untried. `bell` rings when something was queued. Once `stopping`, what is on its way is
    awaited, what waits for a place is given back, and nothing more is claimed. Safe to be killed and run again.
    """
    if isinstance(house.notifiers.get(channel), Swift):
        width, each = width * SWIFT, each and each * SWIFT

    def launch(one: Ready) -> None:
        _launch(house, channel, workers, flight, one, until=0.0 if stopping() else one.until)

    flight = Flight(launch, width, each or width, bell or Event())
    pace = Pace(width, each)
    claimed = 0
    try:
        while True:
            places = None if stopping() else pace.room(flight.held)
            if places is not None and (started := _start(house, channel, house.clock(), places)):
                claimed += len(started)
                until = time.monotonic() + lease_of(house, channel).total_seconds() / 2
                flight.put([Ready(*one, until) for one in started])
            if flight.is_still:
                return claimed
            landed = flight.landed(LOOK_SECONDS)
            _settle(house, [one.outcome for one in landed], stopping)
            pace.note(landed)
    finally:
        # A claim that fails does not take along what is on its way: an outcome forgotten is a message sent twice.
        _settle(house, [one.outcome for one in flight.all_landed()], stopping)


def _launch(house: House, channel: str, workers: Executor, flight: Flight, one: Ready, *, until: float) -> None:
    """Hand a message over, by the channel itself if it is swift, else by a worker."""
    notifier: object = house.notifiers.get(channel)
    try:
        if not isinstance(notifier, Swift):
            workers.submit(_carry, house, channel, flight, one, until)
        elif (never := _untried(house, one.started, one.words, notifier, until)) is not None:
            flight.land(one, never)
        else:
            notifier.begin(
                cast("Message", one.words), lambda came: flight.land(one, _outcome(house, one.started, came))
            )
    except Exception as error:  # noqa: BLE001 - nobody else would say that its place is free
        flight.land(one, _outcome(house, one.started, error))


def _carry(house: House, channel: str, flight: Flight, one: Ready, until: float) -> None:
    """A worker's part: one message, and its place is free again whatever happens."""
    try:
        outcome = _hand_over(house, channel, one.started, one.words, until)
    except Exception as error:  # noqa: BLE001 - see above
        outcome = _outcome(house, one.started, error)
    flight.land(one, outcome)


def _start(
    house: House, channel: str, now: dt.datetime, places: Places | int
) -> list[tuple[Started, Message | DeliveryError]]:
    """Claim due messages, note that each is about to leave, and put them into words."""
    full = places.full if isinstance(places, Places) else ()
    with house.store.read() as tx:
        if not sending.any_due(tx, now, channel, full):
            return []

    def work(tx: Tx) -> tuple[int, list[Started]]:
        won = sending.claim(tx, now, lease_of(house, channel), house.worker, places, [channel])
        going = without_stale(tx, gate(tx, house, won, now), now)
        _note_repeats(tx, [one for one in going if one.newly], now)
        return len(won), sending.start_attempts(tx, going, house.worker, now)

    claimed, started = house.store.commit(work)
    while claimed and not started:  # all of it is held back: others may be behind it
        claimed, started = house.store.commit(work)
    with house.store.read() as tx:
        return _in_words(tx, house, started)


def _in_words(tx: Tx, house: House, started: Sequence[Started]) -> list[tuple[Started, Message | DeliveryError]]:
    """Each with its words; names and addresses are opened for all at once, or singly when one of them does not open."""
    try:
        opened = open_for(tx, [(one.message, one.alerts) for one in started])
    except KeyringError:
        singly = [partial(open_for, tx, [(one.message, one.alerts)]) for one in started]
        return [(one, _composed(house, opens, one)) for one, opens in zip(started, singly, strict=True)]
    return [(one, _composed(house, lambda: opened, one)) for one in started]


def _note_repeats(tx: Tx, doubted: Sequence[Claimed], now: dt.datetime) -> None:
    """Say in the journals that what was told about these cases may be told twice; once a message."""
    noted = [
        EntryDraft(case_id, now, now, REPEATED, {"message": one.message.message_id, "channel": one.message.channel})
        for one in doubted
        for case_id in sorted({alert.case_id for alert in one.alerts if alert.case_id})
    ]
    cases.hold(tx, [entry.case_id for entry in noted])
    journal.append(tx, noted)


def lease_of(house: House, channel: str) -> dt.timedelta:
    """How long one attempt may take at the very most: a mail has a dozen steps, each with the channel's time-out."""
    settings = getattr(house.config.channels, channel, None)
    return LEASE if settings is None else max(LEASE, STEPS * settings.timeout)


def _composed(house: House, opens: Callable[[], Opened], started: Started) -> Message | DeliveryError:
    """The message, or why it can never be sent; a template at fault is the operator's to mend, so it is tried again."""
    try:
        message = compose(house, opens(), started.message, started.alerts)
    except WordsError as error:
        return DeliveryError(str(error))
    except Exception:
        log.critical("message not composed", message=started.message.message_id, exc_info=True)
        house.metrics.failures.labels(job=f"compose {started.message.channel}").inc()
        return DeliveryError("could not be put into words, see the log")
    return message or DeliveryError("the recipient has no address on this channel any more", Fault.ADDRESS)


def _hand_over(
    house: House, channel: str, started: Started, words: Message | DeliveryError, until: float | None = None
) -> Outcome:
    """One attempt; whatever goes wrong in it stays with this message. None is made after `until` (monotonic)."""
    notifier = house.notifiers.get(channel)
    if (never := _untried(house, started, words, notifier, until)) is not None:
        return never
    came: Receipt | Exception
    try:
        came = cast("Notifier", notifier).send(cast("Message", words))
    except Exception as error:  # noqa: BLE001 - told apart, and logged, where the outcome is made
        came = error
    return _outcome(house, started, came)


def _untried(
    house: House,
    started: Started,
    words: Message | DeliveryError,
    notifier: Notifier | Swift | None,
    until: float | None,
) -> Outcome | None:
    """What comes of an attempt that is not made: it is too late, there are no words, or no channel."""
    row = started.message
    if until is not None and time.monotonic() > until:
        now = house.clock()
        return Outcome(row.message_id, started.n, house.worker, now, RETRY, next_at=now, error="had to wait too long")
    if isinstance(words, DeliveryError):
        return _failed(house, started, words)
    if notifier is None:
        return _failed(house, started, DeliveryError("the channel is not configured any more"))
    return None


def _outcome(house: House, started: Started, came: Receipt | Exception) -> Outcome:
    """What came of an attempt that was made."""
    row = started.message
    if isinstance(came, DeliveryError):
        return _failed(house, started, came)
    if isinstance(came, Exception):
        # A bug in one channel must not stop the others, nor lose the message: it is logged whole and tried again.
        log.critical("sending failed unexpectedly", message=row.message_id, channel=row.channel, exc_info=came)
        house.metrics.failures.labels(job=f"send {row.channel}").inc()
        return _failed(house, started, DeliveryError("unexpected failure, see the log", doubtful=True))
    ended = house.clock()
    house.metrics.sent.labels(channel=row.channel, outcome="sent").inc()
    house.metrics.delay.labels(channel=row.channel).observe(max((ended - row.created_at).total_seconds(), 0))
    return Outcome(row.message_id, started.n, house.worker, ended, SENT, provider_id=came.provider_id)


def _failed(house: House, started: Started, error: DeliveryError) -> Outcome:
    row, ended = started.message, house.clock()
    given_up = error.permanent or (ended - row.created_at > GIVE_UP and started.n >= TRIES)
    state = FAILED if given_up else RETRY
    house.metrics.sent.labels(channel=row.channel, outcome=state).inc()
    log.warning(
        "message not taken",
        message=row.message_id,
        channel=row.channel,
        reason=error.reason,
        final=given_up,
        n=started.n,
    )
    return Outcome(
        row.message_id,
        started.n,
        house.worker,
        ended,
        state,
        next_at=None if given_up else ended + retry_after(started.n, error.retry_after),
        error=error.reason,
        doubtful=error.doubtful,
    )


def retry_after(attempt: int, asked: dt.timedelta | None) -> dt.timedelta:
    """How long to wait after attempt `attempt`: doubling with jitter, or what the other side asked for if longer."""
    grown: dt.timedelta = min(FIRST_RETRY * 2 ** min(attempt - 1, 16), LONGEST_RETRY)
    jittered = grown * (0.75 + random.random() / 2)  # noqa: S311 - spreads load, keeps no secret
    return max(jittered, asked or dt.timedelta(0))


def _settle(house: House, outcomes: Sequence[Outcome], stopping: Callable[[], bool] = lambda: True) -> None:
    """Write down what came of attempts; while the store cannot (a full disk), again until their leases end."""
    until = time.monotonic() + LEASE.total_seconds()
    pause = LOOK_SECONDS
    while outcomes:
        try:
            house.store.commit(lambda tx: _written(tx, house, outcomes))
        except Exception:
            if stopping() or time.monotonic() > until:
                raise
            log.critical("outcomes not written, trying again", count=len(outcomes), exc_info=True)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            if any(one.state == FAILED for one in outcomes):
                house.wake()
            return


def _written(tx: Tx, house: House, outcomes: Sequence[Outcome]) -> None:
    """Settle, and in the same transaction do what follows: nothing that failed for good is ever forgotten."""
    sending.settle(tx, outcomes)
    after_sending(tx, house, outcomes, house.clock())
