"""A forward proxy on this machine, as offices have them: CONNECT and plain requests, with an account or without.

Every host lies behind it at 127.0.0.1, whatever its name, so that tests need no names known to the system.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

Account = tuple[str, str]


class ForwardProxy:
    """Passes on what it is asked to, unless a trap is set; remembers every first line and what it was sent as account.

    `refuses` is a whole answer given instead of passing on, `hangs_up` closes instead, and `silent` never answers.
    """

    def __init__(
        self,
        *,
        account: Account | None = None,
        refuses: bytes | None = None,
        hangs_up: bool = False,
        silent: bool = False,
    ) -> None:
        self.asked: list[str] = []
        self.accounts: list[str | None] = []
        self.account = account
        self.refuses = refuses
        self.hangs_up = hangs_up
        self.silent = silent
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.place}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    proxy: ForwardProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers hang up on purpose."""


class _Exchange(socketserver.StreamRequestHandler):
    rbufsize = 0  # nothing that is to be passed on may stay behind in a buffer

    def handle(self) -> None:
        proxy = cast("_Server", self.server).proxy
        first = self.rfile.readline().decode("latin-1").strip()
        heads = list(iter(self.rfile.readline, b"\r\n"))
        sent = next((line for line in heads if line.lower().startswith(b"proxy-authorization:")), None)
        proxy.asked.append(first)
        proxy.accounts.append(None if sent is None else _account(sent))
        if proxy.silent:
            proxy.over.wait(30)
        elif proxy.refuses is not None:
            self.wfile.write(proxy.refuses)
        elif proxy.account is not None and proxy.accounts[-1] != ":".join(proxy.account):
            self.wfile.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
        elif not proxy.hangs_up:
            self._pass_on(first, [line for line in heads if not line.lower().startswith(b"proxy-")])

    def _pass_on(self, first: str, heads: list[bytes]) -> None:
        method, target, version = first.split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with socket.create_connection(("127.0.0.1", parts.port or 80)) as server:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
                lines = [line for line in heads if not line.lower().startswith(b"connection:")]
                asked = b"".join([f"{method} {path} {version}\r\n".encode(), *lines, b"Connection: close\r\n\r\n"])
                server.sendall(asked)
            self._pump(server)

    def _pump(self, server: socket.socket) -> None:
        """Carry bytes both ways until one side has no more."""
        ends = {self.connection: server, server: self.connection}
        with contextlib.suppress(OSError):
            while not cast("_Server", self.server).proxy.over.is_set():
                for end in select.select(list(ends), [], [], 0.05)[0]:
                    part = end.recv(65_536)
                    if not part:
                        return
                    ends[end].sendall(part)


def _account(line: bytes) -> str:
    return base64.b64decode(line.split()[-1]).decode()
