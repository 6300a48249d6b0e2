"""An alert is drafted once, sent at least once, and never silently lost."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest

from daemon.store import holding, outbox, sending
from daemon.store.alerts import AlertDraft
from daemon.store.sending import Outcome

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.sending import Claimed, Started

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)
LEASE = dt.timedelta(minutes=5)
LATER = NOW + dt.timedelta(minutes=6)


def an_alert(key: str, **other: Any) -> AlertDraft:  # noqa: ANN401
    given: dict[str, Any] = {
        "contact_id": "k-1",
        "role": "mentor",
        "channel": "sms",
        "kind": "report",
        "raised_at": NOW,
        "facts": {"days": 2},
        "case_id": "case-1",
        "episode": 1,
    }
    return AlertDraft(key=key, **(given | other))


def draft(store: Store, *alerts: AlertDraft, shadow: bool = False, now: dt.datetime = NOW) -> list[str]:
    return store.commit(lambda tx: outbox.draft(tx, alerts, now, shadow=shadow))


def claim(
    store: Store, now: dt.datetime = NOW, by: str = "a", limit: int = 100, channels: tuple[str, ...] = ("sms", "email")
) -> list[Claimed]:
    return store.commit(lambda tx: sending.claim(tx, now, LEASE, by, limit, channels))


def start(store: Store, claimed: list[Claimed], by: str = "a", now: dt.datetime = NOW) -> list[Started]:
    return store.commit(lambda tx: sending.start_attempts(tx, claimed, by, now))


def settle(store: Store, started: list[Started], state: str, by: str = "a", **other: Any) -> None:  # noqa: ANN401
    outcomes = [Outcome(one.message.message_id, one.n, by, NOW, state, **other) for one in started]
    store.commit(lambda tx: sending.settle(tx, outcomes))


def cancel(store: Store, **other: Any) -> list[str]:  # noqa: ANN401
    about = {"case_id": "case-1"} | other
    return [row.key for row in store.commit(lambda tx: outbox.cancel(tx, NOW, "seen", **about))]


def told(store: Store, case_id: str = "case-1") -> list[outbox.Told]:
    with store.read() as tx:
        return outbox.told(tx, case_id)


def states(store: Store) -> list[str]:
    with store.read() as tx:
        return [one.message.state for one in outbox.deliveries(tx)]


def test_an_alert_is_drafted_once_however_often_it_is_decided(store: Store) -> None:
    assert draft(store, an_alert("x"), an_alert("x"), an_alert("y")) == ["x", "y"]
    assert draft(store, an_alert("x"), an_alert("z")) == ["z"]

    assert len(claim(store)) == 3


def test_what_was_drafted_is_claimed_as_it_was_said(store: Store) -> None:
    draft(store, an_alert("x", due_at=NOW, rung=0, unit_id="t-1", student_id="s-1", facts={"名": [1, None, "二"]}))

    [claimed] = claim(store)

    [alert] = claimed.alerts
    assert (alert.key, alert.due_at, alert.rung, alert.unit_id) == ("x", NOW, 0, "t-1")
    assert alert.facts == {"名": [1, None, "二"]}
    assert (claimed.message.contact_id, claimed.message.channel, claimed.repeated) == ("k-1", "sms", False)


def test_alerts_of_a_group_leave_as_one_message_to_each_contact_and_channel(store: Store) -> None:
    draft(
        store,
        an_alert("x", group_key="g"),
        an_alert("y", group_key="g"),
        an_alert("z", group_key="g", contact_id="k-2"),
        an_alert("e", group_key="g", channel="email"),
    )
    draft(store, an_alert("later", group_key="g"))

    groups = sorted(sorted(alert.key for alert in one.alerts) for one in claim(store))

    assert groups == [["e"], ["later", "x", "y"], ["z"]]


def test_an_alert_does_not_join_a_message_somebody_is_about_to_send(store: Store) -> None:
    draft(store, an_alert("x", group_key="g"))
    first = claim(store)
    draft(store, an_alert("y", group_key="g"))

    second = claim(store)

    assert [[alert.key for alert in one.alerts] for one in first + second] == [["x"], ["y"]]


def test_an_alert_that_joins_while_another_process_claims_is_sent_with_it_or_after_it(store: Store) -> None:
    draft(store, an_alert("x", group_key="g"))
    found: list[Claimed] = []
    claimant = threading.Thread(target=lambda: found.extend(claim(store)))
    with store.write() as tx:
        outbox.draft(tx, [an_alert("y", group_key="g")], NOW)
        claimant.start()
    claimant.join()

    assert sorted(alert.key for one in found for alert in one.alerts) == ["x", "y"]


def test_an_alert_is_cancelled_though_another_process_packs_it_into_another_message_meanwhile(store: Store) -> None:
    draft(store, an_alert("x"))
    draft(store, an_alert("y", case_id="case-2"))
    with store.read() as tx:
        ids = {one.alerts[0].key: one.message.message_id for one in outbox.deliveries(tx)}
    cancelled: list[str] = []
    canceller = threading.Thread(target=lambda: cancelled.extend(cancel(store)))
    with store.write() as tx:
        holding.merge(tx, ids["y"], "report", [ids["x"]])
        canceller.start()
        canceller.join(0.5)
    canceller.join()

    assert cancelled == ["x"]
    assert [[alert.key for alert in one.alerts] for one in claim(store)] == [["y"]]


def test_two_claimants_never_get_the_same_message(store: Store) -> None:
    draft(store, *(an_alert(f"x{n}") for n in range(200)))
    together = threading.Barrier(2)
    found: dict[str, list[Claimed]] = {}

    def work(name: str) -> None:
        together.wait()
        found[name] = [one for _ in range(5) for one in claim(store, by=name, limit=20)]

    claimants = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for claimant in claimants:
        claimant.start()
    for claimant in claimants:
        claimant.join()

    ids = [one.message.message_id for one in found["a"] + found["b"]]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(claim(store, limit=1000)) == 200


def test_channels_take_turns_so_that_a_full_one_does_not_starve_another(store: Store) -> None:
    draft(store, *(an_alert(f"s{n}") for n in range(50)), now=NOW - LEASE)
    draft(store, *(an_alert(f"e{n}", channel="email") for n in range(3)))

    channels = [one.message.channel for one in claim(store, limit=10)]

    assert channels.count("email") == 3
    assert channels[:2] == ["sms", "email"]


def test_a_message_waits_for_its_time(store: Store) -> None:
    draft(store, an_alert("x", not_before=LATER))

    assert claim(store) == []
    with store.read() as tx:
        assert sending.next_at(tx) == LATER
        assert sending.next_at(tx, ["email"]) is None
    assert len(claim(store, now=LATER)) == 1


def test_a_sent_message_is_told_and_not_claimed_again(store: Store) -> None:
    draft(store, an_alert("x"))

    settle(store, start(store, claim(store)), "sent", provider_id="p-1")

    assert claim(store, now=LATER) == []
    [one] = told(store)
    assert (one.alert.key, one.told_at, one.doubtful, one.in_flight) == ("x", NOW, False, False)
    with store.read() as tx:
        [delivery] = outbox.deliveries(tx, state="sent", channel="sms")
        assert [(one.n, one.outcome, one.provider_id) for one in delivery.attempts] == [(1, "sent", "p-1")]
        assert [one.key for one in delivery.alerts] == ["x"]
        assert [one.key for one in outbox.alerts_of(tx, case_id="case-1")] == ["x"]
        assert sending.next_at(tx) is None


def test_a_failed_attempt_is_tried_again_at_its_time_under_the_same_id(store: Store) -> None:
    draft(store, an_alert("x"))
    [first] = start(store, claim(store))

    settle(store, [first], "retry", next_at=LATER, error="busy")

    assert told(store) == []
    assert claim(store) == []
    [again] = claim(store, now=LATER)
    [second] = start(store, [again], now=LATER)
    assert (second.message.message_id, second.n, again.repeated) == (first.message.message_id, 2, False)


def test_a_message_that_failed_for_good_is_not_told_and_not_tried_again(store: Store) -> None:
    draft(store, an_alert("x"))

    settle(store, start(store, claim(store)), "failed", error="no such number")

    assert told(store) == []
    assert claim(store, now=LATER) == []
    assert states(store) == ["failed"]


def test_a_sender_that_dies_before_it_starts_is_replaced_without_doubt(store: Store) -> None:
    draft(store, an_alert("x"))
    claim(store)

    with store.read() as tx:
        assert sending.next_at(tx) == NOW + LEASE
    [again] = claim(store, now=LATER, by="b")

    assert not again.repeated


def test_a_sender_that_dies_between_start_and_settle_leaves_a_message_marked_possibly_repeated(store: Store) -> None:
    draft(store, an_alert("x"))
    start(store, claim(store))
    assert [one.in_flight for one in told(store)] == [True]

    [again] = claim(store, now=LATER, by="b")

    assert again.repeated
    assert [(one.doubtful, one.in_flight) for one in told(store)] == [(True, False)]
    with store.read() as tx:
        [delivery] = outbox.deliveries(tx)
        assert [(one.outcome, one.doubtful) for one in delivery.attempts] == [("lost", True)]


def test_a_doubtful_failure_counts_as_told(store: Store) -> None:
    draft(store, an_alert("x"))

    settle(store, start(store, claim(store)), "retry", next_at=LATER, doubtful=True)

    assert [(one.doubtful, one.told_at) for one in told(store)] == [(True, NOW)]
    assert cancel(store) == []
    assert [one.repeated for one in claim(store, now=LATER)] == [True]


def test_a_slow_sender_does_not_take_the_message_from_the_one_that_replaced_it(store: Store) -> None:
    draft(store, an_alert("x"))
    slow = start(store, claim(store))
    start(store, claim(store, now=LATER, by="b"), by="b", now=LATER)

    settle(store, slow, "retry", next_at=NOW, error="late")

    assert claim(store, now=LATER, by="c") == []
    settle(store, slow, "sent")
    assert states(store) == ["sent"]


def test_a_lease_that_ended_does_not_start(store: Store) -> None:
    draft(store, an_alert("x"))
    claimed = claim(store)

    assert start(store, claimed, now=LATER) == []
    assert start(store, claimed, by="b") == []


def test_a_claim_given_back_can_be_claimed_at_its_new_time(store: Store) -> None:
    draft(store, an_alert("x"))
    [one] = claim(store)

    store.commit(lambda tx: sending.release(tx, [one.message.message_id], "a", LATER))

    assert claim(store, by="b") == []
    assert len(claim(store, by="b", now=LATER)) == 1


def test_what_waits_is_cancelled_and_nobody_is_told(store: Store) -> None:
    draft(store, an_alert("x"), an_alert("y", kind="escalation"), an_alert("z", case_id="case-2"))

    assert cancel(store, kinds=["report"]) == ["x"]
    assert cancel(store) == ["y"]

    assert [alert.key for one in claim(store) for alert in one.alerts] == ["z"]
    assert sorted(states(store)) == ["cancelled", "cancelled", "queued"]


def test_the_alerts_of_an_incident_are_cancelled_too(store: Store) -> None:
    draft(store, an_alert("x", case_id=None, incident_id="i-1"), an_alert("y"))

    assert cancel(store, case_id=None, incident_id="i-1") == ["x"]
    with store.read() as tx:
        assert [one.cancel_reason for one in outbox.alerts_of(tx, incident_id="i-1")] == ["seen"]


def test_what_is_claimed_but_not_started_can_still_be_cancelled(store: Store) -> None:
    draft(store, an_alert("x"))
    claimed = claim(store)

    assert cancel(store) == ["x"]
    assert start(store, claimed) == []


def test_what_is_on_its_way_cannot_be_cancelled_and_counts_as_told(store: Store) -> None:
    draft(store, an_alert("x"))
    start(store, claim(store))

    assert cancel(store) == []
    assert [one.alert.key for one in told(store)] == ["x"]


def test_a_list_loses_only_the_alert_that_was_cancelled(store: Store) -> None:
    draft(store, an_alert("x", group_key="g"), an_alert("y", group_key="g", case_id="case-2"))
    claimed = claim(store)

    assert cancel(store) == ["x"]

    [started] = start(store, claimed)
    assert [alert.key for alert in started.alerts] == ["y"]
    settle(store, [started], "sent")
    assert told(store) == []
    assert len(told(store, "case-2")) == 1


def test_in_shadow_everything_is_written_and_nothing_leaves(store: Store) -> None:
    draft(store, an_alert("x", group_key="g"), an_alert("y", group_key="g"), shadow=True)
    draft(store, an_alert("z", group_key="g"))

    assert [alert.key for one in claim(store) for alert in one.alerts] == ["z"]
    assert [(one.alert.key, one.shadow) for one in told(store)] == [("x", True), ("y", True)]


def test_only_the_episode_asked_for_is_listed(store: Store) -> None:
    draft(store, an_alert("x"), an_alert("y", episode=2))
    settle(store, start(store, claim(store)), "sent")

    with store.read() as tx:
        assert [one.alert.key for one in outbox.told(tx, "case-1", 2)] == ["y"]


@pytest.mark.parametrize("size", [0, 1, 12_000])
def test_any_number_of_alerts_goes_through(sqlite_store: Store, size: int) -> None:
    draft(sqlite_store, *(an_alert(f"x{n}") for n in range(size)))

    started = start(sqlite_store, claim(sqlite_store, limit=size))
    settle(sqlite_store, started, "sent")

    assert len(told(sqlite_store)) == size
