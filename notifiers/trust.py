"""Whose certificates are believed: the system's authorities, and the office's own beside them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import ssl
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from notifiers.causes import causes

_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep the system's authorities, for a Python that was built to look elsewhere."""
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""The name of a certificate in a folder of authorities, as `openssl rehash` gives it."""

UNTRUSTED = "its certificate is signed by no authority known here – name the authority's PEM file as network.ca_file"
EXPIRED = "its certificate has expired"
NOT_YET_VALID = "its certificate is not valid yet – is the clock of this machine right?"
OF_ANOTHER_HOST = "its certificate is for another host – is the name in the configuration the one in the certificate?"
REVOKED = "its certificate was revoked"
OTHERWISE_REFUSED = "its certificate is not accepted"

_WORDS = {
    **dict.fromkeys((2, 18, 19, 20, 21), UNTRUSTED),
    9: NOT_YET_VALID,
    10: EXPIRED,
    23: REVOKED,
    62: OF_ANOTHER_HOST,
    64: OF_ANOTHER_HOST,
}
"""By OpenSSL's code of verification (X509_V_ERR_…)."""


def certificate_fault(code: int) -> str:
    """Say what is wrong with a server's certificate, from OpenSSL's code of verification."""
    return _WORDS.get(code, OTHERWISE_REFUSED)


def certificate_fault_in(error: BaseException) -> str | None:
    """Say what is wrong with a server's certificate; None where an error is about something else."""
    found = (one for one in causes(error) if isinstance(one, ssl.SSLCertVerificationError))
    return next((certificate_fault(one.verify_code) for one in found), None)


@dataclass(frozen=True, slots=True)
class SystemStore:
    """Where the system keeps its authorities: one file, folders of one file each, or both."""

    file: str | None
    folders: tuple[str, ...]

    @property
    def stamp(self) -> str:
        """A digest that differs as soon as an authority was added or removed."""
        found = hashlib.sha256()
        for path in (self.file, *self.folders):
            with contextlib.suppress(OSError):
                status = Path(path or "").stat()
                found.update(f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns}\n".encode())
        return found.hexdigest()[:12]


def system_store() -> SystemStore:
    """Find the system's authorities where OpenSSL looks (SSL_CERT_FILE and SSL_CERT_DIR come first).

    Where it finds none they are looked for in the usual files, and the last resort is certifi's list.
    """
    paths = ssl.get_default_verify_paths()
    file: str | None = os.environ.get(paths.openssl_cafile_env) or paths.openssl_cafile
    file = file if file and os.access(file, os.R_OK) and Path(file).is_file() else None
    listed = (os.environ.get(paths.openssl_capath_env) or paths.openssl_capath).split(os.pathsep)
    folders = tuple(folder for folder in listed if next(_certificates_in(folder), None) is not None)
    if file is None and not folders:
        file = next((one for one in _USUAL if os.access(one, os.R_OK)), None) or _list_that_ships()
    return SystemStore(file, folders)


def unread_variables() -> list[str]:
    """Return the variables of the environment that name a file or folders of authorities without any."""
    paths, store = ssl.get_default_verify_paths(), system_store()
    file, folder = os.environ.get(paths.openssl_cafile_env), os.environ.get(paths.openssl_capath_env)
    unread = [paths.openssl_cafile_env] if file and not _has_certificates(file) else []
    return [*unread, *([paths.openssl_capath_env] if folder and not store.folders else [])]


def _has_certificates(file: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except (ssl.SSLError, OSError):
        return False
    return True


def _list_that_ships() -> str:
    import certifi  # noqa: PLC0415 - takes a moment to load, and few systems have no authorities

    return certifi.where()


def _certificates_in(folder: str) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (one for one in Path(folder).iterdir() if _HASHED.fullmatch(one.name))


@dataclass(frozen=True, slots=True)
class Trust:
    """The system's authorities, and beside them those in `own`, certificates as PEM.

    `stamp` is that of the system's store when this was made: two that differ in it trust different authorities.
    """

    own: str = field(default="", repr=False)
    stamp: str = ""

    def with_own(self, certificates: str) -> Trust:
        """Return the same with more authorities."""
        return Trust(f"{self.own}\n{certificates}", self.stamp) if certificates else self

    def context(self) -> ssl.SSLContext:
        """Return a context for clients that verifies certificate and host name.

        An authority may be an intermediate one or a server's own certificate, and certificates made without all the
        extensions of RFC 5280 are taken: offices' own authorities make such ones, and libcurl takes them.
        """
        store = system_store()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        with contextlib.suppress(ssl.SSLError, OSError):  # OpenSSL, too, passes over a store that is none
            context.load_verify_locations(cafile=store.file, capath=os.pathsep.join(store.folders) or None)
        if self.own:
            context.load_verify_locations(cadata=self.own)
        return context

    def http_context(self) -> ssl.SSLContext:
        """Return a context that all who speak HTTP share: reading the authorities takes a tenth of a second.

        It is made anew when the system's authorities have changed. HTTP libraries note in it which protocol is spoken,
        so that it is none for mail.
        """
        return _http_context(self, system_store().stamp)

    def joined(self) -> JoinedAuthorities:
        """Return all authorities as one file: libcurl keeps what it read of one, and reads folders at every connect."""
        store = system_store()
        files = [
            *([Path(store.file)] if store.file else []),
            *(f for one in store.folders for f in _certificates_in(one)),
        ]
        parts = [self.own.encode()]
        for file in files:
            with contextlib.suppress(OSError):
                parts.append(file.read_bytes())
        return JoinedAuthorities(b"\n".join(parts))


@lru_cache(maxsize=8)
def _http_context(trust: Trust, _stamp: str) -> ssl.SSLContext:
    return trust.context()


class JoinedAuthorities:
    """A file in memory, gone with the last who holds this."""

    def __init__(self, content: bytes) -> None:
        descriptor = os.memfd_create("authorities")
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        self.path = f"/proc/self/fd/{descriptor}"
        weakref.finalize(self, os.close, descriptor)
