"""What comes of an attempt: sent, to be tried again and when, or failed for good."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import structlog

from daemon.jobs.house import House
from daemon.store.outbox import SENT
from daemon.store.sending import FAILED, RETRY, Outcome, Started
from notifiers.contract import DeliveryError, Fault, Receipt

log = structlog.get_logger()

FIRST_RETRY = dt.timedelta(seconds=10)
LONGEST_RETRY = dt.timedelta(minutes=10)
GIVE_UP = dt.timedelta(days=7)
TRIES = 20
"""A message that could not leave for this long, and was tried so often, is given up; its case has long climbed on."""
DOUBTED_PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 30, 120))
"""After an attempt that may have reached its recipient; after one more of them nobody gets another copy."""


def outcome_of(house: House, started: Started, came: Receipt | Exception) -> Outcome:
    """Return what came of an attempt that was made."""
    row = started.message
    if isinstance(came, DeliveryError):
        return refused(house, started, came)
    if isinstance(came, Exception):
        # A bug in one channel must not stop the others, nor lose the message: it is logged whole and tried again.
        log.critical("sending failed unexpectedly", message=row.message_id, channel=row.channel, exc_info=came)
        house.metrics.failures.labels(job=f"send {row.channel}").inc()
        return refused(house, started, DeliveryError("unexpected failure, see the log", doubtful=True))
    return _taken(house, started, came.provider_id)


def _taken(house: House, started: Started, provider_id: str | None) -> Outcome:
    row, ended = started.message, house.clock()
    house.metrics.sent.labels(channel=row.channel, outcome="sent").inc()
    house.metrics.delay.labels(channel=row.channel).observe(max((ended - row.created_at).total_seconds(), 0))
    return replace(ended_attempt(house, started, SENT, ended), provider_id=provider_id)


def ended_attempt(house: House, started: Started, state: str, at: dt.datetime) -> Outcome:
    """Return the outcome of an attempt that ended so at an instant, and nothing else of it."""
    row = started.message
    return Outcome(row.message_id, started.n, house.worker, at, state, channel=row.channel, addressee=row.addressee)


def refused(house: House, started: Started, error: DeliveryError) -> Outcome:
    """Return what comes of an attempt that failed; one of which the other side had the id already was taken before."""
    if error.taken_before and started.n > 1:
        return _taken(house, started, None)
    row, ended = started.message, house.clock()
    doubtful = error.doubtful or error.taken_before
    doubts = started.doubts + doubtful
    given_up = error.permanent or _is_given_up(house, started, error, doubts if doubtful else 0, ended)
    state = FAILED if given_up else RETRY
    house.metrics.sent.labels(channel=row.channel, outcome=state).inc()
    log.warning(
        "message not taken",
        message=row.message_id,
        channel=row.channel,
        reason=error.reason,
        fault=str(error.fault),
        final=given_up,
        n=started.n,
    )
    return replace(
        ended_attempt(house, started, state, ended),
        next_at=None if given_up else ended + _pause(house, started, error, doubts if doubtful else 0),
        error=error.reason,
        doubtful=doubtful,
        fault=str(error.fault),
    )


def _is_given_up(house: House, started: Started, error: DeliveryError, doubts: int, now: dt.datetime) -> bool:
    """Return whether to try no more: what our account is blamed for waits for the operator, however long.

    What may have reached a person is not repeated for ever; it counts as told, and is told another way besides.
    """
    if error.fault is Fault.ACCOUNT:
        return False
    if doubts > len(DOUBTED_PAUSES) and _copies_are_read(house, started):
        return True
    return now - started.message.created_at > GIVE_UP and started.n >= TRIES


def _pause(house: House, started: Started, error: DeliveryError, doubts: int) -> dt.timedelta:
    """Return how long to wait before the next attempt: much longer where it may be a second copy for somebody."""
    usual = retry_after(started.n, error.retry_after)
    if not doubts or not _copies_are_read(house, started):
        return usual
    return max(usual, DOUBTED_PAUSES[min(doubts, len(DOUBTED_PAUSES)) - 1])


def _copies_are_read(house: House, started: Started) -> bool:
    """Return whether a second copy is read by a person, and not dropped by whoever knows the id of the first."""
    return not getattr(house.notifiers.get(started.message.channel), "knows_ids", False)


def retry_after(attempt: int, asked: dt.timedelta | None) -> dt.timedelta:
    """Return how long to wait after attempt `attempt`: doubling with jitter, or what was asked for if longer."""
    grown: dt.timedelta = min(FIRST_RETRY * 2 ** min(attempt - 1, 16), LONGEST_RETRY)
    jittered = grown * (0.75 + random.random() / 2)  # noqa: S311 - spreads load, keeps no secret
    return max(jittered, asked or dt.timedelta(0))
