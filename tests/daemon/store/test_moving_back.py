"""What was noted by a clock that was ahead counts as soon as that is set right, and what waits by it goes on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from daemon.store import holding, newest, outbox, rolls, sending, timers
from daemon.store.alerts import AlertDraft
from daemon.store.moving_back import Ahead, move_back
from daemon.store.rolls import Roll
from daemon.store.sending import Outcome
from daemon.store.timers import Timer
from rules.pacing import Hold
from rules.records import Mark

if TYPE_CHECKING:
    from daemon.store.alerts import MessageRow
    from daemon.store.engine import Store

NOW = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
THEN = NOW + DAY
"""What the clock showed before it was set right."""


def an_alert(key: str, **other: Any) -> AlertDraft:  # noqa: ANN401
    said: dict[str, Any] = {
        "contact_id": "k-1",
        "role": "mentor",
        "channel": "sms",
        "kind": "report",
        "raised_at": THEN,
        "facts": {},
    }
    return AlertDraft(key=key, **(said | other))


def drafted(store: Store, key: str, now: dt.datetime = THEN, **other: Any) -> None:  # noqa: ANN401
    store.commit(lambda tx: outbox.draft(tx, [an_alert(key, **other)], now))


def tried(store: Store, next_at: dt.datetime, now: dt.datetime = THEN) -> None:
    """Every message that is due is tried, and fails."""
    claimed = store.commit(lambda tx: sending.claim(tx, now, 2 * MINUTE, "a", 9, ["sms"]))
    started = store.commit(lambda tx: sending.start_attempts(tx, claimed, "a", now))
    failed = [Outcome(one.message.message_id, one.n, "a", now, sending.RETRY, next_at) for one in started]
    store.commit(lambda tx: sending.settle(tx, failed))


def set_right(store: Store) -> None:
    ahead = Ahead(NOW, DAY, NOW.date())
    store.commit(lambda tx: move_back(tx, ahead, longest_retry=10 * MINUTE, planned=("case",)))


def only_message(store: Store) -> MessageRow:
    with store.read() as tx:
        [delivery] = outbox.deliveries(tx)
    return delivery.message


def test_a_message_that_failed_is_tried_again_at_once(store: Store) -> None:
    drafted(store, "x")
    tried(store, THEN + MINUTE)
    set_right(store)
    assert only_message(store).next_at == NOW


def test_a_message_that_failed_by_the_right_clock_keeps_its_pause(store: Store) -> None:
    drafted(store, "x", now=NOW - MINUTE)
    tried(store, NOW + 5 * MINUTE, now=NOW)
    set_right(store)
    assert only_message(store).next_at == NOW + 5 * MINUTE


def test_a_message_that_was_not_to_leave_yet_waits_as_long_as_it_was_to(store: Store) -> None:
    drafted(store, "x", not_before=THEN + 30 * MINUTE)
    set_right(store)
    message = only_message(store)
    assert (message.created_at, message.next_at) == (NOW, NOW + 30 * MINUTE)


def test_a_message_made_by_the_right_clock_for_later_waits_as_before(store: Store) -> None:
    drafted(store, "x", now=NOW - MINUTE, not_before=NOW + 5 * DAY)
    set_right(store)
    assert only_message(store).next_at == NOW + 5 * DAY


def test_a_message_that_is_held_keeps_its_instant(store: Store) -> None:
    drafted(store, "x", now=NOW - MINUTE)
    [claimed] = store.commit(lambda tx: sending.claim(tx, NOW, MINUTE, "a", 9, ["sms"]))
    until = Hold(NOW + 3 * DAY, "silence:s-1")
    store.commit(lambda tx: holding.hold(tx, {claimed.message.message_id: until}, "a"))
    set_right(store)
    assert only_message(store).next_at == NOW + 3 * DAY


def test_a_lease_ends_as_soon_as_it_would_have(store: Store) -> None:
    drafted(store, "x")
    store.commit(lambda tx: sending.claim(tx, THEN, 2 * MINUTE, "a", 9, ["sms"]))
    set_right(store)
    assert only_message(store).lease_until == NOW + 2 * MINUTE


def test_a_roll_counts_at_once_and_the_order_of_rolls_stays(store: Store) -> None:
    def a_roll(known_at: dt.datetime) -> Roll:
        return Roll("c-1", NOW.date(), "am", "marks", 1, known_at, known_at, 7, False, [1], [Mark.ABSENT])  # noqa: FBT003

    store.commit(lambda tx: rolls.record_rolls(tx, [a_roll(THEN), a_roll(THEN - MINUTE), a_roll(NOW - DAY)]))
    set_right(store)
    with store.read() as tx:
        block = rolls.load_rolls(tx, None, NOW.date(), NOW.date(), NOW, dated=True)
    moved = sorted((NOW - DAY, NOW - MINUTE, NOW))
    assert sorted(block.recorded_at.tolist()) == [int(at.timestamp() * 1_000_000) for at in moved]


def test_timers_of_the_calendar_stay_and_those_that_count_from_a_deed_go_on(store: Store) -> None:
    set_before = [Timer("case", "s-1", NOW + 2 * DAY), Timer("gather", "sms", THEN + MINUTE)]
    store.commit(lambda tx: timers.arm(tx, set_before))
    set_right(store)
    with store.read() as tx:
        assert timers.armed(tx) == [Timer("gather", "sms", NOW + MINUTE), Timer("case", "s-1", NOW + 2 * DAY)]


def test_the_newest_instant_is_that_of_whatever_came_last(store: Store) -> None:
    with store.read() as tx:
        assert newest.newest_instant(tx) is None
    store.commit(lambda tx: newest.note_instant(tx, NOW))
    store.commit(lambda tx: newest.note_instant(tx, NOW - DAY))
    with store.read() as tx:
        assert newest.newest_instant(tx) == NOW
    drafted(store, "x")
    with store.read() as tx:
        assert newest.newest_instant(tx) == THEN


def test_a_clock_that_is_accepted_is_the_newest_instant(store: Store) -> None:
    store.commit(lambda tx: newest.note_instant(tx, THEN))
    store.commit(lambda tx: newest.accept_clock(tx, NOW))
    with store.read() as tx:
        assert newest.newest_instant(tx) == newest.accepted_at(tx) == NOW
