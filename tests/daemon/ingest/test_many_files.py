"""Folders with more new files than are read at once: all are taken in one poll, in order, and it is said meanwhile."""

from __future__ import annotations

import datetime as dt
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from daemon.clockwork.startup import poll_all
from daemon.config import FeedConfig
from daemon.console.ready import Vitals
from daemon.feeds import fetch, files
from daemon.feeds.payload import FeedError
from daemon.jobs import poll
from daemon.jobs.untaken import Doing, outstanding
from daemon.store import intake
from tests.daemon.desk.county_office import Office, local
from tests.daemon.ingest.conftest import Opens

HEAD = "student_id,date,session,mark\n"


@pytest.fixture
def office(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Nine rolls of Monday morning in nine files: absent in eight of them, present in the one written last."""
    opened = opens()
    for number in range(1, 10):
        mark = "present" if number == 5 else "absent"
        path = opened.folder / f"marks-{number}.csv"
        path.write_text(f"{HEAD}s-00{1 + number % 3},2026-03-16,am,{mark}\n", encoding="utf-8")
        written = (local(0, "08:30") + dt.timedelta(minutes=9 if number == 5 else 0)).timestamp()
        os.utime(path, (written, written))
    monkeypatch.setattr(files, "MOST_AT_ONCE", 2)
    return opened


def marks_feed(office: Office) -> FeedConfig:
    return next(feed for feed in office.house.config.feed if feed.id == "marks")


def test_all_of_them_are_taken_in_one_poll_and_the_last_written_counts(office: Office) -> None:
    office.now = local(0, "09:00")
    taken = poll.poll_feed(office.house, marks_feed(office), office.now)
    assert taken.counts["marks"] == 9
    with office.store.read() as tx:
        state = intake.feed_state(tx, "marks")
        rolls = tx.connection.exec_driver_sql("SELECT count(*) FROM payload WHERE feed_id = 'marks'").scalar()
    assert (state.state, rolls) == ("ok", 9)
    assert office.house.unread == {}


def test_while_files_are_left_the_feed_is_not_well_and_the_daemon_not_ready(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.now = local(0, "09:00")
    vitals = Vitals(office.house)
    said: list[tuple[Doing, str | None, bool]] = []
    take = poll._take_payloads

    def looked(*given: object) -> None:
        take(*given)  # type: ignore[arg-type]
        with office.store.read() as tx:
            known = outstanding(tx, marks_feed(office), office.now)
        reasons = vitals.ready(office.now)[1]["reasons"]
        said.append((known.doing, known.state.problem, any("files are still to be read" in one for one in reasons)))

    monkeypatch.setattr(poll, "_take_payloads", looked)
    poll.poll_feed(office.house, marks_feed(office), office.now)
    assert said[0] == (Doing.READING, "7 files are still to be read", True)
    assert not any("still to be read" in one for one in vitals.ready(office.now)[1]["reasons"])


def test_what_was_taken_before_a_failure_is_not_taken_twice(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.now = local(0, "09:00")
    pieces = iter([True, False])

    def failing(*given: object) -> object:
        if not next(pieces, True):
            raise FeedError("marks", "its folder does not exist", permanent=False)
        return fetch.fetch(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(poll, "fetch", failing)
    first = poll.poll_feed(office.house, marks_feed(office), office.now)
    with office.store.read() as tx:
        assert intake.feed_state(tx, "marks").state == "failed"
    second = poll.poll_feed(office.house, marks_feed(office), office.now + dt.timedelta(minutes=1))
    assert (first.counts["marks"], second.counts["marks"]) == (2, 7)


def test_a_start_waits_for_a_feed_with_many_files_for_as_long_as_they_are_read(office: Office) -> None:
    staged: list[list[str]] = []

    def slowly(feed: FeedConfig) -> None:
        for left in (4, 3, 2, 1):
            office.house.unread[feed.id] = left
            threading.Event().wait(0.4)
        office.house.unread.clear()

    house = office.house
    only = house.config.model_copy(update={"feed": (marks_feed(office),)})
    house.terms = replace(house.terms, config=only)
    with ThreadPoolExecutor(1) as workers:
        poll_all(house, slowly, workers, dt.timedelta(seconds=0.7), lambda ids: staged.append(list(ids)), lambda: False)
        assert house.unread == {}
    assert len(staged) > 2
