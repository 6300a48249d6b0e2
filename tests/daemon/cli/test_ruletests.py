"""`rules test`: what passes, what fails and how that reads, and what is wrong with a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.config import ConfigError
from daemon.ruletest.play import play_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.cli.conftest import Terminal

HEAD = """[rules]
packs = ["statutory"]

[[ladder]]
id = "statutory"
acknowledged_by = ["town_government"]
rung = [{ after = "0h", tell = ["town_government"], channels = ["sms"] }]

[[test]]
name = "reported on the third morning"
from = 2026-03-16
about = ["absent-48h"]
marks = { ana = "AA AA AA PP" }
"""
EXPECT = """
[[test.expect]]
at = 2026-03-18 08:10
rule = "absent-48h"
due = 2026-03-18 08:00

[[test.expect]]
at = 2026-03-19 08:10
kind = "return"
"""


def write(terminal: Terminal, text: str, name: str = "t.toml") -> str:
    (terminal.folder / name).write_text(text, encoding="utf-8")
    return name


# ---- passing and failing ------------------------------------------------------------------------------------------


def test_what_comes_as_declared_passes(terminal: Terminal) -> None:
    told = terminal.told("rules", "test", write(terminal, HEAD + EXPECT))
    assert told == "t.toml  passed 1  failed 0\n"


def test_what_nobody_declared_fails(terminal: Terminal) -> None:
    result = terminal.ask("rules", "test", write(terminal, HEAD))

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "t.toml:9  FAILED  reported on the third morning",
        "    t.toml:9  undeclared",
        "        got  2026-03-18 08:10  report  absent-48h  ana  due 2026-03-18 08:00",
        "    t.toml:9  undeclared",
        "        got  2026-03-19 08:10  return  absent-48h  ana  due 2026-03-18 08:00",
        "t.toml  passed 0  failed 1",
    ]


def test_what_comes_at_another_instant_is_shown_beside_what_was_declared(terminal: Terminal) -> None:
    result = terminal.ask("rules", "test", write(terminal, HEAD + EXPECT.replace("18 08:10", "18 08:00", 1)))

    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:4] == [
        "    t.toml:15  not as declared",
        "        exp  2026-03-18 08:00  report  absent-48h  ana  due 2026-03-18 08:00",
        "        got  2026-03-18 08:10  report  absent-48h  ana  due 2026-03-18 08:00",
    ]


def test_what_does_not_come_at_all_fails(terminal: Terminal) -> None:
    more = '[[test.expect]]\nat = 2026-03-19 12:00\nkind = "retraction"\n'
    result = terminal.ask("rules", "test", write(terminal, HEAD + EXPECT + more))

    assert result.exit_code == 1
    assert "exp  2026-03-19 12:00  retraction  ana" in result.stdout
    assert "got  (nothing)" in result.stdout


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("due = 2026-03-18 08:00", "due = 2026-03-18 08:10"),
        ("due = 2026-03-18 08:00", "unconfirmed = true"),
        ("due = 2026-03-18 08:00", 'kind = "risk"'),
        ("at = 2026-03-18 08:10", "at = 2026-03-18 08:10:00.000001"),
        ('kind = "return"', 'kind = "return"\nrule = "suspected-7d"'),
    ],
)
def test_every_key_that_is_declared_is_compared(terminal: Terminal, was: str, instead: str) -> None:
    about = HEAD.replace('"absent-48h"]', '"absent-48h", "suspected-7d"]')
    terminal.told("rules", "test", write(terminal, about + EXPECT))
    assert terminal.ask("rules", "test", write(terminal, about + EXPECT.replace(was, instead))).exit_code == 1


def test_a_fact_is_compared_to_as_many_decimals_as_are_declared(terminal: Terminal) -> None:
    fact = '[[test.fact]]\nat = 2026-03-18 12:00\nfact = "{}"\nvalue = {}\n'
    days = 'marks = { ana = "AP*11 PP*4 AA AA" }'
    text = HEAD.replace('marks = { ana = "AA AA AA PP" }', days).replace('about = ["absent-48h"]\n', "")
    right = fact.format("absence_days_20", 3) + fact.replace("18 12", "31 18").format("absence_rate_20", 45.8)
    wrong = fact.format("缺席天数_20", 4) + fact.replace("18 12", "31 18").format("absence_rate_20", 45.9)
    told = terminal.ask("rules", "test", "--json", write(terminal, text + right)).stdout
    failed = terminal.ask("rules", "test", "--json", write(terminal, text + wrong)).stdout

    assert [
        one["expected"] for one in json.loads(told)[0]["tests"][0]["failures"] if "=" in (one["expected"] or "")
    ] == []
    assert [
        (one["expected"], one["got"])
        for one in json.loads(failed)[0]["tests"][0]["failures"]
        if "=" in (one["expected"] or "")
    ] == [
        ("缺席天数_20 = 4  ana", "缺席天数_20 = 3  ana"),
        ("absence_rate_20 = 45.9  ana", "absence_rate_20 = 45.8333  ana"),
    ]


def test_everything_told_can_be_had_as_json(terminal: Terminal) -> None:
    (found,) = terminal.records("rules", "test", write(terminal, HEAD + EXPECT))

    assert (found["file"], found["passed"], found["failed"]) == ("t.toml", 1, 0)
    kinds = [one["kind"] for one in found["tests"][0]["told"] if one["rule"] == "absent-48h"]
    assert kinds == ["first_absence", "report", "return"]
    assert found["tests"][0]["told"][-1]["at"] == "2026-03-19T08:10:00+08:00"


def test_tests_of_one_file_have_nothing_to_do_with_one_another(terminal: Terminal) -> None:
    """The same child in the same class is another child in another test, and is watched for another while."""
    second = HEAD[HEAD.index("[[test]]") :].replace("third", "second").replace("AA AA AA PP", "AA AA PP PP")
    third = second.replace("second", "only").replace("AA AA PP PP", "AA AA AA")
    expect = '\n[[test.expect]]\nat = 2026-03-18 08:10\nrule = "absent-48h"\n'
    assert "passed 3" in terminal.told("rules", "test", write(terminal, HEAD + EXPECT + second + third + expect))


# ---- what is in force ---------------------------------------------------------------------------------------------


def test_what_a_file_leaves_out_is_the_configurations(terminal: Terminal) -> None:
    """Its ladder has a second rung after a day, which must be declared, too."""
    text = HEAD[HEAD.index("[[test]]") :] + EXPECT
    failed = terminal.ask("rules", "test", write(terminal, text.replace("AA AA AA PP", "AA AA AA -P")))

    assert failed.exit_code == 1
    assert "2026-03-19 08:10  escalation  absent-48h  ana" in failed.stdout


def test_without_a_configuration_it_works_too_and_with_one_without_its_secrets(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(terminal, HEAD + EXPECT)
    (terminal.folder / "baoxue.key").unlink()
    terminal.told("rules", "test", name)
    (terminal.folder / "elsewhere").mkdir()
    monkeypatch.chdir(terminal.folder / "elsewhere")
    terminal.told("rules", "test", f"../{name}")


def test_rule_files_are_found_beside_the_test_and_override_by_id(terminal: Terminal) -> None:
    rule = """[[rule]]
id = "absent-48h"
when = "absent_days >= 2"
after = "24h"
stage = "reported"
ladder = "statutory"
"""
    (terminal.folder / "mine").mkdir()
    write(terminal, rule, "mine/rules.toml")
    text = HEAD.replace('packs = ["statutory"]', 'packs = ["statutory"]\nfiles = ["rules.toml"]')
    expect = EXPECT.replace("18 08:10", "17 08:10").replace("18 08:00", "17 08:10")
    terminal.told("rules", "test", write(terminal, text + expect, "mine/t.toml"))


def test_a_file_that_names_no_ladder_has_a_plain_one(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    ladder = HEAD[HEAD.index("[[ladder]]") : HEAD.index("[[test]]")]
    name = write(terminal, (HEAD + EXPECT).replace(ladder, ""))
    (terminal.folder / "elsewhere").mkdir()
    monkeypatch.chdir(terminal.folder / "elsewhere")
    terminal.told("rules", "test", f"../{name}")


# ---- what is wrong with a file ------------------------------------------------------------------------------------

ANA = 'name = "x"\nfrom = 2026-03-16\nmarks.ana = "AA"\n'
EXPECTED = ANA + "[[test.expect]]\nat = 2026-03-16 09:00\n"
LEAVE = ANA + "[[test.leave]]\nfrom = 2026-03-16\nto = 2026-03-16\n"
MARK = ANA + '[[test.mark]]\nat = 2026-03-21 09:00\nmark = "absent"\n'
FACT = ANA + "[[test.fact]]\nat = 2026-03-16 09:00\n"
FAULTS = (
    ('name = "x"\nfrm = 2026-03-16', 'test[0].frm  is no key known here – did you mean "from"?'),
    ('name = "x"', "test[0].from  is missing – the first day of the rows, for example: from = 2026-03-16"),
    ("from = 2026-03-16", "test[0].name  is missing"),
    ('name = "x"\nfrom = 2026-03-16', "test[0].marks  speaks of no child"),
    (ANA.replace("2026-03-16", '"Monday"'), "test[0].from  is text, not a date"),
    (ANA.replace("2026-03-16", "0001-01-01"), "test[0].from  is in the year 1"),
    (ANA.replace('"AA"', "3"), "test[0].marks.ana  is an integer, not a row of letters"),
    (ANA.replace("AA", "AA AX"), '.marks.ana  "AX" is no day'),
    (ANA.replace("AA", "AAA"), '.marks.ana  "AAA" has 3 letters for 2 sessions'),
    (ANA.replace('"AA"', '["AA", "AA*6"]'), ".marks.ana[1]  has 6 days, and there are 5 school days in that week"),
    (ANA.replace("AA", "AA*999"), ".marks.ana  has 999 days, and there are"),
    (ANA + 'about = ["absent-24h"]', 'about[0]  "absent-24h" is no rule in force – did you mean "absent-48h"?'),
    (ANA + "until = 2029-01-01 00:00", "until  is not after from, or too long after it"),
    (ANA + "[[test.expect]]\nat = 2026-03-18", "expect[0].at  is a date, not an instant"),
    (EXPECTED, "expect[0].kind  is missing, and so is rule"),
    (EXPECTED + 'kind = "returned"', 'did you mean "return"?'),
    (EXPECTED + 'rule = "absent"', 'expect[0].rule  "absent" is no rule in force'),
    (EXPECTED + 'kind = "report"\nstage = "suspected"', "expect[0].stage  stands beside kind report"),
    (
        EXPECTED.replace("16 09", "15 09") + 'kind = "report"',
        "expect[0].at  is not watched – this test is watched from",
    ),
    (LEAVE + "[test.students.ben]", "leave[0].student  is missing – say which of 2 children it is"),
    (LEAVE + 'student = "anna"', '"anna" is no child of this test – did you mean "ana"?'),
    (LEAVE.replace("to = 2026-03-16", "to = 2026-03-15"), "leave[0].to  is not after its from"),
    (MARK + 'date = 2026-03-21\nsession = "am"', "mark[0].date  2026-03-21 is no school day"),
    (MARK + 'date = 2026-03-20\nsession = "noon"', 'mark[0].session  "noon" is no session'),
    (FACT + 'fact = "absent_day"\nvalue = 1', 'fact[0].fact  "absent_day" is no fact – did you mean "absent_days"?'),
    (FACT + 'fact = "boarding"\nvalue = 1', "fact[0].value  is not true or false"),
    (FACT + 'fact = "absent_days"\nvalue = 1.5', "fact[0].value  1.5 is not a whole number"),
    (FACT + 'fact = "unexcused_days_20"\nvalue = 21', "fact[0].value  21 is out of range"),
)


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_each_fault_is_named_with_its_line_and_what_to_write(terminal: Terminal, text: str, fault: str) -> None:
    told = terminal.refused("rules", "test", write(terminal, f"[[test]]\n{text}\n"))

    assert fault in told
    assert all(line.startswith("t.toml:") for line in told.splitlines()), told


def test_every_fault_of_every_file_is_told_at_once(terminal: Terminal) -> None:
    first = write(
        terminal, '[[test]]\nname = "x"\nfrom = 2026-03-16\nmarks.ana = "AX BX"\nabout = ["nothing"]\n', "a.toml"
    )
    second = write(terminal, "[[test]]\nname = 1\n", "b.toml")

    told = terminal.refused("rules", "test", first, second).splitlines()

    assert [line.split("  ")[0] for line in told] == [
        "a.toml:4 test[0].marks.ana",
        "a.toml:4 test[0].marks.ana",
        "a.toml:5 test[0].about[0]",
        "b.toml:1 test[0].from",
        "b.toml:2 test[0].name",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "test  is missing"),
        ("[[test]", "is not TOML at column"),
        ("test = 3", "test  is an integer, not a list"),
        (HEAD.replace('"statutory"]', '"statutry"]', 1), 'did you mean "statutory"?'),
        (HEAD.replace('packs = ["statutory"]', 'packs = ["at-risk"]'), "no rule of stage 'reported' for every child"),
        (HEAD.replace('packs = ["statutory"]', 'files = ["gone.toml"]'), "cannot be read"),
        ("[calendar]\nterms = [{ from = 2026-03-02, to = 2026-03-01 }]\n" + HEAD, "lies before the term begins"),
        ("[calendar]\nterms = [{ from = 1000-01-01, to = 9999-12-31 }]\n" + HEAD, "spans 3287181 days"),
    ],
)
def test_a_file_whose_frame_is_wrong_is_refused(terminal: Terminal, text: str, fault: str) -> None:
    assert fault in terminal.refused("rules", "test", write(terminal, text))


def test_a_file_that_is_not_there_or_is_no_file_is_refused(terminal: Terminal) -> None:
    assert "gone.toml  does not exist, or is no file" in terminal.refused("rules", "test", "gone.toml")
    assert "does not exist, or is no file" in terminal.refused("rules", "test", ".")


def test_twenty_children_are_too_many_for_a_test(terminal: Terminal) -> None:
    marks = "".join(f'marks.child-{n} = "AA"\n' for n in range(20))
    told = terminal.refused("rules", "test", write(terminal, f'[[test]]\nname = "x"\nfrom = 2026-03-16\n{marks}'))
    assert "speaks of 20 children" in told


SEED = (
    HEAD
    + EXPECT
    + '[[test.leave]]\nfrom = 2026-03-18\nto = 2026-03-20\n[[test.movement]]\nkind = "suspend"\nat = 2026-03-18 08:00\n'
)
JUNK = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["\x00", "[[", "]]", '"""', "nan", "inf", "-1", "9" * 400, "9999-12-31", "0001-01-01T00:00", "{", "*999"]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(SEED)), st.integers(0, 12), JUNK), min_size=1, max_size=4))
def test_whatever_a_file_holds_it_is_played_or_refused_in_words(
    tmp_path: Path, edits: list[tuple[int, int, str]]
) -> None:
    text = SEED
    for at, length, junk in edits:
        text = text[:at] + junk + text[at + length :]
    path = tmp_path / "hostile.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        play_file(path)
    except ConfigError as error:
        assert all(len(str(problem)) < 2_000 for problem in error.problems)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"[" * 100_000, b'a = "' + b"x" * 5_000_000, b"a." * 50_000 + b"b = 1", b"\x00" * 10],
)
def test_hostile_bytes_are_refused_in_words(terminal: Terminal, content: bytes) -> None:
    (terminal.folder / "t.toml").write_bytes(content)
    assert terminal.refused("rules", "test", "t.toml").startswith("t.toml")
