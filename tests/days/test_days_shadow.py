"""Shadow mode: only the operator is told; once the district is live, whatever stands is owed, and nothing else."""

from __future__ import annotations

import pytest

from daemon.clockwork.startup import prepare
from daemon.jobs.audit import audit
from daemon.jobs.unsent import Unsent, unsent
from daemon.store import outbox
from rules.case import Stage, Standing
from tests.days.conftest import Opens
from tests.days.school import Day
from tests.days.stories import ana_vanishes, report_goes_out

TO_OPERATOR = "试运行"


def goes(day: Day, mode: str) -> None:
    """Somebody edits the mode and saves, or restarts the daemon."""
    config = day.folder / "config.toml"
    other = {"live": "shadow", "shadow": "live"}[mode]
    config.write_text(config.read_text("utf-8").replace(f'mode = "{other}"', f'mode = "{mode}"'), "utf-8")
    day.house = day.another_house(f"{mode} {day.now}")
    prepare(day.house, day.now)
    day.works()


def listed(day: Day) -> list[Unsent]:
    """What `check --live` lists."""
    with day.store.read() as tx:
        return unsent(tx, day.house, day.now)


@pytest.fixture
def recorded(opens: Opens) -> Day:
    """A school in shadow; Ana's report was raised on Wednesday morning, and its second rung a day later."""
    day = opens(mode="shadow", config='[pacing]\nwait = "0s"\n')
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                mail = day.expects_mail("operator", TO_OPERATOR, "首次缺勤", "应通知班主任")
                assert "一班" not in mail.text
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("operator", TO_OPERATOR, "2026-000001", "报告", "应通知", "乡镇（街道）政府", "张**")
    return day


def a_day_passes(day: Day) -> None:
    """The second rung falls due, and only the operator hears of it."""
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.expects_mail("operator", TO_OPERATOR, "升级督办", "乡镇（街道）领导")
    day.roll("am", absent=["ana"])


def test_in_shadow_the_operator_alone_hears_what_would_be_told(recorded: Day) -> None:
    a_day_passes(recorded)
    recorded.at("Thu 09:00")

    assert recorded.deliveries("sms") != []
    assert {one.message.state for one in recorded.deliveries("sms")} == {outbox.SHADOW}


def test_a_report_that_stands_when_the_district_goes_live_is_told_as_a_report_and_climbs_from_there(
    recorded: Day,
) -> None:
    a_day_passes(recorded)
    recorded.at("Thu 10:00")

    goes(recorded, "live")

    report_goes_out(recorded)
    recorded.at("Thu 14:10")
    recorded.roll("pm", absent=["ana"])
    recorded.at("Fri 08:10")
    recorded.roll("am", absent=["ana"])
    recorded.at("Fri 09:59")
    recorded.at("Fri 10:00")
    recorded.expects_sms("head", "升级督办")
    recorded.expects_sms("director", "升级督办")


def test_an_outage_after_the_switch_makes_no_escalation_of_a_report_nobody_had(recorded: Day) -> None:
    recorded.at("Wed 08:30")
    config = recorded.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace('mode = "shadow"', 'mode = "live"'), "utf-8")
    recorded.house = recorded.another_house("live")
    prepare(recorded.house, recorded.now)
    recorded.now = recorded.instant("Fri 08:10")
    recorded.roll("am", absent=["ana"])

    report_goes_out(recorded)
    recorded.at("Fri 12:00")


def test_whoever_was_told_nothing_in_shadow_is_told_of_no_return(recorded: Day) -> None:
    recorded.at("Wed 08:50")
    recorded.corrects("ana", "Wed", am="late")
    recorded.expects_mail("operator", TO_OPERATOR, "返校")

    goes(recorded, "live")

    assert recorded.case("ana").stage is Stage.RETURNED
    recorded.at("Wed 12:00")


def test_a_return_after_the_switch_goes_to_those_the_switch_told(recorded: Day) -> None:
    recorded.at("Wed 08:30")
    goes(recorded, "live")
    report_goes_out(recorded)

    recorded.at("Wed 08:50")
    recorded.corrects("ana", "Wed", am="late")

    recorded.expects_sms("town", "返校")
    recorded.expects_mail("office", "返校")
    recorded.expects_hook("mentor", '"return"')
    recorded.at("Wed 12:00")


def test_a_return_of_shadow_days_that_is_taken_back_is_a_report_nobody_had(recorded: Day) -> None:
    recorded.at("Wed 08:50")
    recorded.corrects("ana", "Wed", am="late")
    recorded.expects_mail("operator", TO_OPERATOR, "返校")
    goes(recorded, "live")

    recorded.at("Wed 09:30")
    recorded.corrects("ana", "Wed", am="absent")

    report_goes_out(recorded)
    assert recorded.case("ana").standing is Standing.RAISED
    recorded.at("Wed 12:00")


def test_a_report_retracted_in_shadow_is_nobodys_business(recorded: Day) -> None:
    recorded.at("Wed 08:50")
    recorded.leave("ana", "Mon", "Wed")
    recorded.expects_mail("operator", TO_OPERATOR, "撤回")

    goes(recorded, "live")

    recorded.at("Wed 12:00")
    assert not recorded.case("ana").is_open


def test_a_child_on_leave_at_the_switch_is_reported_when_the_leave_is_over_and_not_escalated(recorded: Day) -> None:
    recorded.at("Wed 12:00")
    recorded.leave("ana", "Thu", "Fri")
    recorded.at("Thu 09:00")

    goes(recorded, "live")
    recorded.roll("am", absent=["ana"])
    recorded.at("Thu 14:10")
    recorded.roll("pm", absent=["ana"])
    recorded.at("Fri 08:10")
    recorded.roll("am", absent=["ana"])
    recorded.at("Fri 14:10")
    recorded.roll("pm", absent=["ana"])

    recorded.at("Sat 00:00")
    report_goes_out(recorded)


def test_what_the_switch_would_send_is_listed_by_role_and_unit(recorded: Day) -> None:
    before = listed(recorded)

    goes(recorded, "live")

    report_goes_out(recorded)
    assert {(one.kind, one.role, one.unit, one.reached, one.count, one.cases) for one in before} == {
        ("report", "town_government", "t-1", True, 1, ("2026-000001",)),
        ("report", "education_office", "county", True, 1, ("2026-000001",)),
        ("report", "mentor", "sch-1", True, 1, ("2026-000001",)),
    }
    assert listed(recorded) == []
    assert audit(recorded.house, recorded.now, mend=False).found == ()


def test_the_switch_happens_once_however_often_the_daemon_starts(recorded: Day) -> None:
    recorded.at("Wed 08:30")
    goes(recorded, "live")
    report_goes_out(recorded)

    for n in range(2):
        recorded.house = recorded.another_house(f"again {n}")
        prepare(recorded.house, recorded.now)
        recorded.works()

    recorded.at("Wed 12:00")


def test_to_shadow_and_back_whoever_had_the_report_is_told_what_was_only_recorded(opens: Opens) -> None:
    day = opens(config='[pacing]\nwait = "0s"\n')
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    report_goes_out(day)
    goes(day, "shadow")
    a_day_passes(day)
    day.at("Thu 09:00")

    goes(day, "live")

    day.expects_sms("head", "升级督办")
    day.expects_sms("director", "升级督办")
    day.at("Thu 09:30")


def test_to_shadow_and_back_whoever_had_the_report_learns_of_the_return(opens: Opens) -> None:
    day = opens(config='[pacing]\nwait = "0s"\n')
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    report_goes_out(day)
    goes(day, "shadow")
    day.at("Wed 08:50")
    day.corrects("ana", "Wed", am="late")
    day.expects_mail("operator", TO_OPERATOR, "返校")
    day.at("Wed 09:30")

    goes(day, "live")

    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    goes(day, "shadow")
    goes(day, "live")
    day.at("Wed 12:00")


def test_what_waits_when_the_district_goes_into_shadow_leaves_only_when_it_is_live_again(opens: Opens) -> None:
    day = opens(config='[pacing]\nwait = "0s"\n')
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.nobody_answers()
    day.roll("am", absent=["ana"])
    goes(day, "shadow")
    day.everybody_answers()
    day.at("Wed 08:50")

    goes(day, "live")

    report_goes_out(day)
    day.at("Wed 12:00")


def test_a_silence_that_lasts_is_told_to_the_school_once_the_district_is_live(opens: Opens) -> None:
    day = opens(mode="shadow", config='[pacing]\nwait = "0s"\n')
    day.at("Mon 08:10")
    day.roll("am")
    day.at("Mon 18:00")
    day.at("Tue 10:00")
    day.expects_mail("operator", "考勤数据中断")

    goes(day, "live")

    day.expects_mail("principal", "考勤数据中断")
    day.roll("am")
    day.expects_mail("principal", "考勤数据恢复")
    day.expects_mail("operator", "考勤数据恢复")
