"""Sends what is due: claim, look once more, put into words, hand over, settle; each channel by itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from threading import Event
from typing import cast

import structlog

from daemon.jobs.channel_problems import reconsider, review_outcomes
from daemon.jobs.compose import Opened, compose, open_for
from daemon.jobs.fallback import after_sending
from daemon.jobs.flight import Flight, Pace, Ready
from daemon.jobs.house import House
from daemon.jobs.outcomes import ended_attempt, outcome_of, refused
from daemon.jobs.pace import gate
from daemon.jobs.sent import keep_texts
from daemon.jobs.stale import without_stale
from daemon.store import cases, journal, sending
from daemon.store.journal import EntryDraft
from daemon.store.keys import KeyringError
from daemon.store.sending import FAILED, RETRY, Claimed, Outcome, Places, Started
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Fault, Message, Notifier, Receipt, Swift
from notifiers.words import WordsError

log = structlog.get_logger()

REPEATED = "possibly repeated"
"""Journal: a message about the case leaves again, and nobody knows whether it had reached its recipient before."""

LEASE = dt.timedelta(minutes=2)
"""For so long a message is somebody's who sends it, and is his again and again while it is on its way."""
LOOK_SECONDS = 0.5
"""How long a message queued meanwhile may wait for a look when all that is on its way is slow."""
SWIFT = 4
"""So many times more messages of a swift channel are on their way at once, also to each addressee."""
LONGEST_PAUSE = 4.0
"""In seconds, between two tries to write down what was sent."""


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
    claimed, renewed = 0, time.monotonic()
    try:
        while True:
            places = None if stopping() else pace.room(flight.held)
            if places is not None and (started := _start(house, channel, house.clock(), places)):
                claimed += len(started)
                until = time.monotonic() + LEASE.total_seconds() / 2
                flight.put([Ready(*one, until) for one in started])
            if flight.is_still:
                return claimed
            landed = flight.landed(LOOK_SECONDS)
            _settle(house, [one.outcome for one in landed], stopping)
            pace.note(landed)
            if time.monotonic() - renewed > LEASE.total_seconds() / 4:
                renewed = time.monotonic()
                _keep(house, flight.aloft)
    finally:
        # A claim that fails does not take along what is on its way: an outcome forgotten is a message sent twice.
        _settle(
            house,
            [one.outcome for one in flight.all_landed(LEASE.total_seconds() / 4, partial(_keep, house))],
            stopping,
        )


def _keep(house: House, on_their_way: Sequence[Ready]) -> None:
    """Renew the leases of messages on their way: a receiver that is slow gets no second copy meanwhile."""
    ids = [one.started.message.message_id for one in on_their_way]
    try:
        house.store.commit(lambda tx: sending.renew(tx, ids, house.worker, house.clock() + LEASE))
    except Exception:
        log.critical("leases not renewed, trying again", count=len(ids), exc_info=True)


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
                cast("Message", one.words), lambda came: flight.land(one, outcome_of(house, one.started, came))
            )
    except Exception as error:  # noqa: BLE001 - nobody else would say that its place is free
        flight.land(one, outcome_of(house, one.started, error))


def _carry(house: House, channel: str, flight: Flight, one: Ready, until: float) -> None:
    """A worker's part: one message, and its place is free again whatever happens."""
    try:
        outcome = _hand_over(house, channel, one.started, one.words, until)
    except Exception as error:  # noqa: BLE001 - see above
        outcome = outcome_of(house, one.started, error)
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
        won = sending.claim(tx, now, LEASE, house.worker, places, [channel])
        going = without_stale(tx, gate(tx, house, won, now), now)
        _note_repeats(tx, [one for one in going if one.newly], now)
        return len(won), sending.start_attempts(tx, going, house.worker, now)

    claimed, started = house.store.commit(work)
    while claimed and not started:  # all of it is held back: others may be behind it
        claimed, started = house.store.commit(work)
    with house.store.read() as tx:
        worded = _in_words(tx, house, started)
    keep_texts(house, worded)
    return worded


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
    return outcome_of(house, started, came)


def _untried(
    house: House,
    started: Started,
    words: Message | DeliveryError,
    notifier: Notifier | Swift | None,
    until: float | None,
) -> Outcome | None:
    """What comes of an attempt that is not made: it is too late, there are no words, or no channel."""
    if until is not None and time.monotonic() > until:
        now = house.clock()
        return replace(ended_attempt(house, started, RETRY, now), next_at=now, error="had to wait too long")
    if isinstance(words, DeliveryError):
        return refused(house, started, words)
    if notifier is None:
        return refused(house, started, DeliveryError("the channel is not configured any more"))
    return None


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
    now = house.clock()
    outcomes = reconsider(tx, outcomes, now)
    sending.settle(tx, outcomes)
    after_sending(tx, house, outcomes, now)
    review_outcomes(tx, house, outcomes, now)
