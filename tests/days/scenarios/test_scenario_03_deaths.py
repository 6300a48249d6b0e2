"""Scenario 3, death between claim and sending, and between sending and writing it down: nothing lost, doubles marked.

Elsewhere, with processes that are killed:
    tests/crash/test_named_deaths.py::test_killed_at_named_points
    tests/crash/test_random_deaths.py::test_killed_at_random_instants
    tests/days/test_days_trouble.py::test_killed_between_deciding_and_sending_nothing_is_lost
    tests/days/test_days_trouble.py::test_a_report_in_doubt_counts_as_told_when_the_child_comes_back
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

from daemon.jobs.poll import poll_feed
from daemon.jobs.send import LEASE, REPEATED, send_due
from daemon.jobs.sweep import sweep_due
from daemon.store import outbox
from daemon.store.engine import Store
from notifiers.contract import Message, Notifier, Receipt
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day, Someone
from tests.days.stories import ana_vanishes


def clerks(store: Store) -> tuple[list[Someone], list[Someone]]:
    """Two hundred clerks, one in five with mail, the others with telephones; on PostgreSQL, which is slower, fifty."""
    phones, mails = (160, 40) if store.file else (40, 10)
    called = [Someone(f"phone {n}", "town_government", "t-1", phone=f"+86139{n:08}") for n in range(phones)]
    mailed = [Someone(f"mail {n}", "town_government", "t-1", email=f"clerk-{n}@example.org") for n in range(mails)]
    return called, mailed


class Killed(BaseException):
    """The process is gone."""


class DiesTwice:
    """A channel under which the daemon is killed twice at each message: when it has it, and when it has sent it."""

    def __init__(self, notifier: Notifier, begun: Counter[str]) -> None:
        self.channel = notifier.channel
        self._notifier = notifier
        self._begun = begun

    def send(self, message: Message) -> Receipt:
        self._begun[message.message_id] += 1
        if self._begun[message.message_id] == 1:
            raise Killed
        receipt = self._notifier.send(message)
        if self._begun[message.message_id] == 2:
            raise Killed
        return receipt

    def close(self) -> None:
        self._notifier.close()


def lives_until_all_is_sent(day: Day, channel: str) -> int:
    """One life after another, each once the leases of the one before it have ended; how many were cut short."""
    deaths = 0
    while True:
        day.house.worker = f"{channel} {deaths}"
        try:
            while send_due(day.house, channel, day.now, limit=1):
                pass
        except Killed:
            deaths += 1
            day.now += LEASE + dt.timedelta(seconds=1)
        else:
            return deaths


def test_killed_at_every_step_of_two_hundred_sends_everybody_is_told_and_the_doubles_are_marked(
    opens: Opens, store: Store
) -> None:
    called, written = clerks(store)
    others = [one for one in PEOPLE if one.who not in {"town", "mentor"}]
    written.append(next(one for one in PEOPLE if one.who == "office"))
    day = opens(people=[*others, *called, *written[:-1]])
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"], polled=False)
    poll_feed(day.house, day.feed("marks"), day.now)
    sweep_due(day.house, day.now)
    begun: Counter[str] = Counter()
    dying = {channel: DiesTwice(notifier, begun) for channel, notifier in day.house.notifiers.items()}
    day.house.terms = replace(day.house.terms, notifiers=dying)

    deaths = [lives_until_all_is_sent(day, channel) for channel in ("sms", "email")]

    assert deaths == [2 * len(called), 2 * len(written)]
    ids = {day.expects_sms(one.who, "控辍保学报告").message_id for one in called}
    mails = [day.expects_mail(one.who, "控辍保学报告") for one in written]
    ids |= {mail.message_id.strip("<>").partition("@")[0] for mail in mails}
    day.expects_nothing()
    repeated = {one.strip("<>").partition("@")[0] for one in (*day.sms.repeats, *day.mail.repeats)}
    assert repeated == ids == begun.keys()
    with store.read() as tx:
        rows = outbox.deliveries(tx, limit=1_000)
    assert {one.message.message_id for one in rows if one.message.doubtful} == ids
    assert {one.message.state for one in rows} == {"sent"}
    noted = Counter(body["message"] for kind, body in day.entries("ana") if kind == REPEATED)
    assert noted == Counter(ids)
