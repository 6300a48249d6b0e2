"""A roster that shrinks is held: what was in force stays, the operator hears what would go, and a person accepts it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from daemon.jobs import held
from daemon.store import intake
from tests.daemon.desk.county_office import Office, local
from tests.daemon.ingest.conftest import Opens


def rows_of(office: Office, name: str) -> list[str]:
    return (office.folder / name).read_text(encoding="utf-8").splitlines()


def keeps(office: Office, name: str, rows: Sequence[str]) -> None:
    (office.folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


def contacts(office: Office) -> set[str]:
    with office.store.read() as tx:
        return {one.contact_id for one in office.house.people(tx).roster.contacts}


def missing(office: Office) -> list[str]:
    with office.store.read() as tx:
        return [
            row[0]
            for row in tx.connection.exec_driver_sql(
                "SELECT student_id FROM student WHERE missing_since IS NOT NULL ORDER BY student_id"
            )
        ]


EVERYBODY = {"town", "head", "office", "operator", "teacher", "principal"}


@pytest.fixture
def office(opens: Opens) -> Office:
    return opens(students=10)


def test_a_contacts_file_cut_short_is_held_and_told_at_once(office: Office) -> None:
    keeps(office, "contacts.csv", rows_of(office, "contacts.csv")[:3])

    assert office.step(0, "08:00") == [("4", "feed_problem")]
    assert "现有联系人6个，这份少了4个" in office.phone.texts[-1]
    assert contacts(office) == EVERYBODY


def test_a_report_reaches_those_whom_the_cut_contacts_file_lacks(office: Office) -> None:
    office.two_days("A" + "P" * 9)
    keeps(office, "contacts.csv", rows_of(office, "contacts.csv")[:1] + rows_of(office, "contacts.csv")[-1:])

    told = office.roll(2, "am", "A" + "P" * 9, "08:10")

    assert ("1", "report") in told
    assert ("3", "report") in told


def test_the_whole_file_again_ends_it(office: Office) -> None:
    whole = rows_of(office, "contacts.csv")
    keeps(office, "contacts.csv", whole[:3])
    office.step(0, "08:00")
    keeps(office, "contacts.csv", whole)

    assert office.step(0, "08:05") == [("4", "feed_problem_over")]
    assert contacts(office) == EVERYBODY


def test_what_stays_the_same_for_a_day_is_accepted(office: Office) -> None:
    keeps(office, "contacts.csv", rows_of(office, "contacts.csv")[:5])
    office.step(0, "08:00")
    assert office.step(1, "07:59") == []
    assert contacts(office) == EVERYBODY

    office.step(1, "08:00")

    assert contacts(office) == {"town", "head", "office", "operator"}


def test_what_changes_within_the_day_waits_for_a_day_of_its_own(office: Office) -> None:
    whole = rows_of(office, "contacts.csv")
    keeps(office, "contacts.csv", whole[:5])
    office.step(0, "08:00")
    keeps(office, "contacts.csv", whole[:4])
    office.step(0, "20:00")

    office.step(1, "19:59")
    assert contacts(office) == EVERYBODY
    office.step(1, "20:00")
    assert contacts(office) == {"town", "head", "office"}


def test_a_person_accepts_what_is_held(office: Office) -> None:
    keeps(office, "contacts.csv", rows_of(office, "contacts.csv")[:5])
    office.step(0, "08:00")

    accepted = office.store.commit(lambda tx: held.accept(tx, "contacts", "Eve", local(0, "09:00")))

    assert accepted == ["contacts.csv"]
    assert office.step(0, "09:00") == [("4", "feed_problem_over")]
    assert contacts(office) == {"town", "head", "office", "operator"}


def test_a_roster_that_lacks_less_than_a_fifth_is_taken_and_the_missing_are_told(office: Office) -> None:
    keeps(office, "students.csv", rows_of(office, "students.csv")[:-1])

    assert office.step(0, "08:00") == [("4", "feed_problem")]
    assert "最新名册中没有了：s-010" in office.phone.texts[-1]
    assert missing(office) == ["s-010"]


def test_a_roster_that_lacks_a_fifth_is_held(office: Office) -> None:
    keeps(office, "students.csv", rows_of(office, "students.csv")[:-2])

    assert office.step(0, "08:00") == [("4", "feed_problem")]
    assert missing(office) == []


def test_the_share_is_the_operators(opens: Opens) -> None:
    office = opens("", ('path = "students.csv"', 'path = "students.csv"\nhold_when_missing = 0.0'), students=10)
    keeps(office, "students.csv", rows_of(office, "students.csv")[:4])

    office.step(0, "08:00")

    assert len(missing(office)) == 7


@pytest.mark.parametrize(
    "text", ["", "student_id,name,class_id,residence_id\n", "<html>error 500</html>\n", '{"error": 1}\n']
)
def test_a_roster_of_nobody_is_no_roster(office: Office, text: str) -> None:
    (office.folder / "students.csv").write_text(text, encoding="utf-8")

    assert office.step(0, "08:00") == [("4", "feed_problem")]
    with office.store.read() as tx:
        assert intake.feed_state(tx, "students").state == "failed"
    office.step(2, "08:00")
    assert missing(office) == []


def test_a_child_whose_row_is_refused_is_not_missing(office: Office) -> None:
    rows = rows_of(office, "students.csv")
    keeps(office, "students.csv", [*rows[:-1], rows[-1].replace("k-1", "")])

    office.step(0, "08:00")

    assert missing(office) == []


def test_a_contact_whose_row_is_refused_stays_in_force(office: Office) -> None:
    rows = rows_of(office, "contacts.csv")
    keeps(office, "contacts.csv", [*rows[:1], rows[1].replace("13800000001", "unknown"), *rows[2:]])

    office.step(0, "08:00")

    assert contacts(office) == EVERYBODY


def test_a_roster_that_is_gone_is_told(opens: Opens) -> None:
    office = opens("", ('path = "students.csv"', 'path = "students*.csv"'))
    (office.folder / "students.csv").unlink()

    told = [office.step(0, f"08:{minute:02}") for minute in (0, 5, 10)]

    assert ("4", "feed_problem") in [one for each in told for one in each]


def test_children_of_a_class_that_no_units_feed_names_are_told(office: Office) -> None:
    rows = rows_of(office, "students.csv")
    keeps(office, "students.csv", [*rows[:-1], rows[-1].replace("k-1", "k-9")])

    assert office.step(0, "08:00") == [("4", "feed_problem")]
    assert "k-9" in office.phone.texts[-1]


def test_it_is_told_anew_only_of_new_reasons(office: Office) -> None:
    rows = rows_of(office, "students.csv")
    keeps(office, "students.csv", rows[:-1])
    office.step(0, "08:00")
    assert office.step(0, "10:00") == []

    keeps(office, "students.csv", [rows[0], *rows[2:-1]])

    assert office.step(0, "12:00") == [("4", "feed_problem")]


def test_a_problem_met_before_there_was_an_operator_is_told_when_there_is_one(opens: Opens) -> None:
    office = opens("", ('path = "contacts.csv"', 'path = "people.csv"'))
    rows = rows_of(office, "students.csv")
    keeps(office, "students.csv", [*rows, "s-099,Child Number099,,t-1"])
    assert office.step(0, "07:05") == []

    (office.folder / "contacts.csv").rename(office.folder / "people.csv")

    office.step(0, "07:10")
    assert ("4", "feed_problem") in office.step(0, "07:15")
    assert office.step(0, "07:20") == []
