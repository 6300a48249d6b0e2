"""Scenario 5, one receiver fails beside healthy ones: these are told at once and once, that one once when it is back.

Elsewhere:
    tests/days/test_days_trouble.py::test_a_mail_server_that_refuses_for_ten_minutes_delays_only_mails
    tests/days/test_days_reach.py::test_on_every_channel_at_once_one_that_fails_loses_nobody
    tests/daemon/clockwork/test_live_jobs.py::test_one_slow_message_does_not_hold_the_others
    tests/daemon/clockwork/test_live_jobs.py::test_a_message_that_cannot_be_put_into_words_stops_no_other
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.jobs.outcomes import LONGEST_RETRY
from daemon.store import outbox
from tests.days.school import Day
from tests.days.stories import ana_vanishes


@contextmanager
def no_mail_server(day: Day) -> Iterator[None]:
    """Nobody listens where the mail server is said to be."""
    config = day.folder / "config.toml"
    sound = config.read_text(encoding="utf-8")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = sound.replace(f"port = {day.mail.port}", f"port = {closed.getsockname()[1]}")
        config.write_text(gone, encoding="utf-8")
        day.house = day.another_house("without mail")
        yield
    config.write_text(sound, encoding="utf-8")
    day.house = day.another_house("with mail again")


def test_a_mail_server_that_is_gone_for_four_hours_delays_only_mails_and_each_comes_once(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    with no_mail_server(day):
        day.roll("am", absent=["ana"])
        day.expects_sms("town", "控辍保学报告")
        day.expects_hook("mentor", '"report"')
        day.at("Wed 12:10")
        assert {one.message.state for one in day.deliveries("email")} == {outbox.QUEUED}

    day.at("Wed 12:23")

    mail = day.expects_mail("office", "控辍保学报告")
    day.at("Wed 13:59")
    [delivery] = day.deliveries("email")
    assert delivery.message.message_id == mail.message_id.strip("<>").partition("@")[0]
    assert (delivery.message.state, delivery.message.doubtful) == (outbox.SENT, False)
    told_at = delivery.message.told_at
    assert told_at is not None
    assert told_at - day.instant("Wed 14:00") + dt.timedelta(minutes=110) <= LONGEST_RETRY * 1.25
    assert day.mail.repeats == day.sms.repeats == day.hook.repeats == []
