"""One child under two numbers, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal


def the_roster_renumbers(old: str = "s-001", new: str = "s-101") -> None:
    """The next roster names a child by another number, and by that one alone."""
    path = Path("students.csv")
    text = path.read_text(encoding="utf-8")
    assert f"\n{old}," in text
    path.write_text(text.replace(f"\n{old},", f"\n{new},"), encoding="utf-8")


def test_a_child_with_another_number_keeps_its_case_and_is_not_missing(reported: Reported) -> None:
    terminal = reported.terminal
    the_roster_renumbers()
    assert json.loads(terminal.ask("import", "--feed", "students", "--json").stdout)[0]["missing"] == ["s-001"]

    joined = terminal.records("student", "same", "s-001", "s-101", "--by", "Li Lan")

    assert (joined["same_as"], joined["case"], joined["closed"]) == ("s-101", reported.number, None)
    [case] = terminal.records("cases")
    assert (case["case"], case["student"]) == (reported.number, "s-101")
    terminal.told("import")
    terminal.told("feeds")
    again = reported.again()
    assert again.step(2, "15:00") == []
    again.store.close()
    assert terminal.records("rules", "explain", "s-001")["student"] == "s-101"
    terminal.told("db", "verify")


def test_numbers_are_listed_and_taken_apart(terminal: Terminal) -> None:
    terminal.told("import")
    the_roster_renumbers()
    terminal.ask("import")
    terminal.told("student", "same", "s-001", "s-101", "--by", "Li Lan")
    [listed] = terminal.records("student", "list")
    assert (listed["student"], listed["same_as"], listed["by"]) == ("s-001", "s-101", "Li Lan")

    terminal.told("student", "apart", "s-001", "--by", "Li Lan")

    assert terminal.records("student", "list") == []
    assert "is joined to no other number" in terminal.refused("student", "apart", "s-001", "--by", "Li Lan")


def test_two_children_of_the_newest_roster_are_joined_only_by_somebody_sure(terminal: Terminal) -> None:
    terminal.told("import")

    said = terminal.refused("student", "same", "s-001", "s-002", "--by", "Li Lan")

    assert said.startswith(
        "baoxue student s-001  is on the newest roster beside s-002, in class k-1 and has another name"
    )
    assert "--sure" in said
    assert "Child" not in said
    terminal.told("student", "same", "s-001", "s-002", "--by", "Li Lan", "--sure")


def test_the_number_of_the_roster_comes_second(terminal: Terminal) -> None:
    Path("marks.csv").write_text("student_id,date,session,mark\ns-9,2026-03-16,am,absent\n", encoding="utf-8")
    terminal.ask("import")

    assert "baoxue student same s-9 s-001" in terminal.refused("student", "same", "s-001", "s-9", "--by", "Li Lan")

    assert terminal.records("student", "same", "s-9", "s-001", "--by", "Li Lan")["rows"] == 1
    terminal.told("import")
    terminal.told("check")
