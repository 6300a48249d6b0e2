"""Workbooks with several sheets: all that fit are read, the others are named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from daemon.feeds import sheets
from daemon.feeds.payload import Refused
from rules.records import StudentRecord
from tests.daemon.feeds.sources import MARKS_HEADER, faults, reading, workbook

HEADER = ["student_id", "name", "class_id"]
NOTES = [["请勿修改"], ["填表说明"]]


def children(content: bytes) -> list[tuple[str, str]]:
    found = reading(content, "students").records
    return [(one.student_id, one.class_id) for one in found if isinstance(one, StudentRecord)]


def test_every_sheet_with_the_columns_is_read_in_whatever_order_they_stand() -> None:
    content = workbook(
        ("一班", [HEADER, ["s-1", "甲", "c-1"]]),
        ("二班", [["二班名单"], ["class_id", "student_id", "name"], ["c-2", "s-2", "乙"]]),
        ("备用", [HEADER, ["s-3", "丙", "c-3"]]),
        hidden=["备用"],
    )

    assert children(content) == [("s-1", "c-1"), ("s-2", "c-2")]


def test_a_hidden_sheet_that_has_the_columns_is_named() -> None:
    tables = [(name, [HEADER, [f"s-{name}", "甲", "c-1"]]) for name in ("一班", "二班")]

    result = reading(workbook(*tables, hidden=["二班"]), "students")

    assert len(result.records) == 1
    assert [(one.source, one.fault) for one in result.notices] == [
        ("a.csv[二班]", "is not read: it is hidden, and has the columns")
    ]


def test_a_refused_row_is_named_with_its_sheet_and_the_line_in_it() -> None:
    content = workbook(("一班", [HEADER, ["s-1", "甲", "c-1"]]), ("二班", [["二班"], HEADER, ["s-2", "", "c-2"]]))

    (problem,) = reading(content, "students").problems
    assert (problem.source, problem.line, problem.column) == ("a.csv[二班]", 3, "name")


def test_a_visible_sheet_without_the_columns_is_named_and_the_others_are_read() -> None:
    content = workbook(
        ("说明", NOTES), ("一班", [HEADER, ["s-1", "甲", "c-1"]]), ("空", []), ("旧", NOTES), hidden=["旧"]
    )

    result = reading(content, "students")

    assert len(result.records) == 1
    assert not result.problems
    assert [(one.source, one.line) for one in result.notices] == [("a.csv[说明]", 1)]
    assert result.notices[0].fault.startswith('is not read: it has no columns "student_id", "name", "class_id"')


def test_a_workbook_in_which_nothing_fits_is_refused_by_the_likest_row_of_its_sheets() -> None:
    content = workbook(("说明", NOTES), ("一班", [["一班名单"], ["student_id", "姓名", "班级"], ["s-1", "甲", "c-1"]]))

    result = reading(content, "students")

    (problem,) = result.problems
    assert (problem.source, problem.line) == ("a.csv[一班]", 2)
    assert problem.fault.startswith('has no columns "name", "class_id"; its header is "student_id"')
    assert problem.hint == 'mapping.columns = { "姓名" = "name", "班级" = "class_id" }?'
    assert [one.source for one in result.notices] == ["a.csv[说明]"]


def test_the_table_is_the_one_with_the_columns_that_are_joined_and_skipped_by() -> None:
    content = workbook(
        ("汇总", [["考勤汇总"], ["工号", "姓名"], ["s-1", "甲"]]),
        ("明细", [["刷卡记录"], ["工号", "日期", "状态"], ["s-1", "2026-03-16", "旷工"], ["s-2", "2026-03-16", "?"]]),
    )
    mapping: dict[str, Any] = {
        "columns": {"工号": "student_id"},
        "constant": {"kind": "drop_out"},
        "join": {"at": ["日期"]},
    }

    result = reading(content, "movements", skip={"状态": ["?"]}, **mapping)

    assert [(one.student_id, one.line) for one in result.records] == [("s-1", 3)]  # type: ignore[union-attr]
    assert [(one.source, one.line) for one in result.notices] == [("a.csv[汇总]", 2)]


def test_dates_of_one_sheet_settle_the_order_of_all() -> None:
    header = MARKS_HEADER.split(",")
    content = workbook(
        ("三月", [header, ["s-1", "04/05/2026", "am", "absent"]]),
        ("四月", [header, ["s-1", "25/03/2026", "am", "absent"]]),
    )

    assert [one.date for one in reading(content).records] == [dt.date(2026, 5, 4), dt.date(2026, 3, 25)]  # type: ignore[union-attr]


def test_of_two_marks_for_one_session_the_later_sheet_counts_whatever_its_line() -> None:
    header = MARKS_HEADER.split(",")
    content = workbook(
        ("初稿", [header, ["s-2", "2026-03-16", "am", "absent"], ["s-1", "2026-03-16", "am", "absent"]]),
        ("更正", [header, ["s-1", "2026-03-16", "am", "present"]]),
    )

    found = {one.student_id: one.mark.name for one in reading(content).records}  # type: ignore[union-attr]
    assert found == {"s-1": "PRESENT", "s-2": "ABSENT"}
    assert len(reading(content).records) == 2


def test_a_child_listed_otherwise_on_another_sheet_is_refused_with_both_places() -> None:
    content = workbook(("一班", [HEADER, ["s-1", "甲", "c-1"]]), ("二班", [HEADER, ["s-1", "甲", "c-2"]]))

    result = reading(content, "students")

    assert [one.class_id for one in result.records if isinstance(one, StudentRecord)] == ["c-1"]
    assert result.problems == (
        Refused(
            "a.csv[二班]", 2, "class_id", "a.csv[一班]:2 says otherwise", "keep one row for each student_id", "s-1"
        ),
    )


def test_a_sheet_with_a_column_twice_is_named_for_it() -> None:
    content = workbook(
        ("一班", [HEADER, ["s-1", "甲", "c-1"]]), ("二班", [[*HEADER, "NAME"], ["s-2", "乙", "c-2", "x"]])
    )

    (notice,) = reading(content, "students").notices
    assert notice.fault == 'is not read: it has two columns for "name"'


def test_sheets_together_hold_no_more_than_one_table_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    page = [HEADER, ["s-1", "甲", "c-1"], ["s-2", "乙", "c-1"]]

    result = reading(workbook(("一", page), ("二", page)), "students")

    assert not result.records
    assert faults(result) == [(0, None, "has more than 3 rows or 10000000 cells in its sheets")]
