"""A child drifts away: mentor and class teacher hear of it once, and again when it goes on after a while."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from daemon.jobs.office import Actor, approve_closing, propose_closing
from daemon.store.rules import rule_versions
from rules.case import Stage, Standing
from tests.days.conftest import Opens
from tests.days.school import Day
from tests.days.stories import ana_vanishes
from tests.phones import Arrival

DRIFT = """
[[rule]]
id = "drift"
title = { zh = "近五日三次旷课", en = "Three days without leave in five" }
when = "unexcused_days_5 >= 3"
until = "unexcused_days_5 < 1"
stage = "watch"
ladder = "watch"
rearm = "14d"
"""
SOONER = """
[[rule]]
id = "class-24h"
title = { zh = "24小时未到校", en = "Absent 24 hours" }
when = "absent_days >= 1"
after = "24h"
stage = "reported"
ladder = "statutory"
scope = { units = ["k-1"] }
"""


@pytest.fixture
def day(opens: Opens) -> Day:
    return opens(rules=DRIFT)


def missed(day: Day, *days: str) -> None:
    """Ana misses these mornings and is there in the afternoon; the teacher has the morning's list an hour in."""
    for name in days:
        day.at(f"{name} 08:10")
        day.roll("am", absent=["ana"])
        goes_on(day, name)


def goes_on(day: Day, name: str) -> None:
    day.at(f"{name} 09:00")
    day.expects_sms("teacher", "未到校")
    day.at(f"{name} 14:10")
    day.roll("pm")


def third_morning_missed(day: Day) -> Arrival:
    """After two mornings the third is a sign: mentor and teacher have it at once; the teacher's message."""
    missed(day, "Mon", "Tue")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_hook("mentor", '"risk"')
    return day.expects_sms("teacher", "辍学苗头")


def present(day: Day, *days: str) -> None:
    for name in days:
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session)


def watched_for_a_week(day: Day) -> None:
    """A sign on Wednesday; then the child is there, the principal is told on Friday, and all is well the week after."""
    third_morning_missed(day)
    goes_on(day, "Wed")
    present(day, "Thu")
    day.at("Fri 08:10")
    day.expects_mail("principal", "辍学苗头")
    present(day, "Fri", *WEEK)


WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri")


def test_three_mornings_are_told_to_mentor_and_teacher_and_to_nobody_else(day: Day) -> None:
    missed(day, "Mon", "Tue")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    text = day.expects_sms("teacher", "辍学苗头", "近五日三次旷课", "张**").text
    [alert] = json.loads(day.expects_hook("mentor", '"risk"').text)["data"]["alerts"]
    assert "ana" not in text
    assert alert["rule"] == "drift"
    with day.store.read() as tx:
        assert alert["rule_version"] in {one.version for one in rule_versions(tx) if one.rule_id == "drift"}
    assert day.signs("ana") == [("sign raised", "drift")]


def test_a_child_who_is_seen_again_is_watched_until_the_sign_has_rested(day: Day) -> None:
    third_morning_missed(day)
    goes_on(day, "Wed")

    assert (day.case("ana").stage, day.case("ana").standing) == (Stage.WATCH, Standing.NONE)
    present(day, "Thu")
    day.at("Fri 08:10")
    day.expects_mail("principal", "辍学苗头")
    present(day, "Fri", *WEEK)
    assert day.signs("ana")[-1] == ("sign over", "drift")
    assert day.case("ana").is_open
    present(day, "Mon", "Tue", "Wed")
    assert day.case("ana").stage is Stage.CLOSED


def test_what_begins_anew_while_the_sign_rests_is_told_when_it_has_rested(day: Day) -> None:
    watched_for_a_week(day)
    missed(day, "Mon", "Tue")
    day.at("Wed 08:05")
    day.expects_nothing()
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("teacher", "辍学苗头")
    day.expects_hook("mentor", '"risk"')
    [sign] = [one for one in day.case("ana").signs if one.rule == "drift"]
    assert (sign.times, sign.raised_at) == (2, day.now)


def test_a_reported_child_keeps_its_sign_in_the_case_of_the_report(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("teacher", "辍学苗头", "2026-000001")
    for word in ("risk", "report"):
        day.expects_hook("mentor", f'"{word}"')
    day.expects_sms("town", "控辍保学报告", "2026-000001")
    day.expects_mail("office", "控辍保学报告")
    assert {one.rule for one in day.case("ana").signs if one.stands} == {"absent-1d", "absent-2d", "drift"}


def test_a_correction_of_the_report_leaves_the_word_of_a_sign_on_its_way(day: Day) -> None:
    ana_vanishes(day)
    day.nobody_answers()
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.at("Wed 14:10")
    day.roll("pm")
    day.everybody_answers()
    day.at("Wed 15:00")

    day.expects_sms("teacher", "辍学苗头")
    day.expects_hook("mentor", '"risk"')


def test_two_people_who_close_a_case_do_not_set_its_signs_off_again(day: Day) -> None:
    third_morning_missed(day)
    goes_on(day, "Wed")
    number = day.case("ana").number
    propose_closing(day.house, number, "false alarm", Actor("Li"), day.now)
    approve_closing(day.house, number, Actor("Wang"), day.now)
    day.works()
    present(day, "Thu")

    day.expects_nothing()
    assert [(one.times, one.stands) for one in day.case("ana").signs if one.rule == "drift"] == [(1, False)]


def test_a_class_with_a_shorter_wait_is_reported_sooner_by_its_own_rule(opens: Opens) -> None:
    day = opens(rules=SOONER)
    day.at("Mon 08:10")
    day.roll("am", absent=["ana"])
    day.at("Mon 09:00")
    day.expects_sms("teacher", "未到校")
    day.at("Tue 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"class-24h"')
    assert (day.case("ana").rule, day.case("ana").due_at) == ("class-24h", day.now - dt.timedelta(minutes=10))


def test_the_shorter_wait_passes_by_time_alone(opens: Opens) -> None:
    day = opens(rules=SOONER)
    day.at("Mon 08:10")
    day.roll("am", absent=["ana"])
    day.at("Mon 09:00")
    day.expects_sms("teacher", "未到校")
    day.at("Tue 09:00")

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"class-24h"')
