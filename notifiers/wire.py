"""One request over libcurl, and what came of it in the same words as over any other way."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import pycurl

from notifiers.answers import (
    NOT_KNOWN,
    NOT_REACHED,
    NOT_SECURE,
    REFUSED,
    Answer,
    Request,
    distrusted,
    lost,
    malformed,
    media_type,
    place_of,
    refusal,
    unsent,
    unspeakable,
)
from notifiers.contract import DeliveryError
from notifiers.network import Network
from notifiers.proxied import is_of_the_proxy, proxy_refusal, proxy_unreached
from notifiers.proxies import Proxy
from notifiers.trust import OF_ANOTHER_HOST, JoinedAuthorities, certificate_fault

Ended = Callable[[Answer | DeliveryError], None]

_MALFORMED = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT})
_NOT_SECURE = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_ENGINE_INITFAILED,
    }
)
_NO_CODE = frozenset({0, 1})
"""What OpenSSL says of a chain it found in order: libcurl compares names itself."""
_TAKEN = range(200, 300)
"""Lower statuses announce an answer and are none."""
_STATUS_LINE = re.compile(rb"HTTP/\S+ (\d{3})\b")
_SUPPRESS_CONNECT_HEADERS = 265
"""An option of libcurl that pycurl has no name for."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_ALWAYS = (b"Expect:", b"Accept-Encoding: identity")


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every request."""

    timeout_ms: int
    now: Callable[[], dt.datetime]
    network: Network
    authorities: JoinedAuthorities
    max_answer: int


class Wire:
    """One handle of libcurl, used again and again, and the request it carries; never shows what libcurl says."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._request: Request | None = None
        self._at = 0
        self._given = False
        self._heads: dict[str, str] = {}
        self._proxy: Proxy | None = None
        self._status = 0
        """Of the last head that came whole; those below 200 announce another."""
        self._announced = 0
        """Of the head that is being read."""
        self._answer = bytearray()
        self.ended: Ended = lambda _: None
        self.curl = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.CAINFO, terms.authorities.path),
            (pycurl.PROXYAUTH, pycurl.HTTPAUTH_BASIC),
            (_SUPPRESS_CONNECT_HEADERS, 1),  # a proxy that opens a tunnel says 200, and that is no answer
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.CONNECTTIMEOUT_MS, terms.timeout_ms),
            (pycurl.TIMEOUT_MS, 2 * terms.timeout_ms),
            (pycurl.POST, 1),
            # Without a way to rewind it libcurl cannot send again, by itself, what a kept connection swallowed.
            (pycurl.READFUNCTION, self._read),
            (pycurl.WRITEFUNCTION, self._write),
            (pycurl.HEADERFUNCTION, self._head),
        ):
            self.curl.setopt(option, value)
        self.curl.unsetopt(pycurl.CAPATH)  # libcurl may be built with a folder of its own

    def carry(self, request: Request, ended: Ended) -> DeliveryError | None:
        """Be ready for a request; why it cannot be sent, if so."""
        self.ended, self._request = ended, request
        self._at, self._given, self._status, self._announced = 0, False, 0, 0
        self._heads.clear()
        self._answer.clear()
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        if any(map(_CONTROLS.search, (request.url, *lines))):
            return malformed(place_of(request.url))
        try:
            self.curl.setopt(pycurl.URL, request.url)
            self.curl.setopt(pycurl.HTTPHEADER, [*(line.encode("latin-1") for line in lines), *_ALWAYS])
        except UnicodeError:
            return unspeakable(place_of(request.url))
        self._go_through(self._terms.network.proxy_for(request.url))
        self.curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        self.curl.setopt(pycurl.POSTFIELDSIZE, len(request.body))
        return None

    def _go_through(self, proxy: Proxy | None) -> None:
        """Use a proxy or none; without a word the environment would name one."""
        self._proxy = proxy
        self.curl.setopt(pycurl.PROXY, proxy.plain_url if proxy else "")
        username, password = (proxy.username, proxy.password) if proxy else (None, None)
        for option, value in ((pycurl.PROXYUSERNAME, username), (pycurl.PROXYPASSWORD, password)):
            if value is None:
                self.curl.unsetopt(option)
            else:
                self.curl.setopt(option, value.encode())

    def came(self, code: int) -> Answer | DeliveryError:
        """What came of it."""
        request, self._request = self._request, None
        assert request is not None
        place, proxy = place_of(request.url), self._proxy
        if proxy is not None and (error := self._fault_of_the_proxy(request.url, proxy, code)) is not None:
            return error
        status = self._status
        if status in _TAKEN:
            return Answer(status, bytes(self._answer), media_type(self._heads.get("content-type")))
        wait = self._heads.get("retry-after")
        if status < _TAKEN.start:
            return self._fault(place, code)
        return refusal(place, status, wait, self._terms.now, bytes(self._answer)) or self._fault(place, code)

    def _fault_of_the_proxy(self, url: str, proxy: Proxy, code: int) -> DeliveryError | None:
        """Say why a proxy passed nothing on; None where it did."""
        place, status = place_of(url), self.curl.getinfo(pycurl.HTTP_CONNECTCODE)
        if status not in {0, *_TAKEN}:
            return proxy_refusal(place, proxy.place, status)
        if is_of_the_proxy(url, self._status, self._heads):
            return proxy_refusal(place, proxy.place, self._status)
        if code == pycurl.E_OK or status in _TAKEN or self._given or self.curl.getinfo(pycurl.REQUEST_SIZE):
            return None
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return proxy_unreached(place, proxy.place, NOT_REACHED)
        return proxy_unreached(place, proxy.place, NOT_KNOWN if code == pycurl.E_COULDNT_RESOLVE_PROXY else REFUSED)

    def _fault(self, place: str, code: int) -> DeliveryError:
        late = code == pycurl.E_OPERATION_TIMEDOUT
        if self._given or self.curl.getinfo(pycurl.REQUEST_SIZE):
            return lost(place, late=late)
        if code in _MALFORMED:
            return malformed(place)
        if late:
            return unsent(place, NOT_REACHED)
        if code == pycurl.E_COULDNT_RESOLVE_HOST:
            return unsent(place, NOT_KNOWN)
        if code == pycurl.E_PEER_FAILED_VERIFICATION:
            verified = self.curl.getinfo(pycurl.SSL_VERIFYRESULT)
            return distrusted(place, OF_ANOTHER_HOST if verified in _NO_CODE else certificate_fault(verified))
        return unsent(place, NOT_SECURE if code in _NOT_SECURE else REFUSED)

    def _read(self, size: int) -> bytes:
        assert self._request is not None
        self._given = True
        part = self._request.body[self._at : self._at + size]
        self._at += len(part)
        return part

    def _write(self, part: bytes) -> int:
        room = self._terms.max_answer - len(self._answer)
        self._answer += part[:room]
        return 0 if len(part) >= room else len(part)

    def _head(self, line: bytes) -> None:
        """Note what a head says; the status counts once the head is whole, whatever becomes of the body."""
        if found := _STATUS_LINE.match(line):
            self._announced = int(found[1])
            self._heads.clear()  # of an announcement
            return
        name, _, value = line.decode("latin-1").partition(":")
        self._heads[name.strip().lower()] = value.strip()
        if not line.strip():
            self._status = self._announced
