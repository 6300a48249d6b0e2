"""The store and its keys from the command line."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from daemon.config import load_config
from daemon.store.keys import Keyring

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported, Terminal


def test_a_key_is_made_for_its_owner_only_and_never_overwritten(terminal: Terminal) -> None:
    path = terminal.folder / "new.key"
    terminal.told("db", "key", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text(encoding="utf-8")
    Keyring.parse(before)
    assert "not overwritten" in terminal.refused("db", "key", str(path))
    assert path.read_text(encoding="utf-8") == before
    assert "folder" in terminal.refused("db", "key", str(terminal.folder / "none" / "x.key"))
    assert "key id" in terminal.refused("db", "key", "other.key", "--id", "not an id")


def test_an_empty_database_gets_its_tables_once(terminal: Terminal) -> None:
    (terminal.folder / "baoxue.db").unlink()
    assert "there is no store at" in terminal.refused("db", "verify", code=1)
    assert not (terminal.folder / "baoxue.db").exists()
    assert "upgraded" in terminal.told("db", "upgrade")
    assert "up to date" in terminal.told("db", "upgrade")


def test_a_first_import_makes_the_tables_itself(terminal: Terminal) -> None:
    (terminal.folder / "baoxue.db").unlink()
    terminal.told("import")
    assert "up to date" in terminal.told("db", "upgrade")


def test_a_backup_brings_back_what_was_there(reported: Reported) -> None:
    terminal = reported.terminal
    before = terminal.records("case", "show", reported.number)
    terminal.told("db", "backup", "kept.backup")
    terminal.told("case", "note", reported.number, "written after the backup", "--by", "Eve")
    assert len(terminal.records("case", "show", reported.number)["journal"]) == len(before["journal"]) + 1
    terminal.told("db", "restore", "kept.backup", "--yes")
    assert terminal.records("case", "show", reported.number)["journal"] == before["journal"]
    assert "whole" in terminal.told("db", "verify")


def test_nothing_is_restored_where_nobody_can_be_asked_or_says_no(reported: Reported) -> None:
    terminal = reported.terminal
    terminal.told("db", "backup", "kept.backup")
    terminal.told("case", "note", reported.number, "written after the backup", "--by", "Eve")
    for typed in ("", "n\n", "y\n"):  # standard input is no terminal here
        line = terminal.refused("db", "restore", "kept.backup", typed=typed)
        assert "--yes" in line
    assert terminal.records("case", "show", reported.number)["journal"][-1]["kind"] == "note"


@pytest.mark.parametrize(("typed", "code", "last"), [("n\n", 1, "note"), ("", 1, "note"), ("y\n", 0, "sign raised")])
def test_somebody_at_a_terminal_is_asked_before_anything_is_replaced(
    reported: Reported, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, last: str
) -> None:
    terminal = reported.terminal
    terminal.told("db", "backup", "kept.backup")
    terminal.told("case", "note", reported.number, "written after the backup", "--by", "Eve")
    monkeypatch.setattr("daemon.cli.database.is_asked", lambda: True)
    assert terminal.ask("db", "restore", "kept.backup", typed=typed).exit_code == code
    assert terminal.records("case", "show", reported.number)["journal"][-1]["kind"] == last


def test_a_backup_without_a_name_lies_beside_the_configuration(terminal: Terminal) -> None:
    terminal.told("db", "backup")
    assert len(list(terminal.folder.glob("baoxue-*.backup"))) == 1


def test_a_backup_never_replaces_the_store_itself(terminal: Terminal) -> None:
    assert "store itself" in terminal.refused("db", "backup", "baoxue.db")
    assert "folder" in terminal.refused("db", "backup", "none/kept.backup")


def schedule(terminal: Terminal, *lines: str) -> Path:
    """Let the configuration ask for scheduled backups; their folder."""
    folder = terminal.folder / "backups"
    folder.mkdir()
    with (terminal.folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(("\n[backup]", 'folder = "backups"', *lines, "")))
    return folder


def test_a_scheduled_backup_is_restored_on_trial_and_only_so_many_are_kept(reported: Reported) -> None:
    terminal = reported.terminal
    folder = schedule(terminal, "keep = 2")
    others = [folder / "notes.txt", folder / "baoxue-99990101T000000Z.backup"]
    old = [folder / f"baoxue-2026010{day}T000000Z.backup" for day in (1, 2, 3)]
    for file in (*others, *old):
        file.touch()
    said = terminal.told("db", "backup", "--scheduled")
    assert "restored on trial" in said
    assert "cases 1, " in said
    new = set(folder.iterdir()) - {*others, *old}
    assert set(folder.iterdir()) == {*others, old[2], *new}
    assert len(new) == 1


def test_an_audit_is_not_well_until_there_is_a_backup(reported: Reported) -> None:
    terminal = reported.terminal
    schedule(terminal)
    for words in ((), ("--mend",)):
        result = terminal.ask("audit", "--json", *words)
        assert result.exit_code == 1
        (found,) = [one for one in json.loads(result.stdout) if one["what"] == "backup_overdue backup"]
        assert (found["zh"], found["en"]) == ("备份：没有新近的备份", "backup: there is no recent backup")
    terminal.told("db", "backup", "--scheduled")
    terminal.ask("audit", "--mend")
    assert "backup_overdue" not in terminal.ask("audit", "--json").stdout


def test_a_backup_that_cannot_be_restored_pushes_out_no_other(reported: Reported) -> None:
    folder = schedule(reported.terminal, "keep = 1")
    (folder / "baoxue-20260101T000000Z.backup").touch()
    with closing(sqlite3.connect(reported.terminal.folder / "baoxue.db")) as opened, opened:
        opened.execute("UPDATE entry SET kind = 'note' WHERE kind = 'raised'")
    assert "are not what was written" in reported.terminal.refused("db", "backup", "--scheduled", code=1)
    assert [file.name for file in folder.iterdir()] == ["baoxue-20260101T000000Z.backup"]


def test_a_backup_replaces_no_link_and_no_device(terminal: Terminal) -> None:
    pipe, link = terminal.folder / "pipe", terminal.folder / "newest.backup"
    os.mkfifo(pipe)
    link.symlink_to(terminal.folder / "kept.backup")
    for place in (pipe, link):
        assert "is not replaced" in terminal.refused("db", "backup", str(place))
    assert (pipe.is_fifo(), link.is_symlink()) == (True, True)


def test_a_backup_without_room_is_said_in_a_line_and_leaves_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(database: str | Path, **rest: Any) -> sqlite3.Connection:  # noqa: ANN401 - whatever sqlite3 takes
        opened: sqlite3.Connection = usual(database, **rest)
        opened.execute("PRAGMA max_page_count = 1")  # no fewer than there are: of a new file, one
        return opened

    usual = sqlite3.connect
    monkeypatch.setattr("daemon.store.backups.sqlite3.connect", connect)
    said = terminal.refused("db", "backup", "mine.backup", code=1)
    assert "mine.backup cannot be written: database or disk is full" in said
    assert list(terminal.folder.glob("mine.backup*")) == []


def test_a_scheduled_backup_needs_its_table_and_names_its_file_itself(terminal: Terminal) -> None:
    assert "has no [backup]" in terminal.refused("db", "backup", "--scheduled")
    schedule(terminal)
    assert "names its files itself" in terminal.refused("db", "backup", "mine.backup", "--scheduled")


def test_a_folder_of_backups_that_is_not_there_is_named(terminal: Terminal) -> None:
    schedule(terminal).rmdir()
    assert str(terminal.folder / "backups") in terminal.refused("db", "backup", "--scheduled")


def test_that_a_backup_can_be_restored_is_shown_without_touching_the_store(reported: Reported) -> None:
    terminal = reported.terminal
    terminal.told("db", "backup", "kept.backup")
    before = (terminal.folder / "kept.backup").read_bytes()
    terminal.told("case", "note", reported.number, "written after the backup", "--by", "Eve")
    journal = terminal.records("case", "show", reported.number)["journal"]
    said = terminal.told("db", "verify", "kept.backup")
    assert "it can be restored" in said
    assert "cases 1, " in said
    assert (terminal.folder / "kept.backup").read_bytes() == before
    assert terminal.records("case", "show", reported.number)["journal"] == journal


def test_a_backup_is_not_well_with_another_key_under_the_same_id(reported: Reported) -> None:
    reported.terminal.told("db", "backup", "kept.backup")
    key = Path("baoxue.key")
    key_id = key.read_text(encoding="utf-8").partition(":")[0]
    key.unlink()
    reported.terminal.told("db", "key", "baoxue.key", "--id", key_id)
    assert "privacy.key_file" in reported.terminal.refused("db", "verify", "kept.backup")


def test_a_damaged_backup_is_found(reported: Reported) -> None:
    terminal = reported.terminal
    terminal.told("db", "backup", "kept.backup")
    whole = Path("kept.backup").read_bytes()
    Path("kept.backup").write_bytes(whole[: len(whole) // 2])
    assert "kept.backup" in terminal.refused("db", "verify", "kept.backup", code=1)
    assert "does not exist" in terminal.refused("db", "verify", "none.backup")


def test_a_backup_of_another_district_is_found(reported: Reported) -> None:
    reported.terminal.told("db", "backup", "kept.backup")
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    district = load_config(config).service.district
    config.write_text(text.replace(f'district = "{district}"', 'district = "elsewhere"'), encoding="utf-8")
    assert "is of another district" in reported.terminal.refused("db", "verify", "kept.backup", code=1)


def test_a_store_that_a_newer_version_made_is_replaced_by_an_older_backup(reported: Reported) -> None:
    terminal = reported.terminal
    terminal.told("db", "backup", "before.backup")
    with closing(sqlite3.connect(terminal.folder / "baoxue.db")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "this version knows up to" in terminal.refused("cases", code=1)
    terminal.told("db", "restore", "before.backup", "--yes")
    assert reported.number in terminal.told("cases")


def test_what_is_no_backup_is_not_restored(terminal: Terminal) -> None:
    line = terminal.refused("db", "restore", "units.csv", "--yes", code=1)
    assert "no backup" in line
    assert "service.database" not in line
    assert "does not exist" in terminal.refused("db", "restore", "none.backup")


def test_a_backup_replaces_an_older_one_and_nothing_else(terminal: Terminal) -> None:
    before = (terminal.folder / "config.toml").read_bytes()
    assert "is no backup" in terminal.refused("db", "backup", "config.toml")
    assert (terminal.folder / "config.toml").read_bytes() == before
    terminal.told("db", "backup", "kept.backup")
    terminal.told("db", "backup", "kept.backup")


def test_a_store_in_use_is_not_restored(terminal: Terminal) -> None:
    terminal.told("db", "backup", "kept.backup")
    store = terminal.store()
    store.claim_single_writer()
    assert "stop the daemon" in terminal.refused("db", "restore", "kept.backup", "--yes", code=1)
    store.close()


def test_a_changed_journal_is_found(reported: Reported) -> None:
    with closing(sqlite3.connect(reported.terminal.folder / "baoxue.db")) as opened, opened:
        opened.execute("UPDATE entry SET kind = 'note' WHERE kind = 'raised'")
    line = reported.terminal.refused("db", "verify", code=1)
    assert f"case {reported.number} entry" in line
    assert "is not what was written" in line


def test_a_rotation_lets_the_old_key_go(reported: Reported) -> None:
    terminal, ring = reported.terminal, Path("baoxue.key")
    terminal.told("db", "key", "next.key", "--id", "next")
    new = Path("next.key").read_text(encoding="utf-8")
    ring.write_text(new + ring.read_text(encoding="utf-8"), encoding="utf-8")
    assert "next" in terminal.told("db", "rotate")
    ring.write_text(new, encoding="utf-8")
    assert terminal.records("case", "show", reported.number)["name"]
    assert [key.id for key in load_config(Path("config.toml")).privacy.keys] == ["next"]


def test_another_key_under_the_same_name_is_refused_by_check_and_by_every_command(terminal: Terminal) -> None:
    terminal.told("import")
    key = terminal.folder / "baoxue.key"
    right = key.read_text(encoding="utf-8")
    key.write_text(Keyring.generate("test"), encoding="utf-8")
    for words in (("check",), ("cases",), ("contacts",), ("db", "verify"), ("import",)):
        said = terminal.refused(*words)
        assert "privacy.key_file  key 'test' is another key than the one of that name" in said, words
    key.write_text(Keyring.generate("later"), encoding="utf-8")
    assert "sealed with key 'test', which is not in the key file" in terminal.refused("check")
    key.write_text(right, encoding="utf-8")
    assert terminal.records("cases") == []


def test_a_command_that_looks_makes_no_store_and_says_what_makes_one(terminal: Terminal) -> None:
    (terminal.folder / "baoxue.db").unlink()
    for words in (("cases",), ("feeds",), ("contacts",), ("audit",), ("db", "backup", "x"), ("deliveries",)):
        said = terminal.refused(*words, code=1)
        assert "there is no store at" in said, words
        assert "baoxue run" in said
    assert not (terminal.folder / "baoxue.db").exists()


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No page more for any database, as where its disk is full."""

    def limit(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
        connection.execute("PRAGMA max_page_count = 1")  # no fewer than there are

    sa.event.listen(sa.engine.Engine, "connect", limit)
    yield
    sa.event.remove(sa.engine.Engine, "connect", limit)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_said_in_one_line(terminal: Terminal) -> None:
    rows = [f"s-{number},Child {number},k-1,t-1" for number in range(5000)]
    text = "\n".join(["student_id,name,class_id,residence_id", *rows, ""])
    (terminal.folder / "students.csv").write_text(text, encoding="utf-8")
    said = terminal.refused("import", code=1)
    full = "the disk of the database is full (database or disk is full) – make room there, then try again"
    assert said.splitlines() == [f"baoxue service.database  {full}"]
