"""What goes out over HTTP and what may come back, whatever carries it: answers and faults in our words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from notifiers.contract import DeliveryError

TEMPORARY = frozenset({408, 425, 429})
"""Statuses below 500 after which the same request may succeed."""

REFUSED = "the connection was refused or lost before the request was sent"
NOT_KNOWN = "the host name is not known"
NOT_SECURE = "the secure connection failed – is the certificate valid for this host?"
NOT_REACHED = "no connection in time"
"""Why a request was not sent: nobody was given any of it."""

_LONGEST_WAIT = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out; its headers and body may hold secrets and people, so it does not show them."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, a success (2xx) unless refusals were asked for, with as much of its body as was allowed.

    Does not know whether the provider meant it.
    """

    status: int
    body: bytes = field(repr=False)


class Sender(Protocol):
    """A way out over HTTP, safe to use from several threads."""

    def send(self, request: Request) -> Answer:
        """Send once and return a 2xx answer; raise DeliveryError for anything else."""

    def close(self) -> None:
        """Let go of connections; sending afterwards raises RuntimeError."""


def place_of(url: str) -> str:
    """Scheme, host and port; a path or query may be a key."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the configured URL"
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else "the configured URL"


def refusal(place: str, status: int, wait: str | None, now: Callable[[], dt.datetime]) -> DeliveryError | None:
    """What a status says; None for a success. `wait` is the header Retry-After."""
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


def lost(place: str, *, late: bool) -> DeliveryError:
    """The network was given some of the request, and nobody knows what became of it."""
    what = "no answer in time" if late else "the connection broke"
    return DeliveryError(f"{place}: {what} after the request was sent", permanent=False, doubtful=True)


def unsent(place: str, why: str) -> DeliveryError:
    """The network was given nothing of the request."""
    return DeliveryError(f"{place}: {why}", permanent=False)


def malformed(place: str) -> DeliveryError:
    """A URL or header that is none, which no other try will change."""
    return DeliveryError(f"{place}: the URL or a header is malformed", permanent=True)


def unspeakable(place: str) -> DeliveryError:
    """A URL or header with a character that neither can hold."""
    return DeliveryError(f"{place}: the request has a character no header or URL may hold", permanent=True)


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
