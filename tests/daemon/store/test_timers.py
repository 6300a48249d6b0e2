"""Deadlines are rows: armed, due, claimed, done."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from daemon.store import timers
from daemon.store.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.store.engine import Store

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def arm(store: Store, *rows: Timer) -> None:
    store.commit(lambda tx: timers.arm(tx, rows))


def due(store: Store, now: dt.datetime = NOON, limit: int = 10, kinds: Sequence[str] | None = None) -> list[str]:
    with store.read() as tx:
        return [row.subject for row in timers.due(tx, now, limit, kinds)]


def claim(store: Store, by: str, now: dt.datetime = NOON) -> list[Timer]:
    return store.commit(lambda tx: timers.claim(tx, now, MINUTE, by, 10))


def next_due(store: Store, kinds: Sequence[str] | None = None) -> dt.datetime | None:
    with store.read() as tx:
        return timers.next_due(tx, kinds)


def test_a_deadline_passes_at_its_second_and_the_oldest_comes_first(store: Store) -> None:
    arm(store, Timer("due", "b", NOON), Timer("due", "a", NOON - MINUTE), Timer("due", "c", NOON + MINUTE))
    arm(store, Timer("rung", "r", NOON - 2 * MINUTE))

    assert due(store) == ["r", "a", "b"]
    assert due(store, limit=2) == ["r", "a"]
    assert due(store, kinds=["due"]) == ["a", "b"]
    assert next_due(store) == NOON - 2 * MINUTE
    assert next_due(store, ["due"]) == NOON - MINUTE


def test_nothing_armed_is_nothing_due(store: Store) -> None:
    arm(store)

    assert due(store) == []
    assert next_due(store) is None


def test_arming_again_moves_the_deadline(store: Store) -> None:
    arm(store, Timer("due", "a", NOON))
    claim(store, "x")
    arm(store, Timer("due", "a", NOON), Timer("due", "a", NOON + MINUTE))

    assert due(store) == []
    assert due(store, NOON + MINUTE) == ["a"]
    with store.read() as tx:
        assert timers.armed(tx, ["due"]) == [Timer("due", "a", NOON + MINUTE)]


def test_a_claimed_timer_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    arm(store, Timer("due", "a", NOON), Timer("rung", "a", NOON))

    assert len(claim(store, "x")) == 2
    assert claim(store, "y") == []
    assert due(store) == []
    assert next_due(store) == NOON + MINUTE
    assert len(claim(store, "y", NOON + 2 * MINUTE)) == 2


def test_a_timer_armed_anew_while_it_was_worked_on_is_not_lost(store: Store) -> None:
    arm(store, Timer("due", "a", NOON), Timer("due", "b", NOON))
    claimed = claim(store, "x")
    arm(store, Timer("due", "a", NOON + MINUTE))

    store.commit(lambda tx: timers.complete(tx, claimed))

    with store.read() as tx:
        assert timers.armed(tx) == [Timer("due", "a", NOON + MINUTE)]


def test_a_disarmed_timer_is_gone_and_one_that_never_was_is_no_fault(store: Store) -> None:
    arm(store, Timer("due", "a", NOON), Timer("rung", "a", NOON))

    store.commit(lambda tx: timers.disarm(tx, [("due", "a"), ("due", "z")]))

    with store.read() as tx:
        assert [row.kind for row in timers.armed(tx)] == ["rung"]
