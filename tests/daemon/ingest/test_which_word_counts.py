"""Of two words about one child and session: recorded after delivery, in which file, by which feed, in advance."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.config import load_config
from daemon.desk.faults import DeskError
from daemon.jobs import byhand
from daemon.jobs.feed_problems import open_problems
from daemon.simulate import simulate
from tests.daemon.desk.county_office import MONDAY, Office, local
from tests.daemon.ingest.conftest import Opens
from tests.daemon.ingest.test_unread_is_not_said import week

HEAD = "student_id,date,session,mark,recorded_at"


def writes(office: Office, name: str, *rows: str, head: str = HEAD, at: tuple[int, str] | None = None) -> Path:
    """A file of the marks feed; `at` is when it was written last."""
    path = office.folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    if at is not None:
        instant = local(*at).timestamp()
        os.utime(path, (instant, instant))
    return path


def takes(office: Office) -> None:
    """The configuration as it is now comes into force, its feeds too, as at a restart."""
    office.house.terms = replace(office.house.terms, config=load_config(office.folder / "config.toml"))


# ---- recorded after it was delivered ------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", ["2026-03-16", "2026-03-16 08:10Z", "2062-03-16 08:10"])
def test_a_word_by_hand_counts_over_a_mark_that_claims_a_later_instant(opens: Opens, recorded: str) -> None:
    office = opens()
    writes(office, "marks.csv", f"s-001,2026-03-16,am,absent,{recorded}")
    office.step(0, "08:20")

    byhand.mark(office.house, "s-001", MONDAY, "am", "present", "Eve", local(0, "09:00"))
    office.now = local(0, "09:01")

    assert week(office) == "P- -- -- -- --"


def test_the_same_row_delivered_again_does_not_count_over_the_word_by_hand(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", "s-001,2026-03-16,am,absent,2026-03-16")
    office.step(0, "08:20")
    byhand.mark(office.house, "s-001", MONDAY, "am", "present", "Eve", local(0, "09:00"))

    writes(office, "marks.csv", "s-001,2026-03-16,am,absent,2026-03-16", "s-002,2026-03-16,am,present,2026-03-16")
    for day, clock in ((0, "12:00"), (1, "07:00")):
        office.step(day, clock)
        writes(office, f"marks-{day}.csv", "s-001,2026-03-16,am,absent,2026-03-16")
    office.step(1, "12:00")

    assert week(office) == "P- -- -- -- --"


def test_an_instant_years_ahead_is_told_to_the_operator(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", "s-001,2026-03-16,am,present,2062-03-16 08:10")

    assert office.step(0, "08:20") == [("4", "feed_problem")]


def test_a_feed_corrects_its_own_mark_of_a_later_year(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", "s-001,2026-03-16,am,absent,2062-03-16 08:10")
    office.step(0, "08:20")

    writes(office, "marks.csv", "s-001,2026-03-16,am,present,2026-03-16 09:00")
    office.step(0, "09:10")

    assert week(office) == "P- -- -- -- --"


# ---- files of one feed ----------------------------------------------------------------------------------------------


ROLL = [f"s-00{n},2026-03-16,am,{'absent' if n == 1 else 'present'}" for n in (3, 2, 1)]
CORRECTION = ["s-001,2026-03-16,am,present"]
PLAIN = HEAD.removesuffix(",recorded_at")


def test_of_two_files_of_one_poll_the_one_written_later_counts(opens: Opens) -> None:
    office = opens()
    writes(office, "marks-2-roll.csv", *ROLL, head=PLAIN, at=(0, "08:10"))
    writes(office, "marks-1-correction.csv", *CORRECTION, head=PLAIN, at=(0, "09:10"))

    office.step(0, "12:00")

    assert week(office) == "P- -- -- -- --"


def test_of_two_files_written_at_one_instant_the_later_name_counts(opens: Opens) -> None:
    office = opens()
    writes(office, "marks-2.csv", *CORRECTION, head=PLAIN, at=(0, "08:10"))
    writes(office, "marks-1.csv", *ROLL, head=PLAIN, at=(0, "08:10"))

    office.step(0, "12:00")

    assert week(office) == "P- -- -- -- --"


def test_a_simulation_counts_files_in_the_same_order(opens: Opens) -> None:
    office = opens()
    days = [f",2026-03-{day},{session}," for day in (16, 17, 18) for session in ("am", "pm")]
    writes(office, "marks-2-roll.csv", *(f"s-001{day}absent" for day in days), head=PLAIN, at=(2, "18:00"))
    writes(office, "marks-1-correction.csv", *(f"s-001{day}present" for day in days), head=PLAIN, at=(2, "19:00"))

    lines = simulate(load_config(office.folder / "config.toml"), local(0, "00:00"), local(3, "00:00"))

    assert [line["kind"] for line in lines if line["student"]] == []


def test_files_read_anew_after_a_mapping_was_edited_say_what_they_said(opens: Opens) -> None:
    office = opens()
    writes(office, "marks-1-roll.csv", *ROLL, head=PLAIN)
    office.step(0, "08:10")
    writes(office, "marks-2-correction.csv", *CORRECTION, head=PLAIN)
    office.step(0, "09:00")
    byhand.mark(office.house, "s-002", MONDAY, "am", "absent", "Eve", local(0, "09:30"))

    config = office.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    edited = text.replace('units = ["sch-1"]', 'units = ["sch-1"]\nmapping = { codes = { "迟" = "late" } }')
    config.write_text(edited, encoding="utf-8")
    takes(office)
    office.step(0, "12:00")

    assert (week(office), week(office, "s-002")) == ("P- -- -- -- --", "A- -- -- -- --")


def test_a_code_that_is_mapped_later_counts_from_when_its_row_was_delivered(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", "s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,present", head=PLAIN)
    office.step(0, "08:10")
    byhand.mark(office.house, "s-001", MONDAY, "am", "present", "Eve", local(0, "09:30"))

    config = office.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    mapped = 'units = ["sch-1"]\nmapping = { codes = { "旷课" = "absent" } }'
    config.write_text(text.replace('units = ["sch-1"]', mapped), encoding="utf-8")
    takes(office)
    office.step(0, "12:00")

    assert week(office) == "P- -- -- -- --"


def test_a_copy_of_the_roster_that_was_written_later_stays_in_force_when_all_is_read_anew(opens: Opens) -> None:
    office = opens("", ('path = "students.csv"', 'path = "students*.csv"'))
    roster = (office.folder / "students.csv").read_text(encoding="utf-8")
    copy = office.folder / "students (1).csv"
    copy.write_text(roster.replace("k-1", "k-2"), encoding="utf-8")
    for path, clock in ((office.folder / "students.csv", "07:00"), (copy, "08:00")):
        instant = local(0, clock).timestamp()
        os.utime(path, (instant, instant))
    office.step(0, "09:00")

    config = office.folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace(
        'path = "students*.csv"', 'path = "students*.csv"\nmapping = { codes = { "x" = "y" } }'
    )
    config.write_text(text, encoding="utf-8")
    takes(office)
    office.step(0, "12:00")

    with office.store.read() as tx:
        assert office.house.people(tx).class_now("s-001") == "k-2"


# ---- feeds of one rank ----------------------------------------------------------------------------------------------


def test_of_two_feeds_of_one_rank_the_positive_mark_of_an_instant_counts(opens: Opens) -> None:
    gate = '\n[[feed]]\nid = "gate"\nkind = "file"\nrecords = "marks"\npath = "gate.csv"\nunits = ["sch-1"]\n'
    office = opens("", ("[[ladder]]\n", f"{gate}[[ladder]]\n"))
    many = [f"s-00{n},2026-03-16,am,absent,2026-03-16 08:10" for n in (3, 2, 1)]
    writes(office, "marks.csv", *many)
    writes(office, "gate.csv", "s-001,2026-03-16,am,present,2026-03-16 08:10")

    office.step(0, "08:20")

    assert week(office) == "P- -- -- -- --"


# ---- rolls called in advance ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["present", "late", "left_early", "absent"])
def test_a_roll_called_in_advance_is_refused_and_told(opens: Opens, mark: str) -> None:
    office = opens()
    writes(office, "marks.csv", f"s-001,2026-03-17,am,{mark}", "s-001,2026-03-16,am,absent", head=PLAIN)

    assert office.step(0, "08:20") == [("4", "feed_problem")]
    assert week(office) == "A- -- -- -- --"


@pytest.mark.parametrize(("mark", "letter"), [("leave", "L"), ("unknown", "?")])
def test_leave_may_be_entered_ahead(opens: Opens, mark: str, letter: str) -> None:
    office = opens()
    writes(office, "marks.csv", f"s-001,2026-03-17,am,{mark}", head=PLAIN)

    assert ("4", "feed_problem") not in office.step(0, "08:20")
    office.now = local(1, "08:30")
    assert week(office) == f"-- {letter}- -- -- --"


def test_a_sighting_two_hours_before_the_session_counts_for_it(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", "s-001,2026-03-16,pm,present", "s-002,2026-03-17,am,present", head=PLAIN)

    office.step(0, "12:00")

    office.now = local(0, "14:10")
    assert week(office) == "-P -- -- -- --"


def test_a_feed_all_of_whose_marks_are_ahead_is_asked_for_its_zone(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", *(f"s-00{n},2026-03-16,am,present" for n in (1, 2, 3)), head=PLAIN)

    office.step(0, "05:00")

    with office.store.read() as tx:
        [problem] = open_problems(tx)
    assert "zone" in problem.state["lines"][0]["hint"]


def test_a_feed_recorded_hours_before_its_sessions_is_asked_for_its_zone(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", *(f"s-00{n},2026-03-16,am,present,2026-03-16 00:10" for n in (1, 2, 3)))

    assert ("4", "feed_problem") in office.step(0, "08:20")

    with office.store.read() as tx:
        [problem] = [one for one in open_problems(tx) if one.kind == "rows_refused"]
    assert "zone" in problem.state["lines"][0]["hint"]


def test_an_exception_feed_makes_nobody_present_whose_row_was_made_too_early(opens: Opens) -> None:
    office = opens('presence = "implied"')
    rows = [f"s-001,2026-03-16,{session},absent,2026-03-16 08:10" for session in ("am", "pm")]
    writes(office, "marks.csv", *rows)

    assert ("4", "feed_problem") in office.step(0, "17:30")
    office.now = local(0, "17:40")
    assert week(office) == "A? -- -- -- --"


def test_nobody_marks_tomorrow_by_hand(opens: Opens) -> None:
    office = opens()

    with pytest.raises(DeskError, match="has not begun"):
        byhand.mark(office.house, "s-001", MONDAY.replace(day=17), "am", "present", "Eve", local(0, "09:00"))
    byhand.mark(office.house, "s-001", MONDAY.replace(day=17), "am", "leave", "Eve", local(0, "09:00"))


def test_a_roll_filled_in_for_days_ahead_hides_no_absence(opens: Opens) -> None:
    office = opens()
    office.two_days()
    rows = [f"s-001,2026-03-{day},{session},present" for day in (18, 19, 20) for session in ("am", "pm")]
    writes(office, "marks-ahead.csv", *rows, head=PLAIN)
    office.step(1, "14:30")

    assert ("1", "report") in office.roll(2, "am", "APP", "08:10")


# ---- copies, and clocks of gates ------------------------------------------------------------------------------------


def test_a_copy_of_what_was_corrected_since_counts_from_when_it_was_first_delivered(opens: Opens) -> None:
    office = opens()
    writes(office, "marks.csv", *ROLL, head=PLAIN)
    office.step(0, "08:30")
    writes(office, "marks.csv", *[row.replace("absent", "present") for row in ROLL], head=PLAIN)
    office.step(0, "09:05")

    writes(office, "marks-copy.csv", *ROLL, head=PLAIN)
    office.step(0, "09:30")

    assert week(office) == "P- -- -- -- --"


def test_what_is_delivered_again_under_its_own_name_is_a_correction_taken_back(opens: Opens) -> None:
    office = opens()
    for clock, mark in (("08:30", "absent"), ("09:05", "present"), ("09:30", "absent")):
        writes(office, "marks.csv", f"s-001,2026-03-16,am,{mark}", head=PLAIN)
        office.step(0, clock)

    assert week(office) == "A- -- -- -- --"


def test_a_passage_that_is_still_to_come_is_no_sighting(opens: Opens) -> None:
    gate = '\n[[feed]]\nid = "gate"\nkind = "file"\nrecords = "punches"\npath = "gate.csv"\n'
    office = opens("", ("[[ladder]]\n", f"{gate}[[ladder]]\n"))
    rows = ["s-001,2026-03-16 07:50", "s-001,2026-03-17 07:50", "s-001,2062-03-17 07:50", "s-001,1970-01-01 07:50"]
    writes(office, "gate.csv", *rows, head="student_id,at")

    assert ("4", "feed_problem") in office.step(0, "08:10")
    office.now = local(1, "08:10")
    assert week(office) == "P- -- -- -- --"


def test_a_leave_without_an_end_in_sight_is_refused(opens: Opens) -> None:
    leaves = '\n[[feed]]\nid = "leaves"\nkind = "file"\nrecords = "leaves"\npath = "leaves.csv"\n'
    office = opens("", ("[[ladder]]\n", f"{leaves}[[ladder]]\n"))
    writes(office, "leaves.csv", "s-001,2026-03-16,2062-03-16,sick", head="student_id,from,to,kind")

    assert ("4", "feed_problem") in office.step(0, "08:10")
