"""What a user did wrong is said in lines, with the exit status of interface.md; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from daemon.cli import baoxue
from daemon.store.keys import Keyring

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

ROOT = Path(__file__).parents[3]


def process(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    asked = [sys.executable, "-m", "daemon", *words]
    return subprocess.run(asked, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


def test_the_process_exits_0_when_done(terminal: Terminal) -> None:
    done = process(terminal.folder, "cases", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_the_process_exits_2_when_the_input_is_wrong(terminal: Terminal) -> None:
    done = process(terminal.folder, "case", "show", "7")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("baoxue case 7  does not exist – ")


def test_a_folder_named_as_configuration_is_told_which_file_in_it_is_meant(terminal: Terminal) -> None:
    done = process(terminal.folder, "--config", ".", "cases")
    assert (done.returncode, done.stderr) == (2, ".  is a folder – name the file in it, such as config.toml\n")


def test_the_process_exits_1_when_it_failed(terminal: Terminal) -> None:
    (terminal.folder / "units.csv").unlink()
    done = process(terminal.folder, "import", "--feed", "units")
    assert done.returncode == 1
    assert done.stderr.startswith("baoxue feed units  ")


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line in which `baoxue` is this one."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    asked = ["/bin/sh", "-c", line.replace("baoxue", f"{sys.executable} -m daemon")]
    return subprocess.run(asked, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", ["cases", "cases --json", "--help"])
def test_an_output_without_room_is_said_in_a_line(terminal: Terminal, command: str) -> None:
    done = shell(terminal.folder, f"baoxue {command} > /dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("command", ["cases", "cases --json", "audit"])
def test_an_output_closed_before_the_start_is_written_to_nowhere(terminal: Terminal, command: str) -> None:
    done = shell(terminal.folder, f"baoxue {command} >&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_wrong_has_its_exit_status_also_where_nobody_reads_it(terminal: Terminal) -> None:
    assert shell(terminal.folder, "baoxue case show 7 2>&-").returncode == 2


@pytest.mark.parametrize("name", sorted({*baoxue.list_commands(click.Context(baoxue))} - {"demo", "init"}))
def test_every_command_explains_itself_and_takes_a_configuration(terminal: Terminal, name: str) -> None:
    assert "--config" in terminal.told(name, "--help")


def test_help_and_version_need_nothing(terminal: Terminal) -> None:
    (terminal.folder / "config.toml").unlink()
    assert "List the ledger." in terminal.told("--help")
    assert terminal.told("--version").startswith("baoxue ")


def test_a_daemon_with_a_bad_configuration_does_not_start(terminal: Terminal) -> None:
    (terminal.folder / "config.toml").write_text("[service]\n", encoding="utf-8")
    done = process(terminal.folder, "run")
    assert done.returncode == 2
    assert "config.toml:1 service.district" in done.stderr


@pytest.mark.parametrize("words", [(), ("case",)])
def test_without_a_command_the_help_is_shown_as_it_is_laid_out(terminal: Terminal, words: tuple[str, ...]) -> None:
    done = process(terminal.folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Usage: ")
    assert "Commands:" in lines


def test_an_unknown_command_points_to_help(terminal: Terminal) -> None:
    assert terminal.refused("frobnicate").endswith('see "baoxue --help"\n')
    assert "missing option" in terminal.refused("case", "ack", "1")


def test_a_missing_configuration_is_said_with_a_hint(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "config.example.toml" in terminal.refused("cases")
    assert "does not exist" in terminal.refused("cases", "--config", "none.toml")


def test_the_configuration_may_be_named_before_or_after_the_command(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(terminal.folder / "config.toml")
    assert terminal.records("--config", path, "cases") == []
    assert terminal.records("cases", "--config", path) == []
    assert terminal.ask("case", "--config", path, "show", "7").exit_code == 2


def test_every_problem_of_a_configuration_is_said_at_once(terminal: Terminal) -> None:
    path = terminal.folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace('kind = "file"', 'kind = "flie"', 1)
    path.write_text(text.replace('after = "24h"', 'after = "soon"'), encoding="utf-8")
    lines = terminal.refused("cases").splitlines()
    assert [line.split("  ")[0].split()[1] for line in lines] == ["feed[0].kind", "ladder[0].rung[1].after"]
    assert all(line.startswith("config.toml:") for line in lines)


def test_a_missing_key_is_said_with_the_command_that_makes_one(terminal: Terminal) -> None:
    path = terminal.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("[privacy]")[0], encoding="utf-8")
    assert "baoxue db key baoxue.key" in terminal.refused("cases")


def test_a_key_that_does_not_open_the_store_is_said(terminal: Terminal) -> None:
    terminal.told("import")
    (terminal.folder / "baoxue.key").write_text(Keyring.generate("other"), encoding="utf-8")
    assert "privacy.key_file" in terminal.refused("say", "--to", "town", "--dry-run")


def test_a_database_that_cannot_be_reached_is_said_without_its_password(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hush-hush")
    path = terminal.folder / "config.toml"
    url = "postgresql://nobody@127.0.0.1:1/none"
    path.write_text(path.read_text(encoding="utf-8").replace("sqlite:///baoxue.db", url), encoding="utf-8")
    line = terminal.refused("cases", code=1)
    assert line.startswith("baoxue service.database  the database cannot be reached")
    assert "hush" not in line


def test_an_unknown_feed_is_answered_with_the_nearest(terminal: Terminal) -> None:
    assert 'did you mean "marks"?' in terminal.refused("import", "--feed", "mraks")
