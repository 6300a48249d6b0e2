"""A child gets another number (学籍号): one run, one leave, one case, and nobody is told twice."""

from __future__ import annotations

import pytest

from daemon.desk.faults import DeskError
from daemon.desk.links import Act
from daemon.jobs.byhand import mark
from daemon.jobs.casefile import from_row
from daemon.jobs.renumber import join_numbers, part_number
from daemon.store import cases
from rules.case import Case, Stage, Standing
from tests.days.school import CHILDREN, Day
from tests.days.stories import ana_is_reported, ana_vanishes, report_goes_out
from tests.phones import Arrival

NEW = {"ana-2" if child == "ana" else child: home for child, home in CHILDREN.items()}
"""The school after Ana got another number."""


def ana_has_another_number(day: Day, home: str = "t-1") -> None:
    """The roster names Ana by another number, too; the rolls name her by that one only."""
    day.enrols({**CHILDREN, "ana-2": home})
    day.children = dict(NEW)


def the_office_joins(day: Day, old: str = "ana", new: str = "ana-2") -> None:
    """Somebody says that two numbers are one child; in the false school names differ with the number."""
    join_numbers(day.house, old, new, "Li Lan", day.now, sure=True)
    day.works()


def return_is_told(day: Day) -> None:
    """Town, office and mentor, who had the report, hear of the return."""
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')


def numbers_of_cases(day: Day, student: str) -> list[tuple[str, bool]]:
    """The cases of a child, and whether each is open."""
    with day.store.read() as tx:
        return [(row.number, row.is_open) for row in cases.cases_of(tx, [student])]


def newest(day: Day, student: str) -> list[Case]:
    """The cases of a child, by number."""
    with day.store.read() as tx:
        return [from_row(row) for row in cases.cases_of(tx, [student])]


def test_a_run_goes_on_under_another_number(day: Day) -> None:
    ana_vanishes(day)
    day.at("Tue 18:00")
    ana_has_another_number(day)
    the_office_joins(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana-2"])

    report_goes_out(day)

    case = day.case("ana-2")
    assert (case.number, case.episode, case.finding.run_days) == ("2026-000001", 1, 3)
    assert numbers_of_cases(day, "ana") == []
    assert "numbers joined" in day.journal("ana-2")


def test_a_report_stands_and_those_told_hear_of_the_return(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 12:00")
    ana_has_another_number(day)
    the_office_joins(day)
    day.at("Wed 14:10")
    day.roll("pm", absent=["ana-2"])
    assert day.case("ana-2").standing is Standing.RAISED

    day.at("Wed 15:00")
    day.corrects("ana-2", "Wed", pm="present")

    return_is_told(day)
    assert day.case("ana-2").standing is Standing.RETURNED


def test_a_leave_of_the_earlier_number_excuses_the_child(day: Day) -> None:
    day.at("Mon 07:30")
    day.leave("ana", "Mon", "Fri")
    ana_has_another_number(day)
    the_office_joins(day)
    for name in ("Mon", "Tue", "Wed"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana-2"])

    day.at("Fri 12:00")
    assert not day.has_case("ana-2")


def test_a_gate_that_still_uses_the_earlier_number_sees_the_child(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 12:00")
    ana_has_another_number(day)
    the_office_joins(day)

    day.at("Wed 14:10")
    day.corrects("ana", "Wed", pm="present")

    return_is_told(day)


def test_what_is_said_by_hand_of_either_number_is_said_of_the_child(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 12:00")
    ana_has_another_number(day)
    the_office_joins(day)

    mark(day.house, "ana", day.date("Wed"), "am", "present", "Li Lan", day.now)
    day.works()

    return_is_told(day)
    assert "marked by hand" in day.journal("ana-2")


def everybody_is_there_on_monday(day: Day) -> None:
    """Both of Monday's rolls name everybody present."""
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.roll(session)


def ana_is_away_under_her_new_number(day: Day) -> None:
    """From Tuesday on rolls name Ana absent by her new number; on Thursday the report goes out."""
    for name in ("Tue", "Wed"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana-2"])
            if (name, session) == ("Tue", "am"):
                day.at("Tue 09:00")
                day.expects_sms("teacher", "未到校")
    day.at("Thu 08:10")
    day.roll("am", absent=["ana-2"])
    report_goes_out(day)


def test_a_transfer_by_which_the_number_changed_does_not_take_the_child_off_the_roll(day: Day) -> None:
    everybody_is_there_on_monday(day)
    day.at("Mon 17:00")
    day.moves("ana", "transfer_out", evidence="transfer 12")
    day.at("Mon 18:00")
    ana_has_another_number(day)
    the_office_joins(day)

    ana_is_away_under_her_new_number(day)


def test_nor_does_one_that_is_entered_for_the_earlier_number_afterwards(day: Day) -> None:
    everybody_is_there_on_monday(day)
    day.at("Mon 18:00")
    ana_has_another_number(day)
    the_office_joins(day)
    ana_is_away_under_her_new_number(day)

    day.at("Thu 12:00")
    day.moves("ana", "transfer_out", evidence="transfer 12")

    day.expects_nothing()
    assert day.case("ana-2").standing is Standing.RAISED


def test_a_suspension_entered_for_the_earlier_number_afterwards_is_the_childs(day: Day) -> None:
    everybody_is_there_on_monday(day)
    day.at("Mon 18:00")
    ana_has_another_number(day)
    the_office_joins(day)
    ana_is_away_under_her_new_number(day)

    day.at("Thu 12:00")
    day.moves("ana", "suspend", evidence="clinic 3")

    day.expects_sms("town", "销号")
    day.expects_mail("office", "销号")
    day.expects_hook("mentor", '"closed"')


def ana_is_reported_under_both(day: Day) -> Arrival:
    """Nobody joins the numbers, and the second names another town: the child is reported on Wednesday and Saturday."""
    ana_is_reported(day)
    day.at("Wed 18:00")
    ana_has_another_number(day, home="t-2")
    day.at("Thu 08:10")
    day.roll("am", absent=["ana-2"])
    day.expects_sms("head", "2026-000001")
    day.expects_sms("director", "2026-000001")
    day.at("Thu 09:00")
    day.expects_sms("teacher", "未到校")
    day.at("Thu 14:10")
    day.roll("pm", absent=["ana-2"])
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Fri {time}")
        day.roll(session, absent=["ana-2"])
    day.at("Sat 08:00")
    day.expects_mail("office", "2026-000002")
    return day.expects_sms("other town", "2026-000002")


def test_of_two_reports_the_older_stands_and_each_recipient_hears_one_correction(day: Day) -> None:
    ana_is_reported_under_both(day)
    day.at("Sat 10:00")
    the_office_joins(day)

    assert numbers_of_cases(day, "ana-2") == [("2026-000001", True), ("2026-000002", False)]
    assert [one.reason for one in newest(day, "ana-2") if one.stage is Stage.CLOSED] == ["duplicate"]
    day.at("Mon 08:10")
    day.roll("am")

    return_is_told(day)
    for who in ("other town", "head", "director"):
        day.expects_sms(who, "返校")


def test_an_acknowledgement_of_the_younger_report_is_one_of_the_older(day: Day) -> None:
    message = ana_is_reported_under_both(day)
    day.at("Sat 10:00")
    the_office_joins(day)

    day.taps(message, Act.ACKNOWLEDGE)

    assert day.case("ana-2").acknowledged_at is None
    with day.store.read() as tx:
        kept = from_row(cases.cases_of(tx, ["ana-2"])[0])
    assert (kept.number, kept.acknowledged_at) == ("2026-000001", day.now)


def test_rows_that_waited_for_the_earlier_number_are_taken(day: Day) -> None:
    day.at("Mon 07:30")
    day.children = dict(NEW)
    for session, time in (("am", "08:10"), ("pm", "14:10")):
        day.at(f"Mon {time}")
        day.corrects("ana-old", "Mon", **{session: "absent"})
        if session == "am":
            day.expects_mail("operator", "数据源 marks：有数据行的学生不在名册")
    the_office_joins(day, "ana-old", "ana")

    day.expects_sms("teacher", "未到校")
    assert day.case("ana").finding.run_days == 1


def test_numbers_that_were_joined_by_mistake_are_taken_apart(day: Day) -> None:
    ana_vanishes(day)
    day.at("Tue 18:00")
    the_office_joins(day, "ana", "bruno")
    assert numbers_of_cases(day, "bruno") == [("2026-000001", False)]  # Bruno is there, so Ana seemed to be

    part_number(day.house, "ana", "Li Lan", day.now)
    day.works()
    day.expects_sms("teacher", "2026-000002")
    assert numbers_of_cases(day, "bruno") == []
    assert numbers_of_cases(day, "ana") == [("2026-000001", False), ("2026-000002", True)]
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    report_goes_out(day)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ana", "ana", "is the same number twice"),
        ("ana", "nobody", "is not on the roster"),
        ("nobody", "ana", "is not on the roster"),
        ("ana", "bruno", "is on the newest roster beside bruno, in class k-1 and has another name than bruno"),
    ],
)
def test_numbers_that_are_not_one_child_are_refused(day: Day, old: str, new: str, fault: str) -> None:
    with pytest.raises(DeskError) as refused:
        join_numbers(day.house, old, new, "Li Lan", day.now)

    assert refused.value.fault == fault
    assert refused.value.hint is not None


def test_a_number_is_joined_to_one_child_only_and_in_no_circle(day: Day) -> None:
    the_office_joins(day, "ana", "bruno")
    the_office_joins(day, "ana", "bruno")  # said again, it changes nothing
    for old, new in (("ana", "carla"), ("bruno", "ana")):
        with pytest.raises(DeskError, match="already"):
            join_numbers(day.house, old, new, "Li Lan", day.now, sure=True)

    the_office_joins(day, "bruno", "carla")

    with day.store.read() as tx:
        assert day.house.people(tx).same == {"ana": "carla", "bruno": "carla"}
        assert list(day.house.people(tx).roster.students) == ["carla"]
