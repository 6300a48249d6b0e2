"""What is personal never lies open on the disk, and keys may change."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from daemon.store import columns, enrolment, roster
from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring, KeyringError
from daemon.store.rotation import rotate
from daemon.store.tables import student
from rules.records import ContactRecord, StudentRecord
from tests.conftest import DISTRICT

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.tx import Tx

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
NAME, PHONE, EMAIL, NUMBER = "欧阳锋", "+8613800138000", "feng@example.org", "610999201501011234"


def enrol(tx: Tx) -> None:
    child = StudentRecord("s-1", NAME, "c-1", None, dt.date(2015, 1, 1), None, None, None, (), None, None, NUMBER, 1)
    contact = ContactRecord("k-1", "mentor", "c-1", None, NAME, PHONE, EMAIL, None, "zh", 1)
    enrolment.upsert_students(tx, [child], NOON, source="roster", on=NOON.date())
    enrolment.upsert_contacts(tx, [contact], NOON, source="contacts")


def test_nothing_personal_can_be_read_from_the_files(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.commit(enrol)
    sqlite_store.backup(tmp_path / "backup.db")

    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

    assert b"s-1" in files
    for secret in (NAME, PHONE, EMAIL, NUMBER, "2015-01-01"):
        assert secret.encode() not in files


def test_what_was_sealed_opens_again(store: Store) -> None:
    store.commit(enrol)

    with store.read() as tx:
        contact = roster.contacts_of(tx, ["k-1"])["k-1"]
        assert roster.names_of(tx, ["s-1", "s-2"]) == {"s-1": NAME}

    assert (contact.name, contact.phone, contact.email) == (NAME, PHONE, EMAIL)


def test_all_is_under_the_new_key_after_a_rotation_and_the_old_one_may_go(store_url: str, tmp_path: Path) -> None:
    old, new = Keyring.generate("old"), Keyring.generate("new")
    first = open_store(store_url, DISTRICT, Keyring.parse(old), state_dir=tmp_path)
    first.commit(enrol)
    first.close()
    both = open_store(store_url, DISTRICT, Keyring.parse(new + old), state_dir=tmp_path)

    assert rotate(both) == 2
    assert rotate(both) == 0

    both.close()
    after = open_store(store_url, DISTRICT, Keyring.parse(new), state_dir=tmp_path)
    with after.read() as tx:
        assert roster.names_of(tx, ["s-1"]) == {"s-1": NAME}
    after.close()


def test_a_rotation_goes_over_more_rows_than_one_page(store_url: str, tmp_path: Path) -> None:
    old, new = Keyring.generate("old"), Keyring.generate("new")
    both = open_store(store_url, DISTRICT, Keyring.parse(old), state_dir=tmp_path)
    contacts = [ContactRecord(f"k-{n}", "mentor", "c", None, NAME, None, None, None, None, n) for n in range(2500)]
    both.commit(lambda tx: enrolment.upsert_contacts(tx, contacts, NOON, source="contacts"))
    columns.give_keyring(both.engine, Keyring.parse(new + old))
    both.close()
    both = open_store(store_url, DISTRICT, Keyring.parse(new + old), state_dir=tmp_path)

    assert rotate(both) == 2500
    assert rotate(both) == 0
    both.close()


def test_a_value_moved_to_another_column_does_not_open(store: Store) -> None:
    store.commit(enrol)
    with store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE student SET id_number = name")

    with store.read() as tx, pytest.raises(KeyringError, match=r"student\.id_number"):
        tx.connection.execute(sa.select(student.c.id_number)).all()


def test_a_store_opened_with_a_foreign_key_says_which_place_does_not_open(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    store.commit(enrol)
    stranger = open_store(store_url, DISTRICT, Keyring.parse(Keyring.generate("other")), state_dir=tmp_path)

    with stranger.read() as tx, pytest.raises(KeyringError, match=re.escape("student.name")):
        roster.names_of(tx, ["s-1"])
    stranger.close()


def test_the_same_text_is_never_sealed_to_the_same_bytes(keyring: Keyring) -> None:
    assert keyring.seal(NAME, "a.b") != keyring.seal(NAME, "a.b")


def test_a_ring_does_not_show_its_keys() -> None:
    line = Keyring.generate("k1")

    assert line.split(":")[1].strip() not in repr(Keyring.parse(line))
    assert repr(Keyring.parse(line)) == "Keyring(k1)"


def test_the_first_line_of_a_ring_seals_and_comments_are_passed_over() -> None:
    ring = Keyring.parse(f"# ours\n\n{Keyring.generate('b')}{Keyring.generate('a')}")

    assert ring.current == "b"


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("", "no key", None),
        ("# only words\n", "no key", None),
        ("\nabc", "id:base64", 2),
        ("k1:not base64!", "not base64", 1),
        ("k1:c2hvcnQ=", "5 bytes", 1),
        ("k 1:c2hvcnQ=", "key id", 1),
        (":c2hvcnQ=", "key id", 1),
        (f"a:{'A' * 43}=\na:{'B' * 42}A=\n", "twice", 2),
    ],
)
def test_a_malformed_ring_is_refused_with_its_line_and_without_its_key(text: str, fault: str, line: int | None) -> None:
    with pytest.raises(KeyringError, match=fault) as caught:
        Keyring.parse(text)

    assert caught.value.line == line
    assert "c2hvcnQ" not in str(caught.value)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02k1", b"\x01\x04test", b"\x01\x04test" + bytes(40)])
def test_bytes_that_were_never_sealed_do_not_open(keyring: Keyring, sealed: bytes) -> None:
    with pytest.raises(KeyringError):
        keyring.open(sealed, "a.b")


def test_a_naive_datetime_is_no_instant(store: Store) -> None:
    with pytest.raises(ValueError, match="naive"):
        columns.to_micros(dt.datetime(2026, 3, 18))  # noqa: DTZ001 – the point
    with store.read() as tx, pytest.raises(Exception, match="naive"):
        tx.connection.execute(sa.select(student.c.ordinal).where(student.c.known_at < dt.datetime(2026, 3, 18)))  # noqa: DTZ001


def test_an_instant_comes_back_in_utc_whatever_zone_it_went_in(store: Store) -> None:
    here = NOON.astimezone(dt.timezone(dt.timedelta(hours=8)))
    store.commit(enrol)
    with store.write() as tx:
        tx.connection.execute(student.update().values(known_at=here))
        found = tx.connection.execute(sa.select(student.c.known_at)).scalar_one()

    assert found == NOON
    assert found.tzinfo is dt.UTC


def test_a_datetime_is_no_day() -> None:
    with pytest.raises(TypeError):
        columns._iso_day(NOON)
