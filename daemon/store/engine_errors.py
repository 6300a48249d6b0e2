"""The database's own errors in words for whoever can mend them: full, out of reach, not writable, damaged."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from daemon.store.faults import StoreError, StoreFull, StoreUnreachable

SQLITE_FAULTS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_FULL: (StoreFull, "the disk of the database is full"),
    sqlite3.SQLITE_READONLY: (StoreError, "the database may not be written"),
    sqlite3.SQLITE_IOERR: (StoreError, "the disk of the database gives errors"),
    sqlite3.SQLITE_CANTOPEN: (StoreUnreachable, "the database file cannot be opened"),
    sqlite3.SQLITE_CORRUPT: (StoreError, "the database file is damaged"),
    sqlite3.SQLITE_NOTADB: (StoreError, "the database file is no SQLite database"),
    sqlite3.SQLITE_BUSY: (StoreUnreachable, "the database is held by another program"),
    sqlite3.SQLITE_LOCKED: (StoreUnreachable, "the database is held by another program"),
}
_DISK_FULL, _READ_ONLY, _NO_PRIVILEGE = "53100", "25006", "42501"


def store_fault(error: BaseException) -> StoreError | None:
    """Return what an error of the database means for an operator; None for one that is a fault of ours.

    Names hosts, users and databases, never a password or a row.
    """
    if isinstance(error, StoreError):
        return error
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        kind, words = SQLITE_FAULTS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, (None, ""))
        return kind(f"{words} ({cause})") if kind is not None else None
    return _of_postgresql(error, getattr(cause, "sqlstate", None))


def reason_of(error: DBAPIError) -> str:
    """Return the database's complaint in one line."""
    said = str(error.orig).strip().splitlines()
    return said[0] if said else type(error.orig).__name__


def _of_postgresql(error: DBAPIError, state: str | None) -> StoreError | None:
    if state == _DISK_FULL:
        return StoreFull(f"the disk of the database is full ({reason_of(error)})")
    if state in {_READ_ONLY, _NO_PRIVILEGE}:
        return StoreError(f"the database may not be written ({reason_of(error)})")
    if isinstance(error, OperationalError | InterfaceError):
        return StoreUnreachable(f"the database cannot be reached: {reason_of(error)}")
    return None
