"""Commands on a machine whose clock is behind: nothing is written, and a person can say that it is right."""

from __future__ import annotations

import datetime as dt

import pytest

from daemon.clock import wall_clock
from daemon.store import incidents, newest
from daemon.store.incidents import IncidentRow
from tests.daemon.cli.conftest import Terminal

DAY = dt.timedelta(days=1)
WRITING = (
    ("mark", "s-001", "2026-03-16", "am", "present", "--by", "Wei"),
    ("leave", "add", "s-001", "2026-03-16", "2026-03-17", "sick", "--by", "Wei"),
    ("case", "ack", "2026-000001", "--by", "Wei"),
    ("case", "close", "2026-000001", "--reason", "returned", "--by", "Wei"),
    ("import",),
    ("feed", "accept", "students", "--by", "Wei"),
    ("student", "same", "s-001", "s-002", "--by", "Wei"),
    ("audit", "--mend"),
)


@pytest.fixture
def behind(terminal: Terminal) -> Terminal:
    """A store that has seen tomorrow."""
    terminal.ask("import")
    has_seen(terminal, wall_clock() + DAY)
    return terminal


def has_seen(terminal: Terminal, instant: dt.datetime) -> None:
    store = terminal.store()
    store.commit(lambda tx: newest.note_instant(tx, instant))
    store.close()


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_nothing_is_written_while_the_clock_is_behind(behind: Terminal, words: tuple[str, ...]) -> None:
    fault = behind.refused(*words, code=1)
    assert "but the store has seen" in fault
    assert "baoxue clock accept" in fault


def test_reading_goes_on_while_the_clock_is_behind(behind: Terminal) -> None:
    assert behind.records("cases") == []


def test_the_command_and_the_check_say_that_the_clock_is_behind(behind: Terminal) -> None:
    assert "baoxue clock accept" in behind.refused("clock", code=1)
    assert "the clock of this machine is behind" in behind.ask("check").stderr


def test_a_person_says_that_the_clock_is_right(behind: Terminal) -> None:
    assert behind.records("clock", "accept", "--by", "Wei")["by"] == "Wei"
    assert behind.records("clock")["doubts"] == []
    behind.told("mark", "s-001", "2026-03-16", "am", "present", "--by", "Wei")


def test_a_clock_that_is_in_no_doubt_needs_no_word(terminal: Terminal) -> None:
    terminal.ask("import")
    assert "is in no doubt" in terminal.refused("clock", "accept", "--by", "Wei", code=1)
    assert terminal.told("clock")


def test_the_self_audit_is_not_well_while_the_clock_is_behind(behind: Terminal) -> None:
    assert "the store has seen" in behind.ask("audit").stdout
    assert behind.ask("audit").exit_code == 1


def test_the_self_audit_names_a_clock_that_is_in_doubt(terminal: Terminal) -> None:
    terminal.ask("import")
    store = terminal.store()
    row = IncidentRow("i-1", "clock_ahead", "clock", [], wall_clock(), state={"told": [], "reason": "it shows 2030"})
    store.commit(lambda tx: incidents.insert_incidents(tx, [row]))
    store.close()
    assert "clock: it was set far ahead" in terminal.ask("audit").stdout
    assert terminal.records("clock", "accept", "--by", "Wei")["by"] == "Wei"
