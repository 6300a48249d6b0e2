"""What a proxy on the way says itself, told apart from what the receiver behind it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from notifiers.causes import causes
from notifiers.contract import DeliveryError, Fault
from notifiers.proxies import Proxy

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_OF_PROXIES = ("x-squid-error", "proxy-status", "proxy-authenticate")
"""Headers only a proxy sends."""
_HINTS: Mapping[int, str] = {
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: " – are network.proxy_username and its password right?",
    HTTPStatus.FORBIDDEN: " – does it let this machine reach that host?",
}


def proxy_refusal(place: str, proxy: str, status: int) -> DeliveryError:
    """Return the error of a proxy that passed nothing on: the operator's to mend, unless it failed itself."""
    fault = Fault.PASSING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Fault.ACCOUNT
    return DeliveryError(f"{place}: the proxy {proxy} refused: {status}{_HINTS.get(status, '')}", fault)


def proxy_unreached(place: str, proxy: str, why: str) -> DeliveryError:
    """Return the error of a proxy that was not reached, or hung up before it was given anything."""
    return DeliveryError(f"{place}: the proxy {proxy} was not reached: {why}")


def tunnel_status_of(error: BaseException) -> int | None:
    """Return the status with which a proxy refused to connect; None for other errors of requests."""
    refused = next((found for one in causes(error) if (found := _TUNNEL.search(str(one)))), None)
    return None if refused is None else int(refused[1])


def proxies_of(proxy: Proxy | None) -> dict[str, str]:
    """Return a proxy as requests takes it."""
    return {} if proxy is None else {"http": proxy.url, "https": proxy.url}


def is_of_the_proxy(url: str, status: int, headers: Mapping[str, str]) -> bool:
    """Return whether an answer to a request that a proxy forwarded is the proxy's own refusal.

    `headers` have names in lower case. Behind https:// a proxy sees nothing of the request, so that all it can do is
    refuse to connect. Otherwise it is told by its headers, by 407, by a web page that says 403, or by a redirect to
    another host, such as a page to log in at.
    """
    if url[:6].lower() == "https:" or not HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or any(name in headers for name in _OF_PROXIES):
        return True
    if status == HTTPStatus.FORBIDDEN:
        return headers.get("content-type", "").strip().lower().startswith("text/html")
    return status < HTTPStatus.BAD_REQUEST and _leads_elsewhere(url, headers.get("location", ""))


def _leads_elsewhere(url: str, location: str) -> bool:
    try:
        return urlsplit(urljoin(url, location)).hostname != urlsplit(url).hostname
    except ValueError:
        return True
