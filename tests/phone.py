"""What every receiver has in common: the messages it took, and whether somebody expected them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Arrival:
    """One message as it was taken: to whom, in which words, under which idempotency id, and when."""

    address: str
    text: str
    message_id: str
    at: dt.datetime
    subject: str = ""
    html: str = ""
    body: Any = None

    def says(self, words: tuple[str, ...]) -> bool:
        """Whether every word is in it."""
        return all(word in self.subject + self.text + self.html for word in words)


class Phone:
    """Keeps what was taken until somebody expects it; knows nothing of how it came."""

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.arrivals: list[Arrival] = []
        self.repeats: list[str] = []
        self._waiting: list[Arrival] = []
        self._news = threading.Condition()

    def takes(self, arrival: Arrival) -> None:
        """Keep a message, or note its id again if it was taken before."""
        with self._news:
            if any(known.message_id == arrival.message_id for known in self.arrivals):
                self.repeats.append(arrival.message_id)
            else:
                self.arrivals.append(arrival)
                self._waiting.append(arrival)
            self._news.notify_all()

    def expects(self, address: str, *words: str, within: float = 90) -> Arrival:
        """The first unexpected message to `address` with all the words, waiting at most `within` seconds for it."""
        with self._news:
            if not self._news.wait_for(lambda: self._find(address, words) is not None, timeout=within):
                raise AssertionError(f"nothing with {words!r} for {address}; waiting are {self._outline()}")
            found = self._find(address, words)
            assert found is not None
            self._waiting.remove(found)
            return found

    def expects_only(self, address: str, *words: str, within: float = 90) -> Arrival:
        """As `expects`, and nothing else may be waiting after it."""
        found = self.expects(address, *words, within=within)
        self.expects_nothing()
        return found

    def expects_nothing(self) -> None:
        """Fail if a message was taken that nobody expected."""
        with self._news:
            assert not self._waiting, f"unexpected: {self._outline()}"

    def forgets(self) -> None:
        """What was taken until now need not be expected any more."""
        with self._news:
            self._waiting.clear()

    def _find(self, address: str, words: tuple[str, ...]) -> Arrival | None:
        return next((each for each in self._waiting if each.address == address and each.says(words)), None)

    def _outline(self) -> list[tuple[str, str, str]]:
        return [(each.address, each.subject, each.text[:200]) for each in self._waiting]

    def left(self, error: type[BaseException] | None) -> None:
        if error is None and self.strict:
            self.expects_nothing()


class Certificate:
    """A self-signed certificate for the loopback, made anew; `file` is what a client must trust."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        loopback = x509.IPAddress(ipaddress.ip_address(HOST))
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), loopback]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def server_context(self) -> ssl.SSLContext:
        """What a server needs to speak under this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self._key)
        return context
