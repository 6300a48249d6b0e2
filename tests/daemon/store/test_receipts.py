"""What a channel says later about a message: kept once, in whatever order, and the last instant it names counts."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from daemon.store import outbox, receipts, sending
from daemon.store.alerts import QUEUED, SENT, UNDELIVERED
from daemon.store.receipts import Kept, ReplyRow, Word
from tests.daemon.store.test_outbox import LATER, LEASE, NOW, an_alert, claim, draft, settle, start, told

if TYPE_CHECKING:
    from daemon.store.alerts import MessageRow
    from daemon.store.engine import Store

SOON = NOW + dt.timedelta(seconds=20)
THEN = NOW + dt.timedelta(seconds=40)


def sent(store: Store, *keys: str, provider_id: str | None = "p-1") -> list[str]:
    """Alerts sent by text message; the ids of their messages."""
    draft(store, *(an_alert(key) for key in keys or ("x",)))
    started = start(store, claim(store))
    settle(store, started, SENT, provider_id=provider_id)
    return [one.message.message_id for one in started]


def record(store: Store, *words: Word, way: str = "pushed", channel: str = "sms", now: dt.datetime = LATER) -> Kept:
    return store.commit(lambda tx: receipts.record(tx, channel, way, words, now))


def message(store: Store, message_id: str) -> MessageRow:
    with store.read() as tx:
        return next(one.message for one in outbox.deliveries(tx) if one.message.message_id == message_id)


def test_a_message_taken_over_carries_the_providers_id(store: Store) -> None:
    [one] = sent(store)
    assert message(store, one).provider_id == "p-1"


@pytest.mark.parametrize("named", ["by our id", "by the provider's"])
def test_a_message_that_arrived_says_when(store: Store, named: str) -> None:
    [one] = sent(store)

    kept = record(
        store, Word("delivered", SOON, message_id=one) if "our" in named else Word("delivered", SOON, None, "p-1")
    )

    assert [row.message_id for row in kept.arrived] == [one]
    assert (message(store, one).state, message(store, one).delivered_at) == (SENT, SOON)


def test_a_message_that_did_not_arrive_has_reached_nobody(store: Store) -> None:
    [one] = sent(store)
    assert len(told(store)) == 1

    kept = record(store, Word("failed", SOON, one, detail="UNDELIV"))

    assert [row.message_id for row in kept.failed] == [one]
    assert (message(store, one).state, message(store, one).delivered_at) == (UNDELIVERED, None)
    assert told(store) == []


def test_a_delay_changes_nothing_and_is_kept(store: Store) -> None:
    [one] = sent(store)

    kept = record(store, Word("delayed", SOON, one, detail="4.4.1"))

    assert (kept.failed, kept.arrived, len(kept.new)) == ((), (), 1)
    with store.read() as tx:
        [row] = receipts.receipts_of(tx, [one])[one]
    assert (row.status, row.way, row.at, row.known_at, row.detail) == ("delayed", "pushed", SOON, LATER, "4.4.1")


def test_what_is_said_again_is_counted_and_no_more(store: Store) -> None:
    [one] = sent(store)
    word = Word("failed", SOON, one)
    record(store, word)

    again = record(store, word, word, way="asked")
    by_provider = record(store, Word("failed", SOON, None, "p-1"), way="asked")

    assert (again.new, again.repeated, again.failed) == ((), 2, ())
    assert (by_provider.new, by_provider.repeated) == ((), 1)
    with store.read() as tx:
        assert len(receipts.receipts_of(tx, [one])[one]) == 1


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ((("failed", SOON), ("delivered", THEN)), SENT),
        ((("delivered", SOON), ("failed", THEN)), UNDELIVERED),
        ((("delivered", SOON), ("failed", SOON)), UNDELIVERED),
        ((("failed", SOON), ("delayed", THEN)), UNDELIVERED),
        ((("failed", SOON), ("delivered", THEN), ("delayed", THEN)), SENT),
    ],
    ids=["then it arrived", "then it failed", "both at once", "a delay is no arrival", "nor a failure"],
)
def test_the_latest_instant_is_believed_in_whatever_order_words_come(
    store: Store, words: tuple[tuple[str, dt.datetime], ...], state: str
) -> None:
    orders = list(permutations(words))
    ids = sent(store, *(f"order {n}" for n in range(len(orders))), provider_id=None)
    for one, order in zip(ids, orders, strict=True):
        for status, at in order:
            record(store, Word(status, at, one))

    assert [message(store, one).state for one in ids] == [state] * len(ids)
    arrived = dict(words).get("delivered") if state == SENT else None
    assert [message(store, one).delivered_at for one in ids] == [arrived] * len(ids)


def test_a_message_that_arrived_after_all_has_reached_its_recipient(store: Store) -> None:
    [one] = sent(store)
    record(store, Word("failed", SOON, one))

    kept = record(store, Word("delivered", THEN, one))

    assert [row.message_id for row in kept.recovered] == [row.message_id for row in kept.arrived] == [one]
    assert len(told(store)) == 1


def test_a_word_about_no_message_is_kept(store: Store) -> None:
    sent(store)

    kept = record(store, Word("delivered", SOON, "no such message"), Word("failed", SOON, None, "p-9"))

    assert [row.message_id for row in kept.new] == [None, None]
    assert kept.early == kept.new


def test_a_word_about_a_message_of_another_channel_is_about_none(store: Store) -> None:
    [one] = sent(store)

    kept = record(store, Word("failed", SOON, one), channel="email")

    assert [row.message_id for row in kept.new] == [None]
    assert message(store, one).state == SENT


def test_of_two_messages_with_one_id_of_a_provider_the_newer_is_meant(store: Store) -> None:
    [old] = sent(store, "x")
    draft(store, an_alert("y"), now=LATER)
    [new] = settled = [one.message.message_id for one in start(store, claim(store, LATER), now=LATER)]
    store.commit(lambda tx: sending.settle(tx, [sending.Outcome(new, 1, "a", LATER, SENT, provider_id="p-1")]))

    kept = record(store, Word("delivered", THEN, None, "p-1"))

    assert [row.message_id for row in kept.arrived] == settled
    assert message(store, old).delivered_at is None


# ---- receipts that are quicker than we are --------------------------------------------------------------------------


def test_a_receipt_before_the_message_is_settled_takes_effect_when_it_is(store: Store) -> None:
    draft(store, an_alert("x"))
    [started] = start(store, claim(store))
    early = record(store, Word("failed", SOON, started.message.message_id), now=NOW)
    assert (len(early.early), early.failed) == (1, ())
    settle(store, [started], SENT)

    kept = store.commit(lambda tx: receipts.look_again(tx, [row.receipt_id for row in early.early], LATER))

    assert [row.message_id for row in kept.failed] == [started.message.message_id]
    assert kept.new == early.new


def test_a_receipt_before_the_providers_id_is_known_takes_effect_when_it_is(store: Store) -> None:
    draft(store, an_alert("x"))
    started = start(store, claim(store))
    early = record(store, Word("delivered", SOON, None, "p-1"), now=NOW)
    still = store.commit(lambda tx: receipts.look_again(tx, [row.receipt_id for row in early.early], NOW))
    assert still.early == early.early
    settle(store, started, SENT, provider_id="p-1")

    kept = store.commit(lambda tx: receipts.look_again(tx, [row.receipt_id for row in early.early], LATER))

    assert [row.message_id for row in kept.arrived] == [started[0].message.message_id]
    assert [row.way for row in kept.new] == ["pushed"]


def test_a_message_whose_sender_died_and_that_arrived_is_not_sent_again(store: Store) -> None:
    draft(store, an_alert("x"))
    [started] = start(store, claim(store))

    kept = record(store, Word("delivered", SOON, started.message.message_id))

    assert [row.state for row in kept.arrived] == [SENT]
    assert claim(store, LATER + LEASE) == []
    [found] = told(store)
    assert (found.told_at, found.in_flight) == (SOON, False)


def test_a_message_that_nobody_tried_has_not_arrived_whatever_is_said(store: Store) -> None:
    draft(store, an_alert("x"))
    [claimed] = claim(store)
    store.commit(lambda tx: sending.release(tx, [claimed.message.message_id], "a"))

    kept = record(store, Word("delivered", SOON, claimed.message.message_id))

    assert kept.arrived == ()
    assert message(store, claimed.message.message_id).state == QUEUED


# ---- what is waited for ---------------------------------------------------------------------------------------------


def test_messages_of_which_nothing_is_known_are_waited_for_and_no_others(store: Store) -> None:
    one, two, three = sent(store, "x", "y", "z")
    record(store, Word("delivered", SOON, one), Word("failed", SOON, two))
    draft(store, an_alert("queued"))

    with store.read() as tx:
        waiting = [row.message_id for row in receipts.waiting(tx, "sms", NOW, 10)]
        assert receipts.waiting(tx, "sms", LATER, 10) == []
        assert receipts.waiting(tx, "email", NOW, 10) == []

    assert waiting == [three]


def test_a_reply_is_kept_once(store: Store) -> None:
    row = ReplyRow("r-1", "f", "sms", "k-1", "acknowledged", NOW, LATER)

    assert store.commit(lambda tx: receipts.keep_reply(tx, row))
    assert not store.commit(lambda tx: receipts.keep_reply(tx, row))
    with store.read() as tx:
        assert receipts.replies(tx, NOW) == [row]
        assert receipts.known_replies(tx, ["f", "g"]) == {"f"}
