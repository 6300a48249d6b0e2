"""Addresses: one conditional GET, tried again within a bounded time."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from daemon.config import FeedConfig
from daemon.feeds.fuse import Fuse, fused_session
from daemon.feeds.pace import Pace
from daemon.feeds.payload import Cursor, FeedError, Payload, Seen, digest
from daemon.feeds.whole import is_whole
from notifiers.proxied import is_of_the_proxy, proxies_of, tunnel_status_of
from notifiers.proxies import Proxy
from notifiers.trust import certificate_fault_in

ATTEMPTS = 4
FIRST_WAIT = 0.5
LEAST = 0.05
REDIRECTS = 3
CHUNK = 1 << 16
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
UNCHANGED = 304
NO_CONTENT = 204
MAY_BE_EMPTY = frozenset({"marks", "punches", "leaves", "movements"})
"""Records of which a source may have none to give; a roster without anybody is none."""
PACKINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""How a body may be packed, and what zlib calls it."""
CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
MOVED = frozenset({301, 302, 303, 307, 308})


class _PassingError(Exception):
    """An attempt failed in a way that may pass; `after` is what the server asked for, in seconds.

    `body` is that of an answer whose last line has no end.
    """

    def __init__(self, reason: str, after: float | None = None, body: bytes | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.body = body


@dataclass(frozen=True, slots=True)
class _Answer:
    """A 200 with its body, or word that there is nothing new (`body` None)."""

    body: bytes | None
    etag: str | None = None
    last_modified: str | None = None


def fetch_http(
    feed: FeedConfig, token: SecretStr | None, cursor: Cursor, now: dt.datetime, pace: Pace
) -> tuple[list[Payload], Cursor]:
    """The document at `feed.url` if it changed, and the cursor after it.

    `feed.timeout` bounds one attempt from the first packet to the last, twice that everything with its waits.
    Connection faults, 408, 425, 429 and 5xx are tried again, as late as Retry-After asks if that still fits.
    A proxy that refuses is asked again, too: the fault is not the source's. Redirects are followed on the same host
    only. A body that is packed must be whole; a text whose last line has no end is asked for again, and taken when it
    comes again. An exception feed is asked without conditions, for each answer speaks for the sessions that are over
    since. Raises FeedError; its reason has no query, user or token.
    """
    implied = feed.presence == "implied"
    asked = replace(cursor, etag=None, last_modified=None) if implied else cursor
    answer = _ask(feed, token, asked, now, pace)
    if answer.body is None:
        return [], cursor
    name = urlsplit(feed.url or "").path or "/"
    sha256 = digest(answer.body)
    onward = replace(cursor, etag=answer.etag, last_modified=answer.last_modified, seen={name: Seen(sha256, "")})
    before = cursor.seen.get(name)
    same = before is not None and before.sha256 == sha256
    if same and not implied:
        return [], onward
    payload = Payload(
        feed.id, name, answer.body, sha256, now, answer.etag, answer.last_modified, modified_at=now, seen_before=same
    )
    return [payload], onward


def plain_url(url: str) -> str:
    """`url` as a message may show it: no user, password, query or fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _ask(feed: FeedConfig, token: SecretStr | None, cursor: Cursor, now: dt.datetime, pace: Pace) -> _Answer:
    patience = feed.timeout.total_seconds()
    begun = pace.clock()
    endless: bytes | None = None
    for attempt in range(1, ATTEMPTS + 1):
        left = 2 * patience - (pace.clock() - begun)
        try:
            answer = _attempt(feed, _headers(token, cursor), max(min(patience, left), LEAST), now)
            _demand_an_end(answer, endless)
        except _PassingError as fault:
            endless = fault.body
            wait = fault.after if fault.after is not None else FIRST_WAIT * 2**attempt * (0.5 + pace.jitter() / 2)
            left = 2 * patience - (pace.clock() - begun)
            if attempt == ATTEMPTS or wait >= left:
                reason = f"{plain_url(feed.url or '')}: {fault.reason} ({attempt} attempts)"
                raise FeedError(feed.id, reason, permanent=False) from None
        else:
            return answer
        pace.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def _demand_an_end(answer: _Answer, before: bytes | None) -> None:
    """Raise _PassingError for a text whose last line has no end, unless the attempt `before` brought the same."""
    if answer.body is not None and answer.body != before and not is_whole(answer.body):
        raise _PassingError("its last line has no end", body=answer.body)


def _headers(token: SecretStr | None, cursor: Cursor) -> dict[str, str]:
    headers = {"User-Agent": "baoxue", "Accept-Encoding": "identity"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    if cursor.etag is not None:
        headers["If-None-Match"] = cursor.etag
    if cursor.last_modified is not None:
        headers["If-Modified-Since"] = cursor.last_modified
    return headers


def _attempt(feed: FeedConfig, headers: Mapping[str, str], seconds: float, now: dt.datetime) -> _Answer:
    with Fuse(seconds) as fuse, fused_session(fuse, feed.network.trust.http_context()) as session:
        try:
            answer = _exchange(session, feed, headers, seconds, now)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise FeedError(feed.id, f"{plain_url(feed.url or '')}: not an address", permanent=True) from None
        except (requests.exceptions.RequestException, OSError, _PassingError) as error:
            if fuse.blown or isinstance(error, requests.exceptions.Timeout):
                raise _PassingError(f"not finished after {seconds:g} s") from None
            if isinstance(error, _PassingError):
                raise
            if certificate_fault_in(error) is not None:
                reason = f"{plain_url(feed.url or '')}: {certificate_fault_in(error)}"
                raise FeedError(feed.id, reason, permanent=True) from None
            raise _unconnected(error, feed.network.proxy_for(feed.url or "")) from None
        if fuse.blown:  # a cut connection can look like the end of a body without a length
            raise _PassingError(f"not finished after {seconds:g} s")
        return answer


def _unconnected(error: Exception, proxy: Proxy | None) -> _PassingError:
    """Say what kept an attempt from its source: the proxy's refusal, the proxy, or the connection."""
    if proxy is None:
        return _PassingError("connection failed")
    if (status := tunnel_status_of(error)) is not None:
        return _PassingError(f"the proxy {proxy.place} refused: {status}")
    if isinstance(error, requests.exceptions.ProxyError):
        return _PassingError(f"the proxy {proxy.place} was not reached")
    return _PassingError(f"connection failed through the proxy {proxy.place}")


def _exchange(
    session: requests.Session, feed: FeedConfig, headers: Mapping[str, str], seconds: float, now: dt.datetime
) -> _Answer:
    url = feed.url or ""
    for _ in range(REDIRECTS + 1):
        proxy = feed.network.proxy_for(url)
        asked = session.get(
            url, headers=headers, timeout=seconds, allow_redirects=False, stream=True, proxies=proxies_of(proxy)
        )
        with asked as response:
            said = {name.lower(): value for name, value in response.headers.items()}
            if proxy and is_of_the_proxy(url, response.status_code, said):
                raise _PassingError(f"the proxy {proxy.place} refused: {response.status_code}")
            if response.status_code not in MOVED:
                return _answer(response, feed, now, conditional=not CONDITIONS.isdisjoint(headers))
            url = _next(feed, url, response.headers.get("Location", ""))
    raise FeedError(feed.id, f"{plain_url(feed.url or '')}: redirects without end", permanent=True)


def _next(feed: FeedConfig, url: str, location: str) -> str:
    """Where a redirect leads, if that is the same host over a channel no weaker."""
    try:
        target = urljoin(url, location)
        here, there = _origin(url), _origin(target)
        followed = bool(location) and (there == here or (here[0], *there[:2]) == ("http", "https", here[1]))
    except ValueError:  # an address that is none
        target, followed = "", False
    if not followed:
        raise FeedError(feed.id, f"{plain_url(url)}: redirects to another host, which is not followed", permanent=True)
    return target


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _answer(response: requests.Response, feed: FeedConfig, now: dt.datetime, *, conditional: bool) -> _Answer:
    status = response.status_code
    if status == UNCHANGED or (status == NO_CONTENT and feed.records in MAY_BE_EMPTY and feed.presence != "implied"):
        if status == UNCHANGED and not conditional:
            reason = f"{plain_url(feed.url or '')}: answered 304 to a request without conditions"
            raise FeedError(feed.id, reason, permanent=True)
        return _Answer(None)
    if status in AGAIN:
        raise _PassingError(f"answered {status}", _retry_after(response.headers.get("Retry-After"), now))
    if status != requests.codes.ok:
        raise FeedError(feed.id, f"{plain_url(feed.url or '')}: answered {status}", permanent=True)
    body = _body(response, feed)
    return _Answer(body, response.headers.get("ETag"), response.headers.get("Last-Modified"))


def _body(response: requests.Response, feed: FeedConfig) -> bytes:
    """The body, unpacked and whole; raises _PassingError when it stops before its packing does."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "", *PACKINGS}:
        reason = f"{plain_url(feed.url or '')}: answers packed as {packing[:20]}, which was not asked for"
        raise FeedError(feed.id, reason, permanent=True)
    content = bytearray()
    unpacker = _Unpacker(PACKINGS[packing]) if packing in PACKINGS else None
    try:
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            content += unpacker.unpack(chunk, feed.max_bytes + 1 - len(content)) if unpacker else chunk
            if len(content) > feed.max_bytes:
                reason = f"{plain_url(feed.url or '')}: longer than max_bytes ({feed.max_bytes})"
                raise FeedError(feed.id, reason, permanent=True)
    except (HTTPError, zlib.error):
        raise _PassingError("the answer stopped half-way") from None
    if unpacker is not None and not unpacker.is_whole:
        raise _PassingError("the answer stopped half-way")
    return bytes(content)


class _Unpacker:
    """A packed body piece by piece; it may consist of several packed parts, one behind the other."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._part = zlib.decompressobj(window)

    @property
    def is_whole(self) -> bool:
        """Whether the last part has come to its end."""
        return self._part.eof

    def unpack(self, packed: bytes, most: int) -> bytes:
        """What `packed` holds, `most` bytes of it at the most; raises zlib.error."""
        content = b""
        while packed and len(content) < most:
            if self._part.eof:
                self._part = zlib.decompressobj(self._window)
            content += self._part.decompress(packed, most - len(content))
            packed = self._part.unused_data
        return content


def _retry_after(header: str | None, now: dt.datetime) -> float | None:
    """Seconds to wait, from a number or an HTTP date; None where the header is missing or senseless."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header.strip()[:9])
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - now).total_seconds())
