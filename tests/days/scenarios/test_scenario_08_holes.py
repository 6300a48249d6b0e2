"""Scenario 8, the ladder is edited, has a hole, its people go while a case is open: it is never stuck, and says so.

Elsewhere:
    tests/days/test_days_ladder.py::test_a_new_ladder_is_given_to_open_cases_by_somebody_and_only_then
    tests/days/test_days_ladder.py::test_a_hole_in_the_ladder_costs_no_delay_and_is_written_down
    tests/days/test_days_ladder.py::test_a_ladder_that_reaches_nobody_ends_and_stops_nothing
    tests/days/test_days_reach.py::test_where_nobody_on_the_rota_is_there_everybody_in_the_role_is_told
    tests/days/test_days_reach.py::test_what_reaches_nobody_is_told_once_a_day
    tests/daemon/clockwork/test_reload.py::test_an_open_case_keeps_ladder_and_version_and_nothing_is_sent_again
"""

from __future__ import annotations

from dataclasses import replace

from tests.days.conftest import Opens
from tests.days.school import PEOPLE
from tests.days.stories import ana_vanishes
from tests.phones import Answer


def test_who_has_no_number_any_more_when_the_report_leaves_is_said_aloud_and_the_next_speaks(
    opens: Opens,
) -> None:
    day = opens(people=[one for one in PEOPLE if one.who not in {"office", "mentor"}])
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(503)
    day.roll("am", absent=["ana"])
    day.expects_mail("operator", "有报告无人可通知", "2026-000001")
    day.at("Wed 08:10:20")
    day.people["town"] = replace(day.people["town"], phone="", email="town@example.org")
    day.brings_contacts()
    day.sms.usual = Answer()

    day.at("Wed 08:12")

    for who in ("head", "director"):
        day.expects_sms(who, "升级督办", "2026-000001")
    day.expects_mail("operator", "无法送达", "town", "2026-000001")
    assert "rung reached nobody" in day.journal("ana")
    day.at("Wed 08:29")
