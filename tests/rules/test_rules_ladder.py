"""Who is to be told of a child: by where it lives, where it learns, or for itself."""

from __future__ import annotations

import pytest

from rules.ladder import Directory, Recipient, Rung, Unit
from tests.rules.small import HOUR

UNITS = {
    one.unit_id: one
    for one in (
        Unit("county", "county", None, "county"),
        Unit("t-1", "town", "county", "town 1"),
        Unit("t-2", "town", "county", "town 2"),
        Unit("v-2", "village", "t-2", "village 2"),
        Unit("sch-1", "school", "t-1", "school 1"),
        Unit("k-1", "class", "sch-1", "class 1"),
        Unit("loop-a", "village", "loop-b", "a"),
        Unit("loop-b", "village", "loop-a", "b"),
    )
}


def someone(contact_id: str, role: str, unit: str | None = None, student: str | None = None) -> Recipient:
    return Recipient(contact_id, role, unit, student, frozenset({"sms"}), None)


PEOPLE = [
    someone("town 1", "town_government", "t-1"),
    someone("town 2", "town_government", "t-2"),
    someone("village head", "village_head", "v-2"),
    someone("office", "education_office", "county"),
    someone("teacher", "class_teacher", "k-1"),
    someone("principal", "principal", "sch-1"),
    someone("mentor of ana", "mentor", student="ana"),
    someone("mentors of all", "mentor", "sch-1"),
]
DIRECTORY = Directory(UNITS, PEOPLE)


def told(role: str, home: str | None, child: str = "ana") -> list[str]:
    return [one.contact_id for one in DIRECTORY.for_student(role, child, "k-1", home)]


@pytest.mark.parametrize(
    ("home", "town"),
    [
        ("t-1", "town 1"),
        ("t-2", "town 2"),
        ("v-2", "town 2"),
        (None, "town 1"),
        ("nowhere", "town 1"),
        ("county", "town 1"),
    ],
    ids=["its own", "another one", "the village's", "none is written down", "one nobody knows", "above every town"],
)
def test_the_town_is_that_of_residence_else_the_schools(home: str | None, town: str) -> None:
    assert told("town_government", home) == [town]


@pytest.mark.parametrize(("home", "assumed"), [("t-2", False), ("v-2", False), (None, True), ("nowhere", True)])
def test_a_town_that_was_assumed_is_marked_so(home: str | None, assumed: bool) -> None:  # noqa: FBT001
    town, marked = DIRECTORY.town("k-1", home)

    assert town is not None
    assert marked is assumed


def test_a_town_without_anybody_to_tell_is_not_replaced_by_the_schools() -> None:
    directory = Directory(UNITS, [someone("town 1", "town_government", "t-1")])

    assert directory.for_student("town_government", "ana", "k-1", "t-2") == []


def test_the_village_head_is_found_by_residence_only() -> None:
    assert told("village_head", "v-2") == ["village head"]
    assert told("village_head", None) == []


def test_a_mentor_named_for_the_child_goes_before_those_of_the_school() -> None:
    assert told("mentor", None) == ["mentor of ana"]
    assert told("mentor", None, child="bruno") == ["mentors of all"]


@pytest.mark.parametrize(
    ("role", "found"), [("class_teacher", "teacher"), ("principal", "principal"), ("education_office", "office")]
)
def test_every_other_role_is_the_nearest_upward_from_the_class(role: str, found: str) -> None:
    assert told(role, "t-2") == [found]


def test_a_role_nobody_holds_reaches_nobody() -> None:
    assert told("county_head", "t-1") == []


def test_several_in_one_role_are_all_told_in_an_order_of_their_own() -> None:
    two = Directory(UNITS, [someone("b", "principal", "sch-1"), someone("a", "principal", "sch-1")])

    assert [one.contact_id for one in two.for_unit("principal", "k-1")] == ["a", "b"]


def test_units_in_a_circle_do_not_go_round_for_ever() -> None:
    assert [unit.unit_id for unit in DIRECTORY.upward("loop-a")] == ["loop-a", "loop-b"]
    assert DIRECTORY.nearest("loop-a", "town") is None


def test_everything_below_a_unit_is_found() -> None:
    assert DIRECTORY.below("t-1") == {"t-1", "sch-1", "k-1"}
    assert DIRECTORY.school("k-1") == UNITS["sch-1"]
    assert [one.contact_id for one in DIRECTORY.everyone("town_government")] == ["town 1", "town 2"]


def test_the_rung_that_speaks_at_once_reports_and_later_ones_escalate() -> None:
    assert Rung(0 * HOUR, None, (), ()).kind == "report"
    assert Rung(24 * HOUR, None, (), ()).kind == "escalation"
