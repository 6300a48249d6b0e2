"""Scenario 10, back one day and gone again: another case or another episode, never a longer one.

Elsewhere:
    tests/days/test_days_correction.py::test_a_relapse_after_a_return_is_reported_anew
    tests/days/test_days_correction.py::test_a_return_that_was_a_mistake_is_taken_back
    tests/days/test_days_correction.py::test_the_same_file_exported_again_does_not_outrank_what_was_said_in_between
"""

from __future__ import annotations

from tests.days.school import Day
from tests.days.stories import report_goes_out

ALL_DAY = (("am", "08:10"), ("pm", "14:10"))


def test_a_day_at_school_ends_the_first_absence_and_late_doubles_do_not_bring_it_back(day: Day) -> None:
    for name, absent in (("Mon", True), ("Tue", False), ("Wed", True), ("Thu", True)):
        for session, time in ALL_DAY:
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"] if absent else [])
            if absent and name != "Thu" and session == "am":
                day.at(f"{name} 09:00")
                day.expects_sms("teacher", "未到校")
        if name == "Mon":
            number = day.case("ana").number
    day.at("Thu 20:00")
    for file in sorted((day.folder / "inbox").glob("marks*.csv"))[:2]:
        file.with_name(f"marks-again-{file.name}").write_bytes(file.read_bytes())
    day.polls("marks")
    day.at("Fri 08:10")
    day.roll("am", absent=["ana"])

    report_goes_out(day)
    case = day.case("ana")
    assert (number, case.number) == ("2026-000001", "2026-000002")
    assert case.due_at == day.instant("Fri 08:10").replace(minute=0)
    day.at("Fri 13:00")
