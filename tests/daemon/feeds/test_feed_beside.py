"""Files beside those that are read, which somebody may believe are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.config import FeedConfig
from daemon.feeds import finding
from daemon.feeds.files import find_files, passed_over
from tests.daemon.feeds.sources import feed


def named(folder: Path, path: str, *others: FeedConfig, **settings: str) -> dict[str, tuple[str, str | None]]:
    return {one.source: (one.fault, one.hint) for one in passed_over(feed(path=path, **settings), folder, others)}


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n")


def test_beside_a_pattern_near_misses_are_named_and_files_of_other_feeds_are_not(tmp_path: Path) -> None:
    put(
        tmp_path,
        "in/marks-1.csv",
        "in/MARKS.CSV",
        "in/marks-2.xls",
        "in/Marks-3.csv",
        "in/marks.csv.gz",
        "in/marks.pdf",
    )
    put(tmp_path, "in/marks-4.xlsx", "in/students.csv", "in/students.xls", "in/marks.md5", "in/readme.pdf")
    put(tmp_path, "in/.marks.xls", "in/~$marks.xls", "in/marks.csv.part", "in/marks-old/marks.xls")

    assert named(tmp_path, "in/marks*.csv") == {
        "in/MARKS.CSV": ('differs from path = "in/marks*.csv" in capitals', "rename it, or write it so in path"),
        "in/Marks-3.csv": ('differs from path = "in/marks*.csv" in capitals', "rename it, or write it so in path"),
        "in/marks-2.xls": ("is no table that is read", "save it as .xlsx or CSV UTF-8"),
        "in/marks.csv.gz": ("is no table that is read", "unpack it"),
        "in/marks.pdf": ("is no table that is read", "save it as .xlsx or CSV UTF-8"),
        "in/marks-4.xlsx": (
            'is not among path = "in/marks*.csv"',
            "give it a path of its own, or move it away",
        ),
    }


def test_what_another_feed_reads_is_not_named(tmp_path: Path) -> None:
    put(tmp_path, "in/marks-1.csv", "in/marks-2.xlsx")

    assert named(tmp_path, "in/marks*.csv", feed(path="in/*.xlsx")) == {}


def test_a_pattern_for_any_name_names_only_what_nobody_reads(tmp_path: Path) -> None:
    put(tmp_path, "in/a.csv", "in/b.CSV", "in/c.xls", "in/d.xlsx", "in/e.jsonl")

    assert set(named(tmp_path, "in/*.csv")) == {"in/b.CSV", "in/c.xls"}


def test_in_a_folder_all_that_may_hold_a_table_is_named(tmp_path: Path) -> None:
    put(tmp_path, "in/a.CSV", "in/b.xls", "in/c.numbers", "in/marks", "in/d.zip", "in/a.CSV.md5", "in/x.log")

    assert set(named(tmp_path, "in")) == {"in/b.xls", "in/c.numbers", "in/marks", "in/d.zip"}


def test_beside_one_file_its_twins_are_named_even_where_it_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "in/marks.xls", "in/Marks.csv", "in/marks-2.csv", "in/other.xls")

    assert set(named(tmp_path, "in/marks.csv")) == {"in/marks.xls", "in/Marks.csv"}


def test_a_pattern_of_folders_is_followed_into_each(tmp_path: Path) -> None:
    put(tmp_path, "in/sch-1/marks.csv", "in/sch-2/marks.xls", "out/sch-3/marks.xls")

    assert set(named(tmp_path, "in/*/marks.csv")) == {"in/sch-2/marks.xls"}


@pytest.mark.parametrize("path", ["nowhere/marks*.csv", "nowhere", "in/[.csv"])
def test_where_nothing_is_nothing_is_named(tmp_path: Path, path: str) -> None:
    assert named(tmp_path, path) == {}


def test_a_feed_by_http_has_no_files() -> None:
    assert passed_over(feed(url="https://sis.example.org/marks.csv"), Path()) == []


def test_of_too_many_files_the_newest_are_read_and_the_others_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_FILES", 2)
    put(tmp_path, "in/a.csv", "in/b.csv", "in/c.csv")
    for age, name in enumerate(("c.csv", "b.csv", "a.csv")):
        os.utime(tmp_path / "in" / name, (1_700_000_000 + age, 1_700_000_000 + age))

    assert [name for name, _ in find_files(feed(path="in/*.csv"), tmp_path)] == ["in/a.csv", "in/b.csv"]
    assert named(tmp_path, "in/*.csv") == {
        "in/*.csv": ("1 files are not read: there are more than 2, and the newest are", "move old files away")
    }
