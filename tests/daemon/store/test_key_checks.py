"""Another key under the same name, or a key that is missing, is told from the right one."""

from __future__ import annotations

import datetime as dt

import pytest

from daemon.store import enrolment
from daemon.store.columns import give_keyring
from daemon.store.engine import Store
from daemon.store.key_checks import check_keys, key_faults, record_keys
from daemon.store.keys import Keyring, KeyringError
from daemon.store.rotation import rotate
from rules.records import ContactRecord

NOW = dt.datetime(2026, 3, 16, 8, tzinfo=dt.UTC)
K1, K2 = Keyring.generate("k1"), Keyring.generate("k2")
OTHER_K1 = Keyring.generate("k1")


def use(store: Store, *lines: str) -> None:
    """Go on with another key file."""
    give_keyring(store.engine, Keyring.parse("".join(lines)))


def write(store: Store, contact_id: str = "c-1") -> None:
    record = ContactRecord(contact_id, "operator", "u-1", None, "Otto One", "+8613800000001", None, None, None, 1)
    store.commit(lambda tx: enrolment.upsert_contacts(tx, [record], NOW, source=f"feed:{contact_id}"))


def faults(store: Store) -> list[str]:
    with store.read() as tx:
        return key_faults(tx)


@pytest.mark.parametrize("recorded", [True, False])
def test_another_key_of_the_same_name_is_refused(store: Store, *, recorded: bool) -> None:
    use(store, K1)
    write(store)
    if recorded:
        store.commit(record_keys)
    assert faults(store) == []
    use(store, OTHER_K1)
    assert faults(store) == ["key 'k1' is another key than the one of that name the store was written with"]
    with pytest.raises(KeyringError, match="another key"), store.read() as tx:
        check_keys(tx)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_key_that_values_need_and_the_file_lacks_is_named(store: Store, *, recorded: bool) -> None:
    use(store, K1)
    write(store)
    if recorded:
        store.commit(record_keys)
    use(store, K2)
    assert faults(store) == ["the store holds values sealed with key 'k1', which is not in the key file"]
    use(store, K2, K1)
    assert faults(store) == []


def test_a_store_with_nothing_in_it_takes_any_key(store: Store) -> None:
    use(store, K1)
    assert faults(store) == []
    store.commit(record_keys)
    assert faults(store) == []


def test_a_new_current_key_is_known_from_its_first_use(store: Store) -> None:
    use(store, K1)
    store.commit(record_keys)
    use(store, K2, K1)
    store.commit(record_keys)
    write(store)
    use(store, Keyring.generate("k2"), K1)
    assert faults(store) == ["key 'k2' is another key than the one of that name the store was written with"]


def test_after_a_rotation_older_keys_may_leave_the_file(store: Store) -> None:
    use(store, K1)
    write(store)
    store.commit(record_keys)
    use(store, K2, K1)
    assert rotate(store) == 1
    use(store, K2)
    assert faults(store) == []
    use(store, OTHER_K1)
    assert faults(store) == ["the store holds values sealed with key 'k2', which is not in the key file"]


def test_a_rotation_that_meets_a_wrong_key_leaves_what_is_known_of_it(store: Store) -> None:
    use(store, K1)
    write(store)
    store.commit(record_keys)
    use(store, K2, OTHER_K1)
    with pytest.raises(KeyringError):
        rotate(store)
    assert len(faults(store)) == 1
