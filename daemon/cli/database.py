"""`db`: the store and its keys."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.faults import Refusal, refuse
from daemon.cli.language import worded
from daemon.cli.output import say
from daemon.cli.shared import configured, open_store_of, progress_bars, quiet_logs, the_config, working
from daemon.cli.written import is_replaced
from daemon.clock import wall_clock
from daemon.problems import Problem
from daemon.store import cases, journal
from daemon.store.backups import may_be_replaced
from daemon.store.database_file import Opening
from daemon.store.engine import Store
from daemon.store.key_checks import check_keys
from daemon.store.keys import Keyring, KeyringError
from daemon.store.rotation import rotate as rotate_keys

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.store.restore_drill import Restored

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
@configured
def db() -> None:
    """Back up, restore, verify and upgrade the store, and change its keys."""


@db.command()
@configured
def upgrade() -> None:
    """Bring the tables to this version; the daemon must not be running."""
    with open_store_of(the_config(), Opening.FIRST) as store:
        before = store.revision()
        if store.at_head():
            say(f"已是最新：{before}", f"up to date: {before}")
            return
        store.claim_single_writer()
        with progress_bars(worded("升级", "upgrading")) as bars:
            task = bars.add_task("", total=None, doing="")
            store.upgrade(lambda revision: bars.update(task, doing=revision))
        say(f"已升级：{before or '–'} → {store.revision()}", f"upgraded: {before or '–'} → {store.revision()}")


@db.command()
@click.argument("file", type=FILE, required=False)
@click.option("--scheduled", is_flag=True, help="A new file in the folder of [backup], restored on trial.")
@configured
def backup(file: Path | None, scheduled: bool) -> None:  # noqa: FBT001 - click's own way
    """Write the whole store to FILE, beside a running daemon; an older backup there is replaced."""
    config = the_config()
    if scheduled:
        _back_up_as_scheduled(config, file)
        return
    target = file or config.base / f"baoxue-{wall_clock():%Y%m%dT%H%M%SZ}.backup"
    with open_store_of(config) as store:
        _check_tables(store)
        if store.file is not None and target.absolute() == store.file.absolute():
            raise refuse(str(target), "is the store itself", "name another file")
        if not target.absolute().parent.is_dir():
            raise refuse(str(target), "its folder does not exist", "make it first")
        if not is_replaced(target):
            raise refuse(str(target), "is a link or a device, and is not replaced", "name a file")
        if not may_be_replaced(target):
            raise refuse(str(target), "exists and is no backup: it is not overwritten", "name another file")
        with progress_bars(worded("备份", "backing up")) as bars:
            bars.add_task("", total=None, doing=target.name)
            store.backup(target)
    say(f"已备份：{target}（密钥文件请另存他处）", f"backed up: {target} (keep the key file elsewhere)")


def _back_up_as_scheduled(config: Config, file: Path | None) -> None:
    from daemon.jobs.backups import write_backup  # noqa: PLC0415 - more than other commands here need

    if file is not None:
        raise refuse("--scheduled", "names its files itself", f"leave out {file}")
    if config.backup is None:
        raise refuse("--scheduled", "the configuration has no [backup]", "give it one with a folder")
    with open_store_of(config) as store:
        _check_tables(store)
        with working(worded("备份并试恢复", "backing up and restoring on trial")):
            made, restored = write_backup(store, config, config.backup, wall_clock())
    done = worded("已备份并试恢复", "backed up, and restored on trial")
    click.echo(f"{done}: {made.file} ({_held(restored)})")


def _held(restored: Restored) -> str:
    latest = f"{restored.latest:%Y-%m-%d %H:%M} UTC" if restored.latest else "-"
    counts = f"{worded('个案', 'cases')} {restored.cases}, {worded('学生', 'students')} {restored.students}"
    return f"{counts}, {worded('最后记录', 'last entry')} {latest}"


@db.command()
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal to ask at.")
@configured
def restore(file: Path, yes: bool) -> None:  # noqa: FBT001 - click's own way
    """Replace everything in the store by the backup in FILE; the daemon must not be running."""
    if not file.is_file():
        raise refuse(str(file), "does not exist", "name a file that db backup wrote")
    with open_store_of(the_config(), Opening.ANEW) as store:
        if not yes and store.revision() is not None:
            _ask(f"db restore {file}")
        with progress_bars(worded("恢复", "restoring")) as bars:
            bars.add_task("", total=None, doing=file.name)
            store.restore(file)
        say(f"已恢复：{file}", f"restored: {file}")


@db.command()
@click.argument("file", type=FILE, required=False)
@configured
def verify(file: Path | None) -> None:
    """Check the hash chain of every case's journal; with FILE restore that backup on trial, beside the store.

    The trial takes as much room below TMPDIR as the backup, touches neither it nor the store, and needs the key.
    """
    if file is not None:
        _verify_backup(file)
        return
    with open_store_of(the_config()) as store:
        _check_tables(store)
        with working(worded("正在校验日志", "verifying journals")), store.read() as tx:
            broken = journal.verify(tx)
            numbers = {key: row.number for key, row in cases.cases_by_id(tx, [one.case_id for one in broken]).items()}
            count = len(cases.list_cases(tx))
    if broken:
        hint = "compare with a backup: somebody changed the store by other means"
        raise Refusal(
            [
                Problem(
                    "journal", None, f"case {numbers.get(one.case_id, one.case_id)} entry {one.seq}", one.fault, hint
                )
                for one in broken
            ],
            code=1,
        )
    say(f"{count} 个个案的日志完整", f"the journals of {count} cases are whole")


def _verify_backup(file: Path) -> None:
    from daemon.store.restore_drill import try_restoring  # noqa: PLC0415 - for whoever asks for a trial
    from daemon.vault import keyring_of  # noqa: PLC0415

    if not file.is_file():
        raise refuse(str(file), "does not exist", "name a file that db backup wrote")
    quiet_logs()
    config = the_config()
    with progress_bars(worded("试恢复", "restoring on trial")) as bars:
        bars.add_task("", total=None, doing=file.name)
        restored = try_restoring(file, config.service.district, keyring_of(config))
    click.echo(f"{worded('可以恢复', 'it can be restored')}: {file} ({_held(restored)})")


@db.command()
@click.argument("file", type=FILE)
@click.option("--id", "key_id", metavar="ID", help="The key's name (default: k and today's date).")
def key(file: Path, key_id: str | None) -> None:
    """Make a new key file, readable by its owner only."""
    write_key(file, key_id)
    setting = f'[privacy] key_file = "{file}"'
    say(
        f"已生成：{file}；请在配置中写入 {setting}，并另存一份副本",
        f"made: {file}; set {setting} and keep a copy elsewhere",
    )


def write_key(file: Path, key_id: str | None = None) -> None:
    """Write a new key to a new file that only its owner may read; Refusal where one lies there already."""
    try:
        line = Keyring.generate(key_id or f"k{wall_clock():%Y%m%d}")
    except KeyringError as error:
        raise refuse("--id", error.fault, error.hint) from None
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        hint = "to change keys put the line of a new file above the old one, then: baoxue db rotate"
        raise refuse(str(file), "exists, and is not overwritten", hint) from None
    except FileNotFoundError:
        raise refuse(str(file), "its folder does not exist", "make it first") from None
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        with suppress(PermissionError):
            os.fchmod(handle, 0o600)
        opened.write(line)


@db.command()
@configured
def rotate() -> None:
    """Seal everything anew under the first key of the key file, beside a running daemon."""
    config = the_config()
    with open_store_of(config) as store:
        _check_tables(store)
        with progress_bars(worded("换密钥", "sealing anew")) as bars:
            bars.add_task("", total=None, doing="")
            count = rotate_keys(store)
    name = config.privacy.keys[0].id
    say(
        f"已用密钥 {name} 重新加密 {count} 行；旧密钥可从文件中删除",
        f"sealed anew: {count} rows under {name}; older keys may leave the file",
    )


def _ask(subject: str) -> None:
    """Go on only if somebody at a terminal says so; no answer is no, and nobody there to ask is a refusal."""
    if not is_asked():
        hint = "nothing was changed; write --yes where nobody can be asked"
        raise refuse(subject, "would replace everything in the store", hint)
    asked = worded("现有数据将全部被替换，继续吗？", "Everything in the store will be replaced. Go on?")
    try:
        goes_on = click.confirm(asked, err=True)
    except click.Abort:  # the end of input, or an interruption
        goes_on = False
    if not goes_on:
        raise refuse(subject, "was not done", "nothing was changed", code=1)


def is_asked() -> bool:
    """Return whether somebody sits at a terminal and can be asked."""
    return sys.stdin.isatty()


def _check_tables(store: Store) -> None:
    if not store.at_head():
        raise refuse("service.database", "its tables are missing or older", "run: baoxue db upgrade", code=1)
    with store.read() as tx:
        check_keys(tx)
