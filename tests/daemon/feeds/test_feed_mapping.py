"""Foreign tables that go in by mapping alone: columns joined, constant, or numbered by day, and rows passed over."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from daemon.config import FeedConfig
from daemon.feeds.fetch import fetch
from daemon.feeds.payload import Cursor
from rules.records import (
    LeaveRecord,
    Mark,
    MarkRecord,
    MovementRecord,
    PunchRecord,
    StudentRecord,
    UnitRecord,
)
from tests.daemon.feeds.sources import NOW, faults, feed, reading, sheet, table, utc

COURSE = ["code_module", "code_presentation"]
ORIGIN = {"column": "code_presentation", "2013B": dt.date(2013, 2, 1), "2013J": dt.date(2013, 10, 1)}
CLICKS: dict[str, Any] = {
    "join": {"student_id": [*COURSE, "id_student"]},
    "constant": {"session": "day", "mark": "present"},
    "origin": ORIGIN,
}
CLICKS_HEADER = "code_module,code_presentation,id_student,id_site,date,sum_click"


def test_clicks_of_a_learning_site_are_marks_by_mapping_alone() -> None:
    result = reading(table(CLICKS_HEADER, "AAA,2013J,28400,546652,-10,4", "BBB,2013B,11391,7,0,1"), **CLICKS)

    day: dict[str, Any] = {"session": "day", "mark": Mark.PRESENT, "recorded_at": None, "came_at": None, "reason": None}
    assert list(result.records) == [
        MarkRecord(student_id="AAA-2013J-28400", date=dt.date(2013, 9, 21), line=2, **day),
        MarkRecord(student_id="BBB-2013B-11391", date=dt.date(2013, 2, 1), line=3, **day),
    ]
    assert (result.problems, result.first_date, result.last_date) == ((), dt.date(2013, 2, 1), dt.date(2013, 9, 21))


def test_withdrawals_are_movements_and_those_who_stayed_are_passed_over() -> None:
    rows = ("AAA,2013J,1,-159,", "AAA,2013J,2,-3,12", "AAA,2013J,3,-3,?", "AAA,2013J,4,-3,12.0")
    result = reading(
        table("code_module,code_presentation,id_student,date_registration,date_unregistration", *rows),
        "movements",
        columns={"date_unregistration": "at"},
        join={"student_id": [*COURSE, "id_student"]},
        constant={"kind": "drop_out"},
        origin=ORIGIN,
        skip={"at": ["", "?"]},
    )

    assert result.problems == ()
    assert [(one.student_id, one.kind, one.at) for one in result.records if isinstance(one, MovementRecord)] == [
        ("AAA-2013J-2", "drop_out", utc(2013, 10, 12, 16)),
        ("AAA-2013J-4", "drop_out", utc(2013, 10, 12, 16)),
    ]


def test_one_column_serves_two_fields_and_a_tree_is_made_of_a_list_of_courses() -> None:
    units = reading(
        table("code_module,code_presentation,length", "AAA,2013J,268"),
        "units",
        join={"unit_id": COURSE, "name": COURSE},
        constant={"kind": "class"},
        columns={"code_module": "parent_id"},
    )
    students = reading(
        table("code_module,code_presentation,id_student,disability", "AAA,2013J,11391,N"),
        "students",
        join={
            "student_id": [*COURSE, "id_student"],
            "class_id": COURSE,
            "name": ["id_student"],
            "tags": ["disability"],
        },
    )

    assert list(units.records) == [UnitRecord("AAA-2013J", "class", "AAA", "AAA-2013J", None, 2)]
    (child,) = students.records
    assert isinstance(child, StudentRecord)
    assert (child.student_id, child.class_id, child.name, child.tags) == (
        "AAA-2013J-11391",
        "AAA-2013J",
        "11391",
        ("N",),
    )


def test_one_day_0_serves_a_whole_source_beside_dates_written_out() -> None:
    result = reading(
        table("student_id,from,to,kind,recorded_at", "s-1,3,+5,sick,2026-03-04 08:00", "s-2,2026-03-16,2026-03-17,x,"),
        "leaves",
        origin=dt.date(2026, 3, 2),
    )

    first, second = (one for one in result.records if isinstance(one, LeaveRecord))
    assert (first.starts, first.ends, first.recorded_at) == (
        utc(2026, 3, 4, 16),
        utc(2026, 3, 7, 16),
        utc(2026, 3, 4),
    )
    assert second.starts == utc(2026, 3, 15, 16)


def test_a_gates_passages_may_be_joined_and_need_a_time_of_day_even_so() -> None:
    result = reading(
        table("school,no,at", "a,1,2026-03-16 07:50", "a,2,14"),
        "punches",
        join={"student_id": ["school", "no"]},
        origin=dt.date(2026, 3, 2),
    )

    assert [one.student_id for one in result.records if isinstance(one, PunchRecord)] == ["a-1"]
    assert faults(result) == [(3, "at", '"14" has no time of day')]


def test_a_day_of_a_term_without_a_day_0_is_refused_by_its_name() -> None:
    result = reading(table(CLICKS_HEADER, "AAA,2015B,1,7,3,1", "AAA,,1,7,3,1"), **CLICKS)

    assert [str(one) for one in result.problems] == [
        'a.csv:2 date  "2015B" has no day 0 – add it to mapping.origin',
        'a.csv:3 date  "" has no day 0 – add it to mapping.origin',
    ]


def test_without_a_day_0_a_number_is_no_date() -> None:
    assert faults(reading(table("student_id,date,session,mark", "s-1,14,am,absent"))) == [
        (2, "date", '"14" is not a date')
    ]


def test_a_join_with_an_empty_part_names_nobody() -> None:
    result = reading(table(CLICKS_HEADER, "AAA,2013J, ,7,3,1"), **CLICKS)

    assert faults(result) == [(2, "student_id", "is missing")]


def test_a_row_is_passed_over_by_a_column_of_theirs_and_blank_ones_stay_blank() -> None:
    rows = ("s-1,2026-03-16,Pass", "s-2,2026-03-16, Fail ", ",,", "", "s-3,2026-03-16,")
    result = reading(
        table("student_id,date,Result", *rows),
        constant={"session": "am", "mark": "present"},
        skip={"result": ["Fail", ""]},
    )

    assert [one.line for one in result.records] == [2]
    assert result.problems == ()


def test_a_constant_goes_before_a_column_that_bears_its_name() -> None:
    (mark,) = reading(
        table("student_id,date,session,mark", "s-1,2026-03-16,3,absent"), constant={"session": "am"}
    ).records

    assert isinstance(mark, MarkRecord)
    assert mark.session == "am"


def test_short_and_wide_rows_are_judged_by_the_sources_own_columns() -> None:
    result = reading(
        table("student_id,date,reason", "s-1,2026-03-16", "s-2,2026-03-16,x,,", "s-3,2026-03-16,x,y"),
        constant={"session": "am", "mark": "present"},
    )

    assert [one.line for one in result.records] == [2, 3]
    assert faults(result) == [(4, None, "has 4 cells under 3 columns")]


@pytest.mark.parametrize(
    ("mapping", "column", "fault"),
    [
        ({"join": {"student_id": ["code_modul", "id_student"]}}, "student_id", 'has no column "code_modul"'),
        ({"skip": {"final_result": ["x"]}}, "mapping.skip", 'has no column "final_result"'),
        (
            {"origin": {"column": "term", "a": dt.date(2013, 2, 1)}},
            "mapping.origin",
            'has no column "term"',
        ),
    ],
)
def test_a_column_that_is_not_there_refuses_the_source(mapping: dict[str, object], column: str, fault: str) -> None:
    result = reading(table(CLICKS_HEADER, "AAA,2013J,1,7,3,1"), **{**CLICKS, **mapping})

    (problem,) = result.problems
    assert (problem.line, problem.column) == (1, column)
    assert problem.fault.startswith(fault + "; its header is")
    assert problem.hint


def test_workbooks_and_json_lines_are_rearranged_alike() -> None:
    book = sheet([("code_module", "code_presentation", "id_student", "date"), ("AAA", "2013J", 28400, -10)])
    line = {"code_module": "AAA", "code_presentation": "2013J", "id_student": 28400, "date": -10}

    of_book, of_lines = (reading(source, **CLICKS).records for source in (book, json.dumps(line) + "\n"))

    assert [one._replace(line=0) for one in of_book] == [one._replace(line=0) for one in of_lines]  # type: ignore[union-attr]
    assert [one.student_id for one in of_book] == ["AAA-2013J-28400"]  # type: ignore[union-attr]


def test_a_mapping_that_says_something_else_has_everything_taken_anew(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    meanings = {
        fetch(feed(**part), tmp_path, Cursor(), NOW)[1].meaning
        for part in (
            {},
            {"join": {"student_id": ["a"]}},
            {"skip": {"a": ["x"]}},
            {"origin": dt.date(2026, 3, 2)},
            {"empty": ["NULL"]},
        )
    }

    assert len(meanings) == 5


def test_numbers_of_another_country_have_everything_taken_anew_and_those_of_the_same_do_not(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    contacts, marks = feed("contacts"), feed()

    def meaning(of: FeedConfig) -> str:
        return fetch(of, tmp_path, Cursor(), NOW)[1].meaning

    assert meaning(contacts.within("CN")) == meaning(contacts)
    assert len({meaning(contacts.within(country)) for country in ("CN", "US", None)}) == 3
    assert meaning(marks.within("US")) == meaning(marks)


def test_all_columns_that_are_missing_are_named_at_once_each_with_the_one_that_was_meant() -> None:
    (problem,) = reading(
        table("学号,考勤日期,时段,学校", "1,2026-03-16,am,x"),
        join={"reason": ["学 校", "备注"]},
    ).problems

    assert problem.fault == (
        'has no columns "student_id", "date", "session", "mark", "学 校", "备注"; '
        'its header is "学号", "考勤日期", "时段", "学校"'
    )
    assert problem.hint == (
        'mapping.columns = { "学号" = "student_id", "考勤日期" = "date", "时段" = "session" }?; '
        'name mark in mapping.columns; "学 校": did you mean "学校"?'
    )


def test_titles_above_the_header_of_a_text_are_named() -> None:
    source = "三月考勤表\n\nstudent_id;date;session;mark\ns-1;2026-03-16;am;absent\n"

    (problem,) = reading(source).problems

    assert (problem.line, problem.hint) == (1, "line 3 has the columns: delete the lines above it")
