"""Faults a user can mend, as lines on standard error: `path:line key  fault – hint`, all of them at once."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from daemon.cli.language import worded
from daemon.problems import ConfigError, Problem

if TYPE_CHECKING:
    from daemon.store.faults import StoreError

FAILED, WRONG = 1, 2
PROGRAM = "baoxue"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class Faults:
    """What is to be printed before the program ends with `code`."""

    problems: tuple[Problem, ...]
    code: int


class Refusal(Exception):  # noqa: N818 - it is what we answer, not what went wrong
    """The command cannot be done as asked; carries every problem and the exit status."""

    def __init__(self, problems: Iterable[Problem], code: int = WRONG) -> None:
        self.problems = tuple(problems)
        self.code = code
        super().__init__("\n".join(map(str, self.problems)))


def refuse(key: str, fault: str, hint: str | None = None, *, code: int = WRONG) -> Refusal:
    """One problem with something typed on the command line."""
    return Refusal([Problem(PROGRAM, None, key, fault, hint)], code)


def print_faults(problems: Iterable[Problem]) -> None:
    """Each problem on a line of its own."""
    for problem in problems:
        click.echo(str(problem), err=True)


def faults_of(error: Exception) -> Faults | None:
    """The faults behind an exception; None for a bug, which keeps its traceback."""
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, click.ClickException):
        return Faults((Problem(PROGRAM, None, "", error.format_message().rstrip(".。")),), WRONG)
    if isinstance(error, ConfigError):
        return Faults(error.problems, WRONG)
    if isinstance(error, Refusal):
        return Faults(error.problems, error.code)
    return _of_the_system(error) if isinstance(error, OSError) else _of_rooms(error)


def _of_the_system(error: OSError) -> Faults | None:
    """Say what the system refuses: a file by its name, or room for what is printed, which has none."""
    if error.filename is not None:
        return Faults((Problem(str(error.filename), None, "", error.strerror or "cannot be used"),), WRONG)
    if error.errno in _NO_ROOM:
        return Faults((Problem(PROGRAM, None, "", f"what it prints or writes has no room: {error.strerror}"),), FAILED)
    return None


def _usage(error: click.UsageError) -> Faults:
    path = error.ctx.command_path if error.ctx else PROGRAM
    fault = error.format_message().rstrip(".。").replace("\n", " ")
    hint = worded(f"见 “{path} --help”", f'see "{path} --help"')
    return Faults((Problem(path, None, "", fault[:1].lower() + fault[1:], hint),), WRONG)


def _of_rooms(error: Exception) -> Faults | None:
    """Say what the rooms below raise for a user to mend; imported here, for only a command that failed needs them."""
    from daemon.desk.faults import DeskError  # noqa: PLC0415
    from daemon.feeds.payload import FeedError  # noqa: PLC0415
    from daemon.store.faults import NoBackup, StoreError  # noqa: PLC0415
    from daemon.store.keys import KEY_HINT, KeyringError  # noqa: PLC0415

    if isinstance(error, DeskError):
        return Faults((Problem(PROGRAM, None, error.subject, error.fault, error.hint),), WRONG)
    if isinstance(error, KeyringError):
        hint = error.hint or KEY_HINT
        return Faults((Problem(PROGRAM, None, "privacy.key_file", error.fault, hint),), WRONG)
    if type(error).__module__.startswith("sqlalchemy"):
        return _of_database(error)
    if isinstance(error, StoreError):
        hint = _store_hint(error)
        subject = "" if isinstance(error, NoBackup) else "service.database"
        return Faults((Problem(PROGRAM, None, subject, str(error), hint),), FAILED)
    if isinstance(error, FeedError):
        hint = "look at its path or url" if error.permanent else "mend the source, then try again"
        return Faults((Problem(PROGRAM, None, f"feed {error.feed}", error.reason, hint),), FAILED)
    return None


def _of_database(error: Exception) -> Faults | None:
    """Return what the database itself says; a module of the store knows its errors, and is slow to load."""
    from daemon.store.engine_errors import store_fault  # noqa: PLC0415 - see above

    fault = store_fault(error)
    return None if fault is None else _of_rooms(fault)


def _store_hint(error: StoreError) -> str:
    """Say what may help against a fault of the store."""
    from daemon.store import faults  # noqa: PLC0415

    hints = (
        (faults.StoreFull, "make room there, then try again"),
        (faults.StoreUnreachable, "look whether it runs and lets you in, then try again"),
        (faults.StoreMissing, "it is made by: baoxue run, or baoxue import"),
        (faults.StoreGone, faults.GONE_HINT),
        (faults.NoBackup, "name a file that db backup wrote"),
        (faults.StoreBusy, "stop the daemon first, or use PostgreSQL"),
        (faults.StoreNewer, "install that version, or restore an older backup"),
    )
    return next((hint for kind, hint in hints if isinstance(error, kind)), "look at [service] database")
