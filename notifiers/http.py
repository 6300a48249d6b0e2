"""The usual way out over HTTP: timeouts, no redirects, one proxy or none, answers turned into errors."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import http.cookiejar
import io
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from http import HTTPStatus

import requests
import urllib3.exceptions

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
from notifiers.bounds import bounded
from notifiers.connections import KnownConnections, connected
from notifiers.contract import DeliveryError, Fault
from notifiers.network import DIRECT, Network
from notifiers.proxied import is_of_the_proxy, proxies_of, proxy_refusal, proxy_unreached, tunnel_status_of
from notifiers.proxies import Proxy
from notifiers.trust import certificate_fault_in

__all__ = ["Answer", "HttpSender", "Request"]

_REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
_WAITS = 3
"""So many time-outs bound a whole exchange: to connect, to be answered, to read the answer."""
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class _Body(io.BytesIO):
    """The bytes of a request, which remember whether the network was given any of them."""

    given = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Hand out bytes, and remember it."""
        self.given = True
        return super().read(size)


class HttpSender:
    """One session a thread to wherever a channel speaks; does not retry and does not read what an answer means.

    `network` says whose certificates are believed and which proxy is used.
    `timeout` bounds connecting, each wait for bytes, and the whole of the answer's body; so many time-outs
    bound all of it, however slowly a receiver goes on. `now` serves only to turn a
    Retry-After date into a wait. Errors carry scheme, host and port, never path, query, headers or bodies.
    With `refusals` a refusal for good (4xx) is returned like a success, for providers that say why in its body.
    """

    def __init__(
        self,
        *,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
        network: Network = DIRECT,
        max_answer: int = 64 * 1024,
        refusals: bool = False,
    ) -> None:
        self._refusals = refusals
        self._timeout = timeout.total_seconds()
        self._within = _WAITS * self._timeout
        self._now = now
        self._network = network
        self._max_answer = max_answer
        self._mine = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def send(self, request: Request) -> Answer:
        """Send once and return a 2xx answer; raise DeliveryError for anything else."""
        session = self._session()
        place = place_of(request.url)
        proxy = self._network.proxy_for(request.url)
        body = _Body(request.body)
        # Raised outside `except`: the cause's text holds the whole URL, and a chained error would show it.
        fault: DeliveryError
        try:
            with bounded(self._within, connected()) as bound:
                return self._exchange(session, request, body, place, proxy)
        except _BROKEN as error:
            given = body.given or (not request.body and not _unconnected(error))
            fault = _fault(place, error, proxy, given=given, late=bound.expired)
        except ValueError:
            fault = unspeakable(place)
        raise fault

    def close(self) -> None:
        """Close every thread's connections; sending afterwards raises RuntimeError."""
        with self._lock:
            self._closed = True
            for session in list(self._sessions):
                session.close()

    def _session(self) -> requests.Session:
        if self._closed:
            raise RuntimeError("the sender is closed")
        session: requests.Session | None = getattr(self._mine, "session", None)
        if session is None:
            session = self._mine.session = _new_session(self._network.trust.http_context())
            with self._lock:
                self._sessions.add(session)
        return session

    def _exchange(
        self, session: requests.Session, request: Request, body: _Body, place: str, proxy: Proxy | None
    ) -> Answer:
        with session.request(
            request.method,
            request.url,
            data=body if request.body else b"",  # an empty stream would go out in chunks, of which there are none
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=(self._timeout, self._timeout),
            allow_redirects=False,
            stream=True,
            proxies=proxies_of(proxy),
        ) as response:
            said = self._read(response)
            error = refusal(place, response.status_code, response.headers.get("Retry-After"), self._now, said)
            heads = {name.lower(): value for name, value in response.headers.items()}
            if proxy and is_of_the_proxy(request.url, response.status_code, heads):
                raise proxy_refusal(place, proxy.place, response.status_code)
            if error is None or (self._refusals and response.status_code in _REFUSALS and _says_why(error)):
                return Answer(response.status_code, said, media_type(response.headers.get("Content-Type")))
        raise error

    def _read(self, response: requests.Response) -> bytes:
        """Return what comes of the body, at most `max_answer` bytes within `timeout`.

        The head has said what became of the request, so a body that breaks off changes nothing; one read to its end
        lets the connection live on.
        """
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        with contextlib.suppress(*_BROKEN, http.client.HTTPException, ValueError):
            while len(body) < self._max_answer and time.monotonic() < deadline:
                part = response.raw.read1(self._max_answer - len(body), decode_content=False)
                if not part:
                    break
                body += part
        return bytes(body)


def _says_why(error: DeliveryError) -> bool:
    """Return whether the body of a refusal may name its reason: it is not about a server at work."""
    return error.fault is not Fault.PASSING


def _new_session(context: ssl.SSLContext) -> requests.Session:
    session = requests.Session()
    # Otherwise a .netrc on the host would add its credentials, and proxies and certificates come from the environment.
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, KnownConnections(context))
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return session


def _fault(place: str, error: Exception, proxy: Proxy | None, *, given: bool, late: bool) -> DeliveryError:
    if isinstance(error, ValueError):  # what requests calls a bad URL or header
        return malformed(place)
    if (wrong := certificate_fault_in(error)) is not None:
        return distrusted(place, wrong)
    if proxy is not None and (status := tunnel_status_of(error)) is not None:
        return proxy_refusal(place, proxy.place, status)
    if given:
        return lost(place, late=late or isinstance(error, requests.Timeout | TimeoutError))
    why = NOT_REACHED if late else _unreached(error)
    if proxy is not None and not isinstance(error, requests.exceptions.SSLError):
        return proxy_unreached(place, proxy.place, why)
    return unsent(place, why)


def _unconnected(error: Exception) -> bool:
    """Whether no connection came about; of a request without a body nothing else tells that it was not sent."""
    early = requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.InvalidURL
    return isinstance(error, early) or any(one in str(error) for one in ("NewConnectionError", "NameResolutionError"))


def _unreached(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return NOT_SECURE
    if isinstance(error, requests.Timeout):
        return NOT_REACHED
    if "NameResolutionError" in str(error):
        return NOT_KNOWN
    return REFUSED
