"""How the machine reaches others: whose certificates it believes, and through which proxy it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from notifiers.proxies import Exempt, Proxy, is_exempt
from notifiers.trust import Trust


@dataclass(frozen=True, slots=True)
class Network:
    """The way out for one channel or feed; without anything the system's authorities and no proxy.

    `http_proxy` is for addresses that begin with http://, `https_proxy` for https://; neither is for hosts that are
    `exempt`, nor for this machine.
    """

    trust: Trust = field(default_factory=Trust)
    http_proxy: Proxy | None = None
    https_proxy: Proxy | None = None
    exempt: tuple[Exempt, ...] = ()

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy through which `url` is reached; None where that is done directly."""
        proxy = self.https_proxy if url[:6].lower() == "https:" else self.http_proxy
        return None if proxy is None or is_exempt(url, self.exempt) else proxy


DIRECT = Network()
"""The system's authorities and no proxy."""
