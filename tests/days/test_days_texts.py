"""A county whose texts Aliyun carries: approved words, what became of them, and answers to them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.jobs.receipts import PUSHED, keep
from daemon.store.engine import Store
from notifiers.contract import Listener, Notifier, Pushed
from tests.days.school import CHILDREN, PEOPLE, Day
from tests.phones import SECRET, SmtpSink, WebhookEar
from tests.phones_aliyun import KEY_ID, KEY_SECRET, SIGN_NAME, AliyunPhone

PHONE = "+8613800000001"
TOKEN = "r3ceipts"
TEXTS = f"""
provider = "aliyun"
endpoint = "{{sms}}"
access_key_id = "{KEY_ID}"
access_key_secret_file = "../aliyun.secret"
receipts_token_file = "../receipts.token"
sign_name = "{SIGN_NAME}"
replies = true
[[channels.sms.template]]
id = "SMS_1"
parameters = [
  {{ fact = "kind", longest = 8 }},
  {{ fact = "case", name = "case_no" }},
  {{ fact = "student" }},
  {{ fact = "reply_code", name = "code" }},
  {{ fact = "callback", name = "phone" }},
]
"""
VARIABLES = ("kind", "case_no", "student", "code", "phone")
TOWN = replace(next(one for one in PEOPLE if one.who == "town"), email="town@example.org")
OFFICIALS = [TOWN, *(one for one in PEOPLE if one.who not in {"town", "mentor"})]

Opens = Callable[[], tuple[Day, AliyunPhone]]


@pytest.fixture
def opens(store: Store, tmp_path: Path) -> Iterator[Opens]:
    """Opens the school with Aliyun to carry its texts."""
    (tmp_path / "aliyun.secret").write_text(KEY_SECRET, encoding="utf-8")
    (tmp_path / "receipts.token").write_text(TOKEN, encoding="utf-8")
    (tmp_path / "school").mkdir()
    days: list[Day] = []
    with ExitStack() as held:
        phone = AliyunPhone(lambda: days[0].now if days else dt.datetime(2026, 3, 16, tzinfo=dt.UTC))
        phone.approved = {"SMS_1": VARIABLES}
        receivers = (
            held.enter_context(SmtpSink()),
            held.enter_context(phone),
            held.enter_context(WebhookEar("edu", SECRET)),
        )

        def opened() -> tuple[Day, AliyunPhone]:
            folder = tmp_path / "school"
            days.append(Day(folder, store, receivers, texts=TEXTS, people=OFFICIALS, children=CHILDREN))
            held.callback(days[0].close)
            return days[0], phone

        yield opened


class Unasked:
    """A channel that only sends: asked for receipts every minute, two days would pass slowly."""

    channel = "sms"

    def __init__(self, inner: Notifier) -> None:
        self.send, self.close = inner.send, inner.close


def report_is_due(day: Day, phone: AliyunPhone, permits: dict[str, int] | None = None) -> None:
    """Ana is away until Wednesday morning's roll, which brings the report."""
    notifiers = day.house.notifiers
    day.house.terms = replace(day.house.terms, notifiers={**notifiers, "sms": Unasked(notifiers["sms"])})
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                day.expects_sms("teacher", "首次缺勤")
    if permits is not None:
        phone.permits = permits
    day.at("Wed 08:10")
    day.house.terms = replace(day.house.terms, notifiers=notifiers)
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")


def hears(day: Day, body: bytes) -> None:
    """Aliyun pushes something to our door."""
    listener = day.house.notifiers["sms"]
    assert isinstance(listener, Listener)
    keep(day.house, "sms", PUSHED, listener.hear(Pushed(f"/heard/sms/{TOKEN}", {}, {}, body), day.now), day.now)
    day.works()


def test_a_report_leaves_in_approved_words_and_its_arrival_is_asked_for(opens: Opens) -> None:
    day, phone = opens()
    report_is_due(day, phone)
    told = json.loads(day.expects_sms("town").text)
    assert told["kind"] == "报告"
    assert told["case_no"] == "2026-000001"
    assert told["student"] == "张**"
    assert told["phone"] == "0911-1234567"

    sent = day.deliveries("sms")[0]
    assert sent.message.provider_id == phone.details[-1]["BizId"]
    phone.settles(sent.message.message_id, arrived=True, code="DELIVERED")
    day.at("Wed 08:15")
    sent = day.deliveries("sms")[0]
    assert sent.message.delivered_at is not None


def test_what_did_not_arrive_is_told_by_mail_once_however_often_aliyun_says_so(opens: Opens) -> None:
    day, phone = opens()
    report_is_due(day, phone)
    day.expects_sms("town")
    sent = day.deliveries("sms")[0]
    phone.settles(sent.message.message_id, arrived=False, code="MOBILE_NOT_ON_SERVICE")
    hears(day, phone.sms_report(sent.message.message_id))
    day.expects_mail("town", "控辍保学报告")
    hears(day, phone.sms_report(sent.message.message_id))
    day.expects_mail("operator", "无法送达", "town", "短信")
    day.at("Wed 08:25")


def test_a_number_that_has_had_its_share_of_texts_is_told_by_mail_in_time(opens: Opens) -> None:
    day, phone = opens()
    report_is_due(day, phone, {"天": 0})
    day.at("Wed 08:24")
    assert "LIMIT_CONTROL" in (day.deliveries("sms")[0].attempts[-1].error or "")
    day.at("Wed 08:39")
    day.expects_mail("town", "控辍保学报告")


def test_answering_the_code_acknowledges(opens: Opens) -> None:
    day, phone = opens()
    report_is_due(day, phone)
    code = json.loads(day.expects_sms("town").text)["code"]
    assert day.case("ana").acknowledged_at is None
    up = {"phone_number": PHONE.removeprefix("+86"), "send_time": "2026-03-18 08:15:00", "content": f"收到 {code}"}
    hears(day, json.dumps([{**up, "sign_name": SIGN_NAME, "dest_code": "1", "sequence_id": 7}]).encode())
    assert day.case("ana").acknowledged_at is not None
