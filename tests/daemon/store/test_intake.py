"""What came in is noted once; what was refused can be tried again; incidents and calendars are kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.store import deliveries, incidents, intake
from daemon.store.cases import Conflict
from daemon.store.incidents import IncidentRow
from daemon.store.intake import CalendarEdit, FeedState, Refusal

if TYPE_CHECKING:
    from daemon.store.engine import Store

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TODAY = dt.date(2026, 3, 18)


def deliver(store: Store, sha256: str = "a", feed_id: str = "marks") -> str | None:
    return store.commit(
        lambda tx: deliveries.record_payload(
            tx, feed_id=feed_id, sha256=sha256, name="m.csv", fetched_at=NOON, covers=(TODAY, TODAY), row_count=3
        )
    )


def test_the_state_of_a_feed_is_kept_over_a_restart(store: Store) -> None:
    state = FeedState("marks", {"etag": 'W/"x"', "seen": {"m.csv": "a"}}, "ok", NOON, NOON, None, {"rows": 3})
    with store.read() as tx:
        assert intake.feed_state(tx, "marks") == FeedState("marks")

    store.commit(lambda tx: intake.save_feed_state(tx, FeedState("marks", state="failing", problem="404")))
    store.commit(lambda tx: intake.save_feed_state(tx, state))

    with store.read() as tx:
        assert intake.feed_state(tx, "marks") == state
        assert intake.feed_states(tx) == [state]


def test_the_same_bytes_of_a_feed_are_noted_once(store: Store) -> None:
    first = deliver(store)

    assert first is not None
    assert deliver(store) is None
    assert deliver(store, feed_id="other") is not None
    with store.read() as tx:
        [row] = deliveries.payloads(tx, "marks")
        assert deliveries.payloads(tx, "marks", since=NOON + HOUR) == []
        assert deliveries.newest_sha256(tx, "marks", "m.csv") == "a"
        assert deliveries.newest_sha256(tx, "marks", "other.csv") is None
    assert (row.payload_id, row.name, row.covers_from, row.covers_to, row.row_count) == (
        first,
        "m.csv",
        TODAY,
        TODAY,
        3,
    )


def test_a_row_for_an_unknown_child_waits_until_the_child_is_known(store: Store) -> None:
    payload_id = deliver(store)
    assert payload_id is not None
    waiting = Refusal(payload_id, 4, "student_id", "not on the roster", "later", "s-1", {"mark": "缺"}, retry=True)
    wrong = Refusal(payload_id, 2, "date", "not a date")

    assert store.commit(lambda tx: intake.park(tx, [waiting, wrong])) == 2

    with store.read() as tx:
        [parked] = intake.parked_for(tx, ["s-1", "s-2"])
        assert intake.parked_students(tx) == ["s-1"]
        assert [one.line for one in intake.refusals_of(tx, payload_id)] == [2, 4]
    assert replace(parked, refused_id="") == waiting

    store.commit(lambda tx: intake.unpark(tx, [parked.refused_id]))
    with store.read() as tx:
        assert intake.parked_for(tx, ["s-1"]) == []


def test_a_calendar_is_noted_when_it_changes(store: Store) -> None:
    first, second = CalendarEdit(NOON, "a", {"closed": []}), CalendarEdit(NOON + HOUR, "b", {"closed": ["2026-03-19"]})

    assert store.commit(lambda tx: intake.record_calendar(tx, first))
    assert not store.commit(lambda tx: intake.record_calendar(tx, first))
    assert store.commit(lambda tx: intake.record_calendar(tx, second))
    with store.read() as tx:
        assert intake.calendars(tx) == [first, second]
        assert intake.calendars(tx, known_by=NOON) == [first]


def test_an_incident_is_open_until_it_is_closed_and_remembers_who_judged_it(store: Store) -> None:
    storm = IncidentRow("i-1", "mass_absence", "sch-1", ["2026-03-18 am"], NOON, state={"count": 300})
    silence = IncidentRow("i-2", "feed_silent", "marks", [], NOON + HOUR)
    store.commit(lambda tx: incidents.insert_incidents(tx, [silence, storm]))
    judged = replace(storm, verdict="real", judged_by="局长", judged_at=NOON + HOUR, closed_at=NOON + HOUR)

    [written] = store.commit(lambda tx: incidents.update_incidents(tx, [judged]))

    with store.read() as tx:
        assert incidents.incident_by_id(tx, "i-1") == written
        assert incidents.incident_by_id(tx, "i-9") is None
        assert incidents.open_incidents(tx) == [silence]
        assert incidents.open_incidents(tx, "mass_absence") == []
        assert [one.incident_id for one in incidents.list_incidents(tx)] == ["i-1", "i-2"]
    with pytest.raises(Conflict):
        store.commit(lambda tx: incidents.update_incidents(tx, [storm]))
