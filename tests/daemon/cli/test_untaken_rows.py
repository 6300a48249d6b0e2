"""Nothing is said to be well beside rows that are refused, wait for a child, or reach nobody."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.check import examine, reading
from daemon.config import load_config
from tests.daemon.feeds.servers import Answer, serving

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

CHINA = dt.timezone(dt.timedelta(hours=8))
HEADER = "student_id,date,session,mark\n"
GOOD = HEADER + "s-001,2026-03-16,am,present\ns-002,2026-03-16,am,present\n"


def marks(*rows: str, name: str = "marks.csv") -> None:
    """A file of marks with these rows."""
    Path(name).write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def edit(old: str, new: str) -> None:
    path = Path("config.toml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---- check ----------------------------------------------------------------------------------------------------------


def test_a_code_that_is_no_mark_is_named_once_with_its_count(terminal: Terminal) -> None:
    marks(*(f"s-00{n},2026-03-{day},am,旷课" for n in (1, 2) for day in (16, 17, 18)), "s-003,2026-03-16,am,present")

    found = terminal.refused("check", code=1)

    assert found.startswith('marks.csv:2 mark  6 rows: "旷课" is no mark – ')
    assert "mapping.codes" in found
    assert "well" not in terminal.ask("check").stdout


def test_what_is_refused_of_any_feed_is_named(terminal: Terminal) -> None:
    feeds = {
        "leaves": "student_id,from,to,kind\ns-001,2026-03-18,2026-03-16,sick\n",
        "movements": "student_id,kind,at\ns-001,vanished,2026-03-16\n",
        "punches": "student_id,at\ns-001,half past eight\n",
    }
    for records, text in feeds.items():
        Path(f"{records}.csv").write_text(text, encoding="utf-8")
        feed = f'[[feed]]\nid = "{records}"\nkind = "file"\nrecords = "{records}"\npath = "{records}.csv"\n'
        edit("[[ladder]]", f"{feed}[[ladder]]")

    found = terminal.refused("check", code=1).splitlines()

    assert {line.split(":")[0] for line in found} == {f"{records}.csv" for records in feeds}


def test_feeds_behind_addresses_are_read_and_one_that_does_not_answer_is_a_problem(terminal: Terminal) -> None:
    said = Answer(body=f"{HEADER}s-001,2026-03-16,am,旷课\n".encode())
    with serving(said) as there, serving(Answer(503)) as gone:
        edit(
            'kind = "file"\nrecords = "marks"\npath = "marks*.csv"',
            f'kind = "http"\nrecords = "marks"\nurl = "{there.url}/m.csv"',
        )
        assert '/m.csv:2 mark  "旷课" is no mark' in terminal.refused("check", code=1)

        edit(there.url, gone.url)
        assert "feed[3].url  " in terminal.refused("check", code=2)


@pytest.mark.parametrize("name", ["units", "students", "contacts"])
def test_a_roster_that_names_nobody_is_a_finding(terminal: Terminal, name: str) -> None:
    path = Path(f"{name}.csv")
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")

    assert ".path  names nobody" in terminal.refused("check", code=1)


def test_children_who_are_in_no_students_feed_are_counted_and_the_near_ones_named(terminal: Terminal) -> None:
    marks("1,2026-03-16,am,absent", "1,2026-03-16,pm,absent", "x-9,2026-03-16,am,absent")
    path = Path("students.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("s-001", "0001"), encoding="utf-8")

    [line] = terminal.refused("check", code=1).splitlines()

    assert line.startswith('marks.csv:2 student_id  3 rows wait for 2 children not on the roster: "1", "x-9" – ')
    assert '"1" looks like "0001"' in line


def test_sessions_and_days_the_calendar_does_not_know_are_named_with_their_counts(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,上午,present", "s-002,2026-03-16,上午,present", "s-001,2026-03-15,am,present")

    names, days = terminal.refused("check", code=1).splitlines()

    assert names.startswith('marks.csv:2 session  2 rows: "上午" is no session of the calendar – ')
    assert "mapping.sessions" in names
    assert days.startswith("marks.csv:4 date  1 row: nobody is expected on 2026-03-15 – look at [calendar]")


def test_a_roll_called_in_advance_is_named_and_leave_may_be_entered_ahead(terminal: Terminal) -> None:
    early = dt.datetime(2026, 3, 16, 5, 59, tzinfo=CHINA)
    ahead = ("s-001,2026-03-16,am,present", "s-002,2026-03-16,am,absent", "s-003,2026-03-16,am,leave")
    marks("s-001,2026-03-13,am,present", *ahead)

    [found] = examine(load_config(terminal.folder / "config.toml"), early).findings

    assert str(found).startswith(
        "marks.csv:3 date  2 rows made before their sessions began: a roll cannot be called in"
    )
    assert not examine(load_config(terminal.folder / "config.toml"), early + dt.timedelta(minutes=1)).findings


def test_a_roll_that_was_recorded_before_its_session_is_named_as_a_poll_would_refuse_it(terminal: Terminal) -> None:
    row = "s-001,2026-03-16,am,present,2026-03-16 00:10\n"
    Path("marks.csv").write_text(f"student_id,date,session,mark,recorded_at\n{row}", encoding="utf-8")

    assert "marks.csv:2 date  1 row made before their sessions began" in terminal.refused("check", code=1)
    terminal.refused("import", code=1)


def test_where_all_of_a_feed_is_in_advance_its_zone_is_doubted(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,pm,present", "s-002,2026-03-16,pm,absent")

    found = examine(load_config(terminal.folder / "config.toml"), dt.datetime(2026, 3, 16, 8, tzinfo=CHINA)).findings

    assert [one.hint for one in found] == ["are its dates and times in another zone?"]


def test_a_class_of_the_roster_that_no_units_feed_names_is_a_finding(terminal: Terminal) -> None:
    with Path("students.csv").open("a", encoding="utf-8") as file:
        file.write("s-004,Child Number004,k-2,t-1\n")

    assert "1 classes that no units feed names: k-2" in terminal.refused("check", code=1)


def test_a_rung_that_reaches_nobody_and_a_missing_operator_are_findings(terminal: Terminal) -> None:
    edit('tell = ["town_head"]', 'tell = ["county_head"]')
    path = Path("contacts.csv")
    path.write_text(path.read_text(encoding="utf-8").replace("operator,", "mentor,"), encoding="utf-8")

    rung, operator = terminal.refused("check", code=1).splitlines()

    assert "ladder[0].rung[1].tell  reaches nobody" in rung
    assert "nobody is the operator" in operator


def test_numbers_that_take_no_text_messages_are_named_by_line_and_role(terminal: Terminal) -> None:
    contacts = Path("contacts.csv")
    text = contacts.read_text(encoding="utf-8")
    contacts.write_text(text.replace("13800000001", "0911-1234567"), encoding="utf-8")

    found = terminal.refused("check", code=1)

    line = next(n for n, row in enumerate(contacts.read_text(encoding="utf-8").splitlines(), 1) if "0911" in row)
    role = contacts.read_text(encoding="utf-8").splitlines()[line - 1].split(",")[0]
    assert f"contacts.csv:{line} phone  a landline: no text message reaches the {role} of " in found
    assert "who has no other address – add a mobile number or a mail address" in found
    assert "nobody is reached as town_government" in found
    assert "1234567" not in found


def test_a_wrong_configuration_outweighs_what_feeds_lose_and_json_has_both(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,am,旷课")
    edit('units = ["sch-1"]', 'units = ["sch-11"]')

    result = terminal.ask("check", "--json")

    assert result.exit_code == 2
    said = json.loads(result.stdout)
    assert [one["key"] for one in said["problems"]] == ["feed[3].units[0]"]
    assert [(one["path"], one["line"], one["key"]) for one in said["findings"]] == [("marks.csv", 2, "mark")]
    assert said["notices"] == []


def test_the_newest_files_of_many_are_read_and_that_is_said(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_FILES", 2)
    for day in (16, 17, 18):
        marks(f"s-001,2026-03-{day},am,present", name=f"marks-{day}.csv")

    result = terminal.ask("check")

    assert result.exit_code == 0
    assert "only the newest 2 of 3 files were looked at" in result.stderr
    assert "all is well" not in result.stdout


def test_one_file_of_many_that_cannot_be_taken_is_named(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,am,present", name="marks-a.csv")
    marks(*["s-001,2026-03-16,am,present"] * 100, name="marks-b.csv")
    edit('path = "marks*.csv"', 'path = "marks*.csv"\nmax_bytes = 1000')

    assert "marks-b.csv  is larger than max_bytes" in terminal.refused("check", code=1)


def test_a_child_missing_from_the_newest_roster_is_a_finding_until_it_is_there_again(terminal: Terminal) -> None:
    terminal.told("import")
    path = Path("students.csv")
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("s-003,Child Number003,k-1,t-1\n", ""), encoding="utf-8")
    terminal.refused("import", code=1)

    assert "feed[1].id  1 child is missing from the newest roster" in terminal.refused("check", code=1)

    path.write_text(whole, encoding="utf-8")
    terminal.told("check")


# ---- import and feeds -----------------------------------------------------------------------------------------------


def test_what_was_refused_is_shown_again_though_the_file_was_read_before(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,旷课", "s-003,2026-03-16,am,present")
    first = terminal.ask("import", "--feed", "marks")

    again = terminal.ask("import", "--feed", "marks", "--json")

    assert (first.exit_code, again.exit_code) == (1, 1)
    [record] = json.loads(again.stdout)
    assert (record["state"], record["refused"], record["counts"]) == ("incomplete", 2, {})
    assert again.stderr.startswith('marks.csv:2 mark  2 rows: "旷课" is no mark – ')
    assert "正常 ok" not in first.stdout


def test_a_refused_row_is_forgotten_when_the_file_is_mended_or_gone(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,am,旷课")
    terminal.refused("import", code=1)
    Path("marks.csv").write_text(GOOD, encoding="utf-8")
    terminal.told("import")
    marks("s-001,2026-03-16,am,旷课", name="marks-2.csv")
    terminal.refused("import", code=1)
    Path("marks-2.csv").unlink()

    terminal.told("import")

    terminal.told("feeds")


def test_rows_that_wait_are_counted_until_the_roster_names_the_child(terminal: Terminal) -> None:
    marks("s-009,2026-03-16,am,absent", "s-009,2026-03-16,pm,absent", "s-001,2026-03-16,am,present")

    said = terminal.refused("import", code=1)

    assert 'marks.csv:2 student_id  2 rows wait for 1 child not on the roster: "s-009"' in said
    feeds = {one["feed"]: one for one in json.loads(terminal.ask("feeds", "--json").stdout)}
    assert feeds["marks"]["waiting"] == {"rows": 2, "children": 1, "first": ["s-009"]}
    with Path("students.csv").open("a", encoding="utf-8") as file:
        file.write("s-009,Child Number009,k-1,t-1\n")
    terminal.told("import")


def test_a_feed_is_not_well_while_anything_of_it_is_not_taken(terminal: Terminal) -> None:
    marks("s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,present")
    terminal.refused("import", code=1)

    result = terminal.ask("feeds")

    assert result.exit_code == 1
    assert result.stderr == "baoxue feed marks  1 rows are refused – see them with: baoxue import --feed marks\n"
    assert "incomplete" in result.stdout


def test_a_feed_that_cannot_be_read_fails_the_import_and_the_list(terminal: Terminal) -> None:
    Path("units.csv").unlink()

    assert "baoxue feed units  " in terminal.refused("import", code=1)
    assert "baoxue feed units  failed: " in terminal.refused("feeds", code=1)


# ---- simulate -----------------------------------------------------------------------------------------------------


def test_a_simulation_says_what_was_refused_and_what_still_waits(terminal: Terminal) -> None:
    marks(
        *(f"S-001,2026-03-{day},am,absent" for day in (16, 17)), "s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,旷课"
    )

    result = terminal.ask("simulate", "--to", "2026-03-20")

    refused, waiting = result.stderr.splitlines()
    assert result.exit_code == 0
    assert refused.startswith('marks.csv:4 mark  2 rows: "旷课" is no mark – ')
    assert waiting.startswith('marks.csv:2 student_id  2 rows wait for 1 child not on the roster: "S-001" – ')
    assert '"S-001" looks like "s-001"' in waiting
