"""What was known changes after the report: exactly those who were told are told again, and nobody else."""

from __future__ import annotations

from daemon.desk.links import Act
from rules.case import Stage
from tests.days.school import Day
from tests.days.stories import ana_is_reported, ana_vanishes


def correction_reaches_those_told(day: Day, words: str, kind: str) -> None:
    """Town, office and mentor, on the channel that reached each."""
    day.expects_sms("town", words, "2026-000001")
    day.expects_mail("office", words)
    day.expects_hook("mentor", f'"{kind}"')


def test_a_back_dated_leave_retracts_the_report(day: Day) -> None:
    ana_is_reported(day)

    day.at("Wed 16:00")
    day.leave("ana", "Mon", "Wed")

    correction_reaches_those_told(day, "撤回", "retraction")
    case = day.case("ana")
    assert (case.stage, case.reason) == (Stage.CLOSED, "excused")


def test_a_back_dated_leave_retracts_the_report_also_from_those_whom_a_later_rung_told(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.expects_sms("head", "升级督办")
    day.expects_sms("director", "升级督办")

    day.at("Thu 09:00")
    day.leave("ana", "Mon", "Thu")

    correction_reaches_those_told(day, "撤回", "retraction")
    day.expects_sms("head", "撤回")
    day.expects_sms("director", "撤回")


def test_a_return_that_was_a_mistake_is_taken_back(day: Day) -> None:
    day.taps(ana_is_reported(day), Act.ACKNOWLEDGE)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana"])
    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])
    day.at("Thu 09:00")
    day.expects_sms("town", "签收后尚无处置记录")
    day.at("Thu 14:10")
    day.roll("pm")
    correction_reaches_those_told(day, "返校", "return")
    day.at("Fri 08:10")
    day.roll("am", absent=["ana"])

    day.at("Fri 08:50")
    day.corrects("ana", "Thu", pm="absent")

    correction_reaches_those_told(day, "重开", "reopened")
    case = day.case("ana")
    assert (case.stage, case.episode) == (Stage.REPORTED, 1)


def test_a_relapse_after_a_return_is_reported_anew(day: Day) -> None:
    day.taps(ana_is_reported(day), Act.ACKNOWLEDGE)
    day.at("Wed 14:10")
    day.roll("pm")
    correction_reaches_those_told(day, "返校", "return")
    for name in ("Thu", "Fri"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == ("Thu", "am"):
                day.at("Thu 09:00")
                day.expects_sms("teacher", "未到校")

    day.at("Sat 08:00")

    correction_reaches_those_told(day, "控辍保学报告", "report")
    assert (day.case("ana").episode, day.case("ana").acknowledged_at) == (2, None)


def test_a_correction_while_the_report_is_still_queued_cancels_it_and_nobody_is_told(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.nobody_answers()
    day.roll("am", absent=["ana"])
    assert {one.message.state for one in day.deliveries("email")} == {"queued"}

    day.at("Wed 08:12")
    day.corrects("ana", "Tue", am="present", pm="present")
    day.everybody_answers()
    day.at("Wed 08:55")

    assert day.journal("ana")[-1] == "retracted"
    assert {one.message.state for one in day.deliveries("email")} == {"cancelled"}


def test_a_transfer_with_evidence_closes_the_case_and_those_told_hear_of_it(day: Day) -> None:
    ana_is_reported(day)

    day.at("Wed 12:00")
    day.moves("ana", "transfer_out", evidence="form 7")

    correction_reaches_those_told(day, "销号", "closed")
    assert day.case("ana").reason == "transferred"


def test_a_transfer_nobody_confirmed_changes_nothing(day: Day) -> None:
    ana_is_reported(day)

    day.at("Wed 12:00")
    day.moves("ana", "transfer_out")
    day.at("Wed 13:00")

    assert day.case("ana").stage is Stage.REPORTED


def test_the_same_file_exported_again_does_not_outrank_what_was_said_in_between(day: Day) -> None:
    day.at("Mon 08:10")
    day.roll("am", absent=["ana"])
    day.at("Mon 08:20")
    day.corrects("ana", "Mon", am="present")

    day.at("Mon 08:30")
    day.roll("am", absent=["ana", "bruno"])
    day.at("Mon 09:00")

    day.expects_sms("teacher", "未到校")
    assert day.case("bruno").is_open
