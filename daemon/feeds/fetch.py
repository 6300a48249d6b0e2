"""The one way to a feed's bytes, wherever they lie."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from daemon.config import FeedConfig
from daemon.feeds.files import fetch_files
from daemon.feeds.pace import Pace
from daemon.feeds.payload import Cursor, FeedError, Payload, digest

WAKING = Pace()

_ONCE_DIALLED_FROM = {"file": "CN", "http": "CN", "edfi": "US"}
"""The country in which numbers without a country code were dialled before there was a key for it."""


def fetch(
    feed: FeedConfig,
    base: Path,
    cursor: Cursor,
    now: dt.datetime,
    *,
    pace: Pace = WAKING,
) -> tuple[list[Payload], Cursor]:
    """What is new at `feed` since `cursor`, by name, and the cursor to keep once it is recorded.

    Paths are relative to `base`; `now` is an aware datetime and becomes `fetched_at`. Keep the cursor in the same
    transaction as what the payloads said, or they are lost. Decides nothing about meaning.
    Raises FeedError when the source as a whole cannot be reached.
    """
    cursor = _for_meaning(cursor, _meaning(feed))
    if feed.url is not None:
        from daemon.feeds.http import fetch_http  # noqa: PLC0415 - requests is slow to load, and most read files

        return fetch_http(feed, feed.token, cursor, now, pace)
    if feed.path is not None:
        return fetch_files(feed, base, cursor, now)
    raise FeedError(feed.id, "has neither path nor url", permanent=True)


def fetch_all(feed: FeedConfig, base: Path, now: dt.datetime, *, pace: Pace = WAKING) -> list[Payload]:
    """Everything at `feed`, piece by piece, in the order in which it was written; raises FeedError as `fetch` does."""
    payloads, cursor = fetch(feed, base, Cursor(), now, pace=pace)
    while cursor.left:
        more, cursor = fetch(feed, base, cursor, now, pace=pace)
        payloads += more
    return payloads


def _for_meaning(cursor: Cursor, meaning: str) -> Cursor:
    return cursor if cursor.meaning == meaning else Cursor(meaning=meaning)


def _meaning(feed: FeedConfig) -> str:
    """A digest of everything in the configuration that changes what the same bytes say, and of where they lie."""
    mapping = feed.mapping
    renames = [sorted(part.items()) for part in (mapping.columns, mapping.codes, mapping.sessions)]
    said: tuple[object, ...] = (
        feed.kind,
        feed.records,
        feed.path,
        feed.url,
        feed.encoding,
        feed.format,
        mapping.dates,
        renames,
    )
    made = [sorted(part.items()) for part in (mapping.join, mapping.constant, mapping.skip)]
    if mapping.origin is not None or any(made):
        said += (made, mapping.origin)  # only then, or an upgrade would have everything taken anew
    if mapping.empty:
        said += ("empty", sorted(mapping.empty))
    if feed.records == "contacts" and feed.country not in {None, _ONCE_DIALLED_FROM[feed.kind]}:
        said += ("country", feed.country)
    return digest(repr(said).encode())[:16]
