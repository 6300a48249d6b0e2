"""`check --live`: what leaving shadow mode would send, and what a live district owes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.daemon.desk.county_office import Office

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal


@pytest.fixture
def in_shadow(terminal: Terminal) -> str:
    """A county in shadow in which one child was reported; the number of its case."""
    path = Path("config.toml")
    path.write_text(path.read_text("utf-8").replace('mode = "live"', 'mode = "shadow"'), encoding="utf-8")
    store = terminal.store()
    office = Office(terminal.folder, store)
    office.two_days()
    office.roll(2, "am", "APP", "08:10")
    number = office.number()
    store.close()
    return number


def test_the_switch_is_listed_by_role_and_unit_with_its_cases(terminal: Terminal, in_shadow: str) -> None:
    found = terminal.records("check", "--live")

    assert {one["role"] for one in found} == {"town_government", "education_office"}
    assert {(one["kind"], one["count"], *one["cases"]) for one in found} == {("report", 1, in_shadow)}
    assert all(one["reached"] and one["unit"] for one in found)


def test_the_list_names_nobody(terminal: Terminal, in_shadow: str) -> None:
    said = terminal.told("check", "--live")

    assert in_shadow in said
    assert "town government" in said
    assert "Child" not in said
    assert "+86" not in said


def test_a_switch_that_would_reach_nobody_ends_with_1(terminal: Terminal, in_shadow: str) -> None:
    contacts = Path("contacts.csv").read_text("utf-8").splitlines()
    kept = [line for line in contacts if not line.startswith("town_government") and ",town_government," not in line]
    Path("contacts.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    terminal.ask("import", "--feed", "contacts")

    result = terminal.ask("check", "--live", "--json")

    missing = {one["role"] for one in json.loads(result.stdout) if not one["reached"]}
    assert (result.exit_code, missing, in_shadow[:2]) == (1, {"town_government"}, "20")


def test_a_live_district_that_owes_nothing_says_so(reported: Reported) -> None:
    assert "nothing is owed" in reported.terminal.told("check", "--live")
    assert reported.terminal.records("check", "--live") == []


def test_a_wrong_configuration_is_said_first(terminal: Terminal) -> None:
    path = Path("config.toml")
    path.write_text(path.read_text("utf-8").replace('mode = "live"', 'mode = "lively"'), encoding="utf-8")

    assert "service.mode" in terminal.refused("check", "--live")
