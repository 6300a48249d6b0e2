"""Tables to records: columns, codes, refusals that cost a row and those that cost the source."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from daemon.feeds.payload import Payload, digest
from daemon.feeds.read import read
from rules.records import ContactRecord, LeaveRecord, Mark, MarkRecord, StudentRecord, UnitRecord
from tests.daemon.feeds.sources import (
    CHICAGO,
    MARKS_HEADER,
    NOW,
    SHANGHAI,
    faults,
    feed,
    payload,
    reading,
    sheet,
    table,
    utc,
)

EIGHT_TEN = dt.datetime(2026, 3, 16, 8, 10)  # noqa: DTZ001 - a workbook's cells have no zone
MIDNIGHT = dt.datetime(2026, 3, 16)  # noqa: DTZ001 - likewise
ANA = "s-1,2026-03-16,am,absent"
BOARDS = True
BRUNO = "s-2,2026-03-16,am,present"


def marks(result: object) -> list[tuple[str, str, str]]:
    return [(one.student_id, one.session, one.mark.name) for one in result.records]  # type: ignore[attr-defined]


def test_a_mark_is_taken_with_its_line() -> None:
    result = reading(table(MARKS_HEADER + ",recorded_at,came_at,reason", ANA + ",2026-03-16 08:10,,发烧"))

    expected = MarkRecord("s-1", dt.date(2026, 3, 16), "am", Mark.ABSENT, utc(2026, 3, 16, 0, 10), None, "发烧", 2)
    assert list(result.records) == [expected]
    assert (result.first_date, result.last_date) == (dt.date(2026, 3, 16), dt.date(2026, 3, 16))


def test_a_schools_own_words_are_read_through_the_mapping() -> None:
    source = table("学 号,日期, 节次 ,考勤", "s-1,2026/3/16,上午,旷课", "s-2,2026/3/16,上午,√")

    result = reading(
        source,
        columns={"学 号": "student_id", "日期": "date", "节次": "session", "考勤": "mark"},
        codes={"旷课": "absent", "√": "present"},
        sessions={"上午": "am"},
    )

    assert marks(result) == [("s-1", "am", "ABSENT"), ("s-2", "am", "PRESENT")]


def test_a_bad_row_is_refused_with_its_place_and_the_rest_is_taken() -> None:
    result = reading(
        table(MARKS_HEADER, ANA, "s-3,2026-02-30,am,absent", "s-4,2026-03-16,am,abscent", BRUNO, ",,,absent")
    )

    assert marks(result) == [("s-1", "am", "ABSENT"), ("s-2", "am", "PRESENT")]
    assert faults(result) == [
        (3, "date", '"2026-02-30" is not a date'),
        (4, "mark", '"abscent" is no mark'),
        (6, "date", "is missing"),
    ]
    assert (
        str(result.problems[1])
        == 'a.csv:4 mark  "abscent" is no mark – did you mean "absent"? or add it to mapping.codes'
    )
    assert result.problems[1].student_id == "s-4"


def test_a_refused_row_still_counts_for_the_dates_a_source_covers() -> None:
    result = reading(table(MARKS_HEADER, ANA, "s-1,2026-03-20,am,nonsense"))

    assert result.last_date == dt.date(2026, 3, 20)


def test_a_slip_of_the_year_does_not_stretch_what_a_source_covers() -> None:
    result = reading(table(MARKS_HEADER, ANA, "s-1,1926-03-20,am,absent"))

    assert result.first_date == dt.date(2026, 3, 16)
    assert len(result.problems) == 1


def test_an_arrival_nobody_can_read_is_left_out_and_said() -> None:
    result = reading(table(MARKS_HEADER + ",came_at", BRUNO + ",soon"))

    assert marks(result) == [("s-2", "am", "PRESENT")]
    assert faults(result) == [(2, "came_at", '"soon" is not an instant; left out, the row is kept')]


def test_a_row_wider_than_its_header_is_refused_since_its_cells_have_moved() -> None:
    result = reading(table(MARKS_HEADER, ANA + ",more", ANA + ",,", ANA))

    assert [line for line, _, _ in faults(result)] == [2]
    assert len(result.records) == 2


def test_a_row_may_leave_out_its_last_optional_cells_and_no_others() -> None:
    result = reading(table(MARKS_HEADER + ",reason", ANA, "s-1,2026-03-16,am"))

    assert [one.line for one in result.records] == [2]
    assert faults(result) == [(3, "mark", "is missing")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_shows_the_delimiter(delimiter: str) -> None:
    source = table(MARKS_HEADER + ",reason", ANA + ",x").replace(",", delimiter)

    assert len(reading(source).records) == 1


def test_a_delimiter_may_be_declared_as_excel_does() -> None:
    assert len(reading("sep=;\n" + table(MARKS_HEADER, ANA).replace(",", ";")).records) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_in_the_encoding_it_is_in(encoding: str) -> None:
    source = table("学籍号,日期,节次,考勤,备注", "s-1,2026-03-16,上午,absent,家中有事请假去镇上看病了")

    result = reading(
        source.encode(encoding),
        columns={"学籍号": "student_id", "日期": "date", "节次": "session", "考勤": "mark", "备注": "reason"},
    )

    assert [one.reason for one in result.records] == ["家中有事请假去镇上看病了"]  # type: ignore[union-attr]


def test_utf8_with_one_broken_byte_is_refused_rather_than_read_as_something_else() -> None:
    content = table(MARKS_HEADER + ",reason", *[ANA + ",家中有事"] * 5).encode() + b"s-1,\xe5\xb0,am,absent\n"

    assert faults(reading(content)) == [(7, None, "is not whole UTF-8")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is binary, not text"),
        (MARKS_HEADER.encode("utf-16"), "is UTF-16 text"),
        (b"PK\x03\x04 and no more", "is not a whole workbook"),
        (b"\xd0\xcf\x11\xe0 old excel", "is an old .xls workbook or has a password"),
        (b"\xff\xfe\xff", "is UTF-16 text"),
        (b"a\xff\xff\n", "is neither UTF-8 nor GB18030 text"),
        (b"x" * 70_000, "has a line of more than 65536 characters"),
        (b"," * 300 + b"a\n", "has more than 200 columns"),
        (b'"never closed\n', "its header's quotes do not close"),
    ],
)
def test_what_is_no_table_is_refused_with_one_problem(content: bytes, fault: str) -> None:
    result = reading(content)

    assert [problem.fault for problem in result.problems] == [fault]
    assert not result.records


def test_a_missing_column_refuses_the_source_and_names_the_likely_one() -> None:
    result = reading(table("学号,date,session,mark", ANA))

    assert str(result.problems[0]) == (
        'a.csv:1 student_id  has no column "student_id"; its header is "学号", "date", "session", "mark"'
        ' – mapping.columns = { "学号" = "student_id" }?'
    )
    assert len(result.problems) == 1


def test_two_columns_for_one_field_refuse_the_source() -> None:
    assert faults(reading(table(MARKS_HEADER + ",MARK", ANA + ",x"))) == [(1, None, 'has two columns for "mark"')]


def test_a_mapped_column_goes_before_one_that_bears_the_name() -> None:
    result = reading(table(MARKS_HEADER + ",code", ANA + ",present"), columns={"code": "mark"})

    assert marks(result) == [("s-1", "am", "PRESENT")]


def test_a_quote_never_closed_costs_its_line_and_no_other() -> None:
    result = reading(table(MARKS_HEADER + ",reason", ANA + ',"ill', *[BRUNO + ',"a ""quoted"" word"'] * 30))

    assert len(result.records) == 30
    assert faults(result) == [(2, None, "its quotes do not close")]


def test_a_quoted_cell_may_hold_a_line_end() -> None:
    result = reading(table(MARKS_HEADER + ",reason", ANA + ',"ill\nat home"', BRUNO))

    assert [(one.reason, one.line) for one in result.records] == [("ill at home", 2), (None, 4)]  # type: ignore[union-attr]


def test_an_id_that_a_spreadsheet_rounded_is_refused() -> None:
    result = reading(table(MARKS_HEADER, "6.10324E+17,2026-03-16,am,absent"))

    assert faults(result) == [(2, "student_id", "was saved as a number and lost digits")]


def test_a_workbook_is_read_by_the_type_of_its_cells_under_its_titles() -> None:
    content = sheet(
        [
            ("student_id", "date", "session", "mark", "recorded_at", "came_at"),
            ("G610324199901010012", dt.date(2026, 3, 16), "am", "late", EIGHT_TEN, ""),
            (1042, 46097, "am", "absent"),
            (610324199901010012, dt.date(2026, 3, 16), "am", "absent"),
        ],
        above=["二〇二六年三月考勤表", ""],
    )

    result = reading(content)

    assert [(one.student_id, one.date, one.line) for one in result.records] == [  # type: ignore[union-attr]
        ("G610324199901010012", dt.date(2026, 3, 16), 4),
        ("1042", dt.date(2026, 3, 16), 5),
    ]
    assert result.records[0].recorded_at == utc(2026, 3, 16, 0, 10)  # type: ignore[union-attr]
    assert faults(result) == [(6, "student_id", "was saved as a number and lost digits")]


def test_a_workbook_without_the_columns_says_what_its_first_row_has() -> None:
    result = reading(sheet([("学号", "x"), ("1", "2")]))

    assert len(result.problems) == 1
    assert '"学号"' in result.problems[0].fault


def test_json_lines_are_read_and_refused_line_by_line() -> None:
    good = {"student_id": 1042, "date": "2026-03-16", "session": "am", "mark": "absent", "reason": None}
    lines = [
        json.dumps(good),
        "{",
        "",
        json.dumps({**good, "mark": {}}),
        json.dumps([good]),
        '{"a":1,"a":2}',
        '{"a":NaN}',
    ]

    result = reading("\n".join(lines) + "\n")

    assert marks(result) == [("1042", "am", "ABSENT")]
    assert [(line, fault) for line, _, fault in faults(result)] == [
        (2, "is not JSON"),
        (4, "is a list or object where a plain value belongs"),
        (5, "is not a JSON object"),
        (6, "names a key twice"),
        (7, "NaN is not a value"),
    ]


def test_a_json_id_keeps_every_digit_or_is_refused() -> None:
    row = '{"student_id": %s, "date": "2026-03-16", "session": "am", "mark": "absent"}\n'

    result = reading(row % "610324199901010012" + row % "6.10324199901010012e17")

    assert marks(result) == [("610324199901010012", "am", "ABSENT")]
    assert len(result.problems) == 1


def test_json_nested_beyond_reason_is_a_bad_row() -> None:
    assert faults(reading('{"a":' + "[" * 60_000 + "\n")) == [(1, None, "is not JSON")]


def test_units_are_read_and_the_topmost_has_no_parent() -> None:
    result = reading(
        table("unit_id,kind,parent_id,name", "c,county,,县", "t,Town,c,镇", "v,hamlet,t,村", "x,town,x,圈"), "units"
    )

    assert list(result.records) == [
        UnitRecord("c", "county", None, "县", None, 2),
        UnitRecord("t", "town", "c", "镇", None, 3),
    ]
    assert [column for _, column, _ in faults(result)] == ["kind", "parent_id"]


def test_a_student_keeps_a_place_on_the_roster_when_a_birthday_cannot_be_read() -> None:
    header = "student_id,name,class_id,birth_date,boarding,tags,residence_id"
    result = reading(table(header, "s-1,Ana,c-1,unknown,是,left_behind; orphan;orphan,v-1", "s-2,,c-1,,,,"), "students")

    assert list(result.records) == [
        StudentRecord(
            "s-1", "Ana", "c-1", None, None, None, "v-1", BOARDS, ("left_behind", "orphan"), None, None, None, 2
        )
    ]
    assert [(line, column) for line, column, _ in faults(result)] == [(2, "birth_date"), (3, "name")]


def contacts(*rows: str, **settings: Any) -> tuple[list[ContactRecord], list[tuple[int, str | None, str]]]:  # noqa: ANN401 - as the models take them
    result = reading(table("role,unit_id,student_id,name,phone,email,endpoint,language", *rows), "contacts", **settings)
    return [one for one in result.records if isinstance(one, ContactRecord)], faults(result)


def test_a_contact_gets_an_id_from_its_role_its_unit_and_its_name() -> None:
    (contact,), problems = contacts("town_government,t-1,,Zhang,138 0000 0001,,,zh-CN")

    assert contact.contact_id == f"town_government-t-1-{digest(b'Zhang')[:8]}"
    assert (contact.phone, contact.language, problems) == ("+8613800000001", "zh", [])


def test_a_wrong_address_is_left_out_while_another_remains() -> None:
    (contact,), problems = contacts("principal,sch-1,,Zhang,12,zhang@example.org,,")

    assert (contact.phone, contact.email) == (None, "zhang@example.org")
    assert problems == [(2, "phone", "is not a possible telephone number; left out, the row is kept")]


@pytest.mark.parametrize(
    "row",
    [
        "principal,sch-1,,Zhang,12,,,",
        "principal,sch-1,,Zhang,,,,",
        "principal,sch-1,,Zhang,,,https://example.org/hook,",
        "principal,sch-1,,Zhang,0915-1234567 ext 8,,,",
        "guardian,c-1,,Zhang,13800000001,,,",
        "principal,,,Zhang,13800000001,,,",
        "headmaster,sch-1,,Zhang,13800000001,,,",
        "principal,sch-1,,,13800000001,,,",
    ],
)
def test_a_contact_nobody_could_reach_or_place_is_refused(row: str) -> None:
    taken, problems = contacts(row)

    assert (taken, len(problems)) == ([], 1)


def test_problems_never_quote_a_name_or_an_address() -> None:
    _, problems = contacts("principal,sch-1,,Zhang,13800000001x9,zh ang@example,,", "principal,sch-1,,Zhang,1,,,")

    told = " ".join(fault for _, _, fault in problems)
    assert "138" not in told
    assert "ang" not in told.replace("language", "")


def leaves(*rows: str, zone: object = SHANGHAI) -> tuple[list[LeaveRecord], list[tuple[int, str | None, str]]]:
    result = reading(table("student_id,from,to,kind,status,leave_id", *rows), "leaves", zone)  # type: ignore[arg-type]
    return [one for one in result.records if isinstance(one, LeaveRecord)], faults(result)


def test_whole_dates_of_a_leave_mean_both_days() -> None:
    (leave,), _ = leaves("s-1,2026-03-16,2026年3月18日,sick,,")

    assert (leave.starts, leave.ends) == (utc(2026, 3, 15, 16), utc(2026, 3, 18, 16))
    assert not leave.withdrawn


def test_whole_dates_follow_the_clocks_of_their_zone() -> None:
    (leave,), _ = leaves("s-1,2026-03-08,2026-03-08,sick,,", zone=CHICAGO)

    assert leave.ends - leave.starts == dt.timedelta(hours=23)


def test_instants_of_a_leave_are_half_open() -> None:
    (leave,), _ = leaves("s-1,2026-03-16 08:00,2026-03-16 12:00,sick,approved,")

    assert (leave.starts, leave.ends) == (utc(2026, 3, 16), utc(2026, 3, 16, 4))


def test_a_leave_is_the_same_leave_however_its_start_is_written() -> None:
    taken, _ = leaves(
        "s-1,2026-03-16,2026-03-17,sick,,", "s-1,2026/3/16,2026/3/18,sick,withdrawn,", "s-1,2026-03-16,2026-03-17,x,,L9"
    )

    assert len({leave.leave_id for leave in taken}) == 2
    assert [leave.withdrawn for leave in taken] == [False, True, False]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("s-1,2026-03-16,2026-03-15,sick,,", "to"),
        ("s-1,2026-03-16 08:00,2026-03-16 08:00,sick,,", "to"),
        ("s-1,2026-03-16,2026-03-17,,,", "kind"),
        ("s-1,2026-03-16,2026-03-17,sick,pending,", "status"),
        ("s-1,1/2/2026,2026-03-17,sick,,", "from"),
    ],
)
def test_a_leave_that_is_not_one_is_refused(row: str, column: str) -> None:
    taken, problems = leaves(row)

    assert taken == []
    assert [at for _, at, _ in problems] == [column]


def test_dates_of_a_workbooks_leave_are_whole_days() -> None:
    content = sheet([("student_id", "from", "to", "kind"), ("s-1", dt.date(2026, 3, 16), MIDNIGHT, "sick")])

    (leave,) = reading(content, "leaves").records

    assert isinstance(leave, LeaveRecord)
    assert leave.ends - leave.starts == dt.timedelta(days=1)


def test_punches_need_a_time_and_movements_may_be_whole_days() -> None:
    punches = reading(table("student_id,at", "s-1,2026-03-16 07:50", "s-1,2026-03-16"), "punches")
    movements = reading(
        table("student_id,kind,at,evidence", "s-1,transfer_out,2026-03-16,doc-7", "s-1,left,2026-03-16,"), "movements"
    )

    assert [one.at for one in punches.records] == [utc(2026, 3, 15, 23, 50)]  # type: ignore[union-attr]
    assert len(punches.problems) == 1
    assert [one.at for one in movements.records] == [utc(2026, 3, 15, 16)]  # type: ignore[union-attr]
    assert [column for _, column, _ in faults(movements)] == ["kind"]


def test_a_file_that_could_not_be_taken_says_so() -> None:
    untaken = Payload("f", "big.csv", b"", "", NOW, fault="is larger than max_bytes (9)")

    assert str(read(feed(), untaken, SHANGHAI).problems[0]) == "big.csv  is larger than max_bytes (9)"


def test_problems_are_counted_beyond_the_first_ten_thousand() -> None:
    result = reading(table(MARKS_HEADER, *["s-1,x,am,absent"] * 10_050))

    assert len(result.problems) == 10_001
    assert result.problems[-1].fault == "and 50 more problems like these"


def test_a_declared_format_is_not_second_guessed() -> None:
    result = read(feed(format="jsonl"), payload(table(MARKS_HEADER, ANA).encode()), SHANGHAI)

    assert result.problems[0].fault == "is not JSON"
