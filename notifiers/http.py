"""The one way out over HTTP: timeouts, no redirects, nothing from the environment, answers turned into errors."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.cookiejar
import io
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from notifiers.contract import DeliveryError

TEMPORARY = frozenset({408, 425, 429})
"""Statuses below 500 after which the same request may succeed."""

_REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
_LONGEST_WAIT = dt.timedelta(days=1)
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out; its headers and body may hold secrets and people, so it does not show them."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, a success (2xx) unless refusals were asked for; does not know whether the provider meant it."""

    status: int
    body: bytes = field(repr=False)


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
        place = _place(request.url)
        body = _Body(request.body)
        # Raised outside `except`: the cause's text holds the whole URL, and a chained error would show it.
        fault: DeliveryError
        try:
            return self._exchange(session, request, body, place)
        except _BROKEN as error:
            fault = _fault(place, error, given=body.given)
        except ValueError:
            fault = DeliveryError(f"{place}: the request has a character no header or URL may hold", permanent=True)
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
            data=body,
            headers={"Accept-Encoding": "identity", **request.headers},
            timeout=(self._timeout, self._timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            error = _refusal(place, response.status_code, response.headers.get("Retry-After"), self._now)
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


def retry_after(value: str | None, now: Callable[[], dt.datetime]) -> dt.timedelta | None:
    """The wait a Retry-After header asks for, seconds or a date, at most a day; None where it says nothing usable."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdecimal():
        return min(dt.timedelta(seconds=int(value.strip()[:9])), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return min(max(until - now(), dt.timedelta(0)), _LONGEST_WAIT)


def _new_session(verify: bool | str) -> requests.Session:  # noqa: FBT001 - requests' own word for it
    session = requests.Session()
    # Otherwise a .netrc on the host would add its credentials, and proxies and certificates come from the environment.
    session.trust_env = False
    session.verify = verify
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return session


def _refusal(place: str, status: int, wait: str | None, now: Callable[[], dt.datetime]) -> DeliveryError | None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        reason = f"{place}: answered {status}, a redirect, which is never followed – configure the final address"
        return DeliveryError(reason, permanent=True)
    reason = f"{place}: answered {status}"
    if status in TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # A gateway that waited in vain for what is behind it cannot say that nothing got through.
        doubtful = status == HTTPStatus.GATEWAY_TIMEOUT
        return DeliveryError(reason, permanent=False, retry_after=retry_after(wait, now), doubtful=doubtful)
    return DeliveryError(reason, permanent=True)


def _fault(place: str, error: Exception, *, given: bool) -> DeliveryError:
    if isinstance(error, ValueError):  # what requests calls a bad URL or header
        return DeliveryError(f"{place}: the URL or a header is malformed", permanent=True)
    if given:
        what = "no answer in time" if isinstance(error, requests.Timeout | TimeoutError) else "the connection broke"
        return DeliveryError(f"{place}: {what} after the request was sent", permanent=False, doubtful=True)
    return DeliveryError(f"{place}: {_unreached(error)}", permanent=False)


def _unreached(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the secure connection failed – is the certificate valid for this host?"
    if isinstance(error, requests.Timeout):
        return "no connection in time"
    if "NameResolutionError" in str(error):
        return "the host name is not known"
    return "the connection was refused or lost before the request was sent"


def _place(url: str) -> str:
    """Scheme, host and port; a path or query may be a key."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the configured URL"
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else "the configured URL"
