"""Somebody answers a text message: it is acted upon once, and only what came of it is kept."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from daemon.jobs.replies import MOST_ANSWERS, REPLY_ANSWER
from daemon.store import outbox, receipts, tables
from notifiers.contract import Reply
from tests.daemon.record.record_office import RecordOffice

MINUTE = dt.timedelta(minutes=1)


def code_for(office: RecordOffice, address: str) -> str:
    """The code in the message to a number that ends so."""
    return next(iter(office.house.links.reply_codes(office.sent_to(address).message_id)))


def kept(office: RecordOffice) -> list[tuple[str | None, str]]:
    with office.store.read() as tx:
        return [(one.contact_id, one.outcome) for one in receipts.replies(tx, office.now - dt.timedelta(days=1))]


def test_a_code_that_is_answered_acknowledges_and_is_kept_without_words(office: RecordOffice) -> None:
    number = office.report()
    words = f"收到，{code_for(office, '01')}，马上去找"
    office.sms.will_pass_on(Reply("+8613800000001", words, office.now, "r-1"))

    office.works(office.now + MINUTE)

    assert [kind for kind, _ in office.journal(number)][-1] == "acknowledged"
    assert kept(office) == [("town", "acknowledged")]
    with office.store.read() as tx:
        rows = str(tx.connection.execute(sa.select(tables.reply)).all())
    assert "13800000001" not in rows
    assert "马上去找" not in rows


def test_an_answer_that_comes_twice_is_heard_once(office: RecordOffice) -> None:
    number = office.report()
    answers = [Reply("+8613800000001", code_for(office, "01"), office.now, reply_id) for reply_id in ("r-1", "r-1")]
    nameless = Reply("+8613800000001", "??", office.now)
    office.sms.will_pass_on(*answers, nameless, nameless)
    office.works(office.now + MINUTE)

    assert [kind for kind, _ in office.journal(number)].count("acknowledged") == 1
    assert kept(office) == [("town", "acknowledged"), (None, "no code")]


def test_somebody_elses_number_acknowledges_nothing(office: RecordOffice) -> None:
    number = office.report()
    office.sms.will_pass_on(Reply("+8613999999999", code_for(office, "01"), office.now, "r-1"))

    office.works(office.now + MINUTE)

    assert "acknowledged" not in [kind for kind, _ in office.journal(number)]
    assert kept(office) == [(None, "unknown sender")]


def answers(office: RecordOffice) -> list[str]:
    """What the answers say, oldest first."""
    with office.store.read() as tx:
        told = outbox.deliveries(tx, channel="sms")
    found = [one for one in told if one.message.kind == REPLY_ANSWER]
    return [one.alerts[0].facts["answer"]["what"] for one in sorted(found, key=lambda one: one.message.created_at)]


def test_whoever_was_told_of_a_case_hears_what_came_of_the_reply(office: RecordOffice) -> None:
    office.report()
    begun = office.now
    for n, text in enumerate(("00000", "收到 1 2", code_for(office, "01")), 1):
        office.sms.will_pass_on(Reply("+8613800000001", text, office.now, f"r-{n}"))
        office.works(begun + n * MINUTE)

    assert answers(office) == ["unknown_code", "no_code", "acknowledged"]


def test_strangers_and_gateways_are_not_answered(office: RecordOffice) -> None:
    office.report()
    for n, sender in enumerate(("+8613999999999", "+8610086", "+86106575251234")):
        office.sms.will_pass_on(Reply(sender, code_for(office, "01"), office.now, f"r-{n}"))
    office.works(office.now + MINUTE)

    assert answers(office) == []


def test_two_machines_that_answer_each_other_fall_silent(office: RecordOffice) -> None:
    office.report()
    for n in range(6):
        office.sms.will_pass_on(Reply("+8613800000001", "我正在开车，稍后回复", office.now, f"r-{n}"))
        office.works(office.now + MINUTE)

    assert len(answers(office)) == MOST_ANSWERS


def test_words_to_nobody_are_not_answered_when_no_case_waits(office: RecordOffice) -> None:
    office.report()
    begun = office.now
    for n, text in enumerate((code_for(office, "01"), "辛苦了"), 1):
        office.sms.will_pass_on(Reply("+8613800000001", text, office.now, f"r-{n}"))
        office.works(begun + n * MINUTE)

    assert answers(office) == ["acknowledged"]
