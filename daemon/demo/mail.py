"""A mail server that keeps every mail it is given; enough of RFC 5321 for an honest client, on the loopback only."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.policy import default as modern
from types import TracebackType
from typing import Self, cast

from daemon.demo.arrivals import Letterbox

HOST = "127.0.0.1"
_LONGEST_LINE = 64 * 1024


class _Conversation(socketserver.StreamRequestHandler):
    """One client: each command answered in turn, its mails dropped into the letterbox."""

    disable_nagle_algorithm = True

    def _converse(self) -> None:
        self._recipients: list[str] = []
        self._say("220 demo.localhost ESMTP")
        while line := self.rfile.readline(_LONGEST_LINE):
            words = line.decode("utf-8", "replace").rstrip("\r\n")
            command, _, rest = words.partition(" ")
            if command.upper() == "QUIT":
                self._say("221 2.0.0 bye")
                return
            self._answer(command.upper(), rest)

    def _answer(self, command: str, rest: str) -> None:
        if command == "EHLO":
            self._say("250-demo.localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES")
        elif command in {"HELO", "NOOP"}:
            self._say("250 2.0.0 OK")
        elif command in {"MAIL", "RSET"}:
            self._recipients = []
            self._say("250 2.1.0 OK")
        elif command == "RCPT":
            self._recipients.append(rest.partition("<")[2].partition(">")[0])
            self._say("250 2.1.5 OK")
        elif command == "DATA" and self._recipients:
            self._say("354 end with a dot on a line of its own")
            self._take(self._read_mail())
            self._say("250 2.0.0 OK: kept")
        else:
            self._say("503 5.5.1 not now" if command == "DATA" else "502 5.5.1 not known here")

    def _read_mail(self) -> bytes:
        lines = []
        while (line := self.rfile.readline(_LONGEST_LINE)) not in {b".\r\n", b".\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _take(self, content: bytes) -> None:
        mail = message_from_bytes(content, policy=modern)
        body = mail.get_body(("plain",))
        words = body.get_content().replace("\r\n", "\n") if body else ""
        text = f"{mail['Subject']}\n{words}"
        message_id = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        letterbox = cast("MailServer", self.server).letterbox
        for address in self._recipients:
            letterbox.drop("email", address, message_id, text)

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode("ascii") + b"\r\n")

    handle = _converse


class MailServer(socketserver.ThreadingTCPServer):
    """Listens while it is entered; its port is whatever was free."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, letterbox: Letterbox) -> None:
        super().__init__((HOST, 0), _Conversation)
        self.letterbox = letterbox
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="mail", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
