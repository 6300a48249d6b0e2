"""The file of an SQLite store: one that is gone or another is noticed, and none is made beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from daemon.store.database_file import Opening
from daemon.store.engine import Store, open_store
from daemon.store.faults import StoreError, StoreFull, StoreGone, StoreMissing
from daemon.store.keys import Keyring
from daemon.store.tx import Tx, take_numbers
from tests.conftest import DISTRICT


@pytest.fixture
def in_use(sqlite_store: Store) -> Store:
    """A store as a daemon has it open."""
    sqlite_store.claim_single_writer()
    sqlite_store.upgrade()
    count(sqlite_store)
    return sqlite_store


def count(store: Store) -> int:
    def work(tx: Tx) -> int:
        return take_numbers(tx, "of a test", 1)

    return store.commit(work)


def file_of(store: Store) -> Path:
    assert store.file is not None
    return store.file


def opened(store: Store, keyring: Keyring, opening: Opening) -> Store:
    path = file_of(store)
    return open_store(f"sqlite:///{path}", DISTRICT, keyring, state_dir=path.parent, opening=opening)


def test_a_file_that_was_removed_takes_nothing_and_none_is_made(in_use: Store) -> None:
    file_of(in_use).unlink()
    with pytest.raises(StoreGone, match="was removed"):
        count(in_use)
    with pytest.raises(StoreGone), in_use.read():
        pass
    in_use.engine.dispose()
    with pytest.raises(StoreError):
        in_use.revision()
    assert not file_of(in_use).exists()


def test_another_file_in_its_place_takes_nothing(in_use: Store) -> None:
    path = file_of(in_use)
    shutil.copy(path, path.with_name("other.db"))
    path.with_name("other.db").rename(path)
    with pytest.raises(StoreGone, match="was replaced"):
        count(in_use)
    with pytest.raises(StoreGone, match="was replaced"):
        in_use.check_file()


def test_a_store_that_is_gone_is_not_begun_anew_but_by_a_restore(in_use: Store, keyring: Keyring) -> None:
    path = file_of(in_use)
    in_use.close()
    path.unlink()
    for opening in (Opening.FIRST, Opening.EXISTING):
        with pytest.raises(StoreGone, match="was here and is gone"):
            opened(in_use, keyring, opening)
    path.touch()
    with pytest.raises(StoreGone, match="was here and is empty"):
        opened(in_use, keyring, Opening.FIRST)
    opened(in_use, keyring, Opening.ANEW).close()
    assert path.exists()


def test_the_mark_of_a_store_may_be_removed_to_begin_anew(in_use: Store, keyring: Keyring) -> None:
    path = file_of(in_use)
    in_use.close()
    path.unlink()
    path.with_name(path.name + ".lock").unlink()
    opened(in_use, keyring, Opening.FIRST).close()
    assert path.exists()


def test_whoever_only_looks_makes_no_store(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(StoreMissing, match=r"there is no store at .*there\.db yet"):
        open_store("sqlite:///there.db", DISTRICT, keyring, state_dir=tmp_path, opening=Opening.EXISTING)
    assert list(tmp_path.iterdir()) == []


def test_what_writing_failed_with_is_kept_until_it_is_asked_for(in_use: Store) -> None:
    assert in_use.take_fault() is None
    fill_up(in_use)
    fault = in_use.take_fault()
    assert isinstance(fault, StoreFull)
    assert "the disk of the database is full" in str(fault)
    assert in_use.take_fault() is None


def fill_up(store: Store) -> None:
    """Write until the store's disk is full, as far as SQLite knows."""

    def work(tx: Tx) -> None:
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no fewer than there are
        tx.connection.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(1000000) AS bytes")

    with pytest.raises(OperationalError, match="full"):
        store.commit(work)
