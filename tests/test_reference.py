"""The reference against the law's own table, and against what was agreed where the law can be read two ways."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.county import DAY, HOUR, Child, LeaveRow, MovementRow, World
from tests.reference import Replay, tell
from tests.table import ANA, MONDAY, Row, instant, marks_of, row_due, row_told, rows, weeks, world_of

if TYPE_CHECKING:
    from tests.reference import Told


def _about_ana(told: list[Told], row: Row) -> list[tuple[str, dt.datetime]]:
    """What was told about the child; the table speaks of an asking only where a report came of it."""
    asked = "asked" in row.raised
    return [
        (one.kind, one.raised_at) for one in told if one.student == ANA and (asked or one.kind != "confirm_request")
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"row {row.number}")
def test_the_reference_reads_the_table_as_written(row: Row) -> None:
    replay = Replay(world_of(row)).run()
    due = row_due(row)

    assert sorted(row_told(row)) == sorted(_about_ana(replay.told, row))
    assert ([due] if due else []) == [one.at for one in replay.due if one.student == ANA]
    reports = [one for one in replay.told if one.kind == "report" and one.student == ANA]
    assert all(one.due_at == due and one.unconfirmed == ("unconfirmed" in row.raised) for one in reports)


def _told(world: World, child: str = ANA) -> list[tuple[str, str, str, int | None]]:
    """What was told about a child: kind, when it was due and when decided in local time, episode."""
    found = []
    for one in tell(world):
        if one.student == child:
            due_at, raised_at = (at and f"{at + 8 * HOUR:%a %d %H:%M}" for at in (one.due_at, one.raised_at))
            found.append((one.kind, due_at or "", raised_at or "", one.episode))
    return found


def test_a_leave_over_the_night_that_covers_no_session_cuts_no_run() -> None:
    night = (
        LeaveRow(
            "l-1",
            ANA,
            instant("Tue 18:00"),
            instant("Wed 07:00"),
            "sick",
            instant("Tue 17:00"),
            withdrawn=False,
            line=2,
        ),
    )

    assert _told(weeks("A A", "A A", "A A", leaves=night)) == [("report", "Wed 18 08:00", "Wed 18 08:10", 1)]


def test_a_leave_that_covers_no_session_holds_a_report_back_until_it_ends() -> None:
    noon = (
        LeaveRow(
            "l-1",
            ANA,
            instant("Sat 07:00"),
            instant("Sat 09:30"),
            "sick",
            instant("Thu 17:00"),
            withdrawn=False,
            line=2,
        ),
    )
    world = weeks("P P", "P P", "P P", "A A", "A A", leaves=noon, end=instant("Sat 23:59"))

    assert _told(world) == [("report", "Sat 21 09:30", "Sat 21 09:30", 1)]


def test_a_report_that_leave_overtakes_while_it_waits_is_due_anew_when_the_leave_is_withdrawn() -> None:
    given_ = LeaveRow(
        "l-1", ANA, instant("Wed 00:00"), instant("Thu 00:00"), "sick", instant("Wed 08:05"), withdrawn=False, line=2
    )
    taken_back = replace(given_, recorded_at=instant("Wed 09:00"), withdrawn=True, line=3)

    world = weeks("A A", "A A", "A A", leaves=(given_, taken_back))

    assert _told(world) == [("report", "Wed 18 09:00", "Wed 18 09:00", 1)]


def test_a_relapse_is_the_next_episode() -> None:
    assert _told(weeks("A A", "A A", "A P", "A A", "A A", "A A")) == [
        ("report", "Wed 18 08:00", "Wed 18 08:10", 1),
        ("return", "Wed 18 08:00", "Wed 18 14:10", 1),
        ("report", "Sat 21 08:00", "Sat 21 08:00", 2),
    ]


def test_a_case_that_retraction_closed_begins_again_with_its_first_episode() -> None:
    marks = marks_of(MONDAY + 2 * DAY, "am", "P", instant("Wed 12:00")) + marks_of(
        MONDAY + DAY, "pm", "P", instant("Wed 12:00")
    )
    world = weeks("A A", "A A", "A P", "P A", "A A", "A A", marks=marks)

    assert [(kind, raised, episode) for kind, _, raised, episode in _told(world)] == [
        ("report", "Wed 18 08:10", 1),
        ("retraction", "Wed 18 12:00", 1),
        ("report", "Sat 21 14:00", 1),
    ]


def test_a_case_with_a_run_of_its_own_goes_on_after_a_retraction() -> None:
    marks = marks_of(MONDAY + DAY, "pm", "P", instant("Wed 10:00"))
    world = weeks("A A", "A A", "A A", "A A", "A A", marks=marks)

    assert [(kind, raised, episode) for kind, _, raised, episode in _told(world)] == [
        ("report", "Wed 18 08:10", 1),
        ("retraction", "Wed 18 10:00", 1),
        ("report", "Fri 20 08:10", 2),
    ]


def test_a_corrected_run_that_stands_gives_the_return_its_own_due_instant() -> None:
    marks = marks_of(MONDAY, "pm", "P", instant("Wed 15:00"))
    world = weeks("A A", "A A", "A A", "A A", "P", marks=marks)

    assert _told(world) == [
        ("report", "Wed 18 08:00", "Wed 18 08:10", 1),
        ("return", "Thu 19 08:00", "Fri 20 08:10", 1),
    ]


def test_a_confirmed_movement_closes_what_stands_and_ends_the_case() -> None:
    out = MovementRow(ANA, "transfer_out", instant("Thu 12:00"), instant("Thu 13:00"), None, 2)
    found = MovementRow(ANA, "verified_elsewhere", instant("Thu 18:00"), instant("Fri 10:00"), None, 3)
    closed = ("closed", "Wed 18 08:00", "Fri 20 10:00", 1)

    assert _told(weeks("A A", "A A", "A A", "A A", "A", movements=(out, found)))[1:] == [closed]


@pytest.mark.parametrize(
    ("holes", "begins"),
    [(7, "Mon 16 08:00"), (8, "Fri 27 08:00")],
    ids=["ten days apart they are one run", "eleven days apart they are two"],
)
def test_absences_with_nothing_but_holes_between(holes: int, begins: str) -> None:
    world = weeks("A A", *["-"] * holes, "A", "A", "A")

    run = Replay(world).run().pupils[ANA].run(world.end)

    assert run is not None
    assert f"{run.start + 8 * HOUR:%a %d %H:%M}" == begins


def test_a_report_that_is_owed_keeps_its_legal_time_whatever_run_follows() -> None:
    world = weeks("A A", *["-"] * 8, "A", "A", "A", "P")

    assert _told(world)[-1][:2] == ("return", "Wed 18 14:20")


def _snow(count: int) -> World:
    world = weeks("A A", "A A", "A A", "A A", "A A")
    children = tuple(Child(f"c-{n}", ((MONDAY, "k-1"),)) for n in range(count))
    marks = [replace(row, child=child.child_id) for child in children for row in world.marks if row.child == ANA]
    return replace(world, children=children, marks=tuple(replace(row, line=n) for n, row in enumerate(marks)))


def test_a_class_in_the_snow_is_told_of_at_once_and_reported_a_day_later() -> None:
    told = tell(_snow(20))

    assert told[0].kind == "mass_absence"
    assert told[0].raised_at == instant("Mon 08:10")
    assert {(one.due_at, one.raised_at) for one in told if one.kind == "report"} == {
        (instant("Wed 08:00"), instant("Thu 08:00"))
    }


def test_nineteen_are_no_mass_absence() -> None:
    assert {one.kind for one in tell(_snow(19))} == {"report"}
