"""Ladders from the command line: what there is, and giving open cases the one that is configured now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemon.desk.county_office import Office, local

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal

FASTER = '[[ladder.rung]]\nafter = "1h"\nunless = "acknowledged"\ntell = ["principal"]\nchannels = ["sms"]\n'


@pytest.fixture(autouse=True)
def wednesday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line believes it is Wednesday, 10:00."""
    for module in ("laddering", "casework"):
        monkeypatch.setattr(f"daemon.cli.{module}.wall_clock", lambda: local(2, "10:00"))


def configure(terminal: Terminal) -> None:
    """A rung after an hour, which the open case does not have."""
    config = terminal.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[channels.sms]", f"{FASTER}[channels.sms]"), encoding="utf-8")


def test_ladders_are_listed_with_the_cases_on_them(reported: Reported) -> None:
    [ladder] = reported.terminal.records("ladder", "list")

    assert (ladder["ladder"], ladder["rungs"], ladder["cases"], ladder["outdated"]) == ("statutory", 2, 1, 0)
    assert (ladder["remind_after"], ladder["lapses_after"]) == ("24h", "72h")
    configure(reported.terminal)
    assert reported.terminal.records("ladder", "list")[0]["outdated"] == 1


def test_a_ladder_is_shown_rung_by_rung(terminal: Terminal) -> None:
    first, second = terminal.records("ladder", "show", "statutory")

    assert (first["after"], first["tell"]) == ("0h", ["town_government", "education_office"])
    assert (second["after"], second["unless"], second["reach"], second["fall_back"]) == (
        "24h",
        "acknowledged",
        "first",
        "15m",
    )
    assert "falls back after" in terminal.told("ladder", "show", "statutory")


def test_a_case_keeps_its_ladder_until_somebody_gives_it_another(reported: Reported) -> None:
    configure(reported.terminal)
    assert reported.again().step(2, "10:00") == []

    [done] = reported.terminal.records("ladder", "apply", "statutory", "--by", "Eve")
    assert (done["case"], done["changed"], done["was"], done["rung"]) == (reported.number, True, 1, 1)
    assert done["next_at"] == "2026-03-18T10:00:00+08:00"
    office = reported.again()
    assert office.step(2, "10:01") == [("6", "escalation")]
    assert ("ladder applied", "Eve") in [(kind, body.get("by")) for kind, body in office.journal(reported.number)]
    assert office.roll(3, "am", "APP", "08:10") == [("2", "escalation")]


def test_giving_it_again_changes_nothing(reported: Reported) -> None:
    configure(reported.terminal)
    reported.terminal.told("ladder", "apply", "statutory", "--case", reported.number, "--by", "Eve")

    [done] = reported.terminal.records("ladder", "apply", "statutory", "--case", reported.number, "--by", "Eve")
    assert done["changed"] is False


def test_a_ladder_that_is_not_there_is_refused_with_those_there_are(reported: Reported) -> None:
    assert "statutory" in reported.terminal.refused("ladder", "apply", "statutry", "--by", "Eve")
    assert "statutory" in reported.terminal.refused("ladder", "show", "statutry")


def test_a_case_that_is_on_no_ladder_is_refused(terminal: Terminal) -> None:
    store = terminal.store()
    office = Office(terminal.folder, store)
    office.roll(0, "am", "APP", "08:10")
    number = office.number()
    store.close()

    assert "is not on the ladder" in terminal.refused("ladder", "apply", "statutory", "--case", number, "--by", "Eve")
    assert "does not exist" in terminal.refused("ladder", "apply", "statutory", "--case", "2026-999999", "--by", "Eve")
    assert terminal.records("ladder", "apply", "statutory", "--by", "Eve") == []
