"""Files that others write: taken whole, taken once, and never half-way."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from daemon.feeds import files
from daemon.feeds.fetch import fetch, fetch_all
from daemon.feeds.payload import Cursor, FeedError
from daemon.feeds.read import read
from daemon.feeds.whole import is_whole
from tests.daemon.feeds.sources import NOW, SHANGHAI, feed, sheet

LINE = b"student_id,date,session,mark\n"
FRESH = dt.timedelta(seconds=2)
SETTLED = dt.timedelta(seconds=61)


def write(path: Path, content: bytes, age: dt.timedelta = SETTLED) -> Path:
    """A file last written `age` before NOW."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))
    return path


def names(base: Path, cursor: Cursor | None = None, **settings: Any) -> list[str]:  # noqa: ANN401 - as the models take them
    return [payload.name for payload in fetch(feed(**settings), base, cursor or Cursor(), NOW)[0]]


def test_one_file_a_pattern_or_a_folder_can_be_named(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.xlsx", "notes.md", ".hidden.csv", "~$c.xlsx", "d.csv.part", "e.xml"):
        write(tmp_path / "inbox" / name, LINE + name.encode())

    assert names(tmp_path, path="inbox/a.csv") == ["inbox/a.csv"]
    assert names(tmp_path, path="inbox/*.csv") == ["inbox/a.csv", "inbox/b.csv"]
    assert names(tmp_path, path="**/*.csv") == ["inbox/a.csv", "inbox/b.csv"]
    assert names(tmp_path, path="inbox") == ["inbox/a.csv", "inbox/b.csv", "inbox/c.xlsx"]
    assert names(tmp_path, path="inbox", kind="edfi") == ["inbox/e.xml"]
    assert names(tmp_path, path=str(tmp_path / "inbox" / "*.csv")) == ["inbox/a.csv", "inbox/b.csv"]


def test_the_hidden_versions_of_a_mounted_volume_are_not_read_twice(tmp_path: Path) -> None:
    write(tmp_path / "in" / "x", b"").unlink()
    write(tmp_path / "in" / "..2026_1" / "a.csv", LINE)
    (tmp_path / "in" / "..data").symlink_to("..2026_1")
    (tmp_path / "in" / "a.csv").symlink_to("..data/a.csv")

    assert names(tmp_path, path="in/**/*.csv") == ["in/a.csv"]
    assert names(tmp_path, path="in/*/*.csv") == []
    assert names(tmp_path, path="in/*.csv") == ["in/a.csv"]


def test_a_name_with_brackets_is_taken_literally_first(tmp_path: Path) -> None:
    write(tmp_path / "marks[1].csv", LINE)

    assert names(tmp_path, path="marks[1].csv") == ["marks[1].csv"]


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE)
    marks = feed(path="*.csv")
    first, cursor = fetch(marks, tmp_path, Cursor(), NOW)
    kept = Cursor.from_json(json.loads(json.dumps(cursor.to_json())))

    assert len(first) == 1
    assert fetch(marks, tmp_path, kept, NOW) == ([], kept)
    os.utime(tmp_path / "a.csv")
    assert fetch(marks, tmp_path, kept, NOW)[0] == []


def test_a_changed_file_is_taken_again_even_within_one_tick_of_the_clock(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE, FRESH)
    _, cursor = fetch(feed(path="*.csv"), tmp_path, Cursor(), NOW)
    write(tmp_path / "a.csv", LINE.upper(), FRESH)

    assert names(tmp_path, cursor, path="*.csv") == ["a.csv"]


def test_an_unchanged_file_is_not_even_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.csv", LINE)
    _, cursor = fetch(feed(path="*.csv"), tmp_path, Cursor(), NOW)
    monkeypatch.setattr(files, "is_whole", pytest.fail)
    monkeypatch.setattr(files, "digest", pytest.fail)

    assert names(tmp_path, cursor, path="*.csv") == []


def test_a_new_way_of_reading_takes_everything_anew(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE)
    _, cursor = fetch(feed(path="*.csv"), tmp_path, Cursor(), NOW)

    assert names(tmp_path, cursor, path="*.csv", codes={"P": "present"}) == ["a.csv"]


@pytest.mark.parametrize(
    "content",
    [
        LINE + b"s-1,2026-03-16,am,abs",
        b'{"student_id": "s-1"}\n{"student_id',
        sheet([("a", "b")])[:-40],
        b"<?xml version='1.0'?><Interchange><Student></Student>",
        b"",
    ],
)
def test_a_half_written_file_waits_for_its_end_or_until_it_settles(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.csv", content, FRESH)
    assert names(tmp_path, path="a.csv") == []

    write(path, content, SETTLED)
    assert names(tmp_path, path="a.csv") == ["a.csv"]


def test_a_half_written_file_keeps_what_was_known_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", LINE)
    _, cursor = fetch(feed(path="a.csv"), tmp_path, Cursor(), NOW)
    write(path, LINE + b"s-1", FRESH)

    taken, after = fetch(feed(path="a.csv"), tmp_path, cursor, NOW)

    assert (taken, after) == ([], cursor)


@pytest.mark.parametrize(
    "content",
    [LINE, b"a;b\r\n", b'{"a": 1}', b'{"a": 1}\n{"a": 2}', sheet([("a", "b")]), b"<a><b/></a>\n", b"<!DOCTYPE a><a/>"],
)
def test_what_ends_as_its_format_says_is_whole(content: bytes) -> None:
    assert is_whole(content)


def test_a_file_that_grows_while_it_is_read_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", LINE)
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        before = real(handle)
        with path.open("ab") as file:
            file.write(LINE)
        return before

    monkeypatch.setattr(os, "fstat", fstat)
    assert names(tmp_path, path="a.csv") == []


def test_a_file_ahead_of_the_clock_of_a_simulation_is_settled(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE + b"s-1,2026-03-16,am,absent", -dt.timedelta(days=200))

    assert names(tmp_path, path="a.csv") == ["a.csv"]


def test_a_missing_file_or_folder_is_an_error_and_an_empty_folder_is_not(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()

    assert names(tmp_path, path="inbox") == []
    assert names(tmp_path, path="inbox/*.csv") == []
    for path in ("a.csv", "outbox/*.csv", "inbox/a.csv"):
        with pytest.raises(FeedError) as caught:
            names(tmp_path, path=path)
        assert not caught.value.permanent


def test_a_file_too_long_is_an_error_when_it_is_the_feed(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE)

    with pytest.raises(FeedError, match="larger than max_bytes") as caught:
        names(tmp_path, path="a.csv", max_bytes=10)
    assert caught.value.permanent


def test_a_faulty_file_among_several_stops_only_itself_and_is_told_once(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", LINE * 10)
    write(tmp_path / "b.csv", LINE)
    marks = feed(path="*.csv", max_bytes=100)

    (good, bad), cursor = fetch(marks, tmp_path, Cursor(), NOW)

    assert read(marks, bad, SHANGHAI).problems[0].fault == "is larger than max_bytes (100)"
    assert (good.name, good.content) == ("b.csv", LINE)
    assert fetch(marks, tmp_path, cursor, NOW)[0] == []


def test_a_pipe_is_never_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")

    with pytest.raises(FeedError, match="not a plain file"):
        names(tmp_path, path="a.csv")
    assert names(tmp_path, path="*.csv") == []


def test_more_than_fits_in_memory_comes_in_several_fetches(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"{number}.csv", LINE + str(number).encode())
    marks = feed(path="*.csv", max_bytes=len(LINE) + 1)

    first, cursor = fetch(marks, tmp_path, Cursor(), NOW)
    rest, cursor = fetch(marks, tmp_path, cursor, NOW)

    assert [len(first), len(rest)] == [4, 2]
    assert fetch(marks, tmp_path, cursor, NOW)[0] == []


# ---- very many files ----------------------------------------------------------------------------------------------


def test_of_many_new_files_those_written_first_come_first_until_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_AT_ONCE", 2)
    for name, minutes in (("a.csv", 1), ("b.csv", 5), ("c.csv", 3), ("d.csv", 3), ("e.csv", 9)):
        write(tmp_path / name, LINE + name.encode(), SETTLED + dt.timedelta(minutes=minutes))
    marks, cursor = feed(path="*.csv"), Cursor()
    pieces: list[tuple[list[str], int]] = []
    while not pieces or cursor.left:
        payloads, cursor = fetch(marks, tmp_path, cursor, NOW)
        pieces.append(([payload.name for payload in payloads], cursor.left))
    assert pieces == [(["e.csv", "b.csv"], 3), (["c.csv", "d.csv"], 1), (["a.csv"], 0)]
    assert [one.name for one in fetch_all(marks, tmp_path, NOW)] == ["e.csv", "b.csv", "c.csv", "d.csv", "a.csv"]


def test_what_was_read_does_not_count_towards_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = feed(path="*.csv")
    for number in range(9):
        write(tmp_path / f"{number}.csv", LINE + b"%d" % number)
    _, cursor = fetch(marks, tmp_path, Cursor(), NOW)
    monkeypatch.setattr(files, "MOST_AT_ONCE", 2)
    write(tmp_path / "0-new.csv", LINE + b"new")
    payloads, cursor = fetch(marks, tmp_path, cursor, NOW)
    assert ([one.name for one in payloads], cursor.left) == (["0-new.csv"], 0)


def test_a_file_that_was_read_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.csv", LINE)
    _, cursor = fetch(feed(path="*.csv"), tmp_path, Cursor(), NOW)
    monkeypatch.setattr(files, "_copy", lambda *_: pytest.fail("was opened"))
    assert fetch(feed(path="*.csv"), tmp_path, cursor, NOW)[0] == []


def test_a_name_that_is_no_utf8_is_read_as_gb18030_and_kept_apart_from_its_like(tmp_path: Path) -> None:
    for name in ("程.csv".encode("gb18030"), "程.csv".encode(), b"\xff\xfe.csv"):
        write(tmp_path / os.fsdecode(name), LINE + name)
    assert sorted(names(tmp_path, path="*.csv")) == ["\\xff\\xfe.csv", "程.csv", "程.csv (GB18030)"]
