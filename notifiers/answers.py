"""What goes out over HTTP and what may come back, whatever carries it: answers and faults in our words."""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from notifiers.contract import DeliveryError, Fault

_PASSING = frozenset({408, 421, 423, 424, 425, 429})
"""Statuses below 500 after which the same request may succeed."""
_OF_THIS_MESSAGE = frozenset({400, 413, 422})
"""Statuses about what was sent; all others below 500 are about us."""
_TOLD_BY_A_PAGE = frozenset({400, 422})
"""Statuses that are about us where a web page bears them: it is of a server or proxy before the receiver."""
_GONE = 410
_CAPTIVE = 511
"""A network that wants somebody to log in first (RFC 6585)."""
_WAITED_IN_VAIN = frozenset({504, 524})
"""A gateway got no answer from what is behind it; 524 is a content network's word for it."""
_CONFLICT = 409

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

    Does not know whether the provider meant it. `body` is what came of it: a success counts once its head is read.
    """

    status: int
    body: bytes = field(repr=False)
    media_type: str = ""
    """In lower case, without parameters; empty where the answer names none."""

    @property
    def is_page(self) -> bool:
        """Return whether it is a web page, which no interface of a provider answers with."""
        return self.media_type in _PAGES or is_web_page(self.body)

    @property
    def is_marked_up(self) -> bool:
        """Return whether it is a web page that also begins as one, and not a short text called so by its sender."""
        return self.is_page and _beginning(self.body).startswith(b"<")


_PAGES = frozenset({"text/html", "application/xhtml+xml"})


def is_web_page(body: bytes) -> bool:
    """Return whether a body begins as a web page does."""
    return _beginning(body).startswith((b"<!doctype html", b"<html"))


def _beginning(body: bytes) -> bytes:
    return body[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()


def media_type(header: str | None) -> str:
    """Return the media type that a header Content-Type names."""
    return (header or "").partition(";")[0].strip().lower()


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


def refusal(
    place: str, status: int, wait: str | None, now: Callable[[], dt.datetime], body: bytes = b""
) -> DeliveryError | None:
    """Return what a status says; None for a success. `wait` is the header Retry-After, `body` what came with it."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    reason = f"{place}: answered {status}"
    later = retry_after(wait, now)
    if status == _CONFLICT:
        # With a time to come back, somebody is still at work on what was sent before.
        return DeliveryError(reason, retry_after=later, doubtful=later is not None, taken_before=later is None)
    if status in _PASSING or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != _CAPTIVE):
        # A gateway that waited in vain for what is behind it cannot say that nothing got through.
        return DeliveryError(reason, retry_after=later, doubtful=status in _WAITED_IN_VAIN)
    if status in _TOLD_BY_A_PAGE and is_web_page(body):
        return replaced_by_page(place, status, wait=later)
    if status in _OF_THIS_MESSAGE or status == _GONE:
        return DeliveryError(reason, Fault.ADDRESS if status == _GONE else Fault.MESSAGE)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        reason += ", a redirect, which is never followed – configure the final address"
    return DeliveryError(reason, Fault.ACCOUNT, retry_after=later)


def replaced_by_page(place: str, status: int, *, wait: dt.timedelta | None = None) -> DeliveryError:
    """Return the error for a web page in place of an answer: a proxy's, or one that wants somebody to log in."""
    reason = f"{place}: answered {status} with a web page, as a proxy would"
    return DeliveryError(reason, Fault.ACCOUNT, retry_after=wait)


def lost(place: str, *, late: bool) -> DeliveryError:
    """The network was given some of the request, and nobody knows what became of it."""
    what = "no answer in time" if late else "the connection broke"
    return DeliveryError(f"{place}: {what} after the request was sent", doubtful=True)


def unsent(place: str, why: str) -> DeliveryError:
    """The network was given nothing of the request."""
    return DeliveryError(f"{place}: {why}")


def distrusted(place: str, why: str) -> DeliveryError:
    """Return the error for a server whose certificate is not accepted: the operator's to mend, or to have mended."""
    return DeliveryError(f"{place}: {why}", Fault.ACCOUNT)


def malformed(place: str) -> DeliveryError:
    """Return the error for a URL or header that is none: the operator's to mend."""
    return DeliveryError(f"{place}: the URL or a header is malformed", Fault.ACCOUNT)


def unspeakable(place: str) -> DeliveryError:
    """Return the error for a URL or header with a character that neither can hold."""
    return DeliveryError(f"{place}: the request has a character no header or URL may hold", Fault.ACCOUNT)


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
