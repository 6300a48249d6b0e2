"""What could not be told on one channel is told on the next, by turns to the next on duty, and never silently lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from daemon.jobs.house import House
from daemon.jobs.nobody import OWED
from daemon.jobs.owed import look_at_owed
from daemon.jobs.relay import Relay, span_of
from daemon.jobs.routing import FALL_BACK
from daemon.jobs.tell import FALLS
from daemon.jobs.unheard import UNHEARD, climb_unheard
from daemon.jobs.ways import NOT_ARRIVED
from daemon.store import falling, outbox, sending, timers, unreachable
from daemon.store.falling import Leg
from daemon.store.sending import Outcome
from daemon.store.timers import Timer
from daemon.store.tx import Tx

MOST = 500
"""Alerts looked at in one transaction."""
GRACE = dt.timedelta(minutes=1)
"""Whoever looks later than this was not there: what waited gets its time anew."""


def after_sending(tx: Tx, house: House, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """What follows from attempts that were settled in this transaction.

    A success clears what was noted of its address, and stops what waits to tell the same on other channels; what
    failed for good is told on the next.
    """
    sent = [one.message_id for one in outcomes if one.state == sending.SENT]
    failed = [one.message_id for one in outcomes if one.state == sending.FAILED]
    if sent:
        unreachable.clear(tx, sent, but=NOT_ARRIVED)
        _stop_others(tx, sent, now)
    if failed:
        fall_back(tx, house, failed, now)


def after_arriving(tx: Tx, message_ids: Sequence[str], now: dt.datetime) -> None:
    """What follows from messages that are known to have arrived: their addresses work, and other channels can rest."""
    unreachable.clear(tx, message_ids)
    _stop_others(tx, message_ids, now)


def fall_back(tx: Tx, house: House, message_ids: Collection[str], now: dt.datetime) -> None:
    """Messages failed for good, or did not arrive: note their addresses, and tell everything in them another way.

    Those that did neither are left alone, so that it does no harm to say it twice.
    """
    lost = [leg for leg in falling.legs_in(tx, message_ids) if leg.is_lost]
    if lost:
        Relay(tx, house, now, lost).pass_on()


def next_look(house: House) -> dt.datetime | None:
    """When the next alert has had its time on its channel, a ladder is to be climbed on, or what is owed looked at."""
    with house.store.read() as tx:
        return timers.next_due(tx, (FALLS, UNHEARD, OWED))


def look_at_alerts(house: House, now: dt.datetime) -> None:
    """Pass on what has not left in its time, let the next rung speak where one reached nobody, tell what is owed."""
    fall_back_late(house, now)
    climb_unheard(house, now)
    look_at_owed(house, now)


def fall_back_late(house: House, now: dt.datetime) -> int:
    """Tell on the next channel what has not left in its time; how many alerts were looked at."""
    looked = 0
    while True:
        with house.store.read() as tx:
            if not timers.due(tx, now, 1, (FALLS,)):
                return looked
        looked += house.store.commit(lambda tx: _fall_back_late(tx, house, now))
        house.wake()


def _fall_back_late(tx: Tx, house: House, now: dt.datetime) -> int:
    due = timers.claim(tx, now, GRACE, house.worker, MOST, (FALLS,))
    at = {timer.subject: timer.due_at for timer in due}
    falling.hold(tx, at)  # or one that leaves just now would be told on the next channel, too
    legs = [leg for leg in falling.legs_of(tx, at) if leg.waits]
    waiting = {
        one.alert.key: until for one in legs if (until := _until(house, one, at[one.alert.key], now)) is not None
    }
    late = [leg for leg in legs if leg.alert.key not in waiting]
    if late:
        Relay(tx, house, now, late).pass_on()
    timers.complete(tx, due)
    timers.arm(tx, [Timer(FALLS, key, until) for key, until in waiting.items()])
    return len(due)


def _until(house: House, leg: Leg, due_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Until when an alert has more time: it is being sent, was not to leave yet, or nobody was there to send it."""
    row, span = leg.message, span_of(leg.alert) or FALL_BACK
    if row.lease_until is not None and row.lease_until >= now:
        return row.lease_until + dt.timedelta(microseconds=1)
    if leg.flying and row.channel in house.notifiers:  # its sender is dead: another will see to it at once
        return now + GRACE
    if row.held is not None or (row.attempts == 0 and row.next_at > now):
        return max(row.next_at, now) + span
    return now + span if now - due_at > GRACE else None


def _stop_others(tx: Tx, message_ids: Sequence[str], now: dt.datetime) -> None:
    """Whoever was told on one channel is not told on another any more, where that has not left yet."""
    roots = falling.roots_among(tx, message_ids)
    sent = set(message_ids)
    for family in falling.families(tx, roots).values():
        by = next((leg.message.channel for leg in family if leg.message.message_id in sent), "")
        others = [leg.alert for leg in family if leg.waits and leg.message.message_id not in sent]
        outbox.stop(tx, now, f"told by {by}", others)
