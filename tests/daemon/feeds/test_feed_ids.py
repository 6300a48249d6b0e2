"""Ids: one form in every file, and nothing that a spreadsheet made of one is taken for one."""

from __future__ import annotations

import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.ids import PLAIN_ID, an_id
from daemon.feeds.payload import Fault
from rules.records import ContactRecord, StudentRecord
from tests.daemon.feeds.sources import MARKS_HEADER, faults, reading, sheet, table, utc


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("s-001", "s-001"),
        ('="s-001"', "s-001"),
        ('= "0012"', "0012"),
        ("'0012", "0012"),
        ("’0012", "0012"),
        ("＇0012", "0012"),
        ("`0012", "0012"),
        ("'0012'", "0012"),
        ("ｓ－００１", "s-001"),
        ("s–001", "s-001"),
        ("\u200bs-0\u00ad01\ufeff", "s-001"),
        ("123.0", "123"),
        ("0012.00", "0012"),
        ('="123.0"', "123"),
        ("3.1", "3.1"),
        ("3.10", "3.10"),
        ("一（3）班", "一(3)班"),
        ("2026-1-3", "2026-1-3"),
        ("7-1", "7-1"),
        ("3/4", "3/4"),
        ("1.2.2026", "1.2.2026"),
        ("2026-13-45", "2026-13-45"),
        ("20261112", "20261112"),
        ("MAR-01", "MAR-01"),
        ("1E-3", "1E-3"),
        ("NULL-1", "NULL-1"),
        ("nan-3", "nan-3"),
        ("无锡-1", "无锡-1"),
    ],
)
def test_an_id_has_one_form_however_a_program_wrote_it(cell: str, meant: str) -> None:
    assert an_id(cell) == meant


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("", "is missing"),
        ('=""', "is missing"),
        ("\u200b", "is missing"),
        ("2026-11-12", "was turned into a date"),
        ("2026-11-12 00:00:00", "was turned into a date"),
        ("2026-1-3 0:00", "was turned into a date"),
        ("2026-11-12T00:00:00Z", "was turned into a date"),
        ("16.03.2026", "was turned into a date"),
        ("11/12/2026 12:00:00 AM", "was turned into a date"),
        ("2026/1/3", "was turned into a date"),
        ("11/12/2026", "was turned into a date"),
        ("2026年11月12日", "was turned into a date"),
        ("11月12日", "was turned into a date"),
        ("Nov-12", "was turned into a date"),
        ("12-Nov", "was turned into a date"),
        ("12-Nov-2026", "was turned into a date"),
        ("01:30:00", "was turned into a time of day"),
        ("1 day, 12:00:00", "was turned into a time of day"),
        ("6.10324E+17", "lost digits"),
        ("6.10324E17", "lost digits"),
        ("1E+05", "lost digits"),
        ("610324199901010012.0", "lost digits"),
        ("#N/A", "is an error of the spreadsheet"),
        ("#REF!", "is an error of the spreadsheet"),
        ("#VALUE!", "is an error of the spreadsheet"),
        ("#NAME?", "is an error of the spreadsheet"),
        ("#DIV/0!", "is an error of the spreadsheet"),
        ("NULL", "what stands for nothing"),
        ("null", "what stands for nothing"),
        (r"\N", "what stands for nothing"),
        ("nan", "what stands for nothing"),
        ("NaN", "what stands for nothing"),
        ("None", "what stands for nothing"),
        ("(null)", "what stands for nothing"),
        ("NA", "what stands for nothing"),
        ("无", "what stands for nothing"),
        ("-", "neither a letter nor a digit"),
        ("########", "neither a letter nor a digit"),
        ("=A2", "is a formula"),
        ("a\x00b", "holds invisible characters"),
        ("x" * 129, "is longer than"),
    ],
)
def test_what_is_no_id_is_refused_with_what_became_of_it(cell: str, fault: str) -> None:
    with pytest.raises(Fault, match=fault):
        an_id(cell)


@given(st.from_regex(PLAIN_ID, fullmatch=True))
def test_an_id_that_is_passed_at_one_look_is_the_same_after_many(text: str) -> None:
    assert an_id(text) == text


@given(st.text("'’`=\"0012.3aｓ－ \u200b", max_size=12))
def test_an_id_in_its_form_stays_so(text: str) -> None:
    try:
        once = an_id(text)
    except Fault:
        return
    assert an_id(once) == once


def test_a_child_is_the_same_in_every_kind_of_record() -> None:
    cell = "ｓ－００１"
    students = reading(table("student_id,name,class_id", f"{cell},某,='c-1"), "students")
    contacts = reading(table("role,student_id,name,phone", f"guardian,'{cell},某,13800000001"), "contacts")
    punches = reading(table("student_id,at", f'="{cell}",2026-03-16 08:00'), "punches")
    marks = reading(table(MARKS_HEADER, f"{cell},2026-03-16,am,absent"))
    moves = reading(table("student_id,kind,at", f"{cell},suspend,2026-03-16"), "movements")
    leaves = reading(table("student_id,from,to,kind", f"{cell},2026-03-16,2026-03-16,sick"), "leaves")

    found = [one for result in (contacts, punches, marks, moves, leaves) for one in result.records]
    assert {one.student_id for one in found if not isinstance(one, StudentRecord)} == {"s-001"}  # type: ignore[union-attr]
    assert len(found) == 5
    assert faults(students) == [(2, "class_id", "is a formula")]


def test_a_refused_row_names_its_child_in_the_form_of_the_roster() -> None:
    (problem,) = reading(table(MARKS_HEADER, '="s-001",2026-03-16,am,旷课')).problems

    assert problem.student_id == "s-001"


def test_a_date_cell_of_a_workbook_is_no_class_and_an_error_is_said() -> None:
    rows = [("student_id", "name", "class_id"), ("s-1", "甲", dt.date(2026, 3, 2)), ("s-2", "乙", "#N/A"), (3, "丙", 7)]
    result = reading(sheet(rows), "students")

    assert [(one.student_id, one.class_id) for one in result.records] == [("3", "7")]  # type: ignore[union-attr]
    assert faults(result) == [
        (2, "class_id", "was turned into a date by a spreadsheet"),
        (3, "class_id", "is an error of the spreadsheet"),
    ]


def test_an_error_cell_is_read_as_what_it_shows() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet()
    page.write_row(0, 0, ["student_id", "name", "class_id", "residence_id"])
    page.write_row(1, 0, ["s-1", "甲", "c-1"])
    page.write_formula(1, 3, "=NA()", None, "#N/A")
    book.close()

    result = reading(out.getvalue(), "students")
    assert len(result.records) == 1
    assert faults(result) == [(2, "residence_id", "is an error of the spreadsheet; left out, the row is kept")]


def test_a_word_for_nothing_is_refused_until_the_mapping_says_that_it_means_empty() -> None:
    source = table(MARKS_HEADER + ",recorded_at", "s-1,2026-03-16,am,absent,NULL", r"s-2,2026-03-16,am,absent, \N ")

    refused = reading(source)
    assert [problem.hint for problem in refused.problems] == [
        'if it means empty: mapping.empty = ["NULL"]',
        r'if it means empty: mapping.empty = ["\\N"]',
    ]
    taken = reading(source, empty=["NULL", r"\N"])
    assert [one.recorded_at for one in taken.records] == [None, None]  # type: ignore[union-attr]
    assert not taken.problems


def test_empty_words_are_empty_for_joins_skips_and_required_cells() -> None:
    source = table("school,no,name,class_id,left", "a,1,甲,c,NULL", "a,NULL,乙,c,NULL", "a,3,丙,NULL,", "a,4,丁,c,yes")

    result = reading(source, "students", join={"student_id": ["school", "no"]}, skip={"left": ["yes"]}, empty=["NULL"])

    assert [one.student_id for one in result.records] == ["a-1"]  # type: ignore[union-attr]
    assert faults(result) == [(3, "student_id", "is missing"), (4, "class_id", "is missing")]


def test_codes_sessions_and_days_are_read_as_they_were_before_a_spreadsheet() -> None:
    result = reading(
        table(MARKS_HEADER, 's-1,20260316.0,1.0,="0"', "s-2,'2026-03-16,'1,0.0"),
        sessions={"1": "am"},
        codes={"0": "absent"},
    )

    assert [(one.session, one.mark.name) for one in result.records] == [("am", "ABSENT")] * 2  # type: ignore[union-attr]
    assert not result.problems


@pytest.mark.parametrize(
    ("zone", "cell", "number"),
    [
        ("America/New_York", "617-555-1212", "+16175551212"),
        ("America/New_York", "1-617-555-1212", "+16175551212"),
        ("Europe/London", "07700 900123", "+447700900123"),
        ("Asia/Hong_Kong", "9123 4567", "+85291234567"),
        ("Asia/Shanghai", "13800000005.0", "+8613800000005"),
        ("Asia/Shanghai", '="13800000005"', "+8613800000005"),
        ("Asia/Shanghai", "'１３８０００００００５", "+8613800000005"),
        ("UTC", "+86 138 0000 0005", "+8613800000005"),
    ],
)
def test_a_number_without_a_country_code_is_of_the_country_of_the_zone(zone: str, cell: str, number: str) -> None:
    result = reading(table("role,unit_id,name,phone", f"principal,u,某,{cell}"), "contacts", ZoneInfo(zone))

    assert [one.phone for one in result.records if isinstance(one, ContactRecord)] == [number]


def test_where_no_country_is_known_a_number_without_its_code_is_refused_and_not_guessed() -> None:
    (problem,) = reading(
        table("role,unit_id,name,phone", "principal,u,某,13800000005"), "contacts", ZoneInfo("UTC")
    ).problems

    assert (problem.column, problem.fault) == ("phone", "has no country code")
    assert problem.hint == "write it, as in +86…, or set service.country"


@pytest.mark.parametrize("cell", ["1.38E+10", "138000000051234567.0"])
def test_a_number_that_lost_digits_is_nobodys(cell: str) -> None:
    result = reading(table("role,unit_id,name,phone", f"principal,u,某,{cell}"), "contacts")

    assert faults(result) == [(2, "phone", "was saved as a number and lost digits")]


def test_days_as_seconds_are_days_of_utc_or_of_the_zone_and_no_other_time_is_a_day() -> None:
    rows = ("s-1,1773619200,am,absent", "s-1,1773633600000,am,absent", "s-1,1773619200.0,am,absent")
    result = reading(table(MARKS_HEADER, *rows, "s-1,1773640000,am,absent"), zone=ZoneInfo("America/New_York"))

    assert [one.date.isoformat() for one in result.records] == ["2026-03-16"] * 3  # type: ignore[union-attr]
    assert faults(result) == [(5, "date", '"1773640000" is an instant and no whole day')]


def test_a_leave_between_two_midnights_of_utc_is_not_guessed() -> None:
    header = "student_id,from,to,kind"
    doubtful = reading(table(header, "s-1,1773619200,1773705600,sick"), "leaves")
    clear = reading(table(header, "s-1,1773619200,1773709200,sick"), "leaves")

    assert [column for _, column, _ in faults(doubtful)] == ["from"]
    assert [one.starts for one in clear.records] == [utc(2026, 3, 16)]  # type: ignore[union-attr]
