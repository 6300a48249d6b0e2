"""Children, cases, units and contacts by what an office calls them; what nobody knows is an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from daemon.jobs.find import folded
from tests.daemon.cli.conftest import read_in
from tests.daemon.desk.county_office import Office, local

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

NAMES = {"s-001": "卓玛", "s-002": "卓玛央金", "s-003": "阿依古丽·买买提", "s-004": "王　小明", "s-005": "王小明"}


@pytest.fixture
def county(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A class of children with Chinese, Tibetan and Uyghur names; the first was reported on Wednesday."""
    folder = terminal.folder
    rows = [f"{student},{name},k-1,t-1" for student, name in NAMES.items()]
    lines = ["student_id,name,class_id,residence_id", *rows]
    (folder / "students.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    contacts = (folder / "contacts.csv").read_text(encoding="utf-8").splitlines()
    heading = contacts[0].replace("unit_id", "unit_id,student_id")
    others = [line.replace(",", ",", 1).split(",") for line in contacts[1:]]
    kept = [",".join([role, unit, "", *rest]) for role, unit, *rest in others]
    (folder / "contacts.csv").write_text(
        "\n".join([heading, *kept, "guardian,,s-003,买买提,13911112222,father"]) + "\n", encoding="utf-8"
    )
    store = terminal.store()
    office = Office(folder, store)
    office.two_days("APPPP")
    office.roll(2, "am", "APPPP", "08:10")
    store.close()
    for module in ("casework", "byhand", "explaining", "silencing"):
        monkeypatch.setattr(f"daemon.cli.{module}.wall_clock", lambda: local(2, "09:00"))
    return terminal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿依古丽·买买提", "阿依古丽•买买提"),
        ("阿依古丽·买买提", "阿依古丽・买买提"),
        ("阿依古丽·买买提", "阿依古丽买买提"),
        ("王小明", "王 小　明"),
        ("Ａｎａ Lim", "ana lim"),
        ("卓玛", "卓\u200b玛"),
    ],
)
def test_names_are_the_same_however_they_are_written(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_signs_above_letters_make_another_name() -> None:
    assert folded("བློ་བཟང") != folded("བླ་བཟང")


@pytest.mark.parametrize(
    "word", ["卓玛", "s-001", "2026-000001", "2026-1", "２０２６－０００００１", "sch-1 卓玛", "School"]
)
def test_a_case_is_found_by_number_child_or_school(county: Terminal, word: str) -> None:
    assert [one["case"] for one in county.records("case", "find", *word.split())][:1] == ["2026-000001"]


def test_a_child_without_a_case_is_found_too(county: Terminal) -> None:
    for words in (["阿依古丽"], ["买买提"], ["13911112222"], ["+86 139-1111-2222"], ["k-1", "阿依古丽"]):
        [found] = county.records("case", "find", *words)
        assert (found["case"], found["student"], found["name"]) == (None, "s-003", "阿依古丽·买买提")
    page = county.told("case", "find", "卓")
    assert "2026-000001  卓玛" in page
    assert "卓玛央金" in page


def test_what_fits_nothing_is_an_error(county: Terminal) -> None:
    for words in (["扎西"], ["卓玛", "买买提"], ["13911110000"], ["·"]):
        assert "nothing fits" in county.refused("case", "find", *words, code=1)
    assert "does not exist" in county.refused("case", "show", "2026-000009")


def test_a_whole_name_goes_before_a_part_of_one(county: Terminal) -> None:
    assert county.records("case", "show", "卓玛")["student"] == "s-001"
    assert county.records("rules", "explain", "央金")["student"] == "s-002"
    assert county.records("case", "show", "2026-1")["case"] == "2026-000001"


def test_children_of_one_name_are_listed_and_nothing_is_done(county: Terminal) -> None:
    result = county.ask("mark", "王小明", "2026-03-18", "am", "absent", "--by", "Tess")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "s-004" in result.stderr
    assert "s-005" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("baoxue student  2 children are called so")


def test_what_changes_something_needs_the_whole_name(county: Terminal) -> None:
    for words in (
        ("mark", "央金", "2026-03-18", "am", "absent", "--by", "Tess"),
        ("leave", "add", "央金", "2026-03-18", "2026-03-18", "sick", "--by", "Tess"),
        ("case", "note", "玛", "called", "--by", "Tess"),
        ("silence", "add", "--student", "央金", "--for", "2d", "--reason", "r", "--by", "Tess"),
    ):
        assert words[0] in county.refused(*words) or "student" in county.refused(*words)
    assert county.records("mark", "卓玛央金", "2026-03-18", "am", "absent", "--by", "Tess")["student"] == "s-002"
    assert "卓玛" in county.told("case", "note", "卓玛", "called", "--by", "Tess")


def test_a_child_who_has_no_case_is_said_to_have_none(county: Terminal) -> None:
    assert "has no case" in county.refused("case", "show", "央金")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("cases", "--unit", "NOSUCH"), "unit"),
        (("cases", "--unit", "sch-11"), 'did you mean "sch-1"?'),
        (("deliveries", "--case", "NOSUCH"), "cases --all"),
        (("deliveries", "--case", "2026-000011"), 'did you mean "2026-000001"?'),
        (("deliveries", "--contact", "ofice"), 'did you mean "office"?'),
        (("case", "show", "NOSUCH"), "cases --all"),
        (("rules", "explain", "s-0011"), "did you mean"),
        (("rules", "explain", "s-001", "--rule", "absent-48"), 'did you mean "absent-48h"?'),
        (("ladder", "show", "statutry"), "statutory"),
        (("ladder", "apply", "statutory", "--case", "NOSUCH", "--by", "Tao"), "cases --all"),
        (("import", "--feed", "mark"), 'did you mean "marks"?'),
        (("feed", "accept", "mark", "--by", "Tao"), 'did you mean "marks"?'),
        (("say", "--to", "ofice", "--dry-run"), 'did you mean "office"?'),
        (("silence", "add", "--unit", "NOSUCH", "--for", "2d", "--reason", "r", "--by", "T"), "units feed"),
        (("silence", "add", "--contact", "NOSUCH", "--for", "2d", "--reason", "r", "--by", "T"), "contacts"),
        (("silence", "end", "NOSUCH", "--by", "T"), "silence list"),
        (("student", "same", "s-001", "NOSUCH", "--by", "T"), "roster"),
        (("student", "apart", "NOSUCH", "--by", "T"), ""),
    ],
)
def test_what_nobody_knows_is_an_error_with_a_hint(county: Terminal, words: tuple[str, ...], hint: str) -> None:
    assert hint in county.refused(*words)


def test_units_and_contacts_are_known_by_their_names(county: Terminal) -> None:
    assert len(county.records("cases", "--unit", "School")) == 1
    assert county.records("cases", "--unit", "Ｔｏｗｎ")[0]["town_name"] == "Town"
    silence = county.records(
        "silence",
        "add",
        "--unit",
        "Town",
        "--student",
        "卓玛",
        "--contact",
        "Tao One",
        "--for",
        "2d",
        "--reason",
        "r",
        "--by",
        "T",
    )
    assert (silence["units"], silence["students"], silence["contacts"]) == (["t-1"], ["s-001"], ["town"])
    page = county.told("silence", "list")
    assert "Town t-1" in page
    assert "卓玛 s-001" in page
    assert "Tao One town" in page


def test_names_stand_beside_ids_wherever_people_are_listed(county: Terminal) -> None:
    assert "卓玛" in county.told("deliveries", "--limit", "100")
    assert "Tao One town" in county.told("deliveries", "--limit", "100")
    page = county.told("case", "show", "卓玛")
    assert "Tao One town" in page
    assert "Absent 48 hours without leave absent-48h" in page
    assert "买买提" in county.told("contacts")
    assert "13911112222" not in county.told("contacts")


def test_a_name_that_no_key_opens_is_said_and_the_list_is_there_all_the_same(
    county: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(county.folder / "baoxue.db")) as opened, opened:
        opened.execute("UPDATE student SET name = zeroblob(40)")
        opened.execute("UPDATE contact SET name = zeroblob(40)")
    for locale, words in (("C", "(key does not open it)"), ("zh_CN.UTF-8", "（密钥打不开）")):
        read_in(monkeypatch, locale)
        for asked in (("cases",), ("deliveries",)):
            result = county.ask(*asked)
            assert result.exit_code == 1
            assert "2026-000001" in result.stdout
            assert words in result.stdout
            assert "privacy.key_file" in result.stderr


def test_a_closed_case_waits_for_no_closing(county: Terminal) -> None:
    county.told("case", "close", "卓玛", "--reason", "已转学", "--by", "甲")
    assert county.records("cases")[0]["pending_closure"] is True
    county.told("case", "approve", "卓玛", "--by", "乙")
    [closed] = county.records("cases", "--all")
    assert (closed["stage"], closed["pending_closure"]) == ("closed", None)


@pytest.mark.parametrize("out", ["p.docx", "p.txt", "p.json", "p.odt", "p"])
def test_a_proof_is_written_as_what_its_name_ends_in_or_not_at_all(county: Terminal, out: str) -> None:
    assert ".html, .htm or .pdf" in county.refused("case", "proof", "卓玛", "--by", "W", "--out", out)
    assert not (county.folder / out).exists()


def test_a_proof_that_failed_is_not_in_the_journal(county: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = county.records("case", "show", "卓玛")["journal"]
    county.refused("case", "proof", "卓玛", "--by", "W", "--out", "none/p.html")
    county.refused("case", "proof", "卓玛", "--by", "W", "--out", "p.html", "--format", "pdf")
    monkeypatch.setattr("daemon.console.papers.FONTS", ("No Such Font",))
    assert "fonts-noto-cjk" in county.refused("case", "proof", "卓玛", "--by", "W", "--out", "p.pdf", code=1)
    assert county.records("case", "show", "卓玛")["journal"] == before
    assert not list(county.folder.glob("p.*"))


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("case", "confirm", "卓玛", "--by", "T"), "--seen / --absent"),
        (("incident", "judge", "x", "--by", "T"), "--real / --not-real"),
        (("case", "note", "卓玛", "text"), "--by"),
        (("case", "confirm", "卓玛", "--seen", "--absent", "--by", "T"), "only one can be meant of --seen / --absent"),
        (
            ("incident", "judge", "x", "--not-real", "--real", "--by", "T"),
            "only one can be meant of --real / --not-real",
        ),
    ],
)
def test_what_was_not_said_is_asked_for_and_nothing_is_done(
    county: Terminal, words: tuple[str, ...], options: str
) -> None:
    before = county.records("case", "show", "卓玛")["journal"]
    assert options in county.refused(*words)
    assert county.records("case", "show", "卓玛")["journal"] == before
