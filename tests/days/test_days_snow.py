"""Nearly a whole class is absent: held until somebody judges it, then one list for each town, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.jobs.byhand import judge_incident
from daemon.store import incidents
from rules.case import Stage
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day

CHILDREN = {f"c-{n:02}": "t-1" if n % 2 else "t-2" for n in range(24)}
"""Half of them live in either town."""

BY_MAIL = {"town": "town@example.org", "other town": "other@example.org"}
"""The towns read mails, which hold a list however long."""

CALLED = [replace(one, phone="", email=BY_MAIL[one.who]) if one.who in BY_MAIL else one for one in PEOPLE]


@pytest.fixture
def day(opens: Opens) -> Day:
    """A school of 24 in one class, on a Monday on which nobody comes."""
    day = opens(children=CHILDREN, people=[one for one in CALLED if one.who != "mentor"])
    day.at("Mon 08:10")
    day.roll("am", absent=CHILDREN)
    for who in ("principal", "office", "operator"):
        day.expects_mail(who, "大面积缺勤", "河东小学", "24")
    day.at("Mon 09:00")
    day.expects_sms("teacher", "未到校", "24人")
    return day


def nobody_comes(day: Day, *when: str) -> None:
    for session in when:
        name, part = session.split()
        day.at(f"{name} {'08:10' if part == 'am' else '14:10'}")
        day.roll(part, absent=CHILDREN)


def judged(day: Day, *, real: bool) -> None:
    with day.store.read() as tx:
        [storm] = incidents.open_incidents(tx, "mass_absence")
    judge_incident(day.house, storm.incident_id, real=real, by="a principal", now=day.now)
    day.works()


def lists_go_out(day: Day) -> None:
    """One for each town, and the office has both."""
    for who in ("town", "other town", "office", "office"):
        assert "12名学生" in day.expects_mail(who, "控辍保学报告").subject


def test_reports_are_held_and_judged_real_they_go_as_one_list_for_each_town(day: Day) -> None:
    nobody_comes(day, "Mon pm", "Tue am", "Tue pm", "Wed am")
    day.at("Wed 10:00")
    day.expects_nothing()

    judged(day, real=True)

    lists_go_out(day)
    case = day.case("c-01")
    assert case.raised_at == day.now
    assert case.due_at is not None
    assert case.due_at < day.now


def test_judged_not_real_nobody_hears_anything(day: Day) -> None:
    nobody_comes(day, "Mon pm", "Tue am", "Tue pm", "Wed am")
    day.at("Wed 10:00")

    judged(day, real=False)
    day.at("Wed 13:00")

    assert {day.case(child).stage for child in CHILDREN} == {Stage.CLOSED}
    assert "raised" not in day.journal("c-01")


def test_nobody_judges_it_so_the_lists_go_out_a_day_after_the_deadline(day: Day) -> None:
    nobody_comes(day, "Mon pm", "Tue am", "Tue pm", "Wed am", "Wed pm")
    day.at("Thu 07:59")
    day.expects_nothing()

    day.at("Thu 08:00")

    lists_go_out(day)


def test_children_who_come_back_meanwhile_are_on_no_list(day: Day) -> None:
    nobody_comes(day, "Mon pm", "Tue am", "Tue pm")
    day.at("Wed 08:10")
    day.roll("am")
    day.at("Wed 10:00")

    judged(day, real=True)
    day.at("Wed 13:00")

    assert {day.case(child).stage for child in CHILDREN} == {Stage.CLOSED}
