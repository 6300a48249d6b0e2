"""A source of documents on loopback, with its answers told in advance."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer: a status with headers and a body; `length` False leaves its length unsaid; `drip` sends it slowly."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: bool = True
    drip: str = ""
    cut: int = 0
    """Bytes promised and never sent."""


class Source(ThreadingHTTPServer):
    """Serves `answers` in order, the last for ever; remembers the path and headers of every request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.answers = deque(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_answer(self) -> Answer:
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers hang up on purpose."""


class _Exchange(BaseHTTPRequestHandler):
    server: Source

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        answer = self.server.next_answer()
        if answer.drip == "header":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 4_000)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.length:
            self.send_header("Content-Length", str(len(answer.body) + answer.cut))
        self.end_headers()
        if answer.drip == "body":
            self._drip(answer.body)
        else:
            self.wfile.write(answer.body)

    def _drip(self, content: bytes) -> None:
        for byte in content:
            if self.server.over.wait(0.01):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is theirs
        """Keep quiet."""


@contextmanager
def serving(*answers: Answer) -> Iterator[Source]:
    """A running Source, stopped at the end."""
    source = Source(*answers)
    thread = threading.Thread(target=source.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield source
    finally:
        source.over.set()
        source.shutdown()
        source.server_close()
        thread.join()
