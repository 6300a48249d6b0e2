"""absence.md's table, row by row, against the rules alone and against a simulation of the whole daemon."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.config import load_config
from daemon.simulate import simulate
from rules.case import Stage
from tests.county import write_feeds
from tests.reference import simulated_lines, told_lines
from tests.replay import County, live_through
from tests.table import ANA, Row, instant, row_due, row_told, rows, world_of

FOR_ALL_ROWS = pytest.mark.parametrize("row", rows(), ids=lambda row: f"row {row.number}")


def about_ana(county: County, row: Row) -> list[tuple[str, object]]:
    """What was told about the child; the table speaks of an asking only where a report came of it."""
    unsaid = {"first_absence"} | ({"confirm_request"} if "asked" not in row.raised else set())
    return [(one.kind, one.raised_at) for one in county.spoken if one.student == ANA and one.kind not in unsaid]


@FOR_ALL_ROWS
def test_the_rules_say_what_the_table_says(row: Row) -> None:
    county = live_through(world_of(row))

    assert sorted(about_ana(county, row)) == sorted(row_told(row))


@FOR_ALL_ROWS
def test_a_report_is_due_when_the_table_says_and_the_journal_keeps_it(row: Row) -> None:
    county = live_through(world_of(row))

    due = [entry.body["due_at"] for _, student, entry in county.journal if (student, entry.kind) == (ANA, "due")]
    assert due == ([row_due(row)] if row_due(row) else [])


@FOR_ALL_ROWS
def test_only_a_report_of_one_known_day_is_marked_unconfirmed(row: Row) -> None:
    county = live_through(world_of(row))

    raised = [entry.body["unconfirmed"] for _, _, entry in county.journal if entry.kind == "raised"]
    assert raised == ["unconfirmed" in row.raised for kind, _ in row_told(row) if kind == "report"]


@FOR_ALL_ROWS
def test_a_simulation_of_the_daemon_says_what_the_table_says(row: Row, tmp_path: Path) -> None:
    world = world_of(row)
    config = load_config(write_feeds(world, tmp_path))

    lines = [json.dumps(line) for line in simulate(config, world.start, world.end)]

    assert simulated_lines(lines) == told_lines(world)
    reports = [json.loads(line) for line in lines]
    reports = [line for line in reports if line["kind"] == "report"]
    assert {line["role"] for line in reports} == (
        {"town_government", "education_office", "mentor"}
        if any(kind == "report" for kind, _ in row_told(row))
        else set()
    )


EXCEPTIONS = """
[[feed]]
id = "exceptions"
kind = "file"
records = "marks"
path = "exceptions.csv"
units = ["sch-1"]
presence = "implied"
"""


@pytest.mark.parametrize("implied", [False, True], ids=["row 28", "row 29"])
def test_rows_that_bear_a_code_nobody_mapped_leave_a_hole(implied: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Of a roll (28), and of an exception feed, each session of which is known at its end (29)."""
    world = world_of(row(28))
    path = write_feeds(world, tmp_path)
    marks = tmp_path / "marks-1.csv"
    rows = [line.replace(",unknown,", ",旷课,") for line in marks.read_text(encoding="utf-8").splitlines()]
    if implied:
        (tmp_path / "exceptions.csv").write_text(
            "\n".join(",".join(line.split(",")[:4]) for line in rows if ANA in line or "student_id" in line) + "\n",
            encoding="utf-8",
        )
        path.write_text(path.read_text(encoding="utf-8").replace("[rules]", f"{EXCEPTIONS}[rules]"), encoding="utf-8")
        rows = rows[:1]
    marks.write_text("\n".join(rows) + "\n", encoding="utf-8")

    lines = [line for line in simulate(load_config(path), world.start, world.end) if line["student"] == ANA]

    told = {(line["kind"], line["due_at"][11:16], line["raised_at"][:16]) for line in lines if line["kind"] == "report"}
    expected = ("report", "11:40", "2026-03-18T11:40") if implied else ("report", "08:10", "2026-03-18T08:10")
    assert told == {expected}


def row(number: int) -> Row:
    return rows()[number - 1]


def test_row_15_begins_a_new_run_on_wednesday() -> None:
    county = live_through(world_of(row(15)))

    assert county.cases[0].run_from == instant("Wed 08:00")
    assert county.cases[0].stage is Stage.FIRST_ABSENCE


def test_row_15_goes_on_to_a_report_of_its_own() -> None:
    world = replace(world_of(row(15)), end=instant("Fri 23:00"))

    reports = [one for one in live_through(world).spoken if one.kind == "report"]

    # Nobody called a roll after Wednesday: one day is known, so its report comes unconfirmed, in the silence.
    assert [(one.episode, one.unconfirmed) for one in reports] == [(1, False), (2, True)]


def test_row_3_keeps_in_the_journal_that_the_report_was_due() -> None:
    county = live_through(world_of(row(3)))

    assert [entry.kind for _, _, entry in county.journal] == ["opened", "due", "overtaken", "closed"]


@pytest.mark.parametrize("number", [2, 5, 7, 10, 13, 16, 24])
def test_rows_without_a_deadline_keep_none(number: int) -> None:
    county = live_through(world_of(row(number)))

    assert not [entry for _, _, entry in county.journal if entry.kind in {"due", "raised"}]


def test_row_25_closes_a_case_of_a_run_36_hours_short_only_when_the_child_is_seen() -> None:
    county = live_through(world_of(row(25)))

    assert county.cases[0].run_from == instant("Wed 08:00")
    assert county.cases[0].due_at is None
