"""Answering a text message with its code: who may, how it may be written, and what one code acknowledges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from daemon.desk.links import Links
from daemon.jobs.bycode import Outcome, acknowledge_by_reply, codes_in, is_same_number
from daemon.jobs.office import Actor, propose_closing
from daemon.store import outbox
from daemon.store.alerts import AlertDraft
from tests.daemon.desk.county_office import Office, local, write_county

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.engine import Store

TOWN, OFFICE = "+8613800000001", "+8613800000003"


@pytest.fixture
def answering(tmp_path: Path, sqlite_store: Store) -> Office:
    """An office whose gateway brings answers back."""
    config = write_county(tmp_path)
    text = config.read_text(encoding="utf-8").replace("[channels.sms]\n", "[channels.sms]\nreplies = true\n")
    config.write_text(text, encoding="utf-8")
    return Office(tmp_path, sqlite_store)


def code_for(office: Office, contact: str, kind: str = "report") -> str:
    """The code in the newest message of a kind to somebody."""
    with office.store.read() as tx:
        found = outbox.deliveries(tx, channel="sms")
    one = next(one.message for one in found if (one.message.contact_id, one.message.kind) == (contact, kind))
    return office.house.links.reply_code(one.message_id)


def replies(office: Office, sender: str, text: str, at: str = "09:00") -> tuple[Outcome, int]:
    answered = acknowledge_by_reply(office.house, sender, text, local(2, at))
    return answered.outcome, len(answered.numbers)


@pytest.mark.parametrize(
    "text",
    [
        *("12345", "回复12345确认", "１２３４５", "ok 12345.", "١٢٣٤٥", "签收 12345!!", "12345 then 678"),
        *(
            "1 2 3 4 5",
            "12 345",
            "１２ ３４５",
            "收到 123-45",
            "1,2,3,4,5",
            "12。345",
            "收到12 345 马上去",
            "12345 678",
        ),
    ],
)
def test_a_code_is_found_however_it_is_written(text: str) -> None:
    assert codes_in(text) == {"12345"}


@pytest.mark.parametrize(
    "text",
    ["", "收到", "1234", "123456", "call 13800000001", "12 34", "2026-03-18", "138 0000 0001", "08:10", "12 3456"],
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert codes_in(text) == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [("+8613800000001", "13800000001"), ("+8613800000001", "008613800000001"), ("+447700900123", "07700 900123")],
)
def test_a_number_is_the_same_with_and_without_its_country(one: str, other: str) -> None:
    assert is_same_number(one, other)
    assert is_same_number(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("+8613800000001", "13800000002"), ("+8613800000001", "0001"), ("", ""), ("+8613800000001", "")]
)
def test_another_number_is_another(one: str, other: str) -> None:
    assert not is_same_number(one, other)


def test_a_code_is_five_digits_the_same_for_ever_and_another_for_another_message() -> None:
    links = Links([b"new", b"old"], "https://a.example")
    codes = {links.reply_code(f"{n:032x}") for n in range(200)}

    assert all(re.fullmatch(r"\d{5}", code) for code in codes)
    assert len(codes) > 190
    assert links.reply_code("1") == links.reply_code("1")
    assert Links([b"old"], "").reply_code("1") in links.reply_codes("1")


def test_a_text_message_says_its_code_where_answers_come_back(answering: Office) -> None:
    answering.report()

    assert f"签收回{code_for(answering, 'town')}或点" in " ".join(answering.phone.texts)


def test_a_text_message_says_none_where_nobody_would_hear_the_answer(office: Office) -> None:
    office.report()

    assert "签收" in " ".join(office.phone.texts)
    assert "回复" not in " ".join(office.phone.texts)


def test_a_reply_acknowledges_and_tells_who_it_was(office: Office) -> None:
    number = office.report()

    assert replies(office, TOWN, f"回复{code_for(office, 'town')}确认") == (Outcome.ACKNOWLEDGED, 1)
    assert replies(office, TOWN, code_for(office, "town")) == (Outcome.BEFORE, 1)
    said = [body for kind, body in office.journal(number) if kind == "acknowledged"]
    assert said == [{"role": "town_government", "by": "town_government town", "way": "reply"}]


@pytest.mark.parametrize(
    "text", ["收到", "已收到！", "收到，马上去核实。", "好的", "知道了", "ＯＫ", "签收", "Received, thanks"]
)
def test_a_plain_yes_acknowledges_the_one_case_that_waits(office: Office, text: str) -> None:
    number = office.report()

    assert replies(office, TOWN, text) == (Outcome.ACKNOWLEDGED, 1)
    assert [body["way"] for kind, body in office.journal(number) if kind == "acknowledged"] == ["reply"]


@pytest.mark.parametrize(
    "text", ["他今天病了", "收到但不是我们镇的", "不知道", "没收到", "？", "收到 1234", "孩子已返校"]
)
def test_what_is_no_plain_yes_acknowledges_nothing_and_says_which_code_would(office: Office, text: str) -> None:
    number = office.report()

    answered = acknowledge_by_reply(office.house, TOWN, text, local(2, "09:00"))

    assert (answered.outcome, answered.contact_id, answered.reader) == (Outcome.NO_CODE, None, "town")
    assert [(one.number, one.code) for one in answered.waiting] == [(number, code_for(office, "town"))]


def test_a_plain_yes_to_several_cases_acknowledges_none_and_says_the_codes(office: Office) -> None:
    office.two_days("AAP")
    office.roll(2, "am", "AAP", "08:10")

    answered = acknowledge_by_reply(office.house, TOWN, "收到", local(2, "09:00"))

    assert answered.outcome is Outcome.NO_CODE
    assert len(answered.waiting) == 2


def test_a_plain_yes_after_something_else_was_said_may_mean_that(office: Office) -> None:
    office.report()
    at = local(2, "08:40")
    later = AlertDraft(
        key="later",
        contact_id="town",
        role="town_government",
        channel="sms",
        kind="rules_accepted",
        raised_at=at,
        facts={},
        addressee="another",
    )
    office.store.commit(lambda tx: outbox.draft(tx, [later], at))
    office.step(2, "08:45")

    answered = acknowledge_by_reply(office.house, TOWN, "收到", local(2, "09:00"))
    assert (answered.outcome, len(answered.waiting)) == (Outcome.NO_CODE, 1)


@pytest.mark.parametrize(
    "sender", ["10086", "+8610086", "106575251234", "+86106575251234", "+8695588", "+869111234567"]
)
def test_numbers_of_gateways_and_services_are_nobodys(office: Office, sender: str) -> None:
    office.report()
    answered = acknowledge_by_reply(office.house, sender, code_for(office, "town"), local(2, "09:00"))
    assert (answered.outcome, answered.reader) == (Outcome.UNKNOWN_SENDER, None)


def test_a_code_that_was_sent_to_somebody_else_acknowledges_nothing(office: Office) -> None:
    number = office.report()

    assert replies(office, OFFICE, code_for(office, "town")) == (Outcome.UNKNOWN_SENDER, 0)
    assert "acknowledged" not in [kind for kind, _ in office.journal(number)]


def test_one_who_was_told_and_may_not_acknowledge_does_not(office: Office) -> None:
    office.report()
    office.roll(3, "am", "APP", "08:10")

    answered = acknowledge_by_reply(
        office.house, "13800000002", code_for(office, "head", "escalation"), local(3, "09:00")
    )
    assert answered.outcome is Outcome.NOT_ALLOWED


def test_one_code_acknowledges_every_child_of_its_message(office: Office) -> None:
    office.two_days("AAP")
    office.roll(2, "am", "AAP", "08:10")
    with office.store.read() as tx:
        found = [one for one in outbox.deliveries(tx, channel="sms") if one.message.contact_id == "town"]
    told = {one.message.message_id: len(one.alerts) for one in found if one.message.kind == "report"}

    acknowledged = sum(replies(office, TOWN, office.house.links.reply_code(one))[1] for one in told)
    assert acknowledged == sum(told.values()) == 2


def test_a_code_of_a_case_that_is_closed_says_so(office: Office) -> None:
    number = office.report()
    code = code_for(office, "town")
    propose_closing(office.house, number, "transferred", Actor("Tao"), local(2, "09:00"))
    office.roll(2, "pm", "PPP", "14:10")

    assert replies(office, TOWN, code, "15:00") == (Outcome.CLOSED, 0)


def test_a_contact_that_is_gone_answers_for_nobody(office: Office) -> None:
    office.report()
    contacts = office.folder / "contacts.csv"
    lines = contacts.read_text(encoding="utf-8").splitlines()
    contacts.write_text("\n".join(line for line in lines if not line.endswith(",town")) + "\n", encoding="utf-8")
    office.step(2, "08:30")

    assert replies(office, TOWN, code_for(office, "town"))[0] is Outcome.UNKNOWN_SENDER
