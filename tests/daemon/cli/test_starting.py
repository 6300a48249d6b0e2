"""A folder to begin with, and how a command names itself in what it prints."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from daemon.cli import baoxue
from daemon.cli.shared import called_as
from daemon.cli.starting import EXAMPLE, MANUAL, carried_files
from daemon.config import load_config

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed command in a folder beside the one we are in, and nothing on PATH."""
    made = tmp_path / "opt" / "bin" / "baoxue"
    made.parent.mkdir(parents=True)
    made.write_text("#!/bin/sh\n", encoding="ascii")
    made.chmod(0o755)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", str(tmp_path / "here"))
    return made


def test_a_folder_is_begun_with_a_configuration_an_inbox_and_the_manual(tmp_path: Path) -> None:
    done = CliRunner().invoke(baoxue, ["init", str(tmp_path / "county")])
    assert done.exit_code == 0, done.stderr
    config = tmp_path / "county" / "config.toml"
    begun_with = config.read_text(encoding="utf-8").splitlines()
    example = (ROOT / EXAMPLE).read_text(encoding="utf-8").splitlines()
    assert [line for line in begun_with if line not in example] == ['mode = "shadow"', 'key_file = "baoxue.key"']
    assert load_config(config).privacy.keys
    assert (tmp_path / "county" / "inbox").is_dir()
    assert (tmp_path / "county" / MANUAL / "deploy" / "baoxue.service").is_file()
    assert f"--config {config} check" in done.stdout


def test_a_configuration_that_is_there_is_never_overwritten(terminal: Terminal) -> None:
    before = Path("config.toml").read_bytes()
    assert "is not overwritten" in terminal.refused("init", ".")
    assert Path("config.toml").read_bytes() == before
    assert not Path(MANUAL).exists()


def test_no_link_of_the_manual_leads_to_a_file_that_was_left_out() -> None:
    carried = carried_files()
    pages = {name: path for name, path in carried.items() if name.endswith(".md")}
    targets = {
        name: {os.path.normpath(Path(name).parent / link) for link in LINK.findall(path.read_text(encoding="utf-8"))}
        for name, path in pages.items()
    }
    there = set(carried) | {Path(name).parent.as_posix() for name in carried}
    left_out = {target for linked in targets.values() for target in linked - there}
    assert {target for target in left_out if not target.startswith("tests/")} == set()


def test_a_command_that_path_does_not_find_is_named_by_its_path(script: Path) -> None:
    assert called_as(str(script)) == str(script)


def test_a_command_below_this_folder_is_named_from_here(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(script.parents[1])
    assert called_as(str(script)) == "bin/baoxue"


def test_a_command_that_path_finds_is_named_by_its_name(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert called_as(str(script)) == "baoxue"


def test_another_command_of_the_same_name_on_path_is_not_taken_for_it(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "here" / "baoxue"
    other.write_bytes(b"#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert called_as(str(script)) == str(script)


def test_a_module_is_named_with_the_python_that_runs_it() -> None:
    assert called_as(str(ROOT / "daemon" / "__main__.py")) == f"{sys.executable} -m daemon"
