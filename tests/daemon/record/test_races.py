"""Two processes at one message: whoever comes second sees what the first has done, and nobody is told twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from threading import Thread

import pytest

from daemon.jobs.fallback import fall_back_late
from daemon.jobs.send import send_due
from daemon.store import falling
from daemon.store.falling import Leg
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError
from tests.daemon.record.record_office import RecordOffice


def test_a_message_that_leaves_while_it_is_passed_on_is_told_once(
    office: RecordOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.two_days()
    office.sms.refuses_to_send = DeliveryError("busy")
    office.roll(2, "am", "APP", "08:10")
    office.sms.refuses_to_send = None
    at = office.now + dt.timedelta(minutes=15)
    sender = Thread(target=send_due, args=(office.house, "sms", at))
    seen = falling.legs_of

    def seen_and_sent(tx: Tx, keys: Iterable[str]) -> list[Leg]:
        legs = seen(tx, keys)
        if sender.ident is None:
            sender.start()
            sender.join(1)
        return legs

    monkeypatch.setattr(falling, "legs_of", seen_and_sent)
    fall_back_late(office.house, at)
    sender.join()
    while send_due(office.house, "email", at):
        pass

    assert office.phone.said() == [("1", "report"), ("3", "report")]
    assert office.mails() == []
