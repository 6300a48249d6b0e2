"""A backup is one file that holds everything, from either engine, and the way back is whole."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import TYPE_CHECKING

import pytest

from daemon.store import cases, enrolment, intake, journal, outbox, roster
from daemon.store.alerts import AlertDraft
from daemon.store.engine import Store, open_store
from daemon.store.faults import StoreBusy, StoreError, StoreNewer
from rules.records import StudentRecord
from tests.conftest import DISTRICT

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.keys import Keyring
    from daemon.store.tx import Tx

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)


def fill(tx: Tx) -> None:
    child = StudentRecord("s-1", "张三", "c-1", None, None, None, None, True, (), None, None, None, 1)  # noqa: FBT003
    enrolment.upsert_students(tx, [child], NOON, source="roster", on=NOON.date())
    cases.insert_cases(tx, [cases.CaseRow("case-1", "2026-000001", "s-1", "reported", True, 1)])  # noqa: FBT003
    journal.append(tx, [journal.EntryDraft("case-1", NOON, NOON, "raised", {"n": n}) for n in range(3)])
    alert = AlertDraft(
        key="x", contact_id="k", role="mentor", channel="sms", kind="report", raised_at=NOON, facts={}, case_id="case-1"
    )
    outbox.draft(tx, [alert], NOON)
    intake.save_feed_state(tx, intake.FeedState("marks"))


def assert_filled(store: Store) -> None:
    with store.read() as tx:
        assert roster.names_of(tx, ["s-1"]) == {"s-1": "张三"}
        assert roster.roster(tx).students["s-1"].boarding is True
        assert [row.number for row in cases.open_cases(tx)] == ["2026-000001"]
        assert len(journal.history(tx, "case-1")) == 3
        assert journal.verify(tx) == []
        assert [one.key for one in outbox.alerts_of(tx, case_id="case-1")] == ["x"]


def test_what_was_lost_comes_back_and_what_came_since_goes(store: Store, tmp_path: Path) -> None:
    store.commit(fill)
    store.backup(tmp_path / "backup.db")
    store.commit(lambda tx: intake.save_feed_state(tx, intake.FeedState("since")))
    with store.write() as tx:
        tx.connection.exec_driver_sql("DELETE FROM entry")

    store.restore(tmp_path / "backup.db")

    assert_filled(store)
    with store.read() as tx:
        assert [state.feed_id for state in intake.feed_states(tx)] == ["marks"]
    assert store.at_head()


def test_a_backup_of_either_engine_is_a_store_by_itself(store: Store, keyring: Keyring, tmp_path: Path) -> None:
    store.commit(fill)
    store.backup(tmp_path / "backup.db")

    copy = open_store(f"sqlite:///{tmp_path / 'backup.db'}", DISTRICT, keyring, state_dir=tmp_path)
    assert copy.at_head()
    assert_filled(copy)
    copy.close()


def test_a_backup_is_one_private_file_and_replaces_an_older_one(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "out" / "backup.db"
    target.parent.mkdir()
    target.write_text("old")

    store.backup(target)

    assert [path.name for path in target.parent.iterdir()] == ["backup.db"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_nothing_is_restored_under_a_running_daemon(
    sqlite_store: Store, sqlite_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    sqlite_store.backup(tmp_path / "backup.db")
    sqlite_store.claim_single_writer()
    other = open_store(sqlite_url, DISTRICT, keyring, state_dir=tmp_path)

    with pytest.raises(StoreBusy):
        other.restore(tmp_path / "backup.db")
    other.close()


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_backup_is_refused_and_nothing_is_lost(store: Store, tmp_path: Path, content: bytes | None) -> None:
    store.commit(fill)
    if content is not None:
        (tmp_path / "wrong.db").write_bytes(content)

    with pytest.raises(StoreError, match="is no backup"):
        store.restore(tmp_path / "wrong.db")

    assert_filled(store)


def test_a_backup_of_a_newer_version_is_refused(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "backup.db")
    backup = sqlite3.connect(tmp_path / "backup.db", isolation_level=None)
    backup.execute("UPDATE alembic_version SET version_num = '9998'")
    backup.close()

    with pytest.raises(StoreNewer):
        store.restore(tmp_path / "backup.db")
