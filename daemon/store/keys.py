"""Keys for what is personal at rest: a ring of AES-256 keys, the first of which seals."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_HINT = "put back the key the store was written with; one key a line, the current one first"

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_ID_LENGTH = 32
_DIGEST_BYTES = 12
_DERIVED = b"baoxue: digests of addresses"


class KeyringError(Exception):
    """The key file is malformed, or a sealed value was made with a key that is not on the ring.

    `line` is the line of the key file where one is to blame. Never carries a key or a sealed value.
    """

    def __init__(self, fault: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(fault if line is None else f"line {line}: {fault}")
        self.fault = fault
        self.line = line
        self.hint = hint


class Keyring:
    """Seals and opens short texts with AES-GCM; the first key is the current one, the others only open.

    Does not read files and does not rotate by itself. A sealed value begins with the id of its key.
    """

    __slots__ = ("_by_header", "_cipher", "_digesting", "_header", "headers", "ids")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise KeyringError("no key", hint="make one with Keyring.generate()")
        self.ids = tuple(keys)
        """Names of the keys, the current one first."""
        self.headers = {key_id: _header(key_id) for key_id in keys}
        """What values begin with, by the name of the key they are sealed with."""
        self._by_header = {self.headers[key_id]: AESGCM(key) for key_id, key in keys.items()}
        self._header, self._cipher = next(iter(self._by_header.items()))
        # Of the oldest key, so that a new one put before it changes no digest.
        self._digesting = hmac.digest(list(keys.values())[-1], _DERIVED, hashlib.sha256)

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """A ring from lines `id:base64`; empty lines and lines beginning with `#` are passed over."""
        keys: dict[str, bytes] = {}
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.strip()
            if line and not line.startswith("#"):
                key_id, key = _key_line(line, number)
                if key_id in keys:
                    raise KeyringError(f"key id {key_id!r} twice", line=number)
                keys[key_id] = key
        return cls(keys)

    @staticmethod
    def generate(key_id: str = "k1") -> str:
        """One new line for a key file; does not write it anywhere."""
        _checked_id(key_id, None)
        return f"{key_id}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}\n"

    @property
    def current(self) -> str:
        """Id of the key that seals."""
        return self.ids[0]

    def seal(self, text: str, place: str) -> bytes:
        """`text` sealed for `place` ("table.column"); twice the same text never gives the same bytes."""
        return _sealed(self._header, self._cipher, text, place)

    def seal_with(self, key_id: str, text: str, place: str) -> bytes:
        """Seal `text` for `place` with one key of the ring, current or not."""
        header = self.headers[key_id]
        return _sealed(header, self._by_header[header], text, place)

    @staticmethod
    def id_of(sealed: bytes) -> str | None:
        """Return the name of the key a value was sealed with; None for what is no sealed value."""
        if len(sealed) <= len(_FORMAT) or not sealed.startswith(_FORMAT):
            return None
        return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")

    def open(self, sealed: bytes, place: str) -> str:
        """The text sealed for `place`; raises KeyringError when the key is missing or the bytes were changed."""
        start = 2 + sealed[1] if len(sealed) > 1 else 0
        cipher = self._by_header.get(sealed[:start])
        if cipher is None:
            raise KeyringError(f"a value in {place} was sealed with a key that is not on the ring")
        end = start + _NONCE_BYTES
        try:
            return cipher.decrypt(sealed[start:end], sealed[end:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise KeyringError(f"a value in {place} does not open: another key of the same id, or changed") from None

    def digest(self, text: str) -> str:
        """A short name for `text`, the same each time, from which nobody without the keys finds the text.

        Changes when the oldest key leaves the ring.
        """
        return hmac.digest(self._digesting, text.encode(), hashlib.sha256)[:_DIGEST_BYTES].hex()

    def is_current(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the current key."""
        return sealed.startswith(self._header)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"


def _sealed(header: bytes, cipher: AESGCM, text: str, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, text.encode(), place.encode())


def _header(key_id: str) -> bytes:
    name = key_id.encode()
    return _FORMAT + bytes([len(name)]) + name


def _key_line(line: str, number: int) -> tuple[str, bytes]:
    key_id, colon, encoded = line.partition(":")
    if not colon:
        raise KeyringError("not of the form id:base64", line=number, hint="one key a line, the first is current")
    key_id = _checked_id(key_id.strip(), number)
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyringError("the key is not base64", line=number) from None
    if len(key) != _KEY_BYTES:
        raise KeyringError(f"the key has {len(key)} bytes", line=number, hint=f"{_KEY_BYTES} are needed")
    return key_id, key


def _checked_id(key_id: str, number: int | None) -> str:
    plain = key_id.replace("-", "").replace("_", "")
    if not (plain.isascii() and plain.isalnum() and len(key_id) <= _ID_LENGTH):
        raise KeyringError("a key id is 1 to 32 letters, digits, - or _", line=number)
    return key_id
