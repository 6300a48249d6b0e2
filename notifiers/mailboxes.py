"""Where mails that come back lie: a Maildir, or a folder of an IMAP server; read, marked as seen, never deleted."""

from __future__ import annotations

import contextlib
import datetime as dt
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from notifiers.contract import DeliveryError, Fault
from notifiers.smtp import NOT_SECURE
from notifiers.trust import Trust, certificate_fault_in

_SEEN = "S"
_FOLDER = re.compile(r'[^\x00-\x1f\x7f"\\]{1,200}')


class Mailbox(Protocol):
    """A box of mails nobody else reads."""

    def unread(self, most: int, longest: int) -> list[tuple[str, bytes]]:
        """At most so many mails not marked yet, each with its key here, cut at so many bytes.

        Raises DeliveryError when it cannot be reached.
        """

    def mark(self, keys: Sequence[str]) -> None:
        """Mark these as seen; they stay where they are."""


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir on this machine; what is seen lies in `cur` with the flag S."""

    path: Path

    def unread(self, most: int, longest: int) -> list[tuple[str, bytes]]:
        """At most so many mails without the flag, the oldest first; one that goes away meanwhile is passed over."""
        if not (self.path / "new").is_dir() or not (self.path / "cur").is_dir():
            raise DeliveryError("the bounce mailbox is no Maildir with new and cur")
        found: list[tuple[str, bytes]] = []
        for key in self._keys():
            if len(found) == most:
                break
            with contextlib.suppress(FileNotFoundError), (self.path / key).open("rb") as file:
                found.append((key, file.read(longest)))
        return found

    def mark(self, keys: Sequence[str]) -> None:
        """Move these to `cur`, flagged; those that are gone are somebody else's doing."""
        for key in keys:
            folder, _, name = key.partition("/")
            base, _, flags = name.partition(":2,")
            kept = flags if folder == "cur" else ""
            with contextlib.suppress(FileNotFoundError):
                (self.path / key).rename(self.path / "cur" / f"{base}:2,{''.join(sorted({*kept, _SEEN}))}")

    def _keys(self) -> Iterator[str]:
        try:
            yield from sorted(f"new/{one.name}" for one in (self.path / "new").iterdir() if one.is_file())
            names = sorted(one.name for one in (self.path / "cur").iterdir() if one.is_file())
        except OSError as error:
            reason = f"the bounce mailbox cannot be read: {error.strerror}"
            raise DeliveryError(reason) from None
        yield from (f"cur/{name}" for name in names if _SEEN not in name.partition(":2,")[2])


@dataclass(frozen=True, slots=True)
class Imap:
    """A folder of an IMAP server (RFC 3501); a connection for each look. What is seen is flagged so there.

    A certificate is always verified, by `trust`.
    """

    host: str
    username: str
    password: str = field(repr=False)
    port: int = 993
    security: Literal["none", "starttls", "tls"] = "tls"
    folder: str = "INBOX"
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    trust: Trust = field(default_factory=Trust)

    def __post_init__(self) -> None:
        if not _FOLDER.fullmatch(self.folder) or not self.folder.isascii():
            raise ValueError("the folder of bounces has a name that IMAP does not take as it is")

    def unread(self, most: int, longest: int) -> list[tuple[str, bytes]]:
        """At most so many unseen mails, the oldest first."""
        with self._line() as line:
            found = _answer(line.uid("SEARCH", "UNSEEN"))
            keys = [key.decode() for key in (found[0] or b"").split()][:most]
            return [(key, mail) for key in keys if (mail := _body(line, key, longest)) is not None]

    def mark(self, keys: Sequence[str]) -> None:
        """Flag these as seen."""
        if not keys:
            return
        with self._line() as line:
            _answer(line.uid("STORE", ",".join(keys), "+FLAGS.SILENT", r"(\Seen)"))

    @contextlib.contextmanager
    def _line(self) -> Iterator[imaplib.IMAP4]:
        """A connection with the folder open; what goes wrong on it is told without the server's own words."""
        place = f"mail server {self.host}:{self.port}"
        fault: DeliveryError | None = None
        line: imaplib.IMAP4 | None = None
        try:
            line = self._open()
            _log_in(line, self.username, self.password)
            _answer(line.select(f'"{self.folder}"'))
            yield line
        except ssl.SSLError as error:
            fault = DeliveryError(f"{place}: {certificate_fault_in(error) or NOT_SECURE}", Fault.ACCOUNT)
        except imaplib.IMAP4.abort:
            fault = DeliveryError(f"{place}: the connection was lost")
        except imaplib.IMAP4.error:
            fault = DeliveryError(f"{place}: refused the login, the folder or a command")
        except OSError:
            fault = DeliveryError(f"{place}: not reached, or the connection was lost")
        finally:
            if line is not None:
                with contextlib.suppress(imaplib.IMAP4.error, OSError):
                    line.logout()
                with contextlib.suppress(OSError):
                    line.shutdown()
        if fault is not None:
            raise fault

    def _open(self) -> imaplib.IMAP4:
        context, seconds = self.trust.context(), self.timeout.total_seconds()
        if self.security == "tls":
            return imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=seconds)
        line = imaplib.IMAP4(self.host, self.port, timeout=seconds)
        if self.security == "starttls":
            line.starttls(context)
        return line


def _log_in(line: imaplib.IMAP4, username: str, password: str) -> None:
    line.login(username, password)
    if "ID" in line.capabilities:
        # Netease (163.com) opens no folder to a client that has not said what it is.
        line.xatom("ID", '("name" "baoxue")')


def _answer(answered: tuple[str, list[bytes | None]] | tuple[str, list[object]]) -> list[bytes | None]:
    status, rows = answered
    if status != "OK":
        raise imaplib.IMAP4.error("refused")
    return [row if isinstance(row, bytes) else None for row in rows]


def _body(line: imaplib.IMAP4, key: str, longest: int) -> bytes | None:
    """The beginning of a mail, which stays unseen; None when it went away."""
    status, rows = line.uid("FETCH", key, f"(BODY.PEEK[]<0.{longest}>)")
    if status != "OK":
        raise imaplib.IMAP4.error("refused")
    return next((row[1] for row in rows if isinstance(row, tuple) and len(row) > 1), None)
