"""Secrets, which never stand in the configuration itself: read from the environment or from files beside it."""

from __future__ import annotations

import base64
import binascii
import re
import ssl
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import SecretBytes, SecretStr

KEY_BYTES = 32
_KEY_HINT = f'write "k1:" and {KEY_BYTES} random bytes in base64, one key a line, the current one first'
_LONGEST = 64 * 1024
_LONGEST_BUNDLE = 16 * 1024 * 1024
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_PEM_HINT = 'it must hold lines from "-----BEGIN CERTIFICATE-----" to "-----END CERTIFICATE-----"'
_DER = b"\x30\x82"
_KEY_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9_-]{1,32}")

Found = TypeVar("Found")


class FieldKey(NamedTuple):
    """One key for the fields encrypted at rest, with the id its ciphertexts carry."""

    id: str
    key: SecretBytes


class UnreadError(ValueError):
    """What a key names could not be read; says why and what to do."""

    def __init__(self, fault: str, hint: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint


class SecretError(UnreadError):
    """A secret could not be had; never says the secret, nor the name it was looked for under."""


class CertificatesError(UnreadError):
    """A file of authorities could not be read, or holds none."""


def read_secret(base: Path, environ: Mapping[str, str], env: str | None, file: str | None) -> str:
    """The secret in the variable `env` or the file `file`, without the line end editors leave behind.

    A relative file lies in `base`, or else among systemd's credentials. Raises SecretError.
    """
    if env is not None:
        return _filled(environ.get(env), "is an environment variable that is not set", "set it where the daemon starts")
    if file is not None:
        return _filled(_read(base, secret_path(base, environ, file)), "", "")
    raise SecretError("is not given", "name an environment variable or a file")


def secret_path(base: Path, environ: Mapping[str, str], file: str) -> Path:
    """Where the secret file `file` lies: in `base`, or else among systemd's credentials."""
    beside = base / file
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if credentials and not is_file(beside) and is_file(Path(credentials) / file):
        return Path(credentials) / file
    return beside


def is_file(path: Path) -> bool:
    """Whether a file lies at `path`, as far as can be seen; never raises."""
    try:
        return path.is_file()
    except OSError:
        return False


def _filled(secret: str | None, fault: str, hint: str) -> str:
    if secret is None:
        raise SecretError(fault, hint)
    if not secret.strip():
        raise SecretError("holds nothing", "write the secret into it")
    return secret.rstrip("\r\n")


def _read(base: Path, path: Path) -> str:
    try:
        if not path.is_file():
            raise SecretError("names a file that does not exist", f"a relative path begins in {base}")
        if path.stat().st_size > _LONGEST:
            raise SecretError("names a file too long for a secret", "name the file that holds nothing else")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SecretError(
            f"names a file that cannot be read: {error.strerror}", "let the daemon's user read it"
        ) from None
    except ValueError as error:
        if isinstance(error, SecretError):
            raise
        raise SecretError("names a file that is not UTF-8 text", "write the secret as text") from None


def read_keys(base: Path, environ: Mapping[str, str], env: str | None, file: str | None) -> tuple[FieldKey, ...]:
    """The keys in `env` or `file`, one `id:base64` a line, the first of them current.

    Refuses a key file that everybody on the machine may read. Raises SecretError.
    """
    lines = read_secret(base, environ, env, file).splitlines()
    if file is not None and env is None:
        _private(secret_path(base, environ, file))
    kept = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    keys = tuple(_key(number, line) for number, line in kept if line and not line.startswith("#"))
    ids = [key.id for key in keys]
    if not keys:
        raise SecretError("holds no key", _KEY_HINT)
    if len(set(ids)) < len(ids):
        raise SecretError("holds two keys of one id", "give each key an id of its own")
    return keys


def _private(path: Path) -> None:
    if path.stat().st_mode & stat.S_IROTH:
        raise SecretError("names a key file that everybody may read", "chmod 600 it, or 640 with the daemon's group")


def read_certificates(base: Path, file: str) -> str:
    """Return the certificates in the PEM file `file`, relative to `base`, as text; raises CertificatesError."""
    path = base / file
    try:
        content = path.read_bytes() if path.stat().st_size <= _LONGEST_BUNDLE else b""
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        hint = f"a relative path begins in {base}; let the daemon's user read it"
        raise CertificatesError(f"names a file that cannot be read: {reason}", hint) from None
    found = _CERTIFICATE.findall(content)
    if not found:
        binary = content[:2] == _DER
        hint = "convert it: openssl x509 -inform der -in FILE -out FILE.pem" if binary else _PEM_HINT
        fault = "names a certificate that is not PEM" if binary else "names a file without a certificate"
        raise CertificatesError(fault, hint)
    certificates = b"\n".join(found).decode("ascii", "replace")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError):
        raise CertificatesError("names a file with a certificate that is damaged", _PEM_HINT) from None
    return certificates


def _key(number: int, line: str) -> FieldKey:
    name, colon, text = line.partition(":")
    if not colon or not _KEY_ID.fullmatch(name.strip()):
        raise SecretError(f"holds no key in its line {number}", _KEY_HINT)
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"holds a key that is not base64 in its line {number}", _KEY_HINT) from None
    if len(key) != KEY_BYTES:
        raise SecretError(f"holds a key of {len(key)} bytes in its line {number}, not {KEY_BYTES}", _KEY_HINT)
    return FieldKey(name.strip(), SecretBytes(key))


Source = tuple[str | None, str | None]
"""The variable and the file a secret is named by, one of them None."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Where one configuration's secrets are looked up, each once, found or not; does not know what they are for."""

    base: Path
    environ: Mapping[str, str] = field(repr=False)
    _seen: dict[Source, SecretStr | UnreadError] = field(default_factory=dict, repr=False)
    _keys: dict[Source, tuple[FieldKey, ...] | UnreadError] = field(default_factory=dict, repr=False)
    _authorities: dict[Source, str | UnreadError] = field(default_factory=dict, repr=False)

    def take(self, env: str | None, file: str | None) -> SecretStr:
        """The secret in `env` or `file`; raises SecretError."""
        read = partial(read_secret, self.base, self.environ, env, file)
        return _once(self._seen, (env, file), lambda: SecretStr(read()))

    def keys(self, env: str | None, file: str | None) -> tuple[FieldKey, ...]:
        """The keys in `env` or `file`; raises SecretError."""
        return _once(self._keys, (env, file), partial(read_keys, self.base, self.environ, env, file))

    def certificates(self, file: str) -> str:
        """Return the certificates in a PEM file; raises CertificatesError."""
        return _once(self._authorities, (None, file), partial(read_certificates, self.base, file))


def _once(seen: dict[Source, Found | UnreadError], source: Source, read: Callable[[], Found]) -> Found:
    """What `read` gives or raises, remembered."""
    if source not in seen:
        try:
            seen[source] = read()
        except UnreadError as error:
            seen[source] = error
    found = seen[source]
    if isinstance(found, UnreadError):
        raise found
    return found
