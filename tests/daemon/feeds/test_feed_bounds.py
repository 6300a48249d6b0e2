"""What hostile or broken bytes can do to a reader: nothing but be refused, soon and in little memory."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.feeds import sheets
from daemon.feeds.read import read
from tests.daemon.feeds.sources import MARKS_HEADER, SHANGHAI, feed, payload, reading, sheet, table

RECORDS = ["units", "students", "contacts", "marks", "punches", "leaves", "movements"]
HEADERS = {
    "units": "unit_id,kind,parent_id,name",
    "students": "student_id,name,class_id,birth_date",
    "contacts": "role,unit_id,name,phone,email,language",
    "marks": MARKS_HEADER + ",recorded_at,came_at,reason",
    "punches": "student_id,at",
    "leaves": "student_id,from,to,kind,recorded_at,status",
    "movements": "student_id,kind,at",
}


def with_sheet(xml: bytes) -> bytes:
    """A workbook whose one sheet is `xml`."""
    source = zipfile.ZipFile(io.BytesIO(sheet([("a", "b")])))
    out = io.BytesIO()
    with source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in source.infolist():
            body = xml if "sheet1.xml" in part.filename else source.read(part)
            packed.writestr(part.filename, body)
    return out.getvalue()


def cells(inside: bytes) -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return with_sheet(head + inside + b"</sheetData></worksheet>")


@given(st.binary(max_size=400), st.sampled_from(RECORDS), st.sampled_from(["auto", "csv", "xlsx", "jsonl"]))
def test_any_bytes_are_a_reading(content: bytes, records: str, form: str) -> None:
    read(feed(records, format=form), payload(content), SHANGHAI)


@given(st.binary(max_size=400), st.sampled_from(["marks", "students", "contacts", "units"]))
def test_any_bytes_are_a_reading_of_an_interchange(content: bytes, records: str) -> None:
    read(feed(records, kind="edfi"), payload(b'<InterchangeX xmlns="http://ed-fi.org/5.2.0">' + content), SHANGHAI)


@given(st.sampled_from(RECORDS), st.lists(st.lists(st.text(max_size=20), max_size=9), max_size=6))
def test_any_cells_are_records_or_problems_of_their_row(records: str, rows: list[list[str]]) -> None:
    body = "".join(",".join(row) + "\n" for row in rows)
    result = reading(HEADERS[records] + "\n" + body, records)

    assert all(problem.line >= 1 for problem in result.problems)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["student_id", "date", "session", "mark", "reason"]),
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
        ),
        max_size=5,
    )
)
def test_any_json_rows_are_marks_or_problems(rows: list[dict[str, object]]) -> None:
    reading("".join(json.dumps(row) + "\n" for row in rows) or "{}\n")


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_workbook_with_flipped_bytes_is_a_reading(draw: st.DataObject) -> None:
    content = bytearray(sheet([MARKS_HEADER.split(","), ("s-1", "2026-03-16", "am", "absent")]))
    for _ in range(draw.draw(st.integers(1, 6))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    reading(bytes(content))


@pytest.mark.parametrize(
    "inside",
    [
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r = 'zzz1048576'><v>1</v></c></row>",
        b'<row r="1"><c r="AAAAAAAAAAAAAAB00000003"><v>1</v></c></row>',
        b'<row r="1048576">' + b"<c><v>1</v></c>" * 50 + b"</row>",
    ],
)
def test_a_sheet_that_spans_the_earth_is_not_laid_out(inside: bytes) -> None:
    (problem,) = reading(cells(inside)).problems

    assert "spans" in problem.fault or "impossible" in problem.fault


def test_a_workbook_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 1 << 20)

    (problem,) = reading(cells(b" " * (4 << 20))).problems

    assert problem.fault == "unpacks to more than 1 MiB"


def test_a_workbook_with_two_parts_of_one_name_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("xl/workbook.xml", "<a/>")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("xl/workbook.xml", "<b/>")

    assert reading(out.getvalue()).problems[0].fault == "is packed as no spreadsheet is"


def test_a_workbook_of_a_thousand_parts_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number in range(1_001):
            packed.writestr(f"{number}.xml", "")

    assert reading(out.getvalue()).problems[0].fault == "has more than 1000 parts"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("declaration", [BOMB, EXTERNAL, '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">'])
def test_an_interchange_declares_no_entities(declaration: str) -> None:
    content = f'{declaration}<InterchangeStudentAttendance xmlns="http://ed-fi.org/5.2.0"/>'

    (problem,) = reading(content, kind="edfi").problems

    assert problem.fault == "declares a document type or entities, which no interchange needs"


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ("<a>" * 100_000, "is nested too deeply"),
        ("<S>" + "<a/>" * 100_000 + "</S>", "has an element of too many parts"),
        ("<S>" + "a" * 100_000 + "</S>", "has a text of more than 4000 characters"),
    ],
)
def test_an_interchange_beyond_the_limits_is_refused(inside: str, fault: str) -> None:
    content = f'<InterchangeStudentAttendance xmlns="http://ed-fi.org/5.2.0">{inside}</InterchangeStudentAttendance>'

    assert [problem.fault for problem in reading(content, kind="edfi").problems] == [fault]


def test_a_quote_on_every_line_costs_lines_and_not_minutes() -> None:
    result = reading(table(MARKS_HEADER + ",reason", *['s-1,2026-03-16,am,absent,"x'] * 20_001))

    assert len(result.problems) == 10_001


def test_a_long_row_of_spaces_is_no_riddle() -> None:
    begun = time.perf_counter()
    reading(table("student_id,at", *["s-1,x" + " " * 3_000 + "x"] * 200), "punches")

    assert time.perf_counter() - begun < 2


def test_a_hundred_thousand_marks_are_read_in_well_under_a_second() -> None:
    rows = (
        f"G{n % 2000:018d},2026-03-{2 + n // 4000:02d},am,present,2026-03-16 08:10:{n % 60:02d}" for n in range(100_000)
    )
    content = table(MARKS_HEADER + ",recorded_at", *rows)

    spent = []
    for _ in range(3):
        begun = time.process_time()
        result = reading(content)
        spent.append(time.process_time() - begun)
        assert len(result.records) == 100_000

    assert min(spent) < 0.6
