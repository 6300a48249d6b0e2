"""Reads what feeds bring, within bounds: rosters whole, of everything else the newest files."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.config import Config, FeedConfig
from daemon.feeds.fetch import fetch_all
from daemon.feeds.files import find_files
from daemon.feeds.pace import Pace
from daemon.feeds.payload import FeedError, Payload, Reading, Refused
from daemon.feeds.read import read
from rules.records import Record

ROSTER = ("units", "students", "contacts")
PATIENCE = dt.timedelta(seconds=3)
"""How long a feed behind an address may take to answer."""
MOST_FILES = 20
"""So many files of a feed that is no roster are read, the newest."""
MOST_BYTES = 8 << 20
"""And no more of them than this, but for the first."""


@dataclass(frozen=True)
class Looked:
    """What was read of one feed: a reading for each file, the newest first, and how many files were left unread."""

    feed: FeedConfig
    readings: Sequence[tuple[str, Reading]] = ()
    unread: int = 0
    error: FeedError | None = None
    """Why nothing could be fetched at all."""

    @property
    def refused(self) -> list[Refused]:
        """Everything that was refused."""
        return [one for _, reading in self.readings for one in reading.problems]

    @property
    def is_empty_roster(self) -> bool:
        """Whether a roster was delivered and has no row at all."""
        read = self.feed.records in ROSTER and bool(self.readings)
        return read and not any(reading.records or reading.problems for _, reading in self.readings)

    @property
    def records(self) -> Iterator[Record]:
        """Every record."""
        return (record for _, reading in self.readings for record in reading.records)


def look_at_feeds(config: Config, now: dt.datetime) -> list[Looked]:
    """Return what every feed of `config` brings, in its order; those behind addresses are asked side by side."""
    zone = ZoneInfo(config.service.timezone)

    def look(feed: FeedConfig) -> Looked:
        try:
            payloads, unread = _payloads(config, feed, now)
        except FeedError as error:
            return Looked(feed, error=error)
        return Looked(feed, [(one.name, read(feed, one, zone)) for one in payloads], unread)

    with ThreadPoolExecutor(max_workers=8) as workers:
        return list(workers.map(look, config.feed))


def _payloads(config: Config, feed: FeedConfig, now: dt.datetime) -> tuple[list[Payload], int]:
    """What a feed brings, and how many of its files are left aside; raises FeedError where it cannot be reached."""
    if feed.url is not None:
        hasty = feed.model_copy(update={"timeout": min(feed.timeout, PATIENCE)})
        return fetch_all(hasty, config.base, now, pace=_once()), 0
    if feed.records in ROSTER:
        return fetch_all(feed, config.base, now), 0
    _look_at_place(config, feed)
    names = find_files(feed, config.base)
    if len(names) <= 1 and not _is_pattern(feed):
        return fetch_all(feed, config.base, now), 0
    chosen = _newest(names)
    payloads = [payload for name, path in chosen for payload in _one_file(config, feed, name, path, now)]
    return payloads, len(names) - len(chosen)


def _newest(names: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """The newest files, so many that they can be read while somebody waits; at least one."""
    stats = sorted((_stat(path), name, path) for name, path in names)
    chosen: list[tuple[str, Path]] = []
    room = MOST_BYTES
    for (_, size), name, path in reversed(stats):
        if chosen and (size > room or len(chosen) == MOST_FILES):
            break
        chosen.append((name, path))
        room -= size
    return chosen


def _stat(path: Path) -> tuple[int, int]:
    """When a file was changed, and how large it is; zeros where it is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _one_file(config: Config, feed: FeedConfig, name: str, path: Path, now: dt.datetime) -> list[Payload]:
    """One file of a feed that has many; one that cannot be taken speaks of its fault, as it does in a poll."""
    try:
        return fetch_all(feed.model_copy(update={"path": str(path)}), config.base, now)
    except FeedError as error:
        return [Payload(feed.id, name, b"", "", now, fault=error.reason.removeprefix(f"{name}: "))]


def _once() -> Pace:
    """A pace at which nothing is asked twice: after the first answer all patience is spent."""
    ticks = itertools.chain((0.0, 0.0), itertools.repeat(math.inf))
    return Pace(sleep=lambda _: None, clock=lambda: next(ticks))


def _is_pattern(feed: FeedConfig) -> bool:
    return any(sign in (feed.path or "") for sign in "*?[")


def _look_at_place(config: Config, feed: FeedConfig) -> None:
    """Raise FeedError unless the files of a feed, or the folder they will come to, can be read."""
    path = feed.path or ""
    place = config.base / path
    wild = _is_pattern(feed) and not place.exists()
    if wild:
        still = itertools.takewhile(lambda part: not any(sign in part for sign in "*?["), place.parts)
        place = Path(*still)
    if not place.exists():
        what = "its folder does not exist" if wild else "no such file or folder"
        raise FeedError(feed.id, f"{path}: {what}", permanent=False)
    if not os.access(place, os.R_OK):
        raise FeedError(feed.id, f"{path}: may not be read", permanent=False)
