"""What of a feed is not taken now: of the newest delivery of each name, and whatever still waits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from daemon.store import deliveries, enrolment, intake, untaken
from daemon.store.intake import Refusal
from rules.records import StudentRecord

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.tx import Tx

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def deliver(store: Store, name: str, at: dt.datetime, *refused: str, waiting: str = "", feed_id: str = "marks") -> None:
    """A delivery with these faults, a line each, and a row that waits for a child."""

    def work(tx: Tx) -> None:
        sha256 = f"{name}{at}"
        payload = deliveries.record_payload(tx, feed_id=feed_id, sha256=sha256, name=name, fetched_at=at)
        assert payload is not None
        rows = [Refusal(payload, line, "mark", fault) for line, fault in enumerate(refused, start=2)]
        waits = Refusal(payload, 9, "student_id", "is not there yet", student_id=waiting, row={"feed": "x"}, retry=True)
        intake.park(tx, [*rows, waits] if waiting else rows)

    store.commit(work)


def test_only_the_newest_delivery_of_each_name_counts(store: Store) -> None:
    deliver(store, "a.csv", NOON, "no mark", "no mark")
    deliver(store, "b.csv", NOON, "no date")
    deliver(store, "a.csv", NOON + HOUR, "no session")
    deliver(store, "a.csv", NOON + HOUR, "of another feed", feed_id="other")

    with store.read() as tx:
        found = untaken.refused_rows(tx, "marks")
        assert [(one.name, one.line, one.fault) for one in found] == [
            ("a.csv", 2, "no session"),
            ("b.csv", 2, "no date"),
        ]
        assert [one.name for one in untaken.refused_rows(tx, "marks", {"b.csv"})] == ["b.csv"]


def test_a_row_waits_once_however_often_it_was_delivered(store: Store) -> None:
    for hour in range(3):
        deliver(store, "a.csv", NOON + hour * HOUR, waiting="s-9")
    deliver(store, "b.csv", NOON, waiting="s-9")

    with store.read() as tx:
        assert [(one.name, one.student_id) for one in untaken.waiting_rows(tx, "marks")] == [
            ("a.csv", "s-9"),
            ("b.csv", "s-9"),
        ]
        assert untaken.refused_rows(tx, "marks") == []


def test_children_are_missing_from_the_feed_that_listed_them(store: Store) -> None:
    def child(student_id: str) -> StudentRecord:
        return StudentRecord(student_id, "张", "k-1", None, None, None, None, None, (), None, None, None, line=2)

    def list_only(source: str, at: dt.datetime, *listed: StudentRecord) -> None:
        store.commit(lambda tx: enrolment.upsert_students(tx, listed, at, source=source, on=at.date()))

    for source in ("roster:a.csv", "roster_2:a.csv"):
        stays, goes = child(f"{source} stays"), child(f"{source} goes")
        list_only(source, NOON, stays, goes)
        list_only(source, NOON + HOUR, stays)

    with store.read() as tx:
        assert untaken.missing_students(tx, "roster") == ["roster:a.csv goes"]
        assert untaken.missing_students(tx, "roster_") == []
