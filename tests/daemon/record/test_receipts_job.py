"""What channels say later is asked for and acted on: who was not reached is told another way, once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from daemon.jobs.receipts import EVERY, GATHER, SELDOM, next_look
from daemon.store import cases, outbox, timers
from daemon.store.alerts import SENT, UNDELIVERED
from notifiers.contract import DeliveryError, Report
from tests.daemon.desk.county_office import local
from tests.daemon.record.record_office import RecordOffice

MINUTE = dt.timedelta(minutes=1)
SOON = dt.timedelta(seconds=20)


def test_a_report_that_did_not_arrive_is_told_by_mail(office: RecordOffice) -> None:
    number = office.report()
    message = office.sent_to("01")
    office.tells(message, "failed", SOON, "UNDELIV")

    office.works(office.now + MINUTE)

    assert office.message(message.message_id).state == UNDELIVERED
    assert ("town1", "report") in office.mails()
    [(_, body)] = [line for line in office.journal(number) if line[0] == "undelivered"]
    assert body == {"message": message.message_id, "channel": "sms", "contact": "town", "code": "UNDELIV"}
    assert office.told(number) == [("office", "sms"), ("town", "email")]


def test_the_same_again_changes_nothing(office: RecordOffice) -> None:
    number = office.report()
    message = office.sent_to("01")
    office.tells(message, "failed", SOON)
    office.works(office.now + MINUTE)
    office.mails()
    before = office.journal(number)

    at = office.now - MINUTE + SOON
    for _ in range(3):
        office.sms.will_tell(Report("failed", at, message_id=message.message_id))
        office.works(office.now + MINUTE)

    assert office.journal(number) == before
    assert office.mails() == []
    counted = office.house.metrics.receipts.labels(channel="sms", status="any", standing="repeated")
    assert counted._value.get() == 3


def test_a_message_that_arrived_says_so(office: RecordOffice) -> None:
    office.report()
    message = office.sent_to("01")
    arrived_at = office.now + SOON
    office.tells(message, "delivered", SOON)

    office.works(office.now + MINUTE)

    row = office.message(message.message_id)
    assert (row.state, row.delivered_at) == (SENT, arrived_at)
    assert [one.way for one in office.receipts(message.message_id)] == ["asked"]


def test_a_failure_that_is_taken_back_counts_as_told_again(office: RecordOffice) -> None:
    number = office.report()
    message = office.sent_to("01")
    office.tells(message, "failed", SOON)
    office.works(office.now + MINUTE)

    office.tells(message, "delivered", SOON)
    office.works(office.now + MINUTE)

    assert office.message(message.message_id).state == SENT
    assert ("town", "sms") in office.told(number)
    assert [kind for kind, _ in office.journal(number)][-1] == "delivered after all"


def test_a_receipt_that_comes_when_the_case_is_closed_is_kept_and_tells_nobody(office: RecordOffice) -> None:
    number = office.report()
    message = office.sent_to("01")
    office.roll(2, "pm", "PPP", "14:10")
    office.phone.said()
    office.mails()
    with office.store.write() as tx:  # as the end of a long observation would
        row = office.case(number)
        cases.update_cases(tx, [replace(row, is_open=False, stage="closed", closed_at=office.now, wake_at=None)])
    office.tells(message, "failed", SOON)

    office.works(office.now + MINUTE)

    assert office.message(message.message_id).state == UNDELIVERED
    assert [one.status for one in office.receipts(message.message_id)] == ["failed"]
    assert [kind for _, kind in office.mails() if kind != "undeliverable"] == []
    late = office.house.metrics.receipts.labels(channel="sms", status="failed", standing="late")
    assert late._value.get() == 1


def test_what_is_said_of_no_message_is_kept_and_counted(office: RecordOffice) -> None:
    office.report()
    office.sms.will_tell(Report("failed", office.now, message_id="nobody's", provider_id="nor theirs"))

    for _ in range(3):
        office.works(office.now + MINUTE)

    unknown = office.house.metrics.receipts.labels(channel="sms", status="failed", standing="unknown")
    assert unknown._value.get() == 1
    with office.store.read() as tx:
        assert {row.state for row in (one.message for one in outbox.deliveries(tx))} == {SENT}


def test_a_receipt_that_is_never_understood_is_not_looked_at_for_ever(office: RecordOffice) -> None:
    office.sms.will_tell(Report("failed", office.now, provider_id="of another house"))
    for _ in range(40):
        with office.store.read() as tx:
            due = [one.due_at for one in timers.armed(tx, ["receipt"])]
        office.works(max([office.now + MINUTE, *due]))
    with office.store.read() as tx:
        assert timers.armed(tx, ["receipt"]) == []


# ---- asking ---------------------------------------------------------------------------------------------------------


def test_every_message_is_asked_about_the_more_seldom_the_older_it_is(office: RecordOffice) -> None:
    office.report()
    message_id = office.sent_to("01").message_id
    start, asked = office.now, []
    while office.now < start + dt.timedelta(hours=12):
        office.sms.asked.clear()
        office.works(next_look(office.house) or office.now)
        asked += [(office.now - start) // MINUTE for ids in office.sms.asked if message_id in ids]
    assert asked[:10] == list(range(10))
    assert len([n for n in asked if 10 <= n < 60]) == 10
    assert 18 <= len([n for n in asked if 60 <= n < 6 * 60]) <= 22
    assert 5 <= len([n for n in asked if n >= 6 * 60]) <= 7


def test_a_channel_whose_reports_name_only_a_number_is_given_all_that_wait(office: RecordOffice) -> None:
    office.report()
    waiting = {office.sent_to("01").message_id, office.sent_to("03").message_id}
    office.sms.overhears = True
    for _ in range(8):
        office.sms.asked.clear()
        office.works(next_look(office.house))
        office.works(office.now + dt.timedelta(hours=7))
        assert office.sms.asked
        assert all(waiting <= set(ids) for ids in office.sms.asked)
    assert office.now - dt.timedelta(days=2) > local(2, "08:10")


def test_a_channel_is_asked_seldom_while_nothing_is_waited_for_and_soon_when_something_is(office: RecordOffice) -> None:
    office.works()
    office.works()
    assert next_look(office.house) == office.now + SELDOM
    office.report()
    office.works()
    assert next_look(office.house) == office.now + EVERY


def test_a_message_of_which_something_final_is_known_is_not_asked_about(office: RecordOffice) -> None:
    office.report()
    one, two = office.sent_to("01"), office.sent_to("03")
    office.tells(one, "delivered", SOON)
    office.works(office.now + MINUTE)
    office.works(office.now + MINUTE)

    assert one.message_id not in office.sms.asked[-1]
    assert two.message_id in office.sms.asked[-1]


def test_a_channel_that_does_not_answer_is_asked_again_and_loses_nothing(office: RecordOffice) -> None:
    office.report()
    message = office.sent_to("01")
    office.tells(message, "delivered", SOON)
    office.sms.refuses = DeliveryError("provider: no answer")
    office.works(office.now + MINUTE)
    assert office.receipts(message.message_id) == ()

    office.sms.refuses = None
    office.works(office.now + MINUTE)

    assert [one.status for one in office.receipts(message.message_id)] == ["delivered"]


def test_killed_before_it_is_confirmed_what_was_kept_comes_again_as_a_repeat(office: RecordOffice) -> None:
    office.report()
    message = office.sent_to("01")
    office.tells(message, "failed", SOON)
    confirm, office.sms.confirm = office.sms.confirm, lambda heard: None  # type: ignore[method-assign]  # noqa: ARG005
    office.works(office.now + MINUTE)
    office.sms.confirm = confirm  # type: ignore[method-assign]
    office.works(office.now + MINUTE)

    assert len(office.receipts(message.message_id)) == 1
    assert [who for who, kind in office.mails() if kind == "report"] == ["town1"]


def test_two_processes_do_not_ask_at_once(office: RecordOffice) -> None:
    office.report()
    office.works()
    with office.store.write() as tx:
        timers.claim(tx, office.now + MINUTE, dt.timedelta(minutes=5), "another", 10, [GATHER])
    office.sms.asked.clear()

    office.works(office.now + MINUTE)
    assert office.sms.asked == []
    office.works(office.now + 7 * MINUTE)
    assert len(office.sms.asked) == 1
