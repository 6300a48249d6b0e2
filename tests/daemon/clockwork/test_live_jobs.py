"""What the running daemon asks of polling and sending beyond a simulation: one bad thing stops only itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.jobs import poll, send
from daemon.jobs.compose import compose
from daemon.jobs.intake import take_in
from daemon.jobs.send import send_side_by_side
from daemon.jobs.sweep import sweep_due
from daemon.store import enrolment, intake, outbox, sending
from daemon.store.engine import Store
from notifiers.contract import Message, Receipt
from rules.records import StudentRecord
from tests.daemon.desk.county_office import Office, local, write_county


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> Office:
    write_county(tmp_path)
    return Office(tmp_path, sqlite_store)


@pytest.fixture
def hands() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as opened:
        yield opened


def problem_of(office: Office, feed: str) -> str | None:
    with office.store.read() as tx:
        return intake.feed_state(tx, feed).problem


# ---- polling ------------------------------------------------------------------------------------------------------


def test_a_delivery_we_fail_at_is_tried_again_and_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_at_the_first(tx: Any, house: Any, delivery: Any) -> Any:  # noqa: ANN401 - passed on
        if delivery.name == "marks-001.csv":
            raise RuntimeError("a bug that only this delivery meets")
        return take_in(tx, house, delivery)

    (office.folder / "marks-000.csv").write_text("student_id,date,session,mark\ns-001,2026-03-16,am,absent\n")
    (office.folder / "marks-001.csv").write_text("student_id,date,session,mark\ns-002,2026-03-16,am,absent\n")
    with monkeypatch.context() as patched:
        patched.setattr("daemon.jobs.recording.take_in", fails_at_the_first)
        office.step(0, "08:20")
        assert office.number("s-001")
        assert problem_of(office, "marks") == "1 deliveries could not be taken, see the log"
    office.step(0, "08:25")
    assert office.number("s-002")
    assert problem_of(office, "marks") is None


def test_several_deliveries_of_one_poll_become_known_together(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[object] = []
    commit = Store.commit

    def counted(store: Store, work: Any) -> Any:  # noqa: ANN401 - passed on
        commits.append(work)
        return commit(store, work)

    monkeypatch.setattr(Store, "commit", counted)
    for name, mark in (("a", "absent"), ("b", "present")):
        (office.folder / f"marks-{name}.csv").write_text(f"student_id,date,session,mark\ns-001,2026-03-16,am,{mark}\n")
    marks = next(feed for feed in office.house.config.feed if feed.id == "marks")
    poll.poll_feed(office.house, marks, local(0, "08:20"))
    assert len(commits) == 2  # what they said, and how the poll went


def test_a_death_between_taking_in_and_the_end_of_a_poll_takes_nothing_in_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = next(feed for feed in office.house.config.feed if feed.id == "marks")
    (office.folder / "marks-1.csv").write_text("student_id,date,session,mark\ns-001,2026-03-16,am,absent\n")
    with monkeypatch.context() as patched:
        patched.setattr(poll, "_save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            poll.poll_feed(office.house, marks, local(0, "08:20"))
    again = poll.poll_feed(office.house, marks, local(0, "08:21"))
    assert again.counts["marks"] == 0


def test_a_roster_changed_by_another_process_is_noticed(office: Office) -> None:
    with office.store.read() as tx:
        before = office.house.people(tx)
        assert office.house.people(tx) is before
    new = StudentRecord("s-900", "x", "k-1", None, None, None, None, None, (), None, None, None, 1)
    with office.store.write() as tx:
        enrolment.upsert_students(tx, [new], office.now, source="another process", on=office.now.date())
    with office.store.read() as tx:
        assert "s-900" in office.house.people(tx).roster.students


# ---- sending ------------------------------------------------------------------------------------------------------


def queued(office: Office, children: str = "AAA") -> None:
    """Reports of all children wait to be sent."""
    office.two_days(children)
    office.folder.joinpath("marks-900.csv").write_text(
        "student_id,date,session,mark\n" + "".join(f"s-00{n},2026-03-18,am,absent\n" for n in (1, 2, 3))
    )
    marks = next(feed for feed in office.house.config.feed if feed.id == "marks")
    office.now = local(2, "08:10")
    poll.poll_feed(office.house, marks, office.now)
    sweep_due(office.house, office.now)


def test_one_slow_message_does_not_hold_the_others(office: Office, hands: ThreadPoolExecutor) -> None:
    queued(office)
    others = threading.Event()

    class Slow:
        channel = "sms"
        sent = 0

        def send(self, message: Message) -> Receipt:
            self.sent += 1
            if self.sent == 1:
                assert others.wait(40), "the first message held up all others"
            elif self.sent == 6:
                others.set()
            del message
            return Receipt(None)

        def close(self) -> None:
            """Nothing to let go of."""

    office.house.terms = replace(office.house.terms, notifiers={"sms": Slow()})
    assert send_side_by_side(office.house, "sms", hands, 2) == 6


def test_a_message_that_cannot_be_put_into_words_stops_no_other(
    office: Office, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(office)
    seen: list[str] = []

    def fails_at_the_first(house: Any, opened: Any, message: Any, *rest: Any) -> Any:  # noqa: ANN401 - passed on
        seen.append(message.message_id)
        if message.message_id == seen[0]:
            raise KeyError("a bug that only this message meets")
        return compose(house, opened, message, *rest)

    monkeypatch.setattr("daemon.jobs.send.compose", fails_at_the_first)
    send_side_by_side(office.house, "sms", hands, 2)
    assert [kind for _, kind in office.phone.said()] == ["report"] * 5
    with office.store.read() as tx:
        assert (sending.next_at(tx, ["sms"]) or office.now) > office.now


def test_an_address_that_does_not_open_stops_no_other(office: Office, hands: ThreadPoolExecutor) -> None:
    queued(office)
    with office.store.write() as tx:
        broken = "UPDATE contact SET phone = x'00' WHERE contact_id = (SELECT min(contact_id) FROM message)"
        tx.connection.exec_driver_sql(broken)
    send_side_by_side(office.house, "sms", hands, 2)
    with office.store.read() as tx:
        states = [one.message.state for one in outbox.deliveries(tx)]
        assert 0 < states.count("queued") < len(states)
        assert (sending.next_at(tx, ["sms"]) or office.now) > office.now


def test_what_waited_too_long_for_its_place_is_given_back_untried(office: Office) -> None:
    queued(office)
    [started] = send._start(office.house, "sms", office.now, 1)
    outcome = send._hand_over(office.house, "sms", *started, 0.0)
    send._settle(office.house, [outcome])
    assert office.phone.said() == []
    with office.store.read() as tx:
        [given_back] = [one for one in outbox.deliveries(tx) if one.message.message_id == outcome.message_id]
        assert (given_back.message.state, given_back.message.doubtful) == ("queued", False)
        assert sending.next_at(tx, ["sms"]) == office.now


def test_once_it_is_to_stop_nothing_more_is_claimed(office: Office, hands: ThreadPoolExecutor) -> None:
    queued(office)
    assert send_side_by_side(office.house, "sms", hands, 2, stopping=lambda: True) == 0
    assert office.phone.said() == []
