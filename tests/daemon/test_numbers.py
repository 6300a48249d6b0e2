"""One child under two numbers: found under both, counted once, followed through the classes of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from daemon.jobs.numbers import renumbered
from daemon.jobs.people import People, load_people
from daemon.store import enrolment, renumbering
from daemon.store.engine import Store
from daemon.store.renumbering import Renumbering, same_children
from rules.calendar import Calendar, Period, Timetable
from rules.records import ContactRecord, StudentRecord

MONDAY = dt.datetime(2026, 3, 16, 4, tzinfo=dt.UTC)
WEDNESDAY = MONDAY + dt.timedelta(days=2)
TERM = Timetable(((dt.date(2026, 3, 2), dt.date(2026, 7, 10)),), (Period("am", dt.time(8), dt.time(11)),))


def child(student_id: str, class_id: str) -> StudentRecord:
    return StudentRecord(student_id, "张", class_id, None, None, None, None, None, (), None, None, None, line=2)


def enrol(store: Store, at: dt.datetime, *children: StudentRecord, source: str = "roster:a.csv") -> None:
    store.commit(lambda tx: enrolment.upsert_students(tx, children, at, source=source, on=at.date()))


def join(store: Store, old: str, new: str | None, at: dt.datetime = WEDNESDAY) -> None:
    store.commit(lambda tx: renumbering.record_renumbering(tx, Renumbering(old, new, at, "Li Lan", ["c-1"])))


def people_of(store: Store) -> People:
    with store.read() as tx:
        return load_people(tx, Calendar(ZoneInfo("Asia/Shanghai"), TERM))


def classes_by_day(people: People, student: str, days: Sequence[int]) -> list[str]:
    ordinal = people.roster.students.ordinals[student]
    return [people.class_ids[people.class_on(ordinal, dt.date(2026, 3, day))] for day in days]


def test_a_child_is_found_under_both_numbers_and_counted_once(store: Store) -> None:
    enrol(store, MONDAY, child("old", "k-1"), child("other", "k-1"), child("new", "k-1"))
    join(store, "old", "new")

    people = people_of(store)

    students = people.roster.students
    assert (list(students), len(students)) == (["new", "other"], 2)
    assert students["old"] == students["new"]
    assert students["old"].student_id == "new"
    assert sorted(filter(None, people.student_of)) == ["new", "other"]
    assert people.children_of([0]) == sorted([students["new"].ordinal, students["other"].ordinal])
    assert people.numbers_of("new") == ["new", "old"]
    assert people.with_earlier({"new": 1, "other": 2}) == {"new": 1, "other": 2, "old": 1}


def test_the_classes_of_both_numbers_are_one_history(store: Store) -> None:
    enrol(store, MONDAY, child("old", "k-1"))
    enrol(store, WEDNESDAY, child("new", "k-9"), source="roster:b.csv")
    join(store, "old", "new")

    people = people_of(store)

    assert classes_by_day(people, "new", [16, 17, 18, 19]) == ["k-1", "k-1", "k-9", "k-9"]
    assert people.class_now("old") == "k-9"
    assert {people.class_ids[index] for index in people.classes_of(people.children_of([0, 1]))} == {"k-1", "k-9"}


def test_numbers_known_at_once_are_in_the_class_of_the_present_one_and_heard_in_both(store: Store) -> None:
    enrol(store, MONDAY, child("old", "k-1"), child("new", "k-9"))
    join(store, "old", "new")

    people = people_of(store)

    assert classes_by_day(people, "new", [2, 16, 18]) == ["k-9", "k-9", "k-9"]
    assert people.children_of([people.class_index["k-1"]]) == [people.roster.students.ordinals["new"]]


def test_a_child_may_get_a_third_number_and_the_last_word_counts(store: Store) -> None:
    enrol(store, MONDAY, child("a", "k-1"), child("b", "k-1"), child("c", "k-1"))
    join(store, "a", "b")
    join(store, "b", "c", WEDNESDAY)
    assert people_of(store).same == {"a": "c", "b": "c"}

    join(store, "b", None, WEDNESDAY)

    with store.read() as tx:
        assert same_children(tx) == {"a": "b"}
        [kept] = renumbering.renumberings(tx)
    assert (kept.said_by, list(kept.cases)) == ("Li Lan", ["c-1"])


def test_those_who_answer_for_the_earlier_number_answer_for_the_child(store: Store) -> None:
    mentor = ContactRecord("m", "mentor", None, "old", "老师", "+8613800000001", None, None, None, 2)
    enrol(store, MONDAY, child("old", "k-1"), child("new", "k-1"))
    store.commit(lambda tx: enrolment.upsert_contacts(tx, [mentor], MONDAY, source="contacts:c.csv"))
    join(store, "old", "new")

    assert people_of(store).directory.recipients["m"].student_id == "new"


@pytest.mark.parametrize(
    ("listed", "source", "taken"),
    [
        (("old",), "roster:a.csv", ["new"]),
        (("old", "new"), "roster:a.csv", ["old", "new"]),
        (("old",), "roster:other.csv", ["old"]),
        (("other",), "roster:a.csv", ["other"]),
    ],
    ids=["the same file", "both in it", "another file beside it", "not in it"],
)
def test_a_roster_that_knows_only_the_earlier_number_speaks_of_the_child(
    store: Store, listed: Sequence[str], source: str, taken: list[str]
) -> None:
    enrol(store, MONDAY, child("old", "k-1"), child("new", "k-1"))
    join(store, "old", "new")

    with store.read() as tx:
        found = renumbered(tx, [child(one, "k-9") for one in listed], same_children(tx), source)

    assert [one.student_id for one in found] == taken
