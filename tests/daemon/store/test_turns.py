"""Turns: what a school with few messages has to say is said before the many of another."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from daemon.store import outbox, sending
from daemon.store.alerts import AlertDraft
from daemon.store.sending import Outcome

if TYPE_CHECKING:
    from daemon.store.engine import Store

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)
LEASE = dt.timedelta(minutes=5)


def drafts(store: Store, school: str, count: int, *, first: int = 0, priority: int = 0) -> None:
    alerts = [
        AlertDraft(
            key=f"{school}/{n}",
            contact_id=f"{school}/{n}",
            role="mentor",
            channel="sms",
            kind="report",
            raised_at=NOW,
            facts={},
            school=school,
            priority=priority,
        )
        for n in range(first, first + count)
    ]
    store.commit(lambda tx: outbox.draft(tx, alerts, NOW))


def sends(store: Store, count: int) -> list[str]:
    """The schools of the messages that leave next, in order."""
    claimed = store.commit(lambda tx: sending.claim(tx, NOW, LEASE, "a", count, ["sms"]))
    started = store.commit(lambda tx: sending.start_attempts(tx, claimed, "a", NOW))
    outcomes = [Outcome(one.message.message_id, one.n, "a", NOW, "sent") for one in started]
    store.commit(lambda tx: sending.settle(tx, outcomes))
    return [one.message.school for one in started]


def test_two_schools_with_many_messages_take_turns(store: Store) -> None:
    drafts(store, "many", 30)
    drafts(store, "as many", 30)

    leaving = sends(store, 20)

    assert (leaving.count("many"), leaving.count("as many")) == (10, 10)


def test_a_school_that_comes_late_waits_for_nobody_and_keeps_nobody_waiting(store: Store) -> None:
    drafts(store, "many", 300)
    sends(store, 100)
    drafts(store, "late", 100)

    leaving = sends(store, 20)

    assert leaving[:2].count("late") >= 1
    assert (leaving.count("many"), leaving.count("late")) == (10, 10)


def test_what_a_school_says_later_comes_after_what_it_said_before(store: Store) -> None:
    drafts(store, "many", 10)
    drafts(store, "many", 10, first=10)

    claimed = store.commit(lambda tx: sending.claim(tx, NOW, LEASE, "a", 20, ["sms"]))

    assert [one.message.contact_id for one in claimed] == [f"many/{n}" for n in range(20)]


def test_what_is_urgent_goes_before_any_turn(store: Store) -> None:
    drafts(store, "few", 1, priority=1)
    drafts(store, "many", 30)

    assert sends(store, 30) == ["many"] * 30
    assert sends(store, 30) == ["few"]
