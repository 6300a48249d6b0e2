"""One file per sin in `bad/`: each fault stands behind `#!` on the line that must be blamed for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.config import ConfigError, load_config
from daemon.problems import Problem

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))

Fault = tuple[int | None, str, str]


def announced(path: Path) -> list[Fault]:
    """What the file says of itself: line, key and the beginning of the fault."""
    return [
        (number, marker.split()[0], marker.strip().partition("  ")[2])
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for marker in line.split("#!")[1:]
    ]


def refused(path: Path, environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refusal:
        load_config(path, environ or {})
    return refusal.value.problems


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_sin_is_told_with_its_line_and_nothing_else_is(path: Path) -> None:
    problems, expected = refused(path), announced(path)
    by_place = {(problem.line, problem.key): problem.fault for problem in problems}
    assert by_place.keys() == {(line, key) for line, key, _ in expected}
    for line, key, fault in expected:
        assert by_place[line, key].startswith(fault.strip())


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_problem_reads_path_line_key_fault_and_hint(path: Path) -> None:
    for problem in refused(path):
        assert re.fullmatch(rf"{re.escape(str(path))}:\d+ \S+  \S.* – \S.*", str(problem))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_problem_repeats_what_may_be_a_secret(path: Path) -> None:
    told = "\n".join(map(str, refused(path)))
    assert not re.search("hunter2|user:word|Bearer x|BAOXUE_TEST_UNSET", told)


def test_problems_come_in_the_order_of_the_file() -> None:
    lines = [problem.line for problem in refused(Path(__file__).parent / "bad" / "ports.toml")]
    assert lines == sorted(lines, key=lambda line: line or 0)


def test_hints_name_what_was_probably_meant() -> None:
    hints = {problem.key: problem.hint for problem in refused(Path(__file__).parent / "bad" / "service.toml")}
    assert hints["service.timezone"] == 'did you mean "Asia/Shanghai"?'
    assert hints["service.language"] == "choose zh or en"


def test_a_key_of_another_section_is_sent_home() -> None:
    hints = {problem.key: problem.hint for problem in refused(Path(__file__).parent / "bad" / "misplaced.toml")}
    assert hints["calendar.mass_absence_share"] == "it belongs to rules"
    assert hints["servce"] == 'did you mean "service"?'


def test_a_missing_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path / "config.toml")
    assert str(problem).startswith(f"{tmp_path / 'config.toml'}  does not exist – ")


def test_a_folder_in_place_of_the_file_is_a_problem(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path)
    hint = f"name the file in it, such as {tmp_path / 'config.toml'}"
    assert (problem.fault, problem.hint) == ("is a folder", hint)


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('[service]\n# 中\ndistrict = "县"\n'.encode("gb18030"))
    (problem,) = refused(path)
    assert (problem.line, problem.fault) == (2, "is not UTF-8 text")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert [problem.key for problem in refused(path)] == ["calendar", "service", "x"]


@pytest.mark.parametrize("text", ["a=" + "[" * 50_000, "a." * 50_000 + "b=1", "a=" + "{a=" * 50_000])
def test_nesting_that_would_exhaust_the_stack_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    (problem,) = refused(path)
    assert problem.fault == "is nested too deeply"


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    (problem,) = refused(path)
    assert problem.fault == "is too long for a configuration"


def test_a_text_that_looks_like_a_header_is_none(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('a = """\n[service]\n"""\n\n[service]\n', encoding="utf-8")
    lines = {problem.key: problem.line for problem in refused(path)}
    assert lines["service.district"] == 5


def test_dotted_and_inline_keys_have_their_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        'service.district = "1"\nservice.mode = "x"\n\ncalendar = {\n  terms = 1,\n  sessions = 2 }\n', encoding="utf-8"
    )
    lines = {problem.key: problem.line for problem in refused(path)}
    assert lines == {"service.mode": 2, "calendar.terms": 5, "calendar.sessions": 6}
