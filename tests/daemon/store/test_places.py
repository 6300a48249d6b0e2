"""Of what waits as much is claimed as there are places, and nobody who has many waiting takes those of others."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from daemon.store import outbox, sending
from daemon.store.alerts import AlertDraft
from daemon.store.engine import Store
from daemon.store.places import Places

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)
LEASE = dt.timedelta(minutes=5)


def queue(store: Store, addressee: str, count: int, *, priority: int = 0, ago: int = 0) -> None:
    """So many alerts for one addressee, each a message, queued so many seconds ago."""
    at = NOW - dt.timedelta(seconds=ago)
    alerts = [
        AlertDraft(
            key=f"{addressee}/{priority}/{ago}/{n}",
            contact_id=addressee,
            role="education_office",
            channel="webhook",
            kind="report",
            raised_at=at,
            facts={},
            addressee=addressee,
            priority=priority,
        )
        for n in range(count)
    ]
    store.commit(lambda tx: outbox.draft(tx, alerts, at))


def claimed(store: Store, places: Places | int) -> list[str]:
    """The addressees of what is claimed, in the order in which it is to leave."""
    won = store.commit(lambda tx: sending.claim(tx, NOW, LEASE, "a", places, ["webhook"]))
    return [one.message.addressee for one in won]


def is_due(store: Store, *full: str) -> bool:
    with store.read() as tx:
        return sending.any_due(tx, NOW, "webhook", full)


def test_no_addressee_gets_more_than_it_has_places_for(store: Store) -> None:
    queue(store, "slow", 50, ago=60)
    queue(store, "quick", 3)

    assert claimed(store, Places(10, each=2)) == ["slow", "slow", "quick", "quick"]


def test_an_addressee_without_a_place_lets_the_others_pass(store: Store) -> None:
    queue(store, "slow", 50, ago=60)
    queue(store, "quick", 3)

    assert claimed(store, Places(10, each=2, left={"slow": 0, "quick": 5})) == ["quick"] * 3
    assert not is_due(store, "slow")
    assert is_due(store)


def test_places_that_some_leave_are_for_those_behind_them(store: Store) -> None:
    for n in range(5):
        queue(store, f"slow-{n}", 20, ago=60 - n)
    queue(store, "quick", 20)

    assert claimed(store, Places(12, each=1, left={"quick": 20})) == [
        *(f"slow-{n}" for n in range(5)),
        *(["quick"] * 7),
    ]


def test_what_is_urgent_comes_before_what_is_older(store: Store) -> None:
    queue(store, "a", 2, priority=1, ago=60)
    queue(store, "b", 2, priority=0)

    assert claimed(store, 3) == ["b", "b", "a"]


def test_what_waits_for_nobody_with_a_place_is_not_due(store: Store) -> None:
    assert not is_due(store)
    queue(store, "slow", 1)

    assert is_due(store)
    assert is_due(store, "another")
    assert not is_due(store, "slow")


def test_sqlite_looks_for_messages_instead_of_reading_all_that_was_ever_told(sqlite_store: Store) -> None:
    queue(sqlite_store, "a", 20)
    plans: list[str] = []

    def explained(connection: sa.Connection, _cursor: object, said: str, given: tuple[str, ...], *_: object) -> None:
        if said.lstrip().startswith(("SELECT", "UPDATE")):
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {said}", given)
            plans.extend(row[3] for row in cursor.fetchall())

    sa.event.listen(sqlite_store.engine, "before_cursor_execute", explained)
    won = sqlite_store.commit(lambda tx: sending.claim(tx, NOW, LEASE, "a", 10, ["webhook"]))
    sqlite_store.commit(lambda tx: sending.start_attempts(tx, won, "a", NOW))
    is_due(sqlite_store)
    with sqlite_store.read() as tx:
        sending.next_at(tx, ["webhook"])
    sa.event.remove(sqlite_store.engine, "before_cursor_execute", explained)

    assert len(plans) > 5
    assert [
        one for one in plans if one.endswith("(district_id=?)") or one.startswith(("SCAN message", "SCAN alert"))
    ] == []
