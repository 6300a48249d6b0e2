"""Who can be told, from the command line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from daemon.store import unreachable
from daemon.store.addresses import address_keys
from daemon.store.unreachable import Unreachable

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Reported

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)


def flag(reported: Reported, contact_id: str, channel: str) -> None:
    """Note that the address of a contact fails."""
    store = reported.terminal.store()
    with store.read() as tx:
        keys = address_keys(tx, [contact_id])[contact_id]
    key = {"sms": keys.phone, "email": keys.email}[channel]
    assert key is not None
    store.commit(
        lambda tx: unreachable.flag(tx, [Unreachable(contact_id, channel, key, NOW, "answered 422", failed_at=NOW)])
    )
    store.close()


def test_contacts_are_listed_with_their_channels_and_their_addresses_masked(reported: Reported) -> None:
    town = next(one for one in reported.terminal.records("contacts") if one["role"] == "town_government")
    assert (town["unit"], town["channels"]) == ("t-1", ["sms"])
    said = reported.terminal.told("contacts")
    assert "**" in said
    assert "+86" not in said


def test_addresses_that_fail_are_listed_by_themselves(reported: Reported) -> None:
    assert reported.terminal.records("contacts", "--unreachable") == []
    town = next(one for one in reported.terminal.records("contacts") if one["role"] == "town_government")
    flag(reported, town["contact"], "sms")
    [one] = reported.terminal.records("contacts", "--unreachable")
    assert one["contact"] == town["contact"]
    assert (one["fails"][0]["channel"], one["fails"][0]["why"]) == ("sms", "answered 422")


def test_a_landline_is_listed_as_unreachable_by_text_message_and_kept_to_call(reported: Reported) -> None:
    contacts = reported.terminal.folder / "contacts.csv"
    contacts.write_text(contacts.read_text(encoding="utf-8").replace("13800000001", "0911-1234567"), encoding="utf-8")
    reported.terminal.told("import")

    [one] = reported.terminal.records("contacts", "--unreachable")
    assert (one["role"], one["channels"]) == ("town_government", [])
    assert one["phone"].endswith("4567")
    [fault] = one["fails"]
    assert fault == {"channel": "sms", "why": "a landline: no text message reaches it"}
    said = reported.terminal.refused("say", "--to", one["contact"], "--channel", "sms")
    assert "is a landline, which takes no text messages" in said
