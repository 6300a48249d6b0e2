"""What passes between fetching, reading and the store: payloads, cursors, readings and refusals."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rules.records import Record


class FeedError(Exception):
    """A source could not be fetched at all, and whether asking again can help.

    The reason names a file or an address without its query; it never carries a token or a line of the source.
    """

    def __init__(self, feed: str, reason: str, *, permanent: bool) -> None:
        super().__init__(f"feed {feed}: {reason}")
        self.feed = feed
        self.reason = reason
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of one source as delivered; knows nothing of what they mean.

    `fault` is set, and `content` empty, when one file among several could not be taken; `read` reports it.
    `name` is the file's path below the configuration's folder, or the path of a URL without its query.
    """

    feed_id: str
    name: str
    content: bytes
    sha256: str
    fetched_at: dt.datetime
    etag: str | None = None
    last_modified: str | None = None
    fault: str | None = None
    modified_at: dt.datetime | None = None
    """When its file was last written, UTC; None for what is no file."""
    seen_before: bool = False
    """Whether the same bytes were taken at the last poll: they say nothing new, and speak for what is over since."""


class Seen(NamedTuple):
    """What was last taken under one name: its digest, and the file's stamp while that can be trusted."""

    sha256: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a feed has been taken: enough to ask for changes only, and never to take the same bytes twice.

    `meaning` is a digest of how the feed is read; when the configuration changes it, everything is taken anew.
    Does not hold any content.
    """

    etag: str | None = None
    last_modified: str | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)
    meaning: str = ""
    left: int = field(default=0, compare=False)
    """The files that are new and were left for the next call; not kept."""

    def to_json(self) -> dict[str, Any]:
        """The cursor as plain values for JSON."""
        seen = {name: list(one) for name, one in self.seen.items()}
        return {"etag": self.etag, "last_modified": self.last_modified, "seen": seen, "meaning": self.meaning}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Cursor:
        """The cursor `to_json` gave; an empty one for None."""
        if not stored:
            return cls()
        seen = {name: Seen(*one) for name, one in stored["seen"].items()}
        return cls(stored["etag"], stored["last_modified"], seen, stored["meaning"])


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing a source said that was not taken, and why; `line` 0 means the source as a whole.

    Names, phones and id numbers are never quoted in `fault`; `student_id` is there for the store, not for logs.
    """

    source: str
    line: int
    column: str | None
    fault: str
    hint: str | None = None
    student_id: str | None = None
    key: str | None = field(default=None, compare=False)
    """The id of the child, unit or contact that a refused row of a roster names; None where that cannot be told."""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        tail = f" – {self.hint}" if self.hint else ""
        return f"{where} {self.column or ''}".rstrip() + f"  {self.fault}{tail}"


class RefusedMark(NamedTuple):
    """What a refused row of marks is about, as far as it can be told: the child, the day, the session; None if not.

    `session` is a name, or "" for all sessions of the day.
    """

    student_id: str | None
    date: dt.date | None
    session: str | None
    recorded_at: dt.datetime | None
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one payload said: the records taken, what was refused, and the dates its marks span.

    `first_date` and `last_date` count every row of marks whose date could be read, taken or not: they are what an
    exception feed covers. They are None for other records and for a source without dates.
    """

    records: Sequence[Record] = ()
    problems: tuple[Refused, ...] = ()
    notices: tuple[Refused, ...] = ()
    """What was passed over without being refused (another sheet); a person should look at it."""
    first_date: dt.date | None = None
    last_date: dt.date | None = None
    refused_marks: tuple[RefusedMark, ...] = ()
    """What the refused rows of marks are about: a refused row is not an unsaid one (absence.md, Marks 8)."""

    @property
    def unreadable(self) -> bool:
        """Whether nothing of it could be read, so that it is no delivery at all."""
        return not self.records and bool(self.problems)


class Fault(ValueError):  # noqa: N818 - it is the source's, not ours
    """Why one value, row or source cannot be taken, in words for whoever wrote it."""

    def __init__(self, fault: str, hint: str | None = None, *, column: str | None = None, line: int = 0) -> None:
        super().__init__(fault)
        self.fault = fault
        self.hint = hint
        self.column = column
        self.line = line
        self.cells: list[str] = []
        """The cells of a line that could not be split, as they stand between delimiters; for looking, not taking."""


def digest(content: bytes) -> str:
    """SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def quote(text: str, limit: int = 40) -> str:
    """A value as a message shows it: in quotes, printable, cut to `limit` characters."""
    shown = "".join(c if c.isprintable() else "·" for c in text[:limit])
    return f'"{shown}…"' if len(text) > limit else f'"{shown}"'
