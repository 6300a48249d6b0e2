"""A county in a folder, its store beside its configuration, and a terminal to ask it things."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from daemon.cli import baoxue
from daemon.config import load_config
from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring
from tests.daemon.desk.county_office import Office, write_county

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Terminal:
    """Where an operator sits: a folder with a configuration, and the commands."""

    folder: Path

    def ask(self, *words: str, typed: str | None = None) -> Result:
        """Type a command, and what it asks for; whatever a bug raises is raised here."""
        result = CliRunner().invoke(baoxue, words, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def told(self, *words: str) -> str:
        """What a command that succeeds prints."""
        result = self.ask(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def records(self, *words: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """The JSON document a command that succeeds prints."""
        return json.loads(self.told(*words, "--json"))

    def refused(self, *words: str, code: int = 2, typed: str | None = None) -> str:
        """What a command that does not succeed says on standard error: one problem a line, never a traceback."""
        result = self.ask(*words, typed=typed)
        assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
        assert "Traceback" not in result.stderr
        return result.stderr

    def store(self) -> Store:
        """The store, opened as the daemon would; close it before asking again."""
        config = load_config(self.folder / "config.toml")
        ring = Keyring.parse((self.folder / "baoxue.key").read_text(encoding="utf-8"))
        return open_store(config.database_url, config.service.district, ring, state_dir=self.folder)


def read_in(monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    """Let whoever reads the commands have a locale."""
    for name in ("LANGUAGE", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", locale)


@pytest.fixture
def terminal(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    folder = tmp_path / "county"
    folder.mkdir()
    config = write_county(folder)
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[channels.sms]\n", '[channels.sms]\nok_field = "code"\n'), encoding="utf-8")
    shutil.copy(sqlite_template, folder / "baoxue.db")
    monkeypatch.chdir(folder)
    read_in(monkeypatch, "C.UTF-8")
    monkeypatch.setattr("daemon.cli.shared.MOMENT", 3600.0)  # however slow the machine is, it says no "importing …"
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield Terminal(folder)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@dataclass
class Reported:
    """A county in which one child was reported on Wednesday morning, and the daemon stopped since."""

    terminal: Terminal
    number: str

    def again(self) -> Office:
        """The daemon, started again over the same store."""
        return Office(self.terminal.folder, self.terminal.store())


@pytest.fixture
def reported(terminal: Terminal) -> Reported:
    store = terminal.store()
    number = Office(terminal.folder, store).report()
    store.close()
    return Reported(terminal, number)
