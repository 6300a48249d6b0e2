"""Files that lie where a feed's files do and are not read, though somebody may believe they are."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from pathlib import Path

from daemon.config import FeedConfig
from daemon.feeds import finding
from daemon.feeds.finding import TABLES, WILD, finished, matching, name_of, still_part
from daemon.feeds.payload import FeedError, Refused

_AS_TABLE = "save it as .xlsx or CSV UTF-8"
_UNREAD = {
    **dict.fromkeys(
        (".xls", ".et", ".ods", ".numbers", ".xlsb", ".xlsm", ".xltx", ".dbf", ".mdb", ".accdb"), _AS_TABLE
    ),
    **dict.fromkeys((".pdf", ".doc", ".docx", ".wps", ".html", ".htm", ".mht", ".png", ".jpg", ".jpeg"), _AS_TABLE),
    **dict.fromkeys((".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar", ".tgz"), "unpack it"),
    **dict.fromkeys((".json", ".xml"), "give it as CSV, .xlsx or one JSON object a line (.jsonl)"),
}
"""What may hold a table and is not read, by its suffix, and what helps."""

_BESIDE = (".md5", ".sha1", ".sha256", ".sig", ".asc", ".ok", ".done", ".ctl", ".lock", ".log", ".bak", ".old", ".ini")
_SETTINGS = (".db", ".lnk", ".url", ".md", ".toml", ".yaml", ".yml", ".key", ".secret", ".token")
"""What lies beside tables without being one."""


def passed_over(feed: FeedConfig, base: Path, others: Iterable[FeedConfig] = ()) -> list[Refused]:
    """Return the files that `feed` does not read though its path nearly means them, each with what to do about it.

    In a folder that is the feed these are all that may hold a table; beside a file or pattern those that differ from it
    in capitals or in their suffix. Files of `others` are not named, nor hidden, temporary and unfinished ones.
    """
    if feed.path is None:
        return []
    try:
        own = _read(feed, base)
        read = {*own, *(path for one in others for path in _read(one, base))}
        found = [
            Refused(name_of(path, base), 0, None, *why)
            for path in sorted(_neighbours(base / feed.path))
            if path not in read and finished(path) and (why := _why(feed, base / feed.path, path)) is not None
        ]
        return [*found, *_too_many(feed, len(own))]
    except (OSError, ValueError, NotImplementedError):
        return []  # fetching says so


def _read(feed: FeedConfig, base: Path) -> list[Path]:
    """The files that a feed's path means; none where it cannot be followed."""
    try:
        return matching(feed, base)[0] if feed.path is not None else []
    except FeedError:
        return []


def _neighbours(place: Path) -> list[Path]:
    """Every file in the folders that a path speaks of."""
    if place.is_dir():
        return list(place.iterdir())
    if place.exists() or WILD.search(place.parent.as_posix()) is None:
        return list(place.parent.iterdir())
    root = still_part(place)
    return list(root.glob((place.relative_to(root).parent / "*").as_posix()))


def _why(feed: FeedConfig, place: Path, path: Path) -> tuple[str, str] | None:
    """Why a file that is not read may have been meant, and what to do; None where it surely was not."""
    suffix = path.suffix.lower()
    if place.is_dir():
        return (
            None
            if suffix in (*_BESIDE, *_SETTINGS) or feed.kind == "edfi"
            else _unread(suffix, "is no table that is read")
        )
    pattern = place.name if WILD.search(place.name) and not place.exists() else _literally(place.name)
    if fnmatch.fnmatchcase(path.name.lower(), pattern.lower()):
        return f'differs from path = "{feed.path}" in capitals', "rename it, or write it so in path"
    stem, any_name = _stem(pattern).lower(), _stem(pattern).strip("*") == ""
    if not fnmatch.fnmatchcase(_stem(path.name).lower(), stem) or suffix in (*_BESIDE, *_SETTINGS):
        return None
    if suffix in _UNREAD:
        return _unread(suffix, "is no table that is read")
    return None if any_name or suffix not in TABLES else _unread(suffix, f'is not among path = "{feed.path}"')


def _unread(suffix: str, fault: str) -> tuple[str, str]:
    return fault, _UNREAD.get(suffix, "give it a path of its own, or move it away" if suffix in TABLES else _AS_TABLE)


def _literally(name: str) -> str:
    return WILD.sub(lambda found: f"[{found[0]}]", name)


def _stem(name: str) -> str:
    """A name without its suffix, and without the one before where that says how it is packed (marks.csv.gz)."""
    first = name.removesuffix(Path(name).suffix)
    return first.removesuffix(Path(first).suffix) if Path(first).suffix.lower() in TABLES else first


def _too_many(feed: FeedConfig, count: int) -> list[Refused]:
    more = count - finding.MOST_FILES
    if more <= 0:
        return []
    fault = f"{more} files are not read: there are more than {finding.MOST_FILES}, and the newest are"
    return [Refused(str(feed.path), 0, None, fault, "move old files away")]
