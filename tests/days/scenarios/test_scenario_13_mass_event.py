"""Scenario 13, a mass event: its cause is told once and holds what follows from it; who is still gone then is told.

Elsewhere:
    tests/days/test_days_snow.py::test_reports_are_held_and_judged_real_they_go_as_one_list_for_each_town
    tests/days/test_days_snow.py::test_judged_not_real_nobody_hears_anything
    tests/days/test_days_snow.py::test_nobody_judges_it_so_the_lists_go_out_a_day_after_the_deadline
    tests/days/test_days_pacing.py::test_a_flood_of_one_school_does_not_keep_another_waiting
"""

from __future__ import annotations

from daemon.jobs.byhand import judge_incident
from daemon.store import incidents
from tests.days.conftest import Opens
from tests.days.school import PEOPLE

CHILDREN = {f"c-{n:04}": "t-1" for n in range(1_000)}
GONE = [f"c-{n:04}" for n in range(5)]


def test_of_a_thousand_who_stay_away_five_are_still_gone_when_it_is_judged_and_only_they_are_told(
    opens: Opens,
) -> None:
    day = opens(children=CHILDREN, people=[one for one in PEOPLE if one.who != "mentor"])
    day.at("Mon 08:10")
    day.roll("am", absent=CHILDREN)
    for who in ("principal", "office", "operator"):
        day.expects_mail(who, "大面积缺勤", "河东小学", "1000")
    day.at("Mon 09:00")
    day.expects_sms("teacher", "未到校提醒1000人")
    day.at("Tue 08:10")
    day.roll("am", absent=GONE)
    day.at("Wed 08:10")
    day.roll("am", absent=GONE)
    day.at("Wed 09:00")
    day.expects_nothing()

    with day.store.read() as tx:
        [storm] = incidents.open_incidents(tx, "mass_absence")
    judge_incident(day.house, storm.incident_id, real=True, by="a principal", now=day.now)
    day.works()

    day.expects_mail("office", "5名学生")
    day.expects_sms("town", "控辍保学报告5人", *(day.case(child).number for child in GONE))
    day.at("Wed 12:00")
