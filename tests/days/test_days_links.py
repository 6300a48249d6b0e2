"""Whole days of people who follow the links of their messages: what a page promises is what the ladder does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from daemon.console.app import build_console
from daemon.console.ready import Vitals
from daemon.store import incidents
from daemon.store.incidents import IncidentRow
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day
from tests.days.stories import ana_is_reported
from tests.days.test_days_ladder import HEAD, TOWN, at_school, goes_on, rungs, town_is_told
from tests.phones import Arrival

SHORT = 'remind_after = "20h"\nlapses_after = "30h"'


def link_in(message: Arrival) -> str:
    """The path of the only link of a message."""
    [found] = set(re.findall(r"/a/[\w-]+", message.text))
    return str(found)


def page(day: Day, message: Arrival) -> str:
    """What the recipient of a message sees behind its link."""
    with TestClient(build_console(day.house, Vitals(day.house))) as browser:
        return browser.get(link_in(message)).text


def presses(day: Day, message: Arrival, fields: Mapping[str, str] | None = None) -> str:
    """What the recipient of a message sees after a button behind its link."""
    with TestClient(build_console(day.house, Vitals(day.house))) as browser:
        answer = browser.post(link_in(message), data=dict(fields or {}))
    day.works()
    return answer.text


def town_acknowledges(day: Day) -> str:
    """The town has the report on Wednesday at 08:10 and presses the button at once; the page it sees then."""
    town_is_told(day)
    message = day.sms.arrivals[-1]
    assert page(day, message).count("<form") == 2
    return presses(day, message)


def test_a_deed_by_the_link_of_the_reminder_keeps_the_promise(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, rest=SHORT)
    promised = town_acknowledges(day)
    assert "请在2026年3月19日（周四）04:10前登记" in promised
    assert "到2026年3月19日（周四）14:10仍没有登记的，签收失效" in promised

    goes_on(day, "Thu 04:11")
    reminder = day.expects_sms("town", "签收后尚无处置记录", "请于3月19日14:10前登记处置情况")
    assert "登记" in page(day, reminder)
    assert "已登记：已上门家访" in presses(day, reminder, {"deed": "visited", "note": "人在家", "back_on": ""})
    goes_on(day, "Fri 14:00")

    assert [kind for kind, _ in rungs(day)] == [
        "rung climbed",
        "acknowledged",
        "acknowledgement recalled",
        "rung passed over",
    ]


def test_whoever_acknowledged_hears_that_it_lapsed_and_may_acknowledge_again(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, rest=SHORT)
    town_acknowledges(day)
    goes_on(day, "Thu 04:11")
    day.expects_sms("town", "签收后尚无处置记录")
    goes_on(day, "Thu 14:10")
    day.expects_sms("head", "升级督办", "登记处置 ")
    day.roll("pm", absent=["ana"])
    day.at("Thu 14:11")

    lapsed = day.expects_sms("town", "签收已失效", "重新签收")
    assert ">签收<" in page(day, lapsed)
    presses(day, lapsed)
    assert day.case("ana").acknowledged_contact == "town"


def test_saying_at_once_what_was_done_needs_no_reminder(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, rest=SHORT)
    town_is_told(day)
    presses(day, day.sms.arrivals[-1], {"deed": "called", "note": "", "back_on": ""})
    goes_on(day, "Fri 14:00")
    assert [kind for kind, _ in rungs(day)] == ["rung climbed", "acknowledged", "rung passed over"]


def test_only_those_whose_word_counts_have_a_link_that_acknowledges_and_a_code(opens: Opens) -> None:
    people = [replace(one, phone="+8613800000009", endpoint="") if one.who == "mentor" else one for one in PEOPLE]
    day = opens(people=people, texts='provider = "http"\nurl = "{sms}"\nreplies = true')
    day.at("Mon 08:10")
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                day.expects_sms("teacher")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    assert re.search(r"签收回\d{5}或点 https", day.expects_sms("town").text)
    mentor = day.expects_sms("mentor").text
    assert "登记处置 https" in mentor
    assert "签收" not in mentor
    assert "签收并登记处置：https" in day.expects_mail("office").text


def test_a_reminder_of_a_rule_has_the_form_while_its_case_is_open(opens: Opens) -> None:
    day = opens(rules=PROMPT)
    for name in ("Mon", "Tue", "Wed"):
        day.at(f"{name} 08:10")
        day.roll("am", absent=["ana"])
        if name == "Wed":
            break
        day.at(f"{name} 09:00")
        day.expects_sms("teacher", "未到校")
        day.at(f"{name} 14:10")
        day.roll("pm")
    day.expects_hook("mentor", '"reminder"')
    message = day.expects_sms("teacher", "近五日三次旷课", "登记处置 ")
    assert "已登记：已电话联系" in presses(day, message, {"deed": "called", "note": "", "back_on": ""})
    assert [body["role"] for kind, body in day.entries("ana") if kind == "what was done"] == ["class_teacher"]
    assert day.case("ana").acknowledged_at is None


PROMPT = """
[[rule]]
id = "prompt"
title = { zh = "近五日三次旷课", en = "Three days without leave in five" }
when = "unexcused_days_5 >= 3"
until = "unexcused_days_5 < 1"
stage = "first_absence"
ladder = "watch"
"""


# ---- a mass absence -----------------------------------------------------------------------------------------------

CHILDREN = {f"c-{n:02}": "t-1" for n in range(24)}


@pytest.fixture
def snow(opens: Opens) -> tuple[Day, Arrival, Arrival]:
    """A school of 24 to which nobody comes on Monday; the principal's message, and the office's."""
    day = opens(children=CHILDREN, people=[one for one in PEOPLE if one.who != "mentor"])
    day.at("Mon 08:10")
    day.roll("am", absent=CHILDREN)
    told = [day.expects_mail(who, "大面积缺勤", "判断是否属实：https") for who in ("principal", "office", "operator")]
    day.at("Mon 09:00")
    day.expects_sms("teacher")
    return day, told[0], told[1]


def storm(day: Day) -> IncidentRow:
    with day.store.read() as tx:
        [found] = incidents.list_incidents(tx, "mass_absence")
    return found


def test_a_mass_absence_is_judged_by_link_once_and_not_undone(snow: tuple[Day, Arrival, Arrival]) -> None:
    day, principal, office = snow
    seen = page(day, principal)
    assert all(word in seen for word in ("河东小学", "24 / 24", "3月16日08:00", ">属实<", ">不属实<"))
    assert storm(day).verdict is None

    assert "已判断：不属实" in presses(day, principal, {"verdict": "not_real"})
    row = storm(day)
    assert (row.verdict, row.judged_by) == ("not_real", "principal principal")
    [line] = row.state["journal"]
    assert (line["way"], line["role"], line["contact"]) == ("link", "principal", "principal")

    for after in (page(day, office), presses(day, office, {"verdict": "real"})):
        assert "判断单位：校长，2026年3月16日（周一）09:00" in after
        assert "<button" not in after
    assert storm(day).verdict == "not_real"


def test_what_was_judged_real_may_be_judged_not_real_after_all(snow: tuple[Day, Arrival, Arrival]) -> None:
    day, principal, office = snow
    assert "已判断：属实" in presses(day, office, {"verdict": "real"})
    assert "已判断：属实" in presses(day, principal, {"verdict": "real"})
    assert len(storm(day).state["journal"]) == 1
    assert "改判为不属实" in page(day, principal)
    assert "已判断：不属实" in presses(day, principal, {"verdict": "not_real"})
    assert [one["contact"] for one in storm(day).state["journal"]] == ["office", "principal"]


def test_a_judgement_that_is_none_judges_nothing(snow: tuple[Day, Arrival, Arrival]) -> None:
    day, principal, _ = snow
    for fields in ({}, {"verdict": ""}, {"verdict": "maybe"}, {"deed": "called"}):
        assert ">属实<" in presses(day, principal, fields)
    assert storm(day).verdict is None


# ---- a correction gives its own reason ------------------------------------------------------------------------------


def told_why(day: Day, words: str) -> None:
    """Town and office are told of a retraction for this reason, machines by the code there always was."""
    assert words in day.expects_sms("town", "撤回").text
    assert words in day.expects_mail("office", "撤回").text
    day.expects_hook("mentor", '"retraction"')


def test_a_leave_entered_afterwards_is_the_reason(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 16:00")
    day.leave("ana", "Mon", "Wed")
    told_why(day, "已补录请假")


@pytest.mark.parametrize(
    ("said", "words"),
    [("present", "点名记录显示当时在校"), ("leave", "点名记为请假"), ("unknown", "考勤记录已更正")],
)
def test_a_corrected_roll_says_what_it_was_corrected_to(day: Day, said: str, words: str) -> None:
    ana_is_reported(day)
    day.at("Wed 10:00")
    for name in ("Mon", "Tue", "Wed"):
        day.corrects("ana", name, am=said, **({} if name == "Wed" else {"pm": said}))
        if name == "Tue":
            break
    told_why(day, words)


def test_a_mass_absence_that_was_none_is_the_reason(snow: tuple[Day, Arrival, Arrival]) -> None:
    day, principal, _ = snow
    for name, session in (("Mon", "pm"), ("Tue", "am"), ("Tue", "pm"), ("Wed", "am")):
        day.at(f"{name} {'08:10' if session == 'am' else '14:10'}")
        day.roll(session, absent=CHILDREN)
    presses(day, principal, {"verdict": "real"})
    forget(day)
    presses(day, principal, {"verdict": "not_real"})
    for phone in (day.mail, day.sms):
        assert "大面积缺勤经核实不属实" in phone.arrivals[-1].text
    forget(day)
    assert "retracted" in day.journal("c-01")


def forget(day: Day) -> None:
    """What was heard until now need not be expected."""
    for phone in (day.mail, day.sms, day.hook):
        phone.forgets()
