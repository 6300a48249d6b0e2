"""The operator hears once when scheduled backups stop, and once when they go on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.config import BackupConfig
from daemon.jobs.audit import audit
from daemon.jobs.backups import GRACE, find_overdue
from notifiers.glosses import fault_words, hint_words
from tests.daemon.record.record_office import RecordOffice

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def backups(office: RecordOffice, tmp_path: Path) -> Path:
    """The folder the configuration now names for scheduled backups, with one of this hour in it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    config = office.house.config.model_copy(update={"backup": BackupConfig(folder=str(folder))})
    office.house.terms = replace(office.house.terms, config=config)
    office.report()
    office.works()
    office.mails()
    back_up(folder, office.now)
    return folder


def back_up(folder: Path, at: dt.datetime) -> Path:
    made = folder / f"{at.astimezone(dt.UTC):baoxue-%Y%m%dT%H%M%SZ.backup}"
    made.touch()
    return made


def looked(office: RecordOffice, up_for: dt.timedelta = DAY) -> list[str]:
    """What the audit calls wrong with backups; the operator's mail is sent."""
    done = audit(office.house, office.now, up_since=office.now - up_for)
    office.works()
    return [row.state["reason"] for row in done.problems if row.kind == "backup_overdue"]


def told(office: RecordOffice) -> list[str]:
    return [kind for _, kind in office.mails() if kind.startswith("service_problem")]


def test_a_recent_backup_is_well(office: RecordOffice, backups: Path) -> None:
    assert backups.exists()
    office.now += 25 * HOUR
    assert looked(office) == []
    assert told(office) == []


def test_a_backup_that_does_not_come_is_told_once_and_its_return_too(office: RecordOffice, backups: Path) -> None:
    made = office.now.astimezone(dt.UTC)
    for _ in range(7):
        office.now += 27 * HOUR
        assert looked(office) == [f"the newest backup is of {made:%Y-%m-%d %H:%M} UTC"]
    assert told(office) == ["service_problem"]
    back_up(backups, office.now)
    office.now += MINUTE
    assert looked(office) == []
    assert told(office) == ["service_problem_over"]


def test_a_folder_without_a_backup_is_told_when_there_was_time_for_one(office: RecordOffice, backups: Path) -> None:
    for file in backups.iterdir():
        file.unlink()
    assert looked(office, up_for=GRACE - MINUTE) == []
    assert looked(office, up_for=GRACE) == ["there is no backup in the folder of [backup]"]
    assert told(office) == ["service_problem"]


def test_a_folder_that_cannot_be_read_is_told(office: RecordOffice, backups: Path) -> None:
    for file in backups.iterdir():
        file.unlink()
    backups.rmdir()
    assert "cannot be read: No such file or directory" in looked(office)[0]
    assert told(office) == ["service_problem"]


def test_a_backup_dated_in_the_future_proves_nothing(office: RecordOffice, backups: Path) -> None:
    back_up(backups, office.now + 300 * DAY)
    (backups / "baoxue-notes.backup").touch()
    office.now += 27 * HOUR
    assert len(looked(office)) == 1


def test_nothing_is_overdue_where_no_backup_is_scheduled(office: RecordOffice, backups: Path) -> None:
    assert backups.exists()
    config = office.house.config.model_copy(update={"backup": None})
    office.house.terms = replace(office.house.terms, config=config)
    office.now += 27 * HOUR
    assert looked(office) == []


def test_what_is_wrong_is_said_in_chinese_and_where_to_look(office: RecordOffice, backups: Path) -> None:
    reasons = []
    office.now += 27 * HOUR
    reasons += looked(office)
    for file in backups.iterdir():
        file.unlink()
    reasons += [row.reason for row in [find_overdue(office.house.config, office.now, None)] if row]
    backups.rmdir()
    last = find_overdue(office.house.config, office.now, None)
    assert last is not None
    reasons.append(last.reason)
    assert len(reasons) == 3
    assert [words for reason in reasons if (words := fault_words(reason)).startswith("有误")] == []
    assert last.hint is not None
    assert hint_words(last.hint).startswith("请先查看 journalctl -u baoxue-backup")
