"""Scenario 12, the feed is silent, partial, replayed: that is told of the feed; children keep their own deadlines.

Elsewhere:
    tests/days/test_days_silence.py::test_a_dead_feed_is_told_of_once_and_no_child_is
    tests/days/test_days_silence.py::test_nobody_answers_so_the_report_goes_out_unconfirmed
    tests/days/test_days_silence.py::test_a_feed_that_speaks_of_the_child_again_ends_the_wait
    tests/days/test_days_roster.py::test_rows_before_their_child_wait_for_the_roster
    tests/daemon/clockwork/test_live_jobs.py::test_a_death_between_taking_in_and_the_end_of_a_poll_takes_nothing_in_twice
"""

from __future__ import annotations

from tests.days.school import Day
from tests.days.stories import report_goes_out

MARK = ("student_id", "date", "session", "mark")


def test_two_days_that_come_at_once_keep_the_deadline_of_their_events_and_coming_again_tell_nobody(day: Day) -> None:
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.roll(session, absent=["ana"], polled=False)
    day.at("Tue 15:00")
    assert not day.has_case("ana")
    rows = [
        (child, str(day.date("Tue")), session, "absent" if child == "ana" else "present")
        for session in ("am", "pm")
        for child in day.children
    ]
    for who in ("operator", "principal"):
        day.expects_mail(who, "考勤数据中断")
    day.writes("marks", MARK, rows)
    for who in ("operator", "principal"):
        day.expects_mail(who, "考勤数据恢复")
    day.expects_sms("teacher", "未到校")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    report_goes_out(day)
    assert day.case("ana").due_at == day.now.replace(minute=0)

    day.at("Wed 11:00")
    for file in sorted((day.folder / "inbox").glob("marks*.csv")):
        file.with_name(f"marks-again-{file.name}").write_bytes(file.read_bytes())
    day.polls("marks")

    day.at("Wed 13:00")
    assert day.journal("ana") == ["opened", "due", "raised", "rung climbed"]


def test_a_roll_that_does_not_name_the_child_neither_ends_its_absence_nor_reports_it(day: Day) -> None:
    for name in ("Mon", "Tue", "Wed"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            if (name, session) == ("Wed", "pm"):
                break
            if name == "Wed":
                day.at("Wed 08:00")
                day.expects_mail("principal", "核实", "2026-000001")
                day.expects_sms("teacher", "核实", "2026-000001")
            day.at(f"{name} {time}")
            if name == "Tue":
                rows = [(child, str(day.date(name)), session, "present") for child in ("bruno", "carla")]
                day.writes("marks", MARK, rows)
            else:
                day.roll(session, absent=["ana"])
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                day.expects_sms("teacher", "未到校")

    report_goes_out(day)
    case = day.case("ana")
    assert (case.due_at, case.raised_at, case.unconfirmed) == (day.now, day.now, False)
    assert case.finding.run_days == 2
