"""Scenario 1, boundary: a second too early nobody is told; at the deadline everybody is, once, and that is its time.

Elsewhere:
    tests/days/test_days_trouble.py::test_a_daemon_that_was_down_at_the_deadline_keeps_the_legal_time
    tests/days/test_days_signs.py::test_the_shorter_wait_passes_by_time_alone
    tests/daemon/store/test_timers.py::test_a_deadline_passes_at_its_second_and_the_oldest_comes_first
"""

from __future__ import annotations

from tests.days.conftest import Opens
from tests.days.stories import ana_vanishes, report_goes_out


def test_a_second_too_early_nobody_is_told_and_at_48_hours_everybody_once(opens: Opens) -> None:
    day = opens(closed="2026-03-18")
    ana_vanishes(day)
    due_at = day.instant("Wed 08:00")
    day.at("Wed 07:59:59")
    day.expects_nothing()
    assert day.journal("ana") == ["opened"]

    day.at("Wed 08:00")

    report_goes_out(day)
    case = day.case("ana")
    assert (case.due_at, case.raised_at) == (due_at, due_at)
    day.at("Thu 07:59:59")
    day.expects_nothing()
    day.at("Thu 08:00")
    day.expects_sms("head", "升级督办")
    day.expects_sms("director", "升级督办")
