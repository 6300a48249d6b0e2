"""What can be wrong with a store that an operator can mend."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used as asked, and an operator can mend it; the words say how."""


class StoreBusy(StoreError):  # noqa: N818
    """Another daemon holds this SQLite store: stop it first, or use PostgreSQL for several."""


class StoreNewer(StoreError):  # noqa: N818
    """The store was made by a newer baoxue than this one: install that version, or restore an older backup."""


class StoreUnreachable(StoreError):  # noqa: N818
    """The database does not answer, refuses the connection or is held by somebody: it may well do so later."""


class StoreFull(StoreError):  # noqa: N818
    """There is no room left where the database lies: make room; what was committed is kept."""


class StoreGone(StoreError):  # noqa: N818
    """The database file was removed or replaced while it was in use, or since it was used last."""


GONE_HINT = "put it back, or: baoxue db restore FILE; to begin with an empty store remove the file .lock beside it"


class NoBackup(StoreError):  # noqa: N818
    """A file that was to be restored is none that a backup wrote, or is damaged."""


class StoreMissing(StoreError):  # noqa: N818
    """There is no store yet, and the command that was given makes none."""
