"""The ways to reach people: on which channels, best first, and the key of the address on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.config import Config
from daemon.settings import chat_names
from daemon.store import unreachable
from daemon.store.addresses import AddressKeys, address_keys, endpoint_key
from daemon.store.tx import Tx
from daemon.store.unreachable import Unreachable

NOT_ARRIVED = "did not arrive"
"""So begins the reason of an address that took a message, and later sent it back."""
REFUSED_AGAIN = dt.timedelta(days=1)
NOT_ARRIVED_AGAIN = dt.timedelta(days=7)

PREFERENCE = ("sms", "email", "chat", "webhook")
"""The order in which channels are tried where nothing says otherwise."""

Key = tuple[str, str]
"""A contact and a channel."""


@dataclass(frozen=True)
class Ways:
    """How some contacts can be reached; holds keys of addresses and none of the addresses, and sends nothing."""

    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By contact the channels on which it can be reached, with the key of its address there."""
    flagged: frozenset[Key] = frozenset()
    """The addresses that failed for good and have not worked since."""
    avoided: frozenset[Key] = frozenset()
    """Those of them that failed lately; the others are tried again, for faults are mended without a word."""

    def usable(self, contact_id: str, order: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the channels to try for a contact, in `order` (none: the usual), those to be avoided last."""
        there = self.keys.get(contact_id, {})
        known = [channel for channel in order or PREFERENCE if channel in there]
        return tuple(sorted(known, key=lambda channel: (contact_id, channel) in self.avoided))

    def reaches(self, contact_id: str, order: Sequence[str] = ()) -> bool:
        """Return whether a contact has an address on one of the channels that is not known to fail."""
        return any((contact_id, channel) not in self.avoided for channel in self.usable(contact_id, order))

    def addressee(self, contact_id: str, channel: str) -> str:
        """The key of a contact's address on a channel; the contact itself where it has none there."""
        return self.keys.get(contact_id, {}).get(channel, contact_id)


def ways_of(tx: Tx, config: Config, ready: Collection[str], contact_ids: Iterable[str], now: dt.datetime) -> Ways:
    """Return how these contacts can be reached on the channels that are `ready`."""
    wanted = sorted(set(contact_ids))
    if not wanted:
        return Ways()
    chats = chat_names(config)
    keys = {contact_id: _ready(tx, one, chats, ready) for contact_id, one in address_keys(tx, wanted).items()}
    noted = [
        one for one in unreachable.flags(tx, wanted) if keys.get(one.contact_id, {}).get(one.channel) == one.address_key
    ]
    flagged = frozenset((one.contact_id, one.channel) for one in noted)
    lately = frozenset((one.contact_id, one.channel) for one in noted if now < _again_at(one))
    return Ways(keys, flagged, lately)


def _again_at(one: Unreachable) -> dt.datetime:
    """Return from when on an address that failed is tried again: later where it took what did not arrive."""
    return one.failed_at + (NOT_ARRIVED_AGAIN if one.reason.startswith(NOT_ARRIVED) else REFUSED_AGAIN)


def _ready(tx: Tx, one: AddressKeys, chats: Collection[str], ready: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if one.phone is not None and one.takes_texts:
        found["sms"] = one.phone
    if one.email is not None:
        found["email"] = one.email
    if one.endpoint is not None:
        channel = "chat" if one.endpoint in chats else "webhook"
        found[channel] = endpoint_key(tx, channel, one.endpoint)
    return {channel: key for channel, key in found.items() if channel in ready}
