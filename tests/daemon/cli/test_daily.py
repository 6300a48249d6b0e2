"""Import, check, simulate, rules and say from the command line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.phones import Answer, SmsGateway

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

TERMS = "{ from = 2026-03-02, to = 2026-07-10 }, { from = 2026-09-01, to = 2027-01-20 }"
MARKS = "student_id,date,session,mark,recorded_at\n"


def rows(marks: str) -> str:
    """Monday to Wednesday of the first child, one letter a half-day."""
    words = {"A": "absent", "P": "present"}
    halves = [(day, half) for day in (16, 17, 18) for half in ("am", "pm")]
    hours = {"am": "08:10", "pm": "14:10"}
    return MARKS + "".join(
        f"s-001,2026-03-{day},{half},{words[letter]},2026-03-{day}T{hours[half]}:00+08:00\n"
        for (day, half), letter in zip(halves, marks, strict=False)
    )


def edit(old: str, new: str) -> None:
    path = Path("config.toml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---- import ---------------------------------------------------------------------------------------------------------


def test_an_import_says_what_was_read_and_refused_without_quoting_it(terminal: Terminal) -> None:
    Path("marks.csv").write_text(rows("AA") + "s-001,2026-03-18,am,gone fishing,\n", encoding="utf-8")
    result = terminal.ask("import", "--json")
    records = {one["feed"]: one for one in json.loads(result.stdout)}
    assert records["students"]["counts"]["students added"] == 3
    assert (records["marks"]["counts"]["marks"], records["marks"]["refused"]) == (2, 1)
    assert result.stderr.startswith("marks.csv:4 mark  ")
    assert "Child" not in result.stdout + result.stderr


def test_an_import_of_one_feed_leaves_the_others(terminal: Terminal) -> None:
    assert [one["feed"] for one in terminal.records("import", "--feed", "units")] == ["units"]
    states = {one["feed"]: one["state"] for one in terminal.records("feeds")}
    assert (states["units"], states["students"]) == ("ok", "new")


def test_what_is_imported_twice_is_not_taken_twice(terminal: Terminal) -> None:
    terminal.told("import")
    assert all(not one["counts"] for one in terminal.records("import"))


# ---- simulate -------------------------------------------------------------------------------------------------------


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_simulation_writes_one_line_a_message_and_exits_0(terminal: Terminal) -> None:
    Path("marks.csv").write_text(rows("AAAAA"), encoding="utf-8")
    found = lines(terminal.told("simulate", "--from", "2026-03-16", "--to", "2026-03-18"))
    reports = [one for one in found if one["kind"] == "report"]
    assert {one["contact"] for one in reports} == {"town", "office"}
    assert {one["due_at"] for one in reports} == {"2026-03-18T08:00:00+08:00"}
    assert {one["told_at"] for one in reports} == {"2026-03-18T08:10:00+08:00"}


def test_a_date_to_simulate_to_includes_its_whole_day(terminal: Terminal) -> None:
    Path("marks.csv").write_text(rows("AAAAA"), encoding="utf-8")
    for last, told in (("2026-03-18", True), ("2026-03-17", False), ("2026-03-18T08:10:00+08:00", True)):
        found = lines(terminal.told("simulate", "--from", "2026-03-16", "--to", last))
        assert any(one["kind"] == "report" for one in found) is told


def test_two_simulations_print_the_same_bytes_also_into_a_file(terminal: Terminal) -> None:
    Path("marks.csv").write_text(rows("AAAAA"), encoding="utf-8")
    printed = terminal.told("simulate", "--to", "2026-03-20")
    assert terminal.told("simulate", "--to", "2026-03-20", "--out", "lines.jsonl") == ""
    assert Path("lines.jsonl").read_text(encoding="utf-8") == printed
    assert not Path("lines.jsonl.partial").exists()


@pytest.mark.parametrize(
    ("marked", "since"),
    [(("2026-07-10",), "9月1日08:00"), ((), "3月2日08:00")],
    ids=["the last day of spring was called", "nothing was ever known"],
)
def test_a_silence_after_the_holidays_says_since_which_session_nothing_is_known(
    terminal: Terminal, marked: tuple[str, ...], since: str
) -> None:
    edit("terms = [{ from = 2026-03-02, to = 2026-07-10 }]", f"terms = [{TERMS}]")
    marks = [f"s-{n:03},{day},{half},present,\n" for day in marked for half in ("am", "pm") for n in (1, 2, 3)]
    Path("marks.csv").write_text(MARKS + "".join(marks), encoding="utf-8")
    first = "2026-07-10" if marked else "2026-09-01"

    found = lines(terminal.told("simulate", "--from", first, "--to", "2026-09-02"))

    said = {one["text"] for one in found if one["kind"] == "feed_stale" and one["told_at"] > "2026-09"}
    assert said
    assert all(f"{since}起没有考勤" in text for text in said)


def test_a_simulation_needs_neither_key_nor_store(terminal: Terminal) -> None:
    edit('[privacy]\nkey_file = "baoxue.key"\n', "")
    Path("baoxue.db").unlink()
    terminal.told("simulate", "--to", "2026-03-20")
    assert not Path("baoxue.db").exists()


def test_a_simulation_that_cannot_be_is_refused(terminal: Terminal) -> None:
    assert "before --from" in terminal.refused("simulate", "--from", "2026-03-18", "--to", "2026-03-16")
    assert "no date" in terminal.refused("simulate", "--from", "yesterday")
    Path("units.csv").unlink()
    assert terminal.refused("simulate", code=1).startswith("baoxue feed units  ")


# ---- check and rules -------------------------------------------------------------------------------------------------


def test_a_good_configuration_is_checked_within_a_second(terminal: Terminal) -> None:
    begun = time.perf_counter()
    assert "all is well" in terminal.told("check")
    assert time.perf_counter() - begun < 5  # a second on an idle machine; tests share theirs


def test_a_gateway_whose_success_nobody_described_is_worth_a_notice(terminal: Terminal) -> None:
    config = terminal.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('ok_field = "code"\n', ""), encoding="utf-8")
    said = terminal.ask("check")
    assert said.exit_code == 0
    assert "channels.sms.ok_field  is not set: any HTTP 200 that names no fault counts" in said.stderr
    assert "all is well" not in said.stdout


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('units = ["sch-1"]', 'units = ["sch-11"]', "feed[3].units[0]", 'did you mean "sch-1"?'),
        ('path = "units.csv"', 'path = "unit.csv"', "feed[0].path", "no such file"),
        ('path = "marks*.csv"', 'path = "inbox/marks*.csv"', "feed[3].path", "folder does not exist"),
        ('key_file = "baoxue.key"', "", "privacy.key_file", "there is no key"),
        ('id = "statutory"', 'id = "other"', "rule[0].ladder", "configured: other"),
        ('"none"', '"CN"', "", ""),
    ],
)
def test_what_a_configuration_promises_is_checked(terminal: Terminal, old: str, new: str, key: str, words: str) -> None:
    edit(old, new)
    result = terminal.ask("check")
    assert result.exit_code == (2 if key else 0), result.stderr
    assert key in result.stderr
    assert words in result.stderr


def test_live_messages_whose_links_would_lead_to_this_machine_are_refused(terminal: Terminal) -> None:
    edit('public_url = "https://baoxue.example.org"', "")
    assert "console.public_url  is not set" in terminal.refused("check")
    edit('mode = "live"', 'mode = "shadow"')
    assert "public_url" not in terminal.ask("check").stderr


def test_an_address_of_this_machine_that_was_written_down_is_only_noticed(terminal: Terminal) -> None:
    for url in ("http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"):
        edit('public_url = "https://baoxue.example.org"', f'public_url = "{url}"')
        result = terminal.ask("check")
        assert (result.exit_code, "console.public_url  is an address of this machine" in result.stderr) == (0, True)
        edit(f'public_url = "{url}"', 'public_url = "https://baoxue.example.org"')


def test_what_texts_begin_with_is_said_where_no_signature_is_written(terminal: Terminal) -> None:
    edit('sign_name = "County"\n', "")
    assert "channels.sms.sign_name  is not set: text messages begin with" in terminal.ask("check").stderr


def test_years_whose_holidays_are_not_known_are_noticed(terminal: Terminal) -> None:
    edit('"none"', '"CN"')
    edit("to = 2026-07-10", "to = 2031-07-10")
    assert "config.toml:8 calendar.holidays  the holidays of 2031" in terminal.ask("check").stderr


def test_a_template_at_fault_and_an_unknown_calendar_unit_are_said_together(terminal: Terminal) -> None:
    folder = terminal.folder / "templates" / "sms"
    folder.mkdir(parents=True)
    (folder / "report.zh.txt.j2").write_text("{{ nobody.knows }}", encoding="utf-8")
    edit("[[feed]]", '[[calendar.unit]]\nunit = "sch-7"\nclosed = [2026-04-10]\n[[feed]]')
    found = terminal.refused("check")
    assert "templates/sms/report.zh.txt.j2:1" in found
    assert "calendar.unit[0].unit" in found


def test_check_names_a_robot_whose_file_holds_no_web_address(terminal: Terminal) -> None:
    config = terminal.folder / "config.toml"
    robot = '[channels.chat.endpoints.town]\nprovider = "wecom"\nurl_file = "town.url"\n'
    config.write_text(config.read_text(encoding="utf-8") + robot, encoding="utf-8")
    (terminal.folder / "town.url").write_text("robot 693a91f6", encoding="utf-8")

    found = terminal.refused("check")

    assert "channels.chat.endpoints.town.url_file  holds no web address" in found
    assert "693a91f6" not in found


def test_a_check_prints_its_findings_as_json(terminal: Terminal) -> None:
    edit('units = ["sch-1"]', 'units = ["sch-11"]')
    result = terminal.ask("check", "--json")
    assert result.exit_code == 2
    [problem] = json.loads(result.stdout)["problems"]
    assert (problem["key"], problem["path"]) == ("feed[3].units[0]", "config.toml")


def test_a_check_without_roster_files_asks_the_store(terminal: Terminal) -> None:
    terminal.told("import")
    for name in ("units", "students", "contacts"):
        Path(f"{name}.csv").unlink()
        edit(f'"{name}.csv"', f'"{name}*.csv"')
    assert "3 children" in terminal.told("check")
    edit('tell = ["town_head"]', 'tell = ["county_head"]')
    assert "reaches nobody" in terminal.refused("check", code=1)


def test_rules_are_listed_and_checked(terminal: Terminal) -> None:
    report, *others = terminal.records("rules", "list")
    assert (report["rule"], report["after"], report["ladder"]) == ("absent-48h", "48h", "statutory")
    assert {one["stage"] for one in others} == {"first_absence", "suspected", "dropped_out"}
    assert "packs/statutory.toml  8: absent-48h, " in terminal.told("rules", "check")
    Path("rules.toml").write_text('[[rule]]\nid = "absent-48h"\nwhen = "absent_dys >= 2"\n', encoding="utf-8")
    edit("[[ladder]]", '[rules]\nfiles = ["rules.toml"]\n[[ladder]]')
    found = terminal.refused("rules", "check").splitlines()
    assert len(found) > 1
    assert all(line.startswith("rules.toml:") for line in found)


# ---- say ----------------------------------------------------------------------------------------------------


def test_a_test_message_is_shown_with_its_address_masked(terminal: Terminal) -> None:
    terminal.told("import")
    [shown] = terminal.records("say", "--to", "town", "--dry-run")
    assert (shown["channel"], shown["address"], shown["sent"]) == ("sms", "***001", False)
    [report] = terminal.records("say", "--to", "town_government", "--template", "report", "--dry-run")
    assert report["text"] != shown["text"]


def test_a_test_message_arrives(terminal: Terminal) -> None:
    terminal.told("import")
    with SmsGateway(usual=Answer(body={"code": "OK"})) as gateway:
        edit("http://127.0.0.1:9/sms", gateway.url)
        terminal.told("say", "--to", "town", "--channel", "sms")
        gateway.expects_only("+8613800000001")


def test_a_test_message_that_is_not_taken_fails(terminal: Terminal) -> None:
    terminal.told("import")
    assert terminal.refused("say", "--to", "town", code=1).startswith("baoxue say sms  ")


@pytest.mark.parametrize(
    "words",
    [
        ("say", "--to", "twon"),
        ("say", "--to", "guardian"),
        ("say", "--to", "town", "--channel", "email"),
        ("say", "--to", "town", "--template", "reprot"),
    ],
)
def test_a_test_message_to_nobody_is_refused(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.told("import")
    assert " – " in terminal.refused(*words)


def test_files_whose_names_are_bytes_of_gbk_are_read_by_every_command(terminal: Terminal) -> None:
    name = os.fsdecode("marks-程.csv".encode("gbk"))
    (terminal.folder / name).write_text(rows("AAAA"), encoding="utf-8")
    for words in (("check",), ("import",), ("feeds",), ("simulate", "--from", "2026-03-16", "--to", "2026-03-18")):
        terminal.told(*words)
    taken = next(one for one in terminal.records("feeds") if one["feed"] == "marks")
    assert taken["state"] == "ok"
