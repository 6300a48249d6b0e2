"""Large tables as arrays: whatever a file holds, they say what the row reader says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.feeds import bulk, pieces
from daemon.feeds.bulk import BulkReading
from daemon.feeds.large import read_large
from daemon.feeds.payload import Reading, Refused
from daemon.feeds.read import read
from rules.instants import NEVER, to_micros
from rules.records import Mark, MarkRecord, PunchRecord
from tests.daemon.feeds.sources import SHANGHAI, feed, payload, table

MARKS: dict[str, Any] = {
    "records": "marks",
    "join": {"student_id": ["school", "no"]},
    "constant": {"session": "am"},
    "origin": {"column": "term", "a": dt.date(2026, 3, 2), "b": dt.date(2026, 9, 1)},
    "skip": {"mark": ["-"]},
    "codes": {"√": "present"},
    "empty": ["NULL", "nan"],
}
PLAIN: dict[str, Any] = {"records": "marks"}
FILLED: dict[str, Any] = {"records": "marks", "empty": ["NULL", "nan"], "skip": {"session": [""]}}
PUNCHES: dict[str, Any] = {"records": "punches"}

CELLS = {
    "school": ("x", "y", " x ", "", '"x"', "学校"),
    "no": ("1", "2", "03", "6.1E+17", "NULL", "1.0"),
    "term": ("a", "b", "c", ""),
    "student_id": (
        "s-1",
        "s-2",
        " s-1",
        '"s-1"',
        '"s,1"',
        "",
        "6.1E+17",
        "a" * 70,
        "s\u200b1",
        '="s-1"',
        "'s-1",
        "ｓ－1",
        "7.0",
        "2026-03-16",
        "NULL",
        "nan",
        '"s\n1"',
        '"s""1"',
        '"',
    ),
    "date": (
        "2026-03-16",
        "1",
        "-3",
        "3/25/2026",
        "04/05/2026",
        "25/3/2026",
        "1926-01-01",
        "",
        "soon",
        "3.0",
        "1773619200",
        "20260316.0",
        "NULL",
    ),
    "session": ("am", "pm", "", "上午", "am ", "NULL", "'am"),
    "mark": ("present", "absent", "√", "-", "nonsense", "", "LATE", "nan"),
    "recorded_at": ("", "2026-03-16 08:10", "2026-03-16", "then", " NULL "),
    "came_at": ("", "2026-03-16 08:10", "soon"),
    "reason": ("", "ill", '"ill, at home"', "x" * 2_100, '"two\nlines"'),
    "at": ("2026-03-16 07:50", "2026-03-16", "", "2026/3/16 7:51"),
    "device": ("", "gate"),
}
"""Cells as they stand in a file, good and bad."""

COLUMNS = {
    "made": ("school", "no", "term", "date", "mark", "recorded_at", "came_at"),
    "plain": ("student_id", "date", "session", "mark", "reason"),
    "filled": ("student_id", "date", "session", "mark", "reason"),
    "passages": ("student_id", "at", "device"),
}
MAPPINGS = {"made": MARKS, "plain": PLAIN, "filled": FILLED, "passages": PUNCHES}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a table of one of the kinds, mostly good, as the bytes of a file."""
    kind = draw(st.sampled_from(sorted(COLUMNS)))
    columns = COLUMNS[kind]
    good = st.tuples(*(st.sampled_from(CELLS[name][:2]) for name in columns))
    any_cell = st.tuples(*(st.sampled_from(CELLS[name]) for name in columns))
    rows = [",".join(cells) for cells in draw(st.lists(st.one_of(good, good, any_cell), max_size=12))]
    for at, odd in draw(st.lists(st.tuples(st.integers(0, 12), st.sampled_from(("", ",", "s-1", ",,,,,,,x", '"'))))):
        rows.insert(at, odd)
    end = draw(st.sampled_from(("\n", "\n", "\r\n", "\r")))
    delimiter = draw(st.sampled_from((",", ",", ";", "\t")))
    text = end.join([",".join(columns), *rows]) + draw(st.sampled_from(("", end)))
    encoding = draw(st.sampled_from(("utf-8", "utf-8", "utf-8-sig", "gb18030")))
    return kind, text.replace(",", delimiter).encode(encoding)


def told(read_by_rows: Reading) -> list[tuple[object, ...]]:
    """Child, day, session and instant of every row of a reading, with its mark and line."""
    found: list[tuple[object, ...]] = []
    for one in read_by_rows.records:
        if isinstance(one, MarkRecord):
            known_at = NEVER if one.recorded_at is None else to_micros(one.recorded_at)
            found.append((one.student_id, one.date.toordinal(), one.session, known_at, int(one.mark), one.line))
        elif isinstance(one, PunchRecord):
            found.append((one.student_id, 0, "", to_micros(one.at), int(Mark.PRESENT), one.line))
    return found


def bulk_told(result: BulkReading) -> list[tuple[object, ...]]:
    """The same of a table of arrays."""
    rows = result.rows
    sessions = rows.sessions or ("",)
    return [
        (rows.students[student], day, sessions[session], known_at, mark, line)
        for student, day, session, known_at, mark, line in zip(
            *(getattr(rows, name).tolist() for name in ("student", "day", "session", "known_at", "mark", "line")),
            strict=True,
        )
    ]


def winners(rows: Sequence[tuple[object, ...]]) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Of rows about one child, session and instant the last."""
    return {row[:4]: row[4:] for row in sorted(rows, key=lambda row: row[5])}  # type: ignore[arg-type,return-value]


def by_line(problems: Sequence[Refused]) -> list[Refused]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column or ""))


def both(folder: Path, content: bytes, **settings: Any) -> tuple[Reading, BulkReading]:  # noqa: ANN401 - as the models take them
    path = folder / "a.csv"
    path.write_bytes(content)
    source = feed(**settings)
    return read(source, payload(content), SHANGHAI), read_large(source, path, "a.csv", SHANGHAI)


def same(rows: Reading, arrays: BulkReading) -> None:
    assert winners(bulk_told(arrays)) == winners(told(rows))
    assert int(arrays.rows.times.sum()) == len(rows.records)
    assert by_line(arrays.problems) == by_line(rows.problems)
    assert (arrays.first_date, arrays.last_date) == (rows.first_date, rows.last_date)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.sampled_from((1 << 22, 1 << 22, 211)))
def test_arrays_say_what_rows_say_of_any_file(tmp_path: Path, drawn: tuple[str, bytes], size: int) -> None:
    kind, content = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "SIZE", size)
        same(*both(tmp_path, content, **MAPPINGS[kind]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"student_id,date,session,mark",
        b"student_id,date,session\n",
        b"\xff\xfe\n",
        b"student_id,date,session,mark\ns-1,2026-03-16,am,present\n\0",
        b"student_id,date,session,mark\ns-1,2026-03-16,am,\xe5\xb0\n",
        b"student_id,date,session,mark\n" + b"x" * 70_000 + b",2026-03-16,am,present\n",
        b"sep=;\nstudent_id;date;session;mark\ns-1;2026-03-16;am;present\n",
        b'"student_id","date","session","mark"\n"s-1","2026-03-16","am","present"\n',
    ],
)
def test_a_file_is_a_table_or_none_for_both(tmp_path: Path, content: bytes) -> None:
    same(*both(tmp_path, content))


@pytest.mark.parametrize("size", [50, 4_000])
def test_rows_beyond_a_piece_keep_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(pieces, "SIZE", size)
    rows = [
        f'"s-{n % 7}","2026-03-{1 + n % 28:02}","{"ap"[n % 2]}m","{"?" if n % 50 == 0 else "late"}"' for n in range(900)
    ]
    rows[301] = '"s-1","2026-03-02","am","pre"sent"'

    result, arrays = both(tmp_path, table("student_id,date,session,mark", *rows).encode())

    same(result, arrays)
    assert len(arrays.problems) == 19


def test_rows_about_one_session_that_lie_apart_are_one_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MANY", 40)
    monkeypatch.setattr(pieces, "SIZE", 300)
    rows = [f"s-{n % 3},2026-03-{16 + n % 2},am,{'late' if n % 5 else 'absent'}" for n in range(500)]

    result, arrays = both(tmp_path, table("student_id,date,session,mark", *rows).encode())

    same(result, arrays)
    assert len(arrays.rows) < 100


def test_problems_are_counted_beyond_the_first_ten_thousand(tmp_path: Path) -> None:
    content = table("student_id,date,session,mark", *["s-1,x,am,absent"] * 10_050).encode()

    _, arrays = both(tmp_path, content)

    assert len(arrays.problems) == 10_001
    assert arrays.problems[-1].fault == "and 50 more problems like these"


def test_a_table_may_be_longer_than_a_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.feeds.grid.MOST_ROWS", 2_000)
    content = table("student_id,date,session,mark", *["s-1,2026-03-16,am,absent"] * 2_500).encode()

    result, arrays = both(tmp_path, content)

    assert [problem.fault for problem in result.problems] == ["has more than 2000 rows"]
    assert int(arrays.rows.times.sum()) == 2_500
    assert len(arrays.rows) == 1
