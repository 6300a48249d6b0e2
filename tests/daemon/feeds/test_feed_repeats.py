"""What one delivery lists twice."""

from __future__ import annotations

import pytest

from rules.records import ContactRecord, LeaveRecord
from tests.daemon.feeds.sources import faults, reading, table

CONTACTS = "role,unit_id,name,phone,email,contact_id"


def people(*rows: str) -> list[tuple[str, str | None]]:
    result = reading(table(CONTACTS, *rows), "contacts")
    return [(one.contact_id, one.phone or one.email) for one in result.records if isinstance(one, ContactRecord)]


def refused(records: str, header: str, *rows: str) -> list[tuple[int, str | None, str]]:
    return faults(reading(table(header, *rows), records))


def test_a_child_listed_with_two_classes_stays_in_the_first_and_both_lines_are_named() -> None:
    header = "student_id,name,class_id"
    result = reading(table(header, "s-1,甲,c-1", "s-2,乙,c-1", '="s-1",甲,c-2', "s-1,甲,c-1"), "students")

    assert [(one.student_id, one.class_id) for one in result.records] == [("s-1", "c-1"), ("s-2", "c-1")]  # type: ignore[union-attr]
    assert faults(result) == [(4, "class_id", "line 2 says otherwise")]
    assert result.problems[0].student_id == "s-1"


@pytest.mark.parametrize(
    ("records", "header", "rows", "fault"),
    [
        (
            "units",
            "unit_id,kind,parent_id,name",
            ("c,county,,县", "t,town,c,东镇", "t,town,c,西镇"),
            (4, "name", "line 3 says otherwise"),
        ),
        (
            "contacts",
            CONTACTS,
            ("principal,u,某,13800000001,,k-1", "mentor,u,某,13800000001,,k-1"),
            (3, "role", "line 2 says otherwise"),
        ),
        (
            "contacts",
            CONTACTS,
            ("principal,u,某,13800000001,a@example.org,", "principal,u,某,13800000001,,"),
            (3, "email", "line 2 says otherwise"),
        ),
        (
            "leaves",
            "student_id,from,to,kind,leave_id",
            ("s-1,2026-03-16,2026-03-17,sick,L1", "s-2,2026-03-16,2026-03-17,sick,L1"),
            (3, "leave_id", "is another child's on line 2"),
        ),
    ],
)
def test_a_row_that_contradicts_another_about_its_key_is_refused(
    records: str, header: str, rows: tuple[str, ...], fault: tuple[int, str, str]
) -> None:
    assert refused(records, header, *rows) == [fault]
    assert refused(records, header, *rows[:-1], rows[-2]) == []


def test_a_later_row_of_a_leave_replaces_an_earlier_one() -> None:
    rows = ("s-1,2026-03-16,2026-03-17,sick,approved", "s-1,2026-03-16,2026-03-18,sick,withdrawn")
    result = reading(table("student_id,from,to,kind,status", *rows), "leaves")

    assert [one.withdrawn for one in result.records if isinstance(one, LeaveRecord)] == [False, True]
    assert not result.problems


def test_two_people_of_one_role_unit_and_name_are_told_apart_by_their_addresses() -> None:
    one, other, third = "principal,u,某,13800000001,,", "principal,u,某,13800000002,,", "principal,u,某,,c@example.org,"

    (alone,) = people(one)
    both, three = people(one, other), people(one, other, third, other)

    assert both[0] == alone
    assert both[1][1] == "+8613800000002"
    assert three[:2] == both
    assert len({contact_id for contact_id, _ in three}) == 3
    assert dict(people(other, one))[alone[0]] == "+8613800000002"
