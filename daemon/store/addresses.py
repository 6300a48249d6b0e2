"""Keys of addresses: which contacts share one, and whether it is still the same; no address leaves this module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.columns import keyring_of
from daemon.store.keys import Keyring, KeyringError
from daemon.store.tables import contact
from daemon.store.tx import rows_where_in
from notifiers.numbers import takes_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class AddressKeys:
    """The keys of a contact's number and mail address, and the endpoint it names; None where it has none."""

    phone: str | None
    email: str | None
    endpoint: str | None
    takes_texts: bool = True
    """Whether a text message may reach the number; a landline is there to be called."""


def address_keys(tx: Tx, contact_ids: Iterable[str]) -> dict[str, AddressKeys]:
    """The keys of the addresses of these contacts, by contact; those that are gone are left out.

    An address that does not open has a key of its own: it is nobody else's.
    """
    keyring = keyring_of(tx.connection.dialect)
    sealed = (sa.type_coerce(column, sa.LargeBinary) for column in (contact.c.phone, contact.c.email))
    asked = sa.select(contact.c.contact_id, *sealed, contact.c.endpoint)
    asked = asked.where(tx.ours(contact), contact.c.gone_at.is_(None))
    rows = rows_where_in(tx, asked, contact.c.contact_id, contact_ids)
    return {
        contact_id: AddressKeys(
            _key(keyring, contact_id, "phone", phone),
            _key(keyring, contact_id, "email", email),
            endpoint,
            phone is None or _is_texted(keyring, phone),
        )
        for contact_id, phone, email, endpoint in rows
    }


def without_texts(tx: Tx) -> frozenset[str]:
    """The contacts whose number no text message reaches."""
    keyring = keyring_of(tx.connection.dialect)
    sealed = sa.type_coerce(contact.c.phone, sa.LargeBinary)
    asked = sa.select(contact.c.contact_id, sealed).where(
        tx.ours(contact), contact.c.gone_at.is_(None), contact.c.phone.is_not(None)
    )
    return frozenset(row[0] for row in tx.connection.execute(asked) if not _is_texted(keyring, row[1]))


def endpoint_key(tx: Tx, channel: str, endpoint: str) -> str:
    """The key of a named endpoint of a channel."""
    return keyring_of(tx.connection.dialect).digest(f"{channel}:{endpoint}")


def _is_texted(keyring: Keyring, sealed: bytes) -> bool:
    """Return whether a text message may reach a number; of one that does not open it is found out by trying."""
    try:
        return takes_texts(keyring.open(bytes(sealed), "contact.phone"))
    except KeyringError:
        return True


def _key(keyring: Keyring, contact_id: str, column: str, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    try:
        address = keyring.open(bytes(sealed), f"contact.{column}")
    except KeyringError:
        return keyring.digest(f"{column} of {contact_id}")
    return keyring.digest(f"{column}:{address.casefold()}")
