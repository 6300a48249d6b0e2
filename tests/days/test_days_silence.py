"""The feed dies: that is told once, of the feed; a child of whom one day is known is asked about by hand."""

from __future__ import annotations

from daemon.desk.links import Act
from daemon.store import outbox
from rules.case import Stage
from tests.days.conftest import Opens
from tests.days.school import Day
from tests.days.stories import report_goes_out
from tests.phones import Arrival


def feed_is_said_to_be_silent(day: Day) -> None:
    day.expects_mail("operator", "考勤数据中断", "marks", "一班")
    day.expects_mail("principal", "考勤数据中断")


def feed_is_said_to_speak_again(day: Day) -> None:
    day.expects_mail("operator", "考勤数据恢复")
    day.expects_mail("principal", "考勤数据恢复")


def test_a_dead_feed_is_told_of_once_and_no_child_is(day: Day) -> None:
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.roll(session)
    day.at("Tue 15:59")
    day.expects_nothing()

    day.at("Tue 16:00")
    feed_is_said_to_be_silent(day)
    day.at("Fri 08:10")
    day.roll("am")

    feed_is_said_to_speak_again(day)
    assert not any(day.has_case(child) for child in day.children)


def ana_is_asked_about(day: Day) -> Arrival:
    """Ana is not there on Monday, then the feed dies; on Wednesday teacher and principal are asked."""
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.roll(session, absent=["ana"])
        if session == "am":
            day.at("Mon 09:00")
            day.expects_sms("teacher", "未到校")
    day.at("Tue 16:00")
    feed_is_said_to_be_silent(day)
    day.at("Wed 08:00")
    day.expects_mail("principal", "核实", "2026-000001")
    return day.expects_sms("teacher", "核实", "2026-000001")


def test_nobody_answers_so_the_report_goes_out_unconfirmed(day: Day) -> None:
    ana_is_asked_about(day)
    day.at("Wed 14:19")
    day.expects_nothing()

    day.at("Wed 14:20")

    assert "未确认" in report_goes_out(day).text
    assert (day.case("ana").due_at, day.case("ana").unconfirmed) == (day.now, True)


def test_the_teacher_confirms_that_the_child_is_absent_so_the_report_goes_out_at_once(day: Day) -> None:
    question = ana_is_asked_about(day)

    day.at("Wed 09:00")
    day.taps(question, Act.ABSENT)

    assert "未确认" not in report_goes_out(day).text
    feed_is_said_to_speak_again(day)
    case = day.case("ana")
    assert (case.due_at, case.raised_at, case.unconfirmed) == (day.now, day.now, False)
    assert case.finding.run_days == 2


def test_the_teacher_has_seen_the_child_so_nothing_goes_out(day: Day) -> None:
    question = ana_is_asked_about(day)

    day.at("Wed 09:00")
    day.taps(question, Act.SEEN)

    feed_is_said_to_speak_again(day)
    assert day.case("ana").stage is Stage.CLOSED
    assert "raised" not in day.journal("ana")


def test_a_feed_that_speaks_of_the_child_again_ends_the_wait(day: Day) -> None:
    ana_is_asked_about(day)

    day.at("Wed 08:10")
    day.roll("am")

    feed_is_said_to_speak_again(day)
    day.at("Wed 14:10")
    day.roll("pm")
    day.at("Wed 15:00")
    assert day.case("ana").stage is Stage.CLOSED


def test_in_shadow_everything_is_decided_and_only_the_operator_hears_of_it(opens: Opens) -> None:
    day = opens(mode="shadow")
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.roll(session, absent=["ana"])
    day.expects_mail("operator", "试运行", "首次缺勤")
    day.at("Tue 16:00")
    day.expects_mail("operator", "考勤数据中断")
    day.at("Wed 08:01")
    day.expects_mail("operator", "试运行", "请核实")
    day.at("Wed 14:21")

    day.expects_mail("operator", "试运行", "报告", "应通知乡镇（街道）政府、教育局控辍保学办公室、帮扶责任人")
    assert day.case("ana").stage is Stage.REPORTED
    kinds = [one.message.kind for channel in day.house.notifiers for one in day.deliveries(channel)]
    assert kinds.count("report") == 3


def test_in_shadow_a_return_is_written_to_those_the_report_was_written_to(opens: Opens) -> None:
    day = opens(mode="shadow")
    ana_is_reported_on_paper(day)
    day.at("Wed 14:10")
    day.roll("pm")
    day.at("Wed 14:15")
    day.expects_mail("operator", "试运行", "返校")

    shown = [one.message for channel in day.house.notifiers for one in day.deliveries(channel)]
    recorded = [one for one in shown if one.kind != "rehearsal"]
    assert sorted(one.kind for one in recorded) == ["first_absence", *["report"] * 3, *["return"] * 3]
    assert {one.state for one in recorded} == {outbox.SHADOW}


def ana_is_reported_on_paper(day: Day) -> None:
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:01")
                day.expects_mail("operator", "试运行", "首次缺勤")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.at("Wed 08:15")
    day.expects_mail("operator", "试运行", "报告")
