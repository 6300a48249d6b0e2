"""Scenario 11, leave entered late: over all of it, it is taken back; over part of it, the deadline is another.

Elsewhere:
    tests/days/test_days_correction.py::test_a_back_dated_leave_retracts_the_report
    tests/days/test_days_correction.py::test_a_back_dated_leave_retracts_the_report_also_from_those_whom_a_later_rung_told
    tests/rules/test_rules_table.py
"""

from __future__ import annotations

from tests.days.school import Day
from tests.days.stories import ana_is_reported, ana_vanishes, report_goes_out


def test_leave_for_the_first_day_moves_the_deadline_by_a_day(day: Day) -> None:
    ana_vanishes(day)
    day.at("Tue 18:00")
    day.leave("ana", "Mon", "Mon")
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Wed {time}")
        day.roll(session, absent=["ana"])
    day.at("Thu 08:09")
    day.expects_nothing()

    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])

    report_goes_out(day)
    assert day.case("ana").due_at == day.now.replace(minute=0)


def test_leave_for_two_of_three_days_takes_the_report_back_and_the_ledger_keeps_both(day: Day) -> None:
    ana_is_reported(day)
    due_at = day.instant("Wed 08:10").replace(minute=0)
    day.at("Wed 12:00")

    day.leave("ana", "Mon", "Tue")

    day.expects_sms("town", "撤回", "2026-000001")
    day.expects_mail("office", "撤回")
    day.expects_hook("mentor", '"retraction"')
    said = [(kind, body) for kind, body in day.entries("ana") if kind in {"due", "raised", "retracted"}]
    assert [kind for kind, _ in said] == ["due", "raised", "retracted"]
    assert said[0][1]["due_at"] == due_at.isoformat()
