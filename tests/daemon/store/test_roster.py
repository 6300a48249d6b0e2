"""Who is where: taken in set by set, followed through classes, read without names."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.store import enrolment, roster
from rules.records import ContactRecord, StudentRecord, UnitRecord, contact_id_of

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.enrolment import Changes

MONDAY = dt.datetime(2026, 3, 16, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def a_child(number: int, class_id: str = "c-1") -> StudentRecord:
    return StudentRecord(
        student_id=f"s-{number}",
        name=f"孩子{number}",
        class_id=class_id,
        sex="f",
        birth_date=dt.date(2015, 1, 1),
        grade="3",
        residence_id="t-1",
        boarding=True,
        tags=("left_behind", "orphan"),
        status=None,
        status_since=dt.date(2025, 9, 1),
        id_number=None,
        line=number,
    )


def a_contact(contact_id: str, **other: str | None) -> ContactRecord:
    given: dict[str, str | None] = {"unit_id": "c-1", "phone": None, "email": None, "language": None} | other
    return ContactRecord(
        contact_id, "mentor", given["unit_id"], None, "老师", given["phone"], given["email"], None, None, 1
    )


def enrol(store: Store, *children: StudentRecord, at: dt.datetime = MONDAY, source: str = "roster") -> Changes:
    return store.commit(lambda tx: enrolment.upsert_students(tx, children, at, source=source, on=at.date()))


def test_a_delivery_says_what_it_changed(store: Store) -> None:
    assert enrol(store, a_child(1), a_child(2)).added == ("s-1", "s-2")

    changes = enrol(store, a_child(1), replace(a_child(2), name="改"), a_child(3), at=MONDAY + DAY)

    assert (changes.added, changes.changed, changes.unchanged, changes.missing) == (("s-3",), ("s-2",), 1, ())
    with store.read() as tx:
        assert roster.names_of(tx, ["s-2"]) == {"s-2": "改"}


def test_a_child_keeps_its_small_number_for_ever(store: Store) -> None:
    enrol(store, a_child(1), a_child(2))
    enrol(store, replace(a_child(2), grade="4"), a_child(3))
    enrol(store, a_child(1))

    with store.read() as tx:
        assert roster.ordinals_of(tx, ["s-1", "s-2", "s-3", "s-9"]) == {"s-1": 1, "s-2": 2, "s-3": 3}


def test_a_child_not_in_the_newest_file_is_missing_and_stays(store: Store) -> None:
    enrol(store, a_child(1), a_child(2))

    assert enrol(store, a_child(1), at=MONDAY + DAY).missing == ("s-2",)
    assert enrol(store, a_child(1), at=MONDAY + 2 * DAY).missing == ()

    with store.read() as tx:
        assert roster.roster(tx).students["s-2"].missing_since == MONDAY + DAY
    assert enrol(store, a_child(1), a_child(2), at=MONDAY + 3 * DAY).changed == ("s-2",)
    with store.read() as tx:
        assert roster.roster(tx).students["s-2"].missing_since is None


def test_the_file_of_one_school_says_nothing_of_another(store: Store) -> None:
    enrol(store, a_child(1), source="north")
    enrol(store, a_child(2), source="south")

    assert enrol(store, a_child(2), source="south").missing == ()


def test_a_child_is_followed_through_its_classes(store: Store) -> None:
    enrol(store, a_child(1), a_child(2))
    enrol(store, a_child(1, "c-2"), a_child(2), at=MONDAY + DAY)
    enrol(store, a_child(1, "c-2"), a_child(2), at=MONDAY + 2 * DAY)

    with store.read() as tx:
        assert roster.classes_of(tx, ["s-1", "s-2"], MONDAY.date()) == {"s-1": "c-1", "s-2": "c-1"}
        assert roster.classes_of(tx, ["s-1"], MONDAY.date() + DAY) == {"s-1": "c-2"}
        assert roster.students_in(tx, ["c-2"]) == {"s-1": "c-2"}
        block = roster.memberships(tx, ["c-2"])
        assert roster.memberships(tx, ["c-2"], known_by=MONDAY).ordinal.tolist() == [1]
        assert roster.memberships(tx).ordinal.tolist() == [1, 1, 2]

    assert block.classes == ("c-1", "c-2")
    assert block.ordinal.tolist() == [1, 1]
    assert block.class_index.tolist() == [0, 1]
    assert block.starts_on.tolist() == [roster.FIRST_DAY, MONDAY.date() + DAY]


def test_a_roster_carries_what_routing_needs_and_no_name(store: Store) -> None:
    units = [
        UnitRecord("county", "county", None, "县", None, 1),
        UnitRecord("sch", "school", "county", "小学", "36", 2),
        UnitRecord("c-1", "class", "sch", "一班", None, 3),
    ]
    store.commit(lambda tx: enrolment.upsert_units(tx, units, MONDAY, source="units"))
    contacts = [a_contact("k-1", phone="+8613800138000"), a_contact("k-2", email="a@example.org")]
    store.commit(lambda tx: enrolment.upsert_contacts(tx, contacts, MONDAY, source="contacts"))
    enrol(store, a_child(1))

    with store.read() as tx:
        found = roster.roster(tx)
        assert roster.roster(tx, []).students == {}

    child = found.students["s-1"]
    assert (child.tags, child.boarding, child.residence_id) == (("left_behind", "orphan"), True, "t-1")
    assert child.status_since == dt.date(2025, 9, 1)
    assert [(one.contact_id, one.has_phone, one.has_email) for one in found.contacts] == [
        ("k-1", True, False),
        ("k-2", False, True),
    ]
    assert [one.unit_id for one in found.line_of("c-1")] == ["c-1", "sch", "county"]
    assert list(found.line_of("nowhere")) == []
    assert "孩子" not in repr(found)


def test_a_tree_that_bites_its_tail_ends(store: Store) -> None:
    units = [UnitRecord("a", "town", "b", "甲", None, 1), UnitRecord("b", "town", "a", "乙", None, 2)]
    store.commit(lambda tx: enrolment.upsert_units(tx, units, MONDAY, source="units"))

    with store.read() as tx:
        assert [one.unit_id for one in roster.roster(tx).line_of("a")] == ["a", "b"]


def test_a_contact_no_longer_listed_is_told_nothing_new_but_can_be_looked_up(store: Store) -> None:
    both = [a_contact("k-1"), a_contact("k-2")]
    store.commit(lambda tx: enrolment.upsert_contacts(tx, both, MONDAY, source="contacts"))
    store.commit(lambda tx: enrolment.upsert_contacts(tx, both[:1], MONDAY + DAY, source="contacts"))

    with store.read() as tx:
        assert [one.contact_id for one in roster.roster(tx).contacts] == ["k-1"]
        assert roster.contacts_of(tx, ["k-2"])["k-2"].gone_at == MONDAY + DAY


def test_more_children_than_fit_into_one_question(sqlite_store: Store) -> None:
    children = [a_child(number) for number in range(11_000)]
    enrol(sqlite_store, *children)

    assert enrol(sqlite_store, *children).unchanged == 11_000


def test_namesakes_keep_their_ids_in_any_order_and_when_one_of_them_leaves(store: Store) -> None:
    def known(*phones: str) -> dict[str, str | None]:
        """The ids after a file that lists people of one role, unit and name by these numbers, as a feed gives them."""
        listed: list[ContactRecord] = []
        for phone in phones:
            one = a_contact("", phone=phone)
            listed.append(replace(one, contact_id=one.id_by_address if listed else contact_id_of(one)))
        store.commit(lambda tx: enrolment.upsert_contacts(tx, listed, MONDAY, source="contacts"))
        with store.read() as tx:
            ids = [one.contact_id for one in roster.roster(tx).contacts]
            return {one.phone or "": one.contact_id for one in roster.contacts_of(tx, ids).values()}

    alone = known("1")
    both = known("1", "2")
    assert both["1"] == alone["1"]
    assert known("2", "1") == both
    assert known("3", "2", "1").items() > both.items()
    assert known("2") == {"2": both["2"]}
    assert known("4", "2") == {"2": both["2"], "4": alone["1"]}
