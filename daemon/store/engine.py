"""The engine: how a store is opened, read, written and retried on SQLite and PostgreSQL."""

from __future__ import annotations

import fcntl
import random
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import uuid_utils
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from daemon.store import backups, planning, upgrades
from daemon.store.columns import give_keyring
from daemon.store.connecting import engine_at, located
from daemon.store.database_file import DatabaseFile, Opening, fault_of_file
from daemon.store.engine_errors import reason_of, store_fault
from daemon.store.faults import StoreBusy, StoreError, StoreNewer, StoreUnreachable
from daemon.store.tx import Tx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection, Engine

    from daemon.store.keys import Keyring

T = TypeVar("T")

_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.02
_RETRIED_STATES = frozenset({"40001", "40P01"})
_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
_CHECKPOINT_SECONDS = 1.0


class Store:
    """One district's store: hands out transactions, and keeps its schema up to date.

    Holds no clock and decides nothing. Safe to share between threads; at most one of them writes at a time on SQLite.
    """

    def __init__(
        self,
        engine: Engine,
        district: str,
        new_id: Callable[[], str] | None = None,
        database_file: DatabaseFile | None = None,
    ) -> None:
        self.engine = engine
        self._database_file = database_file
        self.district = district
        self._new_id = new_id or _uuid7
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writing = engine.execution_options(baoxue_write=True)
        self._reading = engine if self._is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._write_lock = threading.Lock()
        self._checkpointed = 0.0
        self._fault: StoreError | None = None
        self._claim: IO[bytes] | None = None

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(cast("str", self.engine.url.database)) if self._is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one snapshot and is rolled back at the end."""
        with self._reading.connect() as connection, connection.begin() as opened:
            yield self._tx(connection)
            opened.rollback()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits unless something is raised; not retried (see `commit`)."""
        try:
            with self._begun() as connection:
                yield self._tx(connection)
        except (DBAPIError, StoreError) as error:
            self._fault = store_fault(error) or self._fault
            raise
        if self._is_sqlite:
            self._checkpoint()

    def take_fault(self) -> StoreError | None:
        """Return what writing last failed with since this was last asked, if it is for an operator to mend."""
        fault, self._fault = self._fault, None
        return fault

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        if not self._is_sqlite:
            with self._writing.begin() as connection:
                yield connection
            return
        # BEGIN IMMEDIATE alone starves threads that wait; one lock makes the queue fair.
        with self._write_lock, self._writing.begin() as connection:
            yield connection

    def commit(self, work: Callable[[Tx], T], *, pause: Callable[[float], None] = time.sleep) -> T:
        """Run `work` in a write transaction, again when the engine asks for it; so it must touch nothing else.

        Retried: SQLSTATE 40001 and 40P01, SQLite's BUSY and LOCKED. The last failure is raised as it came.
        """
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._once(work)
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
            pause(_FIRST_PAUSE_SECONDS * 2**attempt * (0.5 + random.random()))  # noqa: S311
        return self._once(work)

    def claim_single_writer(self) -> None:
        """Hold the SQLite file for this process until `close`; StoreBusy when another does. Nothing on PostgreSQL."""
        if self.file is None or self._claim is not None:
            return
        lock_file = self.file.with_name(self.file.name + ".lock")
        try:
            lock = lock_file.open("ab")
        except OSError as error:
            raise fault_of_file(lock_file, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise StoreBusy(f"{self.file.name} is in use by another daemon") from None
        self._claim = lock

    def upgrade(self, progress: Callable[[str], None] | None = None) -> None:
        """Bring the schema to the newest revision, one transaction a revision; `progress` hears of each."""
        self.check_not_newer()
        if not self.at_head():
            with self._write_lock, self._writing.connect() as connection:
                upgrades.upgrade(connection, progress)
        if self._is_sqlite:
            with self.write() as tx:
                planning.tell_planner(tx.connection)
            self.engine.dispose()
        if self._claim is not None and self._database_file is not None:
            self._database_file.mark()

    def check_file(self) -> None:
        """Raise StoreGone when the SQLite file was removed or replaced since it was opened; nothing on PostgreSQL."""
        if self._database_file is not None:
            self._database_file.check()

    def revision(self) -> str | None:
        """The schema's revision; None for an empty database."""
        with self._reading.connect() as connection:
            return upgrades.revision(connection)

    def at_head(self) -> bool:
        """Whether the schema is the one this version was written for."""
        return self.revision() == upgrades.head()

    def check_not_newer(self) -> None:
        """Raise StoreNewer when the schema's revision is one this version has never heard of."""
        found = self.revision()
        if found is not None and found not in upgrades.known():
            raise StoreNewer(f"the store is at revision {found}, this version knows up to {upgrades.head()}")

    def backup(self, path: Path) -> None:
        """Write a whole copy to a new SQLite file at `path`, whatever the engine; personal columns stay sealed.

        May run beside the daemon. Needs the key file to be of use: keep that one elsewhere.
        """
        backups.backup(self, path)

    def restore(self, path: Path) -> None:
        """Replace everything in the store by the backup at `path`, and upgrade; StoreBusy while a daemon runs."""
        self.claim_single_writer()
        backups.restore(self, path)
        self.upgrade()

    def close(self) -> None:
        """Let go of connections and of the single-writer claim."""
        self.engine.dispose()
        self.release_claim()

    def release_claim(self) -> None:
        """Let another process be the single writer."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def is_file_there(self) -> bool:
        """Return whether there is a file where the SQLite file was; true on PostgreSQL."""
        return self.file is None or self.file.exists()

    def _once(self, work: Callable[[Tx], T]) -> T:
        with self.write() as tx:
            return work(tx)

    def _checkpoint(self) -> None:
        """Let the write-ahead log flow into the file, now and then, by whoever wrote last and holds nobody up any more.

        SQLite would do it within a commit, which then takes long, and others wait for it.
        """
        now = time.monotonic()
        if now - self._checkpointed >= _CHECKPOINT_SECONDS:
            self._checkpointed = now
            # What was written is written: a fault met here must not look like one of the transaction's own.
            with suppress(SQLAlchemyError, sqlite3.Error), self.engine.connect() as connection:
                cast("Any", connection.connection).execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _tx(self, connection: Connection) -> Tx:
        return Tx(connection, self.district, self._new_id)


def open_store(
    url: str,
    district: str,
    keyring: Keyring,
    *,
    state_dir: Path,
    new_id: Callable[[], str] | None = None,
    opening: Opening = Opening.FIRST,
) -> Store:
    """Open the store at `url`, its schema as found (see `Store.upgrade`); relative SQLite files are in `state_dir`.

    `new_id` makes ids (default: UUIDv7); give one that counts where two runs must print the same. StoreNewer when a
    newer version made it, but for a SQLite file that is to be filled anew; StoreMissing and StoreGone where there is
    none and `opening` does not allow to make one; StoreError when it cannot be reached, or the URL is neither SQLite's
    nor PostgreSQL's.
    """
    place = located(url, state_dir)
    file = DatabaseFile(Path(cast("str", place.database))) if place.get_backend_name() == "sqlite" else None
    if file is not None:
        file.prepare(opening)
    store = Store(engine_at(place, file), district, new_id, file)
    give_keyring(store.engine, keyring)
    try:
        if opening is Opening.ANEW and file is not None:
            store.revision()
        else:
            store.check_not_newer()
    except DBAPIError as error:
        store.close()
        raise store_fault(error) or StoreUnreachable(f"the database cannot be read: {reason_of(error)}") from None
    except BaseException:
        store.close()
        raise
    return store


def is_retryable(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed the next time."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in {_SQLITE_BUSY, _SQLITE_LOCKED}
    return getattr(cause, "sqlstate", None) in _RETRIED_STATES


def _uuid7() -> str:
    return uuid_utils.uuid7().hex
