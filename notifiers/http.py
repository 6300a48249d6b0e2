"""The usual way out over HTTP: timeouts, no redirects, nothing from the environment, answers turned into errors."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.cookiejar
import io
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
    lost,
    malformed,
    place_of,
    refusal,
    unsent,
    unspeakable,
)
from notifiers.contract import DeliveryError

__all__ = ["Answer", "HttpSender", "Request"]

_REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
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

    `timeout` bounds connecting, each wait for bytes, and the whole of the answer's body. `now` serves only to turn a
    Retry-After date into a wait. Errors carry scheme, host and port, never path, query, headers or bodies.
    With `refusals` a refusal for good (4xx) is returned like a success, for providers that say why in its body.
    """

    def __init__(
        self,
        *,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
        ca_file: str | None = None,
        max_answer: int = 64 * 1024,
        refusals: bool = False,
    ) -> None:
        self._refusals = refusals
        self._timeout = timeout.total_seconds()
        self._now = now
        self._verify: bool | str = ca_file or True
        self._max_answer = max_answer
        self._mine = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def send(self, request: Request) -> Answer:
        """Send once and return a 2xx answer; raise DeliveryError for anything else."""
        session = self._session()
        place = place_of(request.url)
        body = _Body(request.body)
        # Raised outside `except`: the cause's text holds the whole URL, and a chained error would show it.
        fault: DeliveryError
        try:
            return self._exchange(session, request, body, place)
        except _BROKEN as error:
            fault = _fault(place, error, given=body.given or (not request.body and not _unconnected(error)))
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
            session = self._mine.session = _new_session(self._verify)
            with self._lock:
                self._sessions.add(session)
        return session

    def _exchange(self, session: requests.Session, request: Request, body: _Body, place: str) -> Answer:
        with session.request(
            request.method,
            request.url,
            data=body if request.body else b"",  # an empty stream would go out in chunks, of which there are none
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=(self._timeout, self._timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            error = refusal(place, response.status_code, response.headers.get("Retry-After"), self._now)
            if error is None or (self._refusals and response.status_code in _REFUSALS and error.permanent):
                return Answer(response.status_code, self._read(response))
            with contextlib.suppress(*_BROKEN):  # the status has said it all; reading on only keeps the connection
                self._read(response)
        raise error

    def _read(self, response: requests.Response) -> bytes:
        """At most `max_answer` bytes within `timeout`; a body read to its end lets the connection live on."""
        deadline = time.monotonic() + self._timeout
        parts: list[bytes] = []
        left = self._max_answer
        while left > 0 and (part := response.raw.read1(left, decode_content=False)):
            parts.append(part)
            left -= len(part)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout
        return b"".join(parts)


def _new_session(verify: bool | str) -> requests.Session:  # noqa: FBT001 - requests' own word for it
    session = requests.Session()
    # Otherwise a .netrc on the host would add its credentials, and proxies and certificates come from the environment.
    session.trust_env = False
    session.verify = verify
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return session


def _fault(place: str, error: Exception, *, given: bool) -> DeliveryError:
    if isinstance(error, ValueError):  # what requests calls a bad URL or header
        return malformed(place)
    if given:
        return lost(place, late=isinstance(error, requests.Timeout | TimeoutError))
    return unsent(place, _unreached(error))


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
