"""Which files a feed's path means: one, those of a pattern, or the tables of a folder."""

from __future__ import annotations

import heapq
import itertools
import os
import re
from collections.abc import Iterable
from pathlib import Path

from daemon.config import FeedConfig
from daemon.feeds.payload import FeedError

MOST_FILES = 50_000
"""So many files of a feed are looked at, those changed last: each is remembered by its name."""
WILD = re.compile(r"[*?\[]")
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".jsonl", ".ndjson")
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")


def matching(feed: FeedConfig, base: Path) -> tuple[list[Path], bool]:
    """Return the files `feed.path` means, by name, and whether it names exactly one; raises FeedError."""
    assert feed.path is not None
    place = base / feed.path
    try:
        if place.is_dir():
            suffixes = (".xml",) if feed.kind == "edfi" else TABLES
            return _sorted(path for path in place.iterdir() if path.name.lower().endswith(suffixes)), False
        if place.exists():
            return [place], True
        if not still_part(place).is_dir():
            raise FeedError(feed.id, f"{feed.path}: its folder does not exist", permanent=False)
        if WILD.search(feed.path) is None:
            raise FeedError(feed.id, f"{feed.path}: no such file or folder", permanent=False)
        root = still_part(place)
        depth = len(root.parts)
        return _sorted(
            path for path in root.glob(place.relative_to(root).as_posix()) if not _hidden(path, depth)
        ), False
    except OSError as error:
        raise FeedError(feed.id, f"{feed.path}: {error.strerror or 'cannot be read'}", permanent=False) from None
    except (ValueError, NotImplementedError):
        raise FeedError(feed.id, f"{feed.path}: is no pattern of files", permanent=True) from None


def still_part(pattern: Path) -> Path:
    """Return the folder of a pattern before its first wildcard."""
    parts = itertools.takewhile(lambda part: WILD.search(part) is None, pattern.parent.parts)
    return Path(*parts)


def finished(path: Path) -> bool:
    """Whether this is a file that is meant to be seen, and not one that somebody still writes."""
    name = path.name.lower()
    return not name.startswith((".", "~$")) and not name.endswith(UNFINISHED) and path.is_file()


def _hidden(path: Path, depth: int) -> bool:
    """Whether a file lies in a hidden folder deeper than `depth`, such as one of a mounted volume's (`..data`)."""
    return any(part[0] == "." for part in path.parts[depth:])


def newest(paths: list[Path]) -> list[Path]:
    """Return at most MOST_FILES of `paths`, by name: those changed last, for what is new must not go unread."""
    if len(paths) <= MOST_FILES:
        return paths
    return sorted(heapq.nlargest(MOST_FILES, paths, key=_changed_at), key=_parts)


def _changed_at(path: Path) -> tuple[float, Path]:
    try:
        return path.stat().st_mtime, path
    except OSError:
        return 0.0, path


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted((path for path in paths if finished(path)), key=_parts)


def _parts(path: Path) -> tuple[str, ...]:
    """Return what paths are ordered by; to compare paths themselves takes ten times as long."""
    return path.parts


def name_of(path: Path, base: Path) -> str:
    """Return a file's path below the configuration's folder, as text.

    A name whose bytes are no UTF-8, as archives made on a Chinese Windows leave them, is read as GB18030 and marked so.
    """
    try:
        name = path.relative_to(base).as_posix()
    except ValueError:
        name = path.as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        return _as_text(os.fsencode(name))
    return name


def _as_text(name: bytes) -> str:
    for encoding, mark in (("utf-8", ""), ("gb18030", " (GB18030)")):
        try:
            return name.decode(encoding) + mark
        except UnicodeDecodeError:
            continue
    return name.decode("utf-8", "backslashreplace")
