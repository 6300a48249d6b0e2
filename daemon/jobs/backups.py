"""Scheduled backups: a file a run in a folder of their own, each restored on trial; and whether one is overdue."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.config import BackupConfig, Config
from daemon.jobs.house import House
from daemon.jobs.service_problems import ServiceProblem, Trouble, end_problem, note_problem
from daemon.store import incidents
from daemon.store.incidents import IncidentRow
from daemon.store.restore_drill import DRILL, Restored, try_restoring
from daemon.vault import keyring_of

if TYPE_CHECKING:
    from daemon.store.engine import Store
    from daemon.store.tx import Tx

PART = "backup"
AHEAD = dt.timedelta(minutes=10)
"""A backup dated later than this from now was dated by a clock that was wrong: it proves nothing, and is left alone."""
GRACE = dt.timedelta(minutes=30)
"""How long after its start the daemon waits for the very first backup."""
INTERRUPTED = dt.timedelta(days=1)
_NAME = "baoxue-%Y%m%dT%H%M%SZ.backup"
_HINT = "look at: journalctl -u baoxue-backup; then run: baoxue db backup --scheduled"


@dataclass(frozen=True, slots=True)
class Backup:
    """A scheduled backup and the instant in its name."""

    file: Path
    at: dt.datetime


def backup_folder(config: Config, plan: BackupConfig) -> Path:
    """Return the folder of scheduled backups; a relative one begins in the folder of the configuration."""
    return config.base / plan.folder


def list_backups(folder: Path, now: dt.datetime) -> list[Backup]:
    """Return the scheduled backups in `folder`, the newest first; raises OSError when it cannot be read."""
    dated = ((file, _instant(file.name)) for file in folder.iterdir())
    found = [Backup(file, at) for file, at in dated if at is not None and at <= now + AHEAD]
    return sorted(found, key=lambda one: one.at, reverse=True)


def write_backup(store: Store, config: Config, plan: BackupConfig, now: dt.datetime) -> tuple[Backup, Restored]:
    """Write a backup, restore it on trial, then remove the oldest beyond `plan.keep`; what it holds.

    A backup that cannot be restored is removed, and removes none of the others. Raises StoreError, KeyringError or
    OSError.
    """
    folder = backup_folder(config, plan)
    _remove_interrupted(folder, now)
    made = Backup(folder / f"{now:{_NAME}}", now)
    store.backup(made.file)
    try:
        restored = try_restoring(made.file, store.district, keyring_of(config), scratch=folder)
    except BaseException:
        made.file.unlink(missing_ok=True)
        raise
    for one in list_backups(folder, now)[plan.keep :]:
        one.file.unlink(missing_ok=True)
    return made, restored


def _remove_interrupted(folder: Path, now: dt.datetime) -> None:
    """Remove what runs that were killed left behind, a day later: another may be at work now."""
    before = (now - INTERRUPTED).timestamp()
    for left in (*folder.glob("baoxue-*.backup.partial"), *folder.glob(f"{DRILL}*")):
        if left.stat().st_mtime < before:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def look_at_backups(tx: Tx, house: House, now: dt.datetime, up_since: dt.datetime | None) -> None:
    """Tell the operator when no recent backup exists, and when there is one again."""
    if house.simulated:
        return
    found = find_overdue(house.config, now, up_since)
    if found is None:
        end_problem(tx, house, ServiceProblem.BACKUP_OVERDUE, PART, now)
    else:
        note_problem(tx, house, found, now)


def unnoted_backup_problem(tx: Tx, house: House, now: dt.datetime) -> list[IncidentRow]:
    """Return what is wrong with the backups where the daemon has not taken note of it yet; such a row has no id."""
    found = None if house.simulated else find_overdue(house.config, now, None)
    if found is None or incidents.open_incidents(tx, ServiceProblem.BACKUP_OVERDUE):
        return []
    return [IncidentRow("", ServiceProblem.BACKUP_OVERDUE, PART, [], now, state={"reason": found.reason})]


def find_overdue(config: Config, now: dt.datetime, up_since: dt.datetime | None) -> Trouble | None:
    """Return what is wrong with the scheduled backups; None where one is recent, or none is wanted.

    `up_since` is when the daemon began: the first backup of all may take half an hour from then.
    """
    plan = config.backup
    if plan is None:
        return None
    try:
        found = list_backups(backup_folder(config, plan), now)
    except OSError as error:
        return _trouble(f"the folder of [backup] cannot be read: {error.strerror}")
    if found:
        late = now - found[0].at > plan.overdue_after
        return _trouble(f"the newest backup is of {found[0].at:%Y-%m-%d %H:%M} UTC") if late else None
    just_begun = up_since is not None and now - up_since < GRACE
    return None if just_begun else _trouble("there is no backup in the folder of [backup]")


def _trouble(reason: str) -> Trouble:
    return Trouble(ServiceProblem.BACKUP_OVERDUE, PART, reason, _HINT)


def _instant(name: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(name, _NAME).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
