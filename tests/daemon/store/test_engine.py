"""Opening, upgrading, writing, and being in each other's way."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError

from daemon.store import upgrades
from daemon.store.engine import Store, open_store
from daemon.store.faults import StoreBusy, StoreError, StoreNewer
from daemon.store.tables import counter
from daemon.store.tx import Tx, take_numbers
from tests.conftest import DISTRICT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.store.keys import Keyring
    from tests.postgres import Postgres

BROKEN = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{before}", None, None
def upgrade():
    op.create_table("half", sa.Column("a", sa.Text()))
    {then}
"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the migrations, to which a test may add."""
    copy = tmp_path / "migrations"
    shutil.copytree(upgrades._SCRIPTS, copy)
    monkeypatch.setattr(upgrades, "_SCRIPTS", copy)
    yield copy
    monkeypatch.undo()
    forget_scripts()


def forget_scripts() -> None:
    upgrades.known.cache_clear()
    upgrades.head.cache_clear()


def add_script(scripts: Path, then: str) -> None:
    before = max(upgrades.known() - {"9999"})
    (scripts / "versions" / "9999_next.py").write_text(BROKEN.format(before=before, then=then))
    forget_scripts()


def test_the_tables_in_code_and_those_of_the_migrations_are_the_same(store: Store) -> None:
    with store.read() as tx:
        upgrades.check(tx.connection)


def test_an_empty_database_is_brought_to_the_newest_revision_and_says_so(
    tmp_path: Path, keyring: Keyring, postgres: Postgres
) -> None:
    for url in ("sqlite:///new.db", postgres.empty_database()):
        store = open_store(url, DISTRICT, keyring, state_dir=tmp_path)
        steps: list[str] = []
        assert store.revision() is None
        assert not store.at_head()

        store.upgrade(steps.append)

        assert steps[-1] == upgrades.head()
        assert store.at_head()
        store.upgrade(steps.append)
        assert len(steps) == len(upgrades.known())
        store.close()


def test_every_key_and_unique_is_led_by_the_district(store: Store) -> None:
    with store.read() as tx:
        look = sa.inspect(tx.connection)
        for table in set(look.get_table_names()) - {"alembic_version"}:
            assert look.get_pk_constraint(table)["constrained_columns"][0] == "district_id"
            for unique in look.get_unique_constraints(table):
                assert unique["column_names"][0] == "district_id"
            for index in look.get_indexes(table):
                assert index["column_names"][0] == "district_id"
            for reference in look.get_foreign_keys(table):
                assert reference["constrained_columns"][0] == "district_id"


def test_a_migration_that_dies_midway_leaves_nothing_and_goes_on_at_the_next_start(store: Store, scripts: Path) -> None:
    before = store.revision()
    add_script(scripts, "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        store.upgrade()

    assert store.revision() == before
    add_script(scripts, "pass")
    store.upgrade()
    assert store.at_head()


def test_a_store_of_a_newer_version_is_refused_in_plain_words(
    store: Store, store_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    with store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9998'")

    with pytest.raises(StoreNewer, match="revision 9998"):
        open_store(store_url, DISTRICT, keyring, state_dir=tmp_path)


def test_a_second_daemon_on_one_file_is_refused_until_the_first_has_gone(
    sqlite_store: Store, sqlite_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    sqlite_store.claim_single_writer()
    sqlite_store.claim_single_writer()
    second = open_store(sqlite_url, DISTRICT, keyring, state_dir=tmp_path)

    with pytest.raises(StoreBusy):
        second.claim_single_writer()

    sqlite_store.close()
    second.claim_single_writer()
    second.close()


def test_a_file_of_the_store_is_for_its_owner_only(keyring: Keyring, tmp_path: Path) -> None:
    store = open_store("sqlite:///fresh.db", DISTRICT, keyring, state_dir=tmp_path)
    store.close()

    assert stat.S_IMODE((tmp_path / "fresh.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/x", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_cannot_serve_is_refused(url: str, keyring: Keyring, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_store(url, DISTRICT, keyring, state_dir=tmp_path)


def test_what_raises_is_not_kept(store: Store) -> None:
    def broken(tx: Tx) -> None:
        take_numbers(tx, "x", 1)
        raise LookupError

    with pytest.raises(LookupError):
        store.commit(broken)

    assert store.commit(lambda tx: take_numbers(tx, "x", 1)) == 1


def test_numbers_are_given_once(store: Store) -> None:
    assert store.commit(lambda tx: take_numbers(tx, "x", 3)) == 1
    assert store.commit(lambda tx: take_numbers(tx, "x", 1)) == 4
    assert store.commit(lambda tx: take_numbers(tx, "y", 1)) == 1


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    store.commit(lambda tx: take_numbers(tx, "x", 1))
    with store.read() as reader:
        asked = sa.select(counter.c.value)
        assert reader.connection.execute(asked).scalar() == 1
        store.commit(lambda tx: take_numbers(tx, "x", 1))
        assert reader.connection.execute(asked).scalar() == 1


def test_a_write_that_finds_the_database_busy_is_tried_again(sqlite_store: Store, sqlite_url: str) -> None:
    other = sqlite3.connect(sa.make_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            other.execute("COMMIT")

    sa.event.listen(sqlite_store.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=0"))

    assert sqlite_store.commit(lambda tx: take_numbers(tx, "x", 1), pause=pause) == 1
    assert len(pauses) == 2
    other.close()


def test_a_busy_database_is_not_tried_for_ever(sqlite_store: Store, sqlite_url: str) -> None:
    other = sqlite3.connect(sa.make_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sa.event.listen(sqlite_store.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=0"))

    with pytest.raises(OperationalError):
        sqlite_store.commit(lambda tx: take_numbers(tx, "x", 1), pause=lambda _seconds: None)
    other.close()


def test_a_serialization_failure_is_tried_again(postgres_url: str, keyring: Keyring, tmp_path: Path) -> None:
    store = open_store(postgres_url, DISTRICT, keyring, state_dir=tmp_path)
    tries: list[int] = []

    def work(tx: Tx) -> int:
        tries.append(1)
        if len(tries) < 3:
            tx.connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
        return take_numbers(tx, "x", 1)

    assert store.commit(work, pause=lambda _seconds: None) == 1
    assert len(tries) == 3
    store.close()


def test_a_fault_of_ours_is_not_tried_again(store: Store) -> None:
    tries: list[int] = []

    def work(tx: Tx) -> None:
        tries.append(1)
        tx.add(counter, [{"name": "x", "value": 1}] * 2)

    with pytest.raises(IntegrityError):
        store.commit(work, pause=lambda _seconds: None)
    assert len(tries) == 1


def test_two_districts_in_one_database_do_not_see_each_other(
    store: Store, store_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    other = open_store(store_url, "610998", keyring, state_dir=tmp_path)

    assert store.commit(lambda tx: take_numbers(tx, "x", 5)) == 1
    assert other.commit(lambda tx: take_numbers(tx, "x", 1)) == 1
    other.close()


def test_a_fault_of_the_checkpoint_is_none_of_the_transaction(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was committed: raised from there, it would be written twice."""
    runs = []

    def no_more_connections() -> object:
        raise sa.exc.TimeoutError("the pool is empty")

    def work(tx: Tx) -> None:
        runs.append(tx)
        monkeypatch.setattr(sqlite_store.engine, "connect", no_more_connections)

    monkeypatch.setattr(sqlite_store, "_checkpointed", float("-inf"))
    sqlite_store.commit(work)
    assert len(runs) == 1
