"""Help in the reader's language: every command and option, and what click says of a wrong one."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from rich.cells import cell_len

import daemon.cli
from daemon.cli import baoxue
from daemon.cli.helping import give_words, translated
from daemon.cli.language import readers_language
from daemon.cli.main import _COMMANDS
from tests.daemon.cli.conftest import read_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.cli.conftest import Terminal

LOCALE = Path(daemon.cli.__file__).parent / "locale" / "zh" / "LC_MESSAGES"
HAN = re.compile("[一-鿿]")
ENGLISH = re.compile(r"\b(the|and|of|or|is|are|not|with|this|that|its|default|required)\b", re.IGNORECASE)


def told() -> Iterator[tuple[str, str]]:
    """Every text of the help in English, with where it stands."""
    yield "baoxue", baoxue.help or ""
    for name, (_, line) in _COMMANDS.items():
        yield f"the line about {name}", line
        found = baoxue.get_command(click.Context(baoxue), name)
        assert found is not None
        yield from of_command(name, found)


def of_command(path: str, command: click.Command) -> Iterator[tuple[str, str]]:
    yield path, command.help or ""
    for param in command.params:
        if isinstance(param, click.Option):
            yield f"{path} {param.opts[0]}", param.help or ""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from of_command(f"{path} {name}", below)


def paths(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from paths((*path, name), below)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    read_in(monkeypatch, "C")
    return dict(told())


def test_every_command_and_option_has_its_words(english: dict[str, str]) -> None:
    assert [where for where, words in english.items() if not words or HAN.search(words.replace("保学", ""))] == []


def test_every_command_and_option_has_chinese_words(english: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    read_in(monkeypatch, "zh_CN.UTF-8")
    give_words()
    missing = [where for where, words in english.items() if translated(words) == inspect.cleandoc(words)]
    assert missing == [], "write them in daemon/cli/locale/zh/LC_MESSAGES/baoxue.po, then: make words"


def test_no_english_is_left_in_chinese_help(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in(monkeypatch, "zh_CN.UTF-8")
    for name in _COMMANDS:
        found = baoxue.get_command(click.Context(baoxue), name)
        assert found is not None
        for path in paths((name,), found):
            page = terminal.told(*path, "--help")
            assert ENGLISH.findall(re.sub(r"\[[a-z_|]+\]|--\S+", "", page)) == [], path
            assert all(cell_len(line) <= 80 for line in page.splitlines())


def test_chinese_help_is_chinese_and_english_help_is_english(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HAN.search(terminal.told("case", "--help")) is None
    read_in(monkeypatch, "zh_TW.UTF-8")
    assert "用法:" in terminal.told("--help")
    assert "查看、查找、签收" in terminal.told("--help")
    read_in(monkeypatch, "en_GB.UTF-8")
    assert HAN.search(terminal.told("case", "--help")) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("casse",), "没有命令 'casse'"),
        (("cases", "--stgae", "x"), "没有选项 '--stgae'"),
        (("cases", "--stage", "x"), "不是其中之一"),
        (("case", "ack", "1"), "缺少选项 '--by'"),
        (("case", "ack"), "缺少参数 'N'"),
        (("cases", "x"), "多余的参数"),
        (("deliveries", "--limit", "0"), "不在范围"),
        (("deliveries", "--limit", "x"), "不是有效的数"),
        (("case", "show", "1", "--json=1"), "不带值"),
        (("cases", "--stage"), "须带值"),
    ],
)
def test_what_is_typed_wrong_is_said_in_chinese(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    read_in(monkeypatch, "zh_CN.UTF-8")
    line = terminal.refused(*words)
    assert said in line
    assert "--help” " not in line.replace("\n", " ").rstrip()


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANG": "zh_CN.GB18030"}, "zh"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "en:zh_CN", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_one_the_environment_asks_for(environ: dict[str, str], language: str) -> None:
    assert readers_language(environ) == language


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check",), "checking …"),
        (("import",), "importing …"),
        (("db", "verify"), "verifying journals …"),
        (("db", "backup", "b"), "backing up …"),
        (("audit",), "looking for overdue work …"),
        (("simulate", "--from", "2026-03-02", "--to", "2026-03-03"), "simulating …"),
    ],
)
def test_whoever_waits_for_longer_than_a_moment_is_told_for_what(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    terminal.told("import")
    assert terminal.ask(*words).stderr.count(said) == 0
    monkeypatch.setattr("daemon.cli.shared.MOMENT", 0.0)
    assert terminal.ask(*words).stderr.splitlines().count(said) == 1


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="needs msgfmt of gettext")
def test_what_is_read_is_what_is_written(tmp_path: Path) -> None:
    made = tmp_path / "baoxue.mo"
    asked = ["msgfmt", "--check-format", "-o", str(made), str(LOCALE / "baoxue.po")]
    subprocess.run(asked, check=True)  # noqa: S603 - our own catalogue
    assert made.read_bytes() == (LOCALE / "baoxue.mo").read_bytes(), "run: make words"
