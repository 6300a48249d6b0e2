"""A store that fails: the operator hears of it without it, whoever watches from outside too, and when it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from daemon.console.ready import Vitals
from daemon.jobs import store_watch
from daemon.store.database_file import fault_of_file
from daemon.store.engine import Store
from daemon.store.engine_errors import SQLITE_FAULTS
from daemon.store.faults import StoreError, StoreGone, StoreUnreachable
from notifiers.contract import DeliveryError, Message, Receipt
from notifiers.glosses import fault_words, hint_words
from tests.daemon.record.record_office import RecordOffice

LOOK = store_watch.PERIOD


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> RecordOffice:
    opened = RecordOffice(tmp_path, sqlite_store)
    opened.works(opened.now)
    return opened


@pytest.fixture
def vitals(office: RecordOffice) -> Vitals:
    found = Vitals(office.house)
    found.polled.update(feed.id for feed in office.house.config.feed)
    found.swept_at = office.now
    looks(office, found)
    told(office)
    return found


def looks(office: RecordOffice, vitals: Vitals, times: int = 1) -> None:
    for _ in range(times):
        vitals.store.look(office.now)
        office.now += LOOK
        vitals.swept_at = office.now


def told(office: RecordOffice) -> list[str]:
    """What the operator was told since this was asked last."""
    heard, office.mail._heard = office.mail._heard, []
    return [one.text for one in heard if one.address == "otto4@example.org"]


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """No page more for the database, as where its disk is full."""

    def limit(connection: object, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # no fewer than there are

    store.engine.dispose()
    sa.event.listen(store.engine, "connect", limit)
    yield
    sa.event.remove(store.engine, "connect", limit)
    store.engine.dispose()


def grow(store: Store) -> None:
    """Write more than there is room for, as any job might."""
    with pytest.raises(sa.exc.OperationalError, match="full"):
        store.commit(lambda tx: tx.connection.exec_driver_sql("CREATE TABLE t AS SELECT zeroblob(9000000) AS b"))


def test_a_full_disk_is_told_by_a_channel_and_shown_and_over_when_there_is_room(
    office: RecordOffice, vitals: Vitals
) -> None:
    assert vitals.ready(office.now)[0]
    with full_disk(office.house.store):
        grow(office.house.store)
        looks(office, vitals)
        [text] = told(office)
        assert "数据库" in text
        assert "the disk of the database is full" in text
        ready, report = vitals.ready(office.now)
        assert not ready
        assert [reason for reason in report["reasons"] if "the disk of the database is full" in reason]
        looks(office, vitals)
        assert told(office) == []
    looks(office, vitals, 4)
    [text] = told(office)
    assert "数据库" in text
    assert vitals.ready(office.now)[0]


def test_it_is_told_anew_each_day_that_it_lasts(office: RecordOffice, vitals: Vitals) -> None:
    with full_disk(office.house.store):
        for days, count in ((0, 1), (0, 0), (1, 1)):
            office.now += dt.timedelta(days=days)
            grow(office.house.store)
            looks(office, vitals)
            assert len(told(office)) == count


def test_whoever_could_not_be_told_is_told_at_the_next_look(
    office: RecordOffice, vitals: Vitals, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = office.mail.send

    def refusing(_: Message) -> Receipt:
        raise DeliveryError("no answer")

    monkeypatch.setattr(office.mail, "send", refusing)
    with full_disk(office.house.store):
        grow(office.house.store)
        with capture_logs() as lines:
            looks(office, vitals)
        assert [line for line in lines if line["event"] == "no operator could be told"]
        monkeypatch.setattr(office.mail, "send", taking)
        looks(office, vitals)
        assert len(told(office)) == 1


def test_a_database_out_of_reach_is_told_after_a_minute(
    office: RecordOffice, vitals: Vitals, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        """A server that is not there."""

        sqlstate = None

        def __str__(self) -> str:
            return "connection refused"

    def refuse(_: object) -> None:
        raise sa.exc.OperationalError("", None, Away())  # type: ignore[arg-type]

    monkeypatch.setattr(office.house.store, "commit", refuse)
    looks(office, vitals)
    assert told(office) == []
    looks(office, vitals, 2)
    [text] = told(office)
    assert "the database cannot be reached: connection refused" in text


def test_operators_are_known_though_the_file_is_gone(office: RecordOffice, vitals: Vitals) -> None:
    store = office.house.store
    assert store.file is not None
    store.file.unlink()
    with pytest.raises(StoreGone) as gone:
        store.check_file()
    vitals.store.tell_gone(gone.value, office.now)
    [text] = told(office)
    assert "was removed while it was in use" in text
    assert not vitals.ready(office.now)[0]


@pytest.mark.parametrize(
    "fault",
    [
        StoreGone("the database file was removed while it was in use: /x/baoxue.db"),
        fault_of_file(Path("/x/baoxue.db"), OSError(28, "No space left on device")),
        fault_of_file(Path("/x/baoxue.db"), OSError(13, "Permission denied")),
        *(kind(f"{words} (disk I/O error)") for kind, words in SQLITE_FAULTS.values()),
        StoreUnreachable("the database cannot be reached: connection refused"),
    ],
    ids=str,
)
def test_each_fault_of_the_store_is_said_in_chinese_with_what_to_do(fault: StoreError) -> None:
    trouble = store_watch.trouble_of(fault)
    assert "原文：" not in fault_words(trouble.reason, original=False)
    assert "原文：" not in hint_words(trouble.hint or "")
