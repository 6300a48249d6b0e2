"""Tables on narrow and wide pages: what stands first is whole, the rest below, nothing is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from rich.cells import cell_len

from daemon.cli.layout import folded, pair_lines, table_lines
from tests.daemon.cli.conftest import read_in

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported

COLUMNS = {
    "case": ("编号", "case"),
    "name": ("姓名", "name"),
    "school": ("学校", "school"),
    "note": ("备注", "note"),
    "empty": ("空", "empty"),
}
SCHOOL = "白马藏族乡民族九年一贯制寄宿学校 sch-2"
ROWS = [
    {"case": "2026-000001", "name": "王小明", "school": SCHOOL, "note": "丁" * 90},
    {"case": "2026-000002", "name": "阿依古丽买买提", "school": "", "note": "short"},
]


def lines_of(width: int | None) -> list[str]:
    return [click.unstyle(line) for line in table_lines(ROWS, COLUMNS, width)]


@pytest.mark.parametrize("width", [30, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_page_and_nothing_is_lost(width: int) -> None:
    lines = lines_of(width)
    assert all(cell_len(line) <= width for line in lines)
    said = "".join("".join(lines).split())
    assert said.count("丁") == 90
    for words in ("2026-000001", "王小明", "2026-000002", "阿依古丽买买提", "short"):
        assert words in said


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_numbers_and_names_are_never_parted(width: int) -> None:
    lines = lines_of(width)
    assert [line for line in lines if line.startswith("2026-000001  王小明")]
    assert [line for line in lines if line.startswith("2026-000002  阿依古丽买买提")]
    assert [line for line in lines if SCHOOL in line]


def test_columns_stand_under_their_headings_where_signs_take_two_columns() -> None:
    heading, _, first, *_ = lines_of(80)
    at = cell_len(heading[: heading.index("school")])
    assert cell_len(first[: first.index("白马")]) == at


def test_a_column_without_values_takes_no_room_on_a_terminal() -> None:
    assert not [line for line in lines_of(80) if "empty" in line]


def test_without_a_terminal_each_record_is_one_line_and_each_column_is_there() -> None:
    heading, _, *records = lines_of(None)
    assert heading.split() == ["case", "name", "school", "note", "empty"]
    assert len(records) == len(ROWS)
    assert "丁" * 90 in records[0]


def test_one_record_stands_behind_headings_of_one_width() -> None:
    lines = [click.unstyle(line) for line in pair_lines(ROWS[0], COLUMNS, 60)]
    assert lines[0] == "case    2026-000001"
    assert lines[1] == "name    王小明"
    assert all(cell_len(line) <= 60 for line in lines)


def test_no_line_begins_with_a_sign_that_closes() -> None:
    lines = folded("名称写一部分即可，符合而没有个案的学生也会列出，没有符合的，退出码为一。", 22)
    assert not [line for line in lines if line[0] in "，。"]
    assert "".join(lines).endswith("退出码为一。")


LISTS = (
    ("cases",),
    ("deliveries",),
    ("deliveries", "--text"),
    ("feeds",),
    ("contacts",),
    ("rules", "list"),
    ("case", "show", "s-001"),
)


@pytest.mark.parametrize("locale", ["zh_CN.UTF-8", "C.UTF-8"])
def test_every_list_fits_the_page(reported: Reported, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    read_in(monkeypatch, locale)
    for width in (60, 80, 100, 200):
        for module in ("output", "posting"):
            monkeypatch.setattr(f"daemon.cli.{module}.page_width", lambda width=width, *, err=False: width)  # noqa: ARG005
        for words in LISTS:
            page = reported.terminal.told(*words)
            assert [line for line in page.splitlines() if cell_len(line) > width] == [], words
        for words in LISTS[:2]:
            assert f"{reported.number}  Child Number001" in reported.terminal.told(*words)
