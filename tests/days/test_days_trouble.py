"""Channels refuse, the daemon dies, two of them run at once: nothing is lost, and nothing is told twice unmarked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from daemon.jobs.fallback import look_at_alerts, next_look
from daemon.jobs.house import House
from daemon.jobs.poll import poll_feed
from daemon.jobs.send import send_due
from daemon.jobs.sweep import sweep_due
from daemon.store import outbox, sending
from daemon.store.engine import open_store
from daemon.store.keys import Keyring
from notifiers.contract import Message, Notifier, Receipt
from tests.conftest import DISTRICT
from tests.days.conftest import Opens
from tests.days.school import CHILDREN, PEOPLE, Day
from tests.days.stories import ana_vanishes
from tests.phones import phones


class Killed(BaseException):
    """The process is gone: nothing after the line that raises it happens."""


class DiesAfterSending:
    """A channel that hands its first message over, upon which the daemon is killed."""

    def __init__(self, notifier: Notifier) -> None:
        self.channel = notifier.channel
        self._notifier = notifier

    def send(self, message: Message) -> Receipt:
        self._notifier.send(message)
        raise Killed

    def close(self) -> None:
        self._notifier.close()


def sms_dies_with_the_report(day: Day) -> str:
    """The daemon is killed when the gateway has the report, before that is written down; the message's id."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    sound = day.house.notifiers
    day.house.terms = replace(day.house.terms, notifiers={**sound, "sms": DiesAfterSending(sound["sms"])})
    with pytest.raises(Killed):
        day.roll("am", absent=["ana"])
    day.house.terms = replace(day.house.terms, notifiers=sound)
    day.expects_mail("office", "控辍保学报告")
    return day.expects_sms("town", "控辍保学报告").message_id


def test_a_mail_server_that_refuses_for_ten_minutes_delays_only_mails(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.mail.refuses("MAIL", "451 4.3.2 not now", times=1_000)
    day.roll("am", absent=["ana"])
    day.expects_sms("town", "控辍保学报告")
    day.expects_hook("mentor", '"report"')

    day.at("Wed 08:20")
    day.everybody_answers()
    day.at("Wed 08:32")

    day.expects_mail("office", "控辍保学报告")
    [delivery] = day.deliveries("email")
    assert delivery.message.state == outbox.SENT
    assert len(delivery.attempts) > 3
    assert not any(attempt.doubtful for attempt in delivery.attempts)
    assert day.mail.repeats == []


def test_killed_between_sending_and_writing_it_down_it_is_sent_again_under_the_same_id(day: Day) -> None:
    message_id = sms_dies_with_the_report(day)

    day.at("Wed 08:30")

    day.expects_hook("mentor", '"report"')
    assert day.sms.repeats == [message_id]
    [delivery] = [one for one in day.deliveries("sms") if one.message.message_id == message_id]
    assert delivery.message.doubtful
    assert [(one.outcome, one.doubtful) for one in delivery.attempts] == [("lost", True), ("sent", False)]


def test_a_report_in_doubt_counts_as_told_when_the_child_comes_back(day: Day) -> None:
    sms_dies_with_the_report(day)

    day.at("Wed 08:11")
    day.expects_hook("mentor", '"report"')
    day.corrects("ana", "Wed", am="late")

    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    day.at("Wed 12:00")


def test_a_report_in_doubt_is_not_said_again_once_the_child_is_back(day: Day) -> None:
    sms_dies_with_the_report(day)
    day.at("Wed 08:11")
    day.expects_hook("mentor", '"report"')
    day.corrects("ana", "Wed", am="late")
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')

    day.at("Wed 12:00")

    assert day.sms.repeats == []


def test_a_message_of_a_dead_sender_whose_channel_is_gone_is_told_on_the_next(opens: Opens) -> None:
    day = opens(people=[replace(one, email="town@example.org" if one.who == "town" else one.email) for one in PEOPLE])
    sound = day.house.notifiers
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.house.terms = replace(day.house.terms, notifiers={**sound, "sms": DiesAfterSending(sound["sms"])})
    with pytest.raises(Killed):
        day.roll("am", absent=["ana"])
    day.expects_sms("town", "控辍保学报告")
    day.house.terms = replace(day.house.terms, notifiers={key: one for key, one in sound.items() if key != "sms"})
    day.store.commit(sending.free)
    day.sends()
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')

    day.now = day.instant("Wed 08:26")
    look_at_alerts(day.house, day.now)

    assert next_look(day.house) is None
    day.sends()
    day.expects_mail("town", "控辍保学报告")


def test_killed_between_deciding_and_sending_nothing_is_lost(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"], polled=False)
    poll_feed(day.house, day.feed("marks"), day.now)
    sweep_due(day.house, day.now)
    day.house = day.another_house("after the restart")

    day.at("Wed 08:11")

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')


def test_a_daemon_that_was_down_at_the_deadline_keeps_the_legal_time(day: Day) -> None:
    ana_vanishes(day)
    due_at = day.instant("Wed 08:00")
    day.now = day.instant("Wed 11:00")

    day.works()

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    assert (day.case("ana").due_at, day.case("ana").raised_at) == (due_at, day.now)


# ---- two of them ----------------------------------------------------------------------------------------------------

CROWD = {f"c-{n:02}": "t-1" if n % 2 else "t-2" for n in range(15)}
UNMEASURED = "[pacing]\nthrottle = []\n"
"""Each report leaves by itself, however the two share the work."""


@pytest.fixture
def two_houses(postgres_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[tuple[Day, House, Callable[[], None]]]:
    """A school with two daemons over one PostgreSQL, and what starts both at once."""
    first, second = (open_store(postgres_url, DISTRICT, keyring, state_dir=tmp_path) for _ in range(2))
    (tmp_path / "school").mkdir()
    with phones() as receivers:
        day = Day(tmp_path / "school", first, receivers, children={**CHILDREN, **CROWD}, config=UNMEASURED)
        other = day.another_house("two", store=second)

        def both() -> None:
            ready = Barrier(2)
            with ThreadPoolExecutor(2) as threads:
                for done in [threads.submit(_works, house, day, ready) for house in (day.house, other)]:
                    done.result()

        yield day, other, both
        day.close()
    for store in (first, second):
        store.close()


def _works(house: House, day: Day, ready: Barrier) -> None:
    ready.wait(10)
    for _ in range(5):
        sweep_due(house, day.now)
        for channel in house.notifiers:
            while send_due(house, channel, day.now, limit=3):
                pass


def test_two_daemons_on_one_database_tell_everything_once(
    two_houses: tuple[Day, House, Callable[[], None]],
) -> None:
    day, _, both = two_houses
    ana_vanishes(day, others=CROWD)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana", *CROWD], polled=False)
    poll_feed(day.house, day.feed("marks"), day.now)

    both()

    for child, home in CROWD.items():
        number = day.case(child).number
        day.expects_sms("town" if home == "t-1" else "other town", number)
        day.expects_mail("office", number)
        assert day.journal(child) == ["opened", "due", "raised", "rung climbed"]
    day.expects_sms("town", day.case("ana").number)
    day.expects_mail("office", day.case("ana").number)
    day.expects_hook("mentor", '"report"')
    assert day.sms.repeats == day.mail.repeats == day.hook.repeats == []
    attempts = [one.attempts for channel in day.house.notifiers for one in day.deliveries(channel)]
    assert all(len(each) == 1 for each in attempts)
