"""Files: one, a glob, or a folder that somebody else writes into."""

from __future__ import annotations

import datetime as dt
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from daemon.config import FeedConfig
from daemon.feeds.beside import passed_over
from daemon.feeds.finding import matching, name_of, newest
from daemon.feeds.payload import Cursor, FeedError, Payload, Seen, digest
from daemon.feeds.whole import is_whole

__all__ = ["fetch_files", "find_files", "passed_over"]

SETTLE = dt.timedelta(seconds=60)
"""A file unchanged for this long is finished, even if its last line has no end."""

MOST_AT_ONCE = 2_000
"""So many new files are read before what they say is taken in."""

TRUSTED_AGE = dt.timedelta(seconds=5)
"""A file changed less than this ago may change again without its stamp showing it."""


class _FileError(Exception):
    """A file that is there and cannot be taken, and whether that can change by itself."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class _Copy:
    """A file's bytes with its stamp before and after they were read, or no bytes where `stamp` was seen already."""

    content: bytes
    stamp: str
    steady: bool
    changed_at: float


def fetch_files(feed: FeedConfig, base: Path, cursor: Cursor, now: dt.datetime) -> tuple[list[Payload], Cursor]:
    """New and changed files of `feed`, in the order in which they were written, and the cursor after them.

    A file that moves while it is read, or that stops short of its format's end and changed less than SETTLE ago, is
    left for the next poll. A file's clock may be ahead of `now` (a simulation's is behind): the distance counts.
    At most MOST_AT_ONCE new files are taken, and four times `max_bytes`, those written first: what is left is counted
    in the cursor; call again with it until nothing is.
    Raises FeedError when the one named file is missing or cannot be taken, or the folder is missing; a faulty file
    among several becomes a Payload with a `fault`.
    """
    paths, named = matching(feed, base)
    seen: dict[str, Seen] = {}
    new: list[tuple[int, str, Path]] = []
    for path in newest(paths):
        name = name_of(path, base)
        before, status = cursor.seen.get(name), _status(path)
        if before is not None:
            seen[name] = before
        if before is None or status is None or _stamp(status) != before.stamp:
            new.append((status.st_mtime_ns if status is not None else 0, name, path))
    new.sort()
    payloads: list[Payload] = []
    room, left = 4 * feed.max_bytes, len(new)
    for _, name, path in new[:MOST_AT_ONCE]:
        if room <= 0:
            break
        left -= 1
        before = cursor.seen.get(name)
        try:
            payload, mark = _take(feed, path, name, before, now)
        except _FileError as refusal:
            if named:
                raise FeedError(feed.id, f"{name}: {refusal.reason}", permanent=refusal.permanent) from None
            payload, mark = _faulty(feed, name, refusal.reason, before, now)
        if mark is not None:
            seen[name] = mark
        if payload is not None:
            payloads.append(payload)
            room -= len(payload.content)
    payloads.sort(key=lambda payload: (payload.modified_at or now, payload.name))
    return payloads, replace(cursor, seen=seen, left=left)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def find_files(feed: FeedConfig, base: Path) -> list[tuple[str, Path]]:
    """The files of a feed, each with its name, whether or not they are new; raises FeedError as `fetch_files` does."""
    return [(name_of(path, base), path) for path in newest(matching(feed, base)[0])]


def _take(
    feed: FeedConfig, path: Path, name: str, before: Seen | None, now: dt.datetime
) -> tuple[Payload | None, Seen | None]:
    """The file's payload if it is new and finished, and what to remember; (None, None) leaves it for later."""
    known = before.stamp if before is not None else ""
    copy = _copy(path, feed.max_bytes, known)
    if not copy.steady:
        return None, None
    if copy.stamp == known:
        return None, before
    age = abs(now.timestamp() - copy.changed_at)
    if age < SETTLE.total_seconds() and not is_whole(copy.content):
        return None, None
    sha256 = digest(copy.content)
    mark = Seen(sha256, copy.stamp if age >= TRUSTED_AGE.total_seconds() else "")
    if before is not None and before.sha256 == sha256:
        return None, mark
    modified_at = dt.datetime.fromtimestamp(copy.changed_at, dt.UTC)
    return Payload(feed.id, name, copy.content, sha256, now, modified_at=modified_at), mark


def _copy(path: Path, most: int, known: str) -> _Copy:
    """Read a file once, looking at it before and after; a fifo or device is never waited on."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return _Copy(b"", "", steady=False, changed_at=0.0)
    except OSError as error:
        raise _FileError(error.strerror or "cannot be opened", permanent=False) from None
    with os.fdopen(handle, "rb") as file:
        first = os.fstat(handle)
        if not stat.S_ISREG(first.st_mode):
            raise _FileError("is not a plain file", permanent=True)
        if first.st_size > most:
            raise _FileError(f"is larger than max_bytes ({most})", permanent=True)
        if _stamp(first) == known:
            return _Copy(b"", known, steady=True, changed_at=first.st_mtime)
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise _FileError(error.strerror or "cannot be read", permanent=False) from None
    return _Copy(content, _stamp(first), _is_same(path, first, len(content)), first.st_mtime)


def _is_same(path: Path, first: os.stat_result, length: int) -> bool:
    try:
        after = path.stat()
    except OSError:
        return False
    return length == first.st_size and _stamp(after) == _stamp(first)


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _faulty(
    feed: FeedConfig, name: str, reason: str, before: Seen | None, now: dt.datetime
) -> tuple[Payload | None, Seen]:
    """A payload that only says why; told once for as long as the reason stays the same."""
    mark = Seen(digest(f"{name}\0{reason}".encode()), "")
    if before == mark:
        return None, mark
    return Payload(feed.id, name, b"", mark.sha256, now, fault=reason), mark
