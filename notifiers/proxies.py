"""Proxies, and the hosts that are reached without one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

_DOMAIN = re.compile(r"(?:\*?\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")
_NUMBERS = re.compile(r"[0-9.*]+")
_PORTS = range(1, 65536)


class ProxyError(ValueError):
    """Text that names no proxy, or no host that is reached without one; says why, and never repeats the text."""

    def __init__(self, fault: str, hint: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and the account it is used by."""

    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Host and port, which may be shown."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def plain_url(self) -> str:
        """Its address without the account."""
        return f"http://{self.place}"

    @property
    def url(self) -> str:
        """Its address with the account in it; must not be shown."""
        if self.username is None:
            return self.plain_url
        return f"http://{quote(self.username, safe='')}:{quote(self.password or '', safe='')}@{self.place}"


def parse_proxy(url: str) -> Proxy:
    """Return the proxy at `http://[user:password@]host[:port]`, port 80 by default; raises ProxyError."""
    hint = 'write it as "http://proxy.example.org:3128"'
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ProxyError("is not the address of a proxy", hint) from None
    if parts.scheme == "https":
        raise ProxyError(
            "is a proxy that is itself spoken to in TLS", f"{hint}: requests to https:// go through it, too"
        )
    if parts.scheme.startswith("socks"):
        raise ProxyError("is a SOCKS proxy, which is not supported", hint)
    host = (parts.hostname or "").lower()
    if parts.scheme != "http" or not _is_host(host) or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ProxyError("is not the address of a proxy", hint)
    username = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return Proxy(host, port or 80, username, password)


def _is_host(host: str) -> bool:
    return _address(host) is not None or _DOMAIN.fullmatch(host) is not None


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Exempt:
    """Hosts reached without a proxy: one domain with all below it, one network of addresses, or every host.

    With a `port`, only at that port.
    """

    domain: str | None = None
    network: _Network | None = None
    port: int | None = None

    def holds(self, host: str, port: int) -> bool:
        """Return whether it speaks of a host, a name or an address, at a port."""
        if self.port not in {None, port}:
            return False
        address = _address(host)
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        if self.domain is None:
            return True
        return address is None and (host == self.domain or host.endswith(f".{self.domain}"))


def parse_exempt(text: str) -> Exempt:
    """Return what one entry of no_proxy means: a host or domain, an address, a network, "*", each with a port or not.

    Raises ProxyError.
    """
    said = text.strip().lower()
    if said == "*":
        return Exempt()
    if (network := _network(said.removeprefix("[").removesuffix("]"))) is not None:
        return Exempt(network=network)
    host, colon, digits = said.rpartition(":")
    port = int(digits) if colon and digits.isascii() and digits.isdecimal() and len(digits) <= 5 else None  # noqa: PLR2004 - the digits of a port
    if colon and port not in _PORTS:
        raise _no_exempt()
    name = (host if colon else said).removesuffix(".")
    if (network := _network(name.removeprefix("[").removesuffix("]"))) is not None:
        return Exempt(network=network, port=port)
    if _NUMBERS.fullmatch(name) or not _DOMAIN.fullmatch(name):
        raise _no_exempt()
    return Exempt(name.removeprefix("*").removeprefix("."), port=port)


def _no_exempt() -> ProxyError:
    hint = 'write a host ("sis.example.org"), a domain (".example.org"), an address or a network ("10.0.0.0/8")'
    return ProxyError("is neither a host, a domain, an address nor a network", hint)


def is_exempt(url: str, exempt: Iterable[Exempt]) -> bool:
    """Return whether `url` is reached directly: this machine always is, and so is what one of `exempt` speaks of."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError:
        return True  # whoever sends it says that it is none
    if _is_loopback(host):
        return True
    reached_at = port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return any(one.holds(host, reached_at) for one in exempt)


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
