"""A child vanishes: who is told when, and what an acknowledgement or a return changes."""

from __future__ import annotations

import pytest

from daemon.desk.faults import DeskError
from daemon.desk.links import Act
from rules.case import Stage, Standing
from tests.days.school import Day
from tests.days.stories import ana_vanishes, report_goes_out


def test_a_child_vanishes_and_town_office_and_mentor_are_told_on_wednesday(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:09")
    day.expects_nothing()

    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("town", "控辍保学报告", "河东小学", "张**", "2026-000001", "0911-1234567")
    day.expects_mail("office", "控辍保学报告", "张**", "2026年3月18日（周三）08:00")
    hook = day.expects_hook("mentor", '"report"')
    assert "张" not in hook.text
    case = day.case("ana")
    assert (case.due_at, case.raised_at) == (day.instant("Wed 08:10").replace(minute=0), day.now)
    assert day.journal("ana") == ["opened", "due", "raised", "rung climbed"]


def test_a_report_whose_roll_never_comes_goes_out_after_an_hour(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:59")
    day.expects_nothing()

    day.at("Wed 09:00")

    report_goes_out(day)
    assert day.case("ana").raised_at == day.now


def test_a_child_seen_at_the_gate_is_found_by_asking_the_feed_once_more(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 07:58")
    day.roll("am", polled=False)

    day.at("Wed 12:00")

    assert day.journal("ana")[-1] == "closed"
    assert "raised" not in day.journal("ana")


def test_a_child_who_walks_in_on_the_third_morning_sets_nobody_off(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am")

    day.at("Wed 23:00")

    assert day.journal("ana") == ["opened", "due", "overtaken", "closed"]


def test_nobody_acknowledges_so_the_second_rung_speaks(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    report_goes_out(day)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:09")
    day.expects_nothing()

    day.at("Thu 08:10")

    day.expects_sms("head", "升级督办", "2026-000001")
    day.expects_sms("director", "升级督办")
    day.roll("am", absent=["ana"])


def test_the_town_acknowledges_by_its_link_so_the_second_rung_stays_silent(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    message = report_goes_out(day)

    day.at("Wed 09:00")
    day.taps(message, Act.ACKNOWLEDGE)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])
    day.at("Thu 12:00")

    assert day.case("ana").acknowledged_by == "town_government"
    day.expects_sms("town", "签收后尚无处置记录")
    assert day.journal("ana")[-3:] == ["acknowledged", "rung passed over", "acknowledgement recalled"]


def test_a_link_pressed_twice_acknowledges_once(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    message = report_goes_out(day)

    day.taps(message, Act.ACKNOWLEDGE)
    day.taps(message, Act.ACKNOWLEDGE)

    assert day.journal("ana").count("acknowledged") == 1


def test_a_child_comes_back_before_the_second_rung(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    message = report_goes_out(day)

    day.at("Wed 14:10")
    day.roll("pm")

    for word in (
        day.expects_sms("town", "返校"),
        day.expects_mail("office", "返校"),
        day.expects_hook("mentor", '"return"'),
    ):
        assert word.message_id != message.message_id
    assert day.case("ana").stage is Stage.RETURNED
    day.at("Thu 08:10")
    day.roll("am")
    day.at("Thu 12:00")
    with pytest.raises(DeskError):
        day.taps(message, Act.ACKNOWLEDGE)


def test_a_return_is_observed_for_ten_school_days_and_then_closing_is_proposed(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    report_goes_out(day)
    day.at("Thu 08:10")
    day.expects_sms("head", "升级督办")
    day.expects_sms("director", "升级督办")
    day.roll("am")
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    day.expects_sms("head", "返校")
    day.expects_sms("director", "返校")
    for name in ("Thu", "Fri", "Mon", "Tue", "Wed", "Thu", "Fri", "Mon", "Tue", "Wed", "Thu"):
        day.at(f"{name} 08:20")
        day.roll("am")
        day.at(f"{name} 14:10")
        day.roll("pm")
    assert not day.case("ana").pending_closure

    day.at("Fri 00:00")

    assert day.case("ana").pending_closure
    assert day.case("ana").is_open
    assert day.case("ana").standing is Standing.RETURNED
