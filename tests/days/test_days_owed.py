"""A rung that reached nobody stays owed: its recipients are told as soon as they can be, once, while it is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daemon.desk.links import Act
from daemon.jobs.audit import audit
from daemon.jobs.byhand import mark
from daemon.jobs.ladders import apply_ladder
from daemon.jobs.office import Actor, confirm
from daemon.jobs.unsent import unsent
from rules.case import Stage, Standing
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day
from tests.days.stories import ana_is_reported, ana_vanishes
from tests.phones import Answer

EVERYBODY = {one.who: one for one in PEOPLE}


def leave_the_list(day: Day, *who: str) -> None:
    """These people are on no list any more."""
    for one in who:
        del day.people[one]
    day.brings_contacts()


def come_back(day: Day, *who: str) -> None:
    """These people are on the list again."""
    for one in who:
        day.people[one] = EVERYBODY[one]
    day.brings_contacts()


def overdue(day: Day) -> dict[str, int]:
    """What an audit by hand finds."""
    return {one.what: one.count for one in audit(day.house, day.now, mend=False).found}


def report_reaches_nobody(day: Day) -> None:
    """All officials are missing from the list when Ana's report is due; the operator hears of it at once."""
    ana_vanishes(day)
    leave_the_list(day, "town", "office", "mentor", "head", "director")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("operator", "有报告无人可通知", "乡镇（街道）政府（河东镇）：2026-000001")


def test_a_list_that_is_whole_again_two_hours_later_has_everybody_told(day: Day) -> None:
    report_reaches_nobody(day)
    assert overdue(day) == {"rung_owed": 1}
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    day.at("Wed 10:12")

    come_back(day, "town", "office", "mentor", "head", "director")

    for who in ("town", "head", "director"):
        day.expects_sms(who, "控辍保学报告", "2026-000001")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    assert overdue(day) == {}
    assert day.journal("ana")[-1] == "owed rung told"
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 09:50")


def test_after_the_delay_of_a_later_rung_that_one_speaks_for_all(day: Day) -> None:
    report_reaches_nobody(day)
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])
    day.at("Thu 08:30")
    day.expects_mail("operator", "每日巡检")
    day.at("Thu 09:00")

    come_back(day, "town", "office", "mentor", "head", "director")

    for who in ("town", "head", "director"):
        day.expects_sms(who, "升级督办", "2026-000001")
    day.expects_mail("office", "升级督办")
    day.expects_hook("mentor", '"escalation"')
    day.at("Thu 12:00")


def test_one_role_of_a_rung_without_anybody_is_owed_beside_those_that_were_told(day: Day) -> None:
    ana_vanishes(day)
    leave_the_list(day, "town")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_mail("operator", "有报告无人可通知", "乡镇（街道）政府")
    assert overdue(day) == {"rung_owed": 1}
    day.at("Wed 08:20")

    come_back(day, "town")

    day.expects_sms("town", "控辍保学报告")
    assert overdue(day) == {}
    day.at("Wed 12:00")


def test_a_mentor_appointed_later_is_told_and_nobody_was_alarmed_before(day: Day) -> None:
    ana_vanishes(day)
    leave_the_list(day, "mentor")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    assert overdue(day) == {}
    day.at("Wed 12:00")

    come_back(day, "mentor")

    day.expects_hook("mentor", '"report"')
    day.at("Wed 13:00")


def test_a_contact_without_any_number_is_nobody_to_tell_until_it_has_one(opens: Opens) -> None:
    mute = [one if one.who != "town" else type(one)("town", "town_government", "t-1") for one in PEOPLE]
    day = opens(people=mute)
    day.expects_mail("operator", "数据源 contacts：有数据行被拒收")
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_mail("operator", "有报告无人可通知")
    day.at("Wed 08:20")

    come_back(day, "town")

    day.expects_mail("operator", "数据源 contacts：问题已解决")
    day.expects_sms("town", "控辍保学报告")


def test_an_address_that_failed_is_owed_until_another_is_known(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_mail("operator", "有通知无法送达", "2026-000001")
    assert overdue(day) == {"rung_owed": 1}
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")

    day.people["town"] = type(day.people["town"])("town", "town_government", "t-1", phone="+8613800000091")
    day.brings_contacts()

    day.expects_sms("town", "控辍保学报告")
    assert overdue(day) == {}
    day.at("Wed 13:00")


def seen(day: Day) -> None:
    """Ana is back, which is a return."""
    day.at("Wed 08:50")
    day.corrects("ana", "Wed", am="late")


def excused(day: Day) -> None:
    """Her leave is entered, which is a retraction."""
    day.at("Wed 08:50")
    day.leave("ana", "Mon", "Wed")


@pytest.mark.parametrize("what", [seen, excused])
def test_a_report_that_stands_no_more_owes_nobody_anything(day: Day, what: Callable[[Day], None]) -> None:
    report_reaches_nobody(day)
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    what(day)
    assert day.case("ana").standing is not Standing.RAISED
    assert overdue(day) == {}

    come_back(day, "town", "office", "mentor", "head", "director")

    day.at("Wed 13:00")


def test_a_rung_that_an_acknowledgement_makes_needless_is_owed_no_more(day: Day) -> None:
    town = ana_is_reported(day)
    leave_the_list(day, "head", "director")
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("operator", "有报告无人可通知", "乡镇（街道）领导")
    day.taps(town, Act.ACKNOWLEDGE)
    assert overdue(day) == {}
    day.at("Thu 08:30")
    day.expects_mail("operator", "每日巡检")

    come_back(day, "head", "director")

    day.at("Thu 09:30")


def test_a_ladder_that_is_applied_anew_tells_whom_the_old_one_did_not_reach(day: Day) -> None:
    report_reaches_nobody(day)
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    config = day.folder / "config.toml"
    tell = 'tell = ["town_government", "education_office", "mentor"]'
    config.write_text(config.read_text("utf-8").replace(tell, 'tell = ["principal", "town_government"]'), "utf-8")
    day.house = day.another_house("two")

    apply_ladder(day.house, "statutory", "Eve", day.now)
    day.works()
    day.expects_mail("principal", "控辍保学报告")
    day.expects_mail("operator", "有报告无人可通知")
    come_back(day, "town", "head")

    day.expects_sms("town", "控辍保学报告")
    day.at("Wed 13:00")


def test_whoever_is_told_in_another_role_is_not_told_again(opens: Opens) -> None:
    day = opens()
    ana_vanishes(day)
    leave_the_list(day, "town", "mentor")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_mail("operator", "有报告无人可通知")
    day.at("Wed 08:20")

    day.people["town"] = type(EVERYBODY["town"])("town", "town_government", "t-1", email=EVERYBODY["office"].email)
    day.brings_contacts()

    assert overdue(day) == {}
    day.at("Wed 12:00")


def test_a_second_daemon_on_the_same_store_tells_nothing_twice(day: Day) -> None:
    report_reaches_nobody(day)
    day.at("Wed 08:20")
    one, two = day.house, day.another_house("two")
    come_back(day, "town")
    day.expects_sms("town", "控辍保学报告")

    day.house = two
    day.works()
    day.house = one

    day.at("Wed 08:25")


def test_what_is_owed_is_listed_without_any_name(day: Day) -> None:
    report_reaches_nobody(day)

    with day.store.read() as tx:
        found = unsent(tx, day.house, day.now)

    assert {(one.kind, one.role, one.unit, one.reached, one.cases) for one in found} == {
        ("owed", "town_government", "t-1", False, ("2026-000001",)),
        ("owed", "education_office", "sch-1", False, ("2026-000001",)),
        ("owed", "mentor", "sch-1", False, ("2026-000001",)),
        ("owed", "town_head", "t-1", False, ("2026-000001",)),
        ("owed", "education_director", "sch-1", False, ("2026-000001",)),
    }


# ---- a sighting by hand ----------------------------------------------------------------------------------------------


def confirms(day: Day) -> None:
    """Somebody who saw the child answers the case's question, as the link of a message does."""
    confirm(day.house, day.case("ana").number, seen=True, actor=Actor("Zhao"), now=day.now)


def marks(day: Day) -> None:
    """Somebody enters a mark in the afternoon's session."""
    mark(day.house, "ana", day.date("Wed"), "pm", "present", "Zhao", day.now)


@pytest.mark.parametrize("by_hand", [confirms, marks])
def test_a_report_of_the_first_import_whose_child_is_found_the_same_day_returns(
    day: Day, by_hand: Callable[[Day], None]
) -> None:
    """It was due at the import, in the evening; the session the confirmation is booked on began before."""
    day.at("Wed 19:00")
    day.expects_mail("operator", "考勤数据中断")
    day.expects_mail("principal", "考勤数据中断")
    dates = [str(day.date(name)) for name in ("Mon", "Tue", "Wed")]
    away = [("ana", date, session, "absent") for date in dates for session in ("am", "pm")]
    others = [(child, one[1], one[2], "present") for one in away for child in ("bruno", "carla")]
    day.writes("marks", ("student_id", "date", "session", "mark"), [*away, *others])
    reported(day)
    assert day.case("ana").due_at == day.case("ana").raised_at
    day.at("Wed 19:30")

    by_hand(day)
    day.works()

    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    case = day.case("ana")
    assert (case.stage, case.standing, case.reason) == (Stage.RETURNED, Standing.RETURNED, "returned")


def reported(day: Day) -> None:
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_mail("operator", "考勤数据恢复")
    day.expects_mail("principal", "考勤数据恢复")
    day.expects_sms("town", "控辍保学报告")
