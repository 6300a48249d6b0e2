"""The file of an SQLite store: made once, and the same file for as long as it is used."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from daemon.store.faults import StoreError, StoreFull, StoreGone, StoreMissing, StoreUnreachable

if TYPE_CHECKING:
    from pathlib import Path

_MARK = b"This file says that there is a store beside it. Remove it only to begin with an empty store.\n"


class Opening(Enum):
    """What may be done where there is no database yet."""

    EXISTING = "existing"
    """Nothing: a command that looks makes no store."""
    FIRST = "first"
    """Make one, unless there was one that is gone now."""
    ANEW = "anew"
    """Make one, whatever was there, also of a newer version: it is going to be filled from a backup."""


@dataclass
class DatabaseFile:
    """One database file, recognised by its inode; holds no connection."""

    path: Path
    _identity: tuple[int, int] | None = field(default=None, init=False)

    @property
    def lock(self) -> Path:
        """The file beside it that the daemon holds locked, and that stays as the mark of a store."""
        return self.path.with_name(self.path.name + ".lock")

    def prepare(self, opening: Opening) -> None:
        """Make the file where it may be made, readable by its owner only; StoreMissing or StoreGone where not."""
        try:
            is_there = self.path.exists() and self.path.stat().st_size > 0
            if not is_there and opening is not Opening.ANEW and self._is_marked():
                fault = f"{self.path} was here and is {'empty' if self.path.exists() else 'gone'}"
                raise StoreGone(fault)
            if not is_there and opening is Opening.EXISTING:
                raise StoreMissing(f"there is no store at {self.path} yet")
            if opening is not Opening.EXISTING:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._identity = self._found()
        except OSError as error:
            raise fault_of_file(self.path, error) from None

    def check(self) -> None:
        """Raise StoreGone unless the file is still the one that was opened.

        A file that was removed takes in everything, and nothing of it is kept.
        """
        try:
            found = self._found()
        except OSError:
            found = None
        if found != self._identity:
            what = "removed" if found is None else "replaced"
            raise StoreGone(f"the database file was {what} while it was in use: {self.path}")

    def mark(self) -> None:
        """Leave a mark beside the file, by which a start knows that there was a store."""
        if not self._is_marked():
            self.lock.write_bytes(_MARK)

    def _is_marked(self) -> bool:
        return self.lock.exists() and self.lock.stat().st_size > 0

    def _found(self) -> tuple[int, int]:
        status = self.path.stat()
        return status.st_dev, status.st_ino


def fault_of_file(path: Path, error: OSError) -> StoreError:
    """Return what an error of the file system means for an operator."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFull(f"the disk of the database is full ({path})")
    return StoreUnreachable(f"the database file cannot be used: {error.strerror or 'unknown reason'} ({path})")
