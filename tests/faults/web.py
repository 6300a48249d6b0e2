"""A source on the loopback that answers as it is told: whole, not at all, half-way, or that nothing has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from daemon.feeds import http
from daemon.feeds.pace import Pace


@dataclass(frozen=True)
class Answer:
    """One answer; `hangs_up` ends the connection instead, `etag` lets it say 304 where nothing has changed."""

    body: bytes
    status: int = 200
    kind: str = "text/csv"
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    etag: bool = False


class Source:
    """A server whose answers, by path, can be replaced at any time."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _give(self, source.answers[self.path])

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=lambda: self._server.serve_forever(poll_interval=0.02), daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


def _give(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    if answer.hangs_up:
        handler.close_connection = True
        return
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
    if answer.etag and handler.headers.get("If-None-Match") == tag:
        handler.send_response(304)
        handler.end_headers()
        return
    handler.send_response(answer.status)
    headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}
    for name, value in (headers | ({"ETag": tag} if answer.etag else {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(answer.body)


@contextmanager
def source() -> Iterator[Source]:
    """A source for a while; whoever asks it again does so at once instead of waiting."""
    opened = Source()
    impatient = Pace(sleep=lambda _: None, jitter=lambda: 0.0)
    asks: Callable[..., object] = http.fetch_http
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            http, "fetch_http", lambda feed, token, cursor, now, _: asks(feed, token, cursor, now, impatient)
        )
        try:
            yield opened
        finally:
            opened.close()
