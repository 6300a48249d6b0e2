"""Scenario 14, time: clocks that are set, weekends, holidays, the hours of whoever is told.

Elsewhere:
    tests/rules/test_rules_judge.py::test_a_run_over_the_change_of_clocks_is_48_hours_long
    tests/days/test_days_correction.py::test_a_relapse_after_a_return_is_reported_anew
    tests/days/test_days_reach.py::test_on_a_day_off_others_are_on_duty
    tests/days/test_days_pacing.py::test_seven_is_seven_on_the_day_the_clocks_are_set
    tests/days/test_days_pacing.py::test_a_deadline_at_three_at_night_is_told_at_seven_and_once
    tests/days/test_days_pacing.py::test_what_is_solved_while_its_recipient_sleeps_is_told_to_those_who_knew_and_not_to_the_sleeper
    tests/days/test_days_pacing.py::test_a_restart_within_the_night_loses_nothing
"""

from __future__ import annotations

import pytest

from daemon.jobs.office import Actor, acknowledge, note
from tests.days.conftest import Opens
from tests.days.stories import ana_is_reported

HEAD_SLEEPS = """
[[hours]]
id = "day"
from = 07:00:00
to = 21:00:00
timezone = "Africa/Nairobi"
roles = ["town_head"]
exempt = []
"""
"""Their seven in the morning is noon at school."""


@pytest.mark.parametrize("acknowledged", [False, True], ids=["nobody has it in hand", "somebody has it in hand"])
def test_a_stage_that_waits_for_the_morning_goes_on_after_a_restart_unless_it_is_over(
    opens: Opens, *, acknowledged: bool
) -> None:
    day = opens(config=HEAD_SLEEPS)
    ana_is_reported(day)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.expects_sms("director", "升级督办")
    day.at("Thu 10:00")
    day.house = day.another_house("after the restart")
    day.works()
    if acknowledged:
        acknowledge(day.house, "2026-000001", Actor("Tao"), day.now)
        note(day.house, "2026-000001", "home visit", Actor("Tao"), day.now)
    day.at("Thu 11:59:59")
    day.expects_nothing()

    day.at("Thu 12:00")

    if not acknowledged:
        day.expects_sms("head", "升级督办", "2026-000001")
    day.at("Thu 13:00")
