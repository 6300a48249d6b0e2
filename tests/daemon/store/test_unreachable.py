"""Addresses: which are the same, and which failed and have not worked since."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.store import enrolment, outbox, unreachable
from daemon.store.addresses import address_keys
from daemon.store.alerts import AlertDraft
from daemon.store.keys import Keyring
from daemon.store.unreachable import Unreachable
from rules.records import ContactRecord

if TYPE_CHECKING:
    from daemon.store.engine import Store

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)
FLAG = Unreachable("town", "sms", "key 1", NOW, "gateway: answered 422", "m-1", failed_at=NOW)


def contact(name: str, phone: str, email: str | None = None, endpoint: str | None = None) -> ContactRecord:
    return ContactRecord(name, "mentor", "t-1", None, "老师", phone, email, endpoint, None, 1)


def bring(store: Store, *contacts: ContactRecord) -> None:
    store.commit(lambda tx: enrolment.upsert_contacts(tx, contacts, NOW, source="contacts"))


def sent_to(store: Store, contact_id: str, channel: str) -> str:
    """A message to a contact on a channel; its id."""
    draft = AlertDraft(
        key=f"{contact_id}/{channel}",
        contact_id=contact_id,
        role="mentor",
        channel=channel,
        kind="test",
        raised_at=NOW,
        facts={},
    )
    store.commit(lambda tx: outbox.draft(tx, [draft], NOW))
    with store.read() as tx:
        return next(one.message.message_id for one in outbox.deliveries(tx) if one.message.contact_id == contact_id)


def test_contacts_with_one_address_have_one_key_for_it_however_it_is_written(store: Store) -> None:
    bring(
        store,
        contact("a", "+8613800000001", "Office@Example.org", "edu"),
        contact("b", "+8613800000001", "office@example.org"),
        contact("c", "+8613800000002"),
    )
    with store.read() as tx:
        keys = address_keys(tx, ["a", "b", "c", "nobody"])
    assert keys["a"].phone == keys["b"].phone != keys["c"].phone
    assert keys["a"].email == keys["b"].email
    assert (keys["a"].endpoint, keys["c"].email) == ("edu", None)
    assert set(keys) == {"a", "b", "c"}
    assert "13800000001" not in f"{keys}"


def test_a_contact_that_is_gone_has_no_address(store: Store) -> None:
    bring(store, contact("a", "+8613800000001"))
    bring(store, contact("b", "+8613800000002"))
    with store.read() as tx:
        assert address_keys(tx, ["a", "b"]).keys() == {"b"}


def test_a_key_stays_the_same_while_the_oldest_key_is_on_the_ring() -> None:
    old, new = Keyring.generate("k1"), Keyring.generate("k2")
    assert Keyring.parse(old).digest("x") == Keyring.parse(new + old).digest("x")
    assert Keyring.parse(new).digest("x") != Keyring.parse(old).digest("x")


def test_an_address_is_noted_once(store: Store) -> None:
    later = replace(FLAG, since=NOW + dt.timedelta(hours=1), message_id="m-2")
    assert store.commit(lambda tx: unreachable.flag(tx, [FLAG, FLAG])) == [FLAG]
    assert store.commit(lambda tx: unreachable.flag(tx, [later])) == []
    with store.read() as tx:
        assert unreachable.flags(tx, ["town"]) == unreachable.flags(tx) == [FLAG]


def test_another_address_in_its_place_is_noted_anew(store: Store) -> None:
    other = replace(FLAG, address_key="key 2", since=NOW + dt.timedelta(hours=1))
    store.commit(lambda tx: unreachable.flag(tx, [FLAG]))
    assert store.commit(lambda tx: unreachable.flag(tx, [other])) == [other]


def test_a_message_that_got_through_clears_the_address_it_went_to_and_no_other(store: Store) -> None:
    message_id = sent_to(store, "town", "sms")
    mail = replace(FLAG, channel="email")
    store.commit(lambda tx: unreachable.flag(tx, [FLAG, mail]))
    assert store.commit(lambda tx: unreachable.clear(tx, [message_id])) == 1
    with store.read() as tx:
        assert unreachable.flags(tx) == [mail]


def test_what_came_back_is_not_cleared_by_being_taken_again(store: Store) -> None:
    message_id = sent_to(store, "town", "sms")
    store.commit(lambda tx: unreachable.flag(tx, [replace(FLAG, reason="did not arrive: 5.1.1")]))
    assert store.commit(lambda tx: unreachable.clear(tx, [message_id], but="did not arrive")) == 0
    assert store.commit(lambda tx: unreachable.clear(tx, [message_id])) == 1
