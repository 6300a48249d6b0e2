"""`rules explain`: what the rules see in one child, in words, as a picture of its register, and as JSON."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import click
import pytest
from rich.cells import cell_len

from daemon.cli.picture import draw
from daemon.config import load_config
from daemon.jobs.stood import stood_at, stood_now
from tests.daemon.desk.county_office import Office, local

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal

TUESDAY, WEDNESDAY = "2026-03-17T12:00", "2026-03-18T12:00"


def rule_of(record: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(one for one in record["rules"] if one["rule"] == rule)


def fact_of(record: dict[str, Any], fact: str) -> dict[str, Any]:
    return next(one for one in record["facts"] if one["fact"] == fact)


# ---- in words -----------------------------------------------------------------------------------------------------


def test_it_says_what_holds_and_names_the_dated_marks_behind_it(reported: Reported) -> None:
    told = reported.terminal.told("rules", "explain", "s-001", "--at", WEDNESDAY)

    assert "✓ Absent 48 hours without leave absent-48h" in told
    assert "when  ✓ absent_days >= 2    absent_days = 3" in told
    assert "counted  2026-03-16 AA, 2026-03-17 AA, 2026-03-18 A" in told
    assert "reported  due 2026-03-18 08:00:00  raised 2026-03-18 08:10:00" in told
    assert "suspected-7d  absent_days >= 5    absent_days = 3" in told


def test_the_picture_has_a_letter_a_session_and_marks_today(reported: Reported) -> None:
    lines = reported.terminal.told("rules", "explain", "s-001", "--at", WEDNESDAY).splitlines()
    picture = dict(zip(("head", "am", "pm", "counted", "today"), lines[lines.index("") + 1 :], strict=False))

    assert picture["head"].split() == ["03-02", "03-09", "03-16"]
    assert picture["am"].split() == ["am", "-----", "-----", "AAA"]
    assert picture["pm"].split() == ["pm", "-----", "-----", "AA"]
    wednesday = picture["am"].index("AAA") + 2
    assert cell_len(picture["today"][: picture["today"].index("^")]) == cell_len(picture["am"][:wednesday])
    assert "\x1b" not in "".join(lines)


def test_a_child_is_explained_by_a_part_of_its_name(reported: Reported) -> None:
    told = reported.terminal.told("rules", "explain", "number001")
    assert told.startswith("student Child Number001 s-001\nclass Class k-1  school School sch-1\n")


def test_of_several_children_of_one_name_none_is_explained_and_all_are_listed(reported: Reported) -> None:
    result = reported.terminal.ask("rules", "explain", "Child")
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == ["s-001", "s-002", "s-003"]
    assert "3 children are called so" in lines[-1]
    assert "is not on the roster" in reported.terminal.refused("rules", "explain", "Nobody")


def test_with_a_rule_only_that_one_is_explained_and_nothing_left_out(reported: Reported) -> None:
    told = reported.terminal.told("rules", "explain", "s-001", "--at", WEDNESDAY, "--rule", "absent-5d")

    assert " absent-5d" in told
    assert " absent-48h" not in told.partition("\nrules\n")[2]
    assert "different school days with a known absence" in told


# ---- as known then ------------------------------------------------------------------------------------------------


def test_at_an_earlier_instant_it_tells_what_was_known_and_armed_then(reported: Reported) -> None:
    record = reported.terminal.records("rules", "explain", "s-001", "--at", TUESDAY)

    assert record["report"]["standing"] == "none"
    assert record["report"]["armed_at"] == "2026-03-18T08:00:00+08:00"
    assert fact_of(record, "absent_days")["value"] == 2
    assert rule_of(record, "absent-1d")["sign"]["raised_at"] == "2026-03-17T08:10:00+08:00"
    assert rule_of(record, "absent-3d")["sign"]["armed_at"] is None


def test_a_date_means_the_end_of_it(reported: Reported) -> None:
    record = reported.terminal.records("rules", "explain", "s-001", "--at", "2026-03-16")
    assert fact_of(record, "absent_days")["value"] == 1
    assert [one["mark"] for one in fact_of(record, "absent_days")["sessions"]] == ["A", "A"]


def test_of_a_child_always_there_it_has_little_to_say(reported: Reported) -> None:
    record = reported.terminal.records("rules", "explain", "s-002", "--at", WEDNESDAY)

    assert record["case"] is None
    assert record["run"] is None
    assert not any(rule["holds"] for rule in record["rules"])
    assert {day["marks"] for day in record["picture"]["days"] if day["date"] >= "2026-03-16"} == {"PP", "P "}


def test_what_the_journal_tells_of_now_is_what_the_case_says(terminal: Terminal) -> None:
    config = terminal.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[[ladder]]", '[rules]\npacks = ["statutory", "at-risk"]\n[[ladder]]', 1) + _WATCH)
    store = terminal.store()
    office = Office(terminal.folder, store, load_config(config))
    for day, marks in enumerate(("A", "P", "A", "A", "A", "A", "A")):
        for session, clock in (("am", "08:10"), ("pm", "14:10")):
            office.roll(day + 2 * (day > 4), session, f"{marks}PP", clock)
    office.roll(9, "am", "PPP", "08:10")
    for at in (local(1, "12:00"), local(4, "12:00"), local(8, "12:00"), local(9, "12:00")):
        with store.read() as tx:
            now, then = stood_now(tx, "s-001"), stood_at(tx, "s-001", local(9, "12:00"))
            assert stood_at(tx, "s-001", at).number == now.number
    assert (now.standing, now.episode, now.due_at, now.raised_at) == (
        then.standing,
        then.episode,
        then.due_at,
        then.raised_at,
    )
    raised = {rule: sign for rule, sign in now.signs.items() if sign.raised_at is not None}
    assert {rule: (one.raised_at, one.due_at, one.times, one.over) for rule, one in raised.items()} == {
        rule: (one.raised_at, one.due_at, one.times, one.over) for rule, one in then.signs.items()
    }
    assert len(raised) > 2
    store.close()


_WATCH = """
[[ladder]]
id = "watch"
acknowledged_by = ["class_teacher"]
rung = [{ after = "0h", tell = ["class_teacher"], channels = ["sms"] }]
"""


# ---- refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("s-01",), 'is not on the roster – did you mean "s-001"?'),
        (("s-001", "--rule", "absent-48"), '"absent-48" is no rule in force – did you mean "absent-48h"?'),
        (("s-001", "--at", "yesterday"), "is no date and no instant"),
        (("s-001", "--at", "2098-01-01T00:00"), "lies in the future"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_what_to_write(
    reported: Reported, words: tuple[str, ...], fault: str
) -> None:
    assert fault in reported.terminal.refused("rules", "explain", *words)


# ---- the picture by itself ----------------------------------------------------------------------------------------


def picture(weeks: int, letters: str = "AP") -> dict[str, Any]:
    days = [f"2026-{month:02}-{day:02}" for month, day in _dates(weeks)]
    return {
        "sessions": ["am", "pm"],
        "today": days[-1],
        "days": [{"date": day, "marks": letters, "counted": False} for day in days],
    }


def _dates(weeks: int) -> list[tuple[int, int]]:
    monday = dt.date(2026, 3, 2)
    days = [monday + dt.timedelta(days=7 * week + day) for week in range(weeks) for day in range(5)]
    return [(day.month, day.day) for day in days]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_weeks_that_do_not_fit_beside_one_another_go_below(width: int) -> None:
    lines = draw(picture(16), width)

    assert all(len(line) <= max(width, 30) for line in map(click.unstyle, lines))
    assert len(re.findall(r"\d\d-\d\d", "\n".join(lines))) == 16
    assert sum(line.count("A") for line in lines if line.startswith("am")) == 80


def test_a_letter_says_what_its_colour_says() -> None:
    drawn = draw(picture(1, "A?"), 80)
    legend = " ".join(drawn[-2:])
    assert "A absent" in legend
    assert "? not named" in legend
    assert "P " not in legend
