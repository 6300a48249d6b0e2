"""Scenario 7, the ladder and its end: each stage speaks at its time, unless somebody has it in hand by then.

Elsewhere:
    tests/days/test_days_report.py::test_nobody_acknowledges_so_the_second_rung_speaks
    tests/days/test_days_report.py::test_the_town_acknowledges_by_its_link_so_the_second_rung_stays_silent
    tests/days/test_days_ladder.py::test_acknowledging_cancels_what_waits_to_be_escalated
    tests/days/test_days_ladder.py::test_an_approved_closing_cancels_whatever_waits_about_the_case
    tests/days/test_days_ladder.py::test_an_acknowledgement_without_a_deed_is_recalled_to_its_giver_then_lapses_and_the_ladder_goes_on
    tests/days/test_days_ladder.py::test_a_rung_speaks_again_until_somebody_acknowledges
    tests/days/test_days_ladder.py::test_a_reply_with_the_code_acknowledges_once_and_only_from_the_number_that_was_told
"""

from __future__ import annotations

from daemon.jobs.office import Actor, acknowledge, note
from tests.days.conftest import Opens
from tests.days.school import LADDER, PEOPLE, Someone
from tests.days.stories import ana_vanishes

THIRD = """
[[ladder.rung]]
after = "48h"
unless = "acknowledged"
tell = ["county_head"]
channels = ["email"]
"""
COUNTY = Someone("county", "county_head", "county", email="county@example.org")


def test_three_stages_speak_in_turn_and_the_third_not_about_whom_somebody_has_in_hand(opens: Opens) -> None:
    day = opens(ladder=LADDER + THIRD, people=[*PEOPLE, COUNTY], children={"ana": "t-1", "bruno": "t-1", "carla": ""})
    ana_vanishes(day, ["bruno"])
    day.at("Wed 08:10")
    day.roll("am", absent=["ana", "bruno"])
    ana, bruno = day.case("ana").number, day.case("bruno").number
    for number in (ana, bruno):
        day.expects_sms("town", "控辍保学报告", number)
        day.expects_mail("office", "控辍保学报告", number)
    day.expects_hook("mentor", '"report"')
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana", "bruno"])
    day.at("Thu 08:09:59")
    day.expects_nothing()
    day.at("Thu 08:10")
    for number in (ana, bruno):
        for who in ("head", "director"):
            day.expects_sms(who, "升级督办", number)

    day.at("Thu 14:10")
    day.roll("pm", absent=["ana", "bruno"])
    acknowledge(day.house, ana, Actor("Tao"), day.now)
    note(day.house, ana, "home visit", Actor("Tao"), day.now)
    day.at("Fri 08:09:59")
    day.expects_nothing()
    day.at("Fri 08:10")

    assert ana not in day.expects_mail("county", "升级督办", bruno).text
    assert day.journal("ana")[-1] == "rung passed over"
    day.roll("am", absent=["ana", "bruno"])
    day.at("Fri 20:00")
