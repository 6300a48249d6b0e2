"""Rosters, calendars and hands: children who are not where the files say."""

from __future__ import annotations

from tests.days.school import CHILDREN, Day
from tests.days.stories import ana_vanishes, report_goes_out


def test_a_child_missing_from_a_new_roster_file_stays_judged(day: Day) -> None:
    ana_vanishes(day)
    day.at("Tue 20:00")
    day.enrols({child: home for child, home in CHILDREN.items() if child != "ana"})
    day.expects_mail("operator", "名册缺少原有学生", "ana")

    day.at("Wed 08:10")
    day.roll("am")

    report_goes_out(day)
    assert day.case("ana").raised_at == day.now


def test_rows_before_their_child_wait_for_the_roster(day: Day) -> None:
    days = ("2026-03-16", "2026-03-17")
    rows = [("dora", date, session, "absent") for date in days for session in ("am", "pm")]
    for when in ("Mon 08:10", "Mon 14:10", "Tue 08:10", "Tue 14:10"):
        day.at(when)
        day.roll("am" if when.endswith("08:10") else "pm")
    day.at("Tue 20:00")
    day.writes("marks", ("student_id", "date", "session", "mark"), rows)
    day.expects_mail("operator", "有数据行的学生不在名册")
    assert not day.has_case("dora")

    day.at("Tue 21:00")
    day.enrols({**CHILDREN, "dora": "t-2"})
    day.expects_sms("teacher", "未到校")
    day.at("Wed 08:10")
    day.roll("am", absent=["dora"])

    day.expects_sms("other town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_mail("operator", "问题已解决")
    assert day.case("dora").due_at == day.instant("Wed 08:10").replace(minute=0)


def test_a_child_without_residence_is_the_school_s_town_s_and_the_message_says_so(day: Day) -> None:
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["carla"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                day.expects_sms("teacher", "未到校")
    day.at("Wed 08:10")
    day.roll("am", absent=["carla"])

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "居住地未登记")
