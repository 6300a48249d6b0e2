"""An office's own authority: it signs certificates for servers on this machine, good and bad ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


class Authority:
    """A root made anew; `file` is its certificate as PEM, `certificates` the same as text."""

    def __init__(self, folder: Path, name: str = "County CA", *, ends: int = 400) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder(self._name, self._name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(self._now - 400 * DAY)
            .not_valid_after(self._now + ends * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificates = made.public_bytes(serialization.Encoding.PEM).decode()
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_text(self.certificates, encoding="utf-8")

    @property
    def hashed(self) -> str:
        """The name of its certificate in a folder of authorities, by which OpenSSL finds it there."""
        asked = ("openssl", "x509", "-hash", "-noout", "-in", str(self.file))
        found = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603 - nothing comes from outside
        return f"{found.stdout.strip()}.0"

    def server_context(self) -> ssl.SSLContext:
        """Return what a server on this machine needs, as a receiver takes it."""
        return self.server()

    def server(self, host: str = "localhost", *, begins: int = -1, ends: int = 1) -> ssl.SSLContext:
        """Return what a server needs to speak as `host`, by a certificate valid between two days from today.

        Like most made by hand it lacks what RFC 5280 demands beside the names.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        made = (
            x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(self._now + begins * DAY)
            .not_valid_after(self._now + ends * DAY)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"server-{made.serial_number}.pem"
        file.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context
