"""An IMAP server (RFC 3501) as far as reading a folder and flagging mails goes; written after the standard."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.phone import HOST


@dataclass
class Box:
    """The mails of one folder by their unique ids, those seen, and what clients did."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    """The commands as they came, without passwords."""

    def add(self, mail: bytes) -> int:
        """Put one more mail in; its unique id."""
        key = max(self.mails, default=100) + 1
        self.mails[key] = mail
        return key


class ImapServer:
    """A server with one account and the folders "INBOX" and "Bounces", on a port of its own.

    `demands_id` refuses to open a folder to a client that has not said what it is, as Netease's do.
    """

    user, password = "baoxue", "imap-password-of-a-test"

    def __init__(self, *, demands_id: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.folders = {"INBOX": Box(), "Bounces": Box()}
        self.demands_id = demands_id
        self.drops_after: str | None = None
        """A command after which the connection is cut."""
        outer = self

        class Session(_Session):
            server_box = outer

        self._server = socketserver.ThreadingTCPServer((HOST, 0), Session)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients refuse certificates here
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Session(socketserver.StreamRequestHandler):
    server_box: ImapServer
    box: Box | None = None
    known = False

    def handle(self) -> None:
        self._say("* OK ready")
        for line in self.rfile:
            tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            command, _, words = rest.partition(" ")
            if self.server_box.drops_after == command.upper():
                return
            if not self._answer(tag, command.upper(), words):
                return

    def _answer(self, tag: str, command: str, words: str) -> bool:
        told = next(iter(self.server_box.folders.values())).told if self.box is None else self.box.told
        told.append(command if command == "LOGIN" else f"{command} {words}".strip())
        if command == "LOGOUT":
            self._say("* BYE", f"{tag} OK")
            return False
        done = getattr(self, f"_{command.lower()}", lambda _: False)(words)
        self._say(f"{tag} {'OK done' if done else 'NO refused'}")
        return True

    def _capability(self, _: str) -> bool:
        self._say("* CAPABILITY IMAP4rev1 ID")
        return True

    def _login(self, words: str) -> bool:
        return words.replace('"', "") == f"{self.server_box.user} {self.server_box.password}"

    def _id(self, _: str) -> bool:
        self.known = True
        self._say("* ID NIL")
        return True

    def _select(self, words: str) -> bool:
        self.box = self.server_box.folders.get(words.strip('"'))
        if self.box is None or (self.server_box.demands_id and not self.known):
            return False
        self._say(f"* {len(self.box.mails)} EXISTS", "* FLAGS (\\Seen)")
        return True

    def _uid(self, words: str) -> bool:
        what, _, rest = words.partition(" ")
        assert self.box is not None
        if (what, rest) == ("SEARCH", "UNSEEN"):
            unseen = [str(key) for key in sorted(self.box.mails) if key not in self.box.seen]
            self._say(f"* SEARCH {' '.join(unseen)}".rstrip())
            return True
        return self._fetch(rest) if what == "FETCH" else what == "STORE" and self._store(rest)

    def _fetch(self, words: str) -> bool:
        found = re.fullmatch(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", words)
        assert found is not None
        assert self.box is not None
        mail = self.box.mails.get(int(found[1]))
        if mail is not None:
            part = mail[: int(found[2])]
            self.wfile.write(f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(part)}}}\r\n".encode() + part + b")\r\n")
        return True

    def _store(self, words: str) -> bool:
        keys, _, rest = words.partition(" ")
        assert rest == r"+FLAGS.SILENT (\Seen)"
        assert self.box is not None
        self.box.seen |= {int(key) for key in keys.split(",")}
        return True

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.wfile.write(f"{line}\r\n".encode())
