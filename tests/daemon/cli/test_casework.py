"""The ledger from the command line, as whole stories beside a daemon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon import jobs
from daemon.cli.casefile import BODIES
from daemon.cli.vocabulary import VERDICTS
from daemon.desk.deeds import Deed, Done
from daemon.jobs.deeds import record_deed_by_link
from tests.daemon.desk.county_office import Office, local, write_county

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal

JOBS = sorted(Path(jobs.__path__[0]).glob("*.py"))


@pytest.fixture(autouse=True)
def wednesday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line believes it is Wednesday, 09:00."""
    for module in ("casework", "byhand"):
        monkeypatch.setattr(f"daemon.cli.{module}.wall_clock", lambda: local(2, "09:00"))


def test_the_ledger_lists_a_reported_case(reported: Reported) -> None:
    [record] = reported.terminal.records("cases")
    assert (record["case"], record["student"], record["stage"]) == (reported.number, "s-001", "reported")
    assert record["due_at"] == "2026-03-18T08:00:00+08:00"
    assert reported.terminal.records("cases", "--stage", "returned") == []
    assert len(reported.terminal.records("cases", "--unit", "sch-1")) == 1


def test_the_ledger_shows_the_child_and_its_units_by_name_and_id(reported: Reported) -> None:
    heading, _, line = reported.terminal.told("cases").splitlines()
    assert heading.split()[:2] == ["case", "name"]
    assert line.startswith(f"{reported.number}  Child Number001  reported")
    assert "School sch-1  Class k-1  Town t-1" in line
    [record] = reported.terminal.records("cases")
    assert [record[key] for key in ("name", "school_name", "class_name", "town_name")] == [
        "Child Number001",
        "School",
        "Class",
        "Town",
    ]


def test_who_leaves_out_the_year_of_a_case_is_told_the_number(reported: Reported) -> None:
    serial = str(int(reported.number.partition("-")[2]))
    for words in (serial, serial.zfill(6)):
        said = reported.terminal.refused("case", "ack", words, "--by", "Tao")
        assert said == f'baoxue case {words}  does not exist – did you mean "{reported.number}"?\n'
    assert '"baoxue cases --all" lists them' in reported.terminal.refused("case", "ack", "999", "--by", "Tao")


def test_an_acknowledgement_stops_the_next_rung(reported: Reported) -> None:
    assert "acknowledged" in reported.terminal.told("case", "ack", reported.number, "--by", "Tao")
    assert "acknowledged before" in reported.terminal.told("case", "ack", reported.number, "--by", "Tao")
    assert reported.again().roll(3, "am", "APP", "08:10") == []


def test_without_an_acknowledgement_the_next_rung_speaks(reported: Reported) -> None:
    assert reported.again().roll(3, "am", "APP", "08:10") == [("2", "escalation")]


def test_what_was_done_by_a_link_is_read_in_both_languages_and_is_a_code_for_machines(reported: Reported) -> None:
    office = reported.again()
    alert = office.alert(reported.number, "town", "report")
    record_deed_by_link(office.house, alert, Done(Deed.VISITED, "nobody in"), local(2, "08:30"))
    office.store.close()
    page = reported.terminal.told("case", "show", reported.number)
    assert "deed=visited" in page
    assert "contact=Tao One town" in page
    assert "role=town government" in page
    [body] = [
        one["body"]
        for one in reported.terminal.records("case", "show", reported.number)["journal"]
        if one["kind"] == "what was done"
    ]
    assert (body["deed"], body["note"], body["way"]) == ("visited", "nobody in", "link")


def test_a_child_confirmed_seen_is_told_to_be_back(reported: Reported) -> None:
    said = reported.terminal.told("case", "confirm", reported.number, "--seen", "--by", "Tess")
    assert said.endswith("confirmed: seen  2026-03-18 am\n")  # the session in which it counts
    assert reported.again().step(2, "09:01") == [("1", "return"), ("3", "return")]


def test_a_mark_by_hand_is_judged_by_the_daemon(reported: Reported) -> None:
    record = reported.terminal.records("mark", "s-001", "2026-03-18", "am", "present", "--by", "Tess")
    assert record["mark"] == "present"
    assert reported.again().step(2, "09:01") == [("1", "return"), ("3", "return")]


def test_a_leave_by_hand_is_judged_by_the_daemon(reported: Reported) -> None:
    record = reported.terminal.records("leave", "add", "s-001", "2026-03-16", "2026-03-18", "sick", "--by", "Tess")
    assert (record["from"], record["to"]) == ("2026-03-16T00:00:00+08:00", "2026-03-19T00:00:00+08:00")
    assert reported.again().step(2, "09:01") == [("1", "retraction"), ("3", "retraction")]


def test_two_people_close_a_case(reported: Reported) -> None:
    reported.terminal.told("case", "close", reported.number, "--reason", "not ours", "--by", "Tao")
    line = reported.terminal.refused("case", "approve", reported.number, "--by", "tao")
    assert "second person" in line
    reported.terminal.told("case", "approve", reported.number, "--by", "Eve")
    assert reported.again().step(2, "09:01") == [("1", "closed"), ("3", "closed")]
    assert reported.terminal.records("cases") == []
    [record] = reported.terminal.records("cases", "--all")
    assert (record["stage"], record["reason"]) == ("closed", "not ours")


def test_a_case_is_shown_with_its_journal_what_was_told_and_the_marks(reported: Reported) -> None:
    reported.terminal.told("case", "note", reported.number, "nobody at home", "--by", "Eve")
    record = reported.terminal.records("case", "show", reported.number)
    assert record["journal"][-1]["body"]["text"] == "nobody at home"
    assert {one["contact"] for one in record["told"]} >= {"town", "office"}
    assert record["history"][-1] == {"date": "2026-03-18", "session": "am", "mark": "absent"}
    page = reported.terminal.told("case", "show", reported.number)
    assert "journal" in page
    assert "told" in page


def test_deliveries_and_feeds_are_listed(reported: Reported) -> None:
    sent = reported.terminal.records("deliveries", "--state", "sent")
    assert {one["kind"] for one in sent} >= {"report"}
    assert reported.number in {case for one in sent for case in one["cases"]}
    feeds = reported.terminal.records("feeds")
    assert [(one["feed"], one["state"]) for one in feeds] == [
        (name, "ok") for name in ("units", "students", "contacts", "marks")
    ]
    assert "feed" in reported.terminal.told("feeds")


def test_incidents_are_listed(reported: Reported) -> None:
    assert reported.terminal.records("incident", "list") == []


def test_how_incidents_end_and_why_rungs_are_passed_over_is_said_in_both_languages() -> None:
    for words in (VERDICTS, BODIES["because"]):
        assert all(zh != code and en for code, (zh, en) in words.items())
    said = {one for path in JOBS for one in re.findall(r'verdict="([a-z_ ]+)"', path.read_text(encoding="utf-8"))}
    assert {"over", "resumed", "more"} <= said <= set(VERDICTS)
    assert set(BODIES["because"]) == {"acknowledged", "acted", "seen"}
    assert BODIES["by"]["town_government"][0] == "乡镇（街道）政府"


def test_a_mass_absence_is_found_in_the_list_and_judged(terminal: Terminal) -> None:
    write_county(terminal.folder, students=30)
    store = terminal.store()
    office = Office(terminal.folder, store)
    office.two_days("A" * 25 + "P" * 5)
    assert office.roll(2, "am", "A" * 25 + "P" * 5, "08:10") == []
    store.close()
    [found] = terminal.records("incident", "list")
    assert (found["kind"], found["subject"], found["absent"], found["expected"]) == ("mass_absence", "sch-1", 25, 30)
    judged = terminal.records("incident", "judge", found["incident"], "--real", "--by", "Eve")
    assert judged["verdict"] == "real"
    assert terminal.records("incident", "list") == []
    assert ("1", "report") in Office(terminal.folder, terminal.store()).step(2, "09:01")


@pytest.mark.parametrize(
    "words",
    [
        ("case", "show", "2026-000999"),
        ("case", "ack", "2026-000999", "--by", "Tao"),
        ("case", "confirm", "2026-000999", "--seen", "--by", "Tao"),
        ("case", "note", "2026-000999", "hello", "--by", "Tao"),
        ("case", "close", "2026-000999", "--reason", "excused", "--by", "Tao"),
        ("case", "approve", "2026-000999", "--by", "Tao"),
        ("mark", "s-01", "2026-03-18", "am", "absent", "--by", "Tao"),
        ("mark", "s-001", "someday", "am", "absent", "--by", "Tao"),
        ("mark", "s-001", "2026-03-18", "noon", "absent", "--by", "Tao"),
        ("mark", "s-001", "2026-03-21", "am", "absent", "--by", "Tao"),
        ("mark", "s-001", "2026-03-18", "am", "gone", "--by", "Tao"),
        ("mark", "s-001", "2026-03-18", "am", "absent", "--by", " "),
        ("leave", "add", "s-01", "2026-03-18", "2026-03-18", "sick", "--by", "Tao"),
        ("leave", "add", "s-001", "2026-03-18", "2026-03-17", "sick", "--by", "Tao"),
        ("incident", "judge", "7", "--real", "--by", "Tao"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_with_a_hint(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.told("import")
    line = terminal.refused(*words)
    assert line.count("\n") == 1
    assert line.startswith("baoxue ")
    assert " – " in line


def test_a_case_that_is_closed_for_no_reason_stays_open(reported: Reported) -> None:
    line = reported.terminal.refused(
        "case", "close", reported.number, "--reason", "family moved, unreachable", "--by", "Tao"
    )
    assert "never closes a case" in line
