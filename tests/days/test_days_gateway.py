"""A gateway that had a message already is believed after an attempt of ours, and its recipient is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.days.school import PEOPLE, Day
from tests.days.stories import ana_vanishes
from tests.phones import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.days.conftest import Opens

WITH_SIGNS = 'provider = "http"\nurl = "{sms}"\nok_field = "code"\nok_value = "0"\nrepeated_values = ["DUPLICATE"]'
TAKEN = Answer(body={"code": "0"})


def report_meets(opens: Opens, answers: Sequence[Answer], texts: str) -> Day:
    """The report of Ana to her town, while the gateway answers so."""
    day = opens(people=PEOPLE, texts=texts)
    day.sms.usual = TAKEN
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(*answers)
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    return day


def state(day: Day) -> tuple[str, list[str | None]]:
    [one] = [one for one in day.deliveries("sms") if one.message.contact_id == "town"]
    return one.message.state, [attempt.outcome for attempt in one.attempts]


@pytest.mark.parametrize(
    "again",
    [Answer(409, {"error": "duplicate id"}, taken=False), Answer(body={"code": "DUPLICATE"}, taken=False)],
    ids=["by its status", "by its word"],
)
def test_a_message_whose_answer_was_lost_is_sent_when_the_gateway_says_it_had_it(opens: Opens, again: Answer) -> None:
    day = report_meets(opens, [Answer(drop=True), again], WITH_SIGNS)
    day.expects_sms("town", "控辍保学报告")
    assert state(day) == ("queued", ["retry"])

    day.at("Wed 08:20")

    assert state(day) == ("sent", ["retry", "sent"])


def test_a_login_page_in_place_of_the_gateway_is_no_success_and_the_report_waits_for_the_gateway(opens: Opens) -> None:
    page = Answer(body=b"<html>please log in</html>", headers={"Content-Type": "text/html"}, taken=False)
    day = report_meets(opens, [page], 'provider = "http"\nurl = "{sms}"')
    assert state(day)[0] == "queued"
    day.expects_mail("operator", "web page")
    day.at("Wed 08:30")

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("operator", "已排除")
    assert state(day)[0] == "sent"
