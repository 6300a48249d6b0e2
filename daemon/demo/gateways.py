"""An SMS gateway and the county's own system: two receivers over HTTP, on the loopback only."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, cast

from standardwebhooks import Webhook

from daemon.demo.arrivals import Letterbox
from daemon.demo.mail import HOST

SMS, HOOK = "/sms", "/hook"
_TAKEN, _BAD, _FORGED, _NOWHERE = 200, 400, 401, 404


class _Request(BaseHTTPRequestHandler):
    """One client; its requests are judged by the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(cast("Gateways", self.server).take(self.path, headers, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library calls it so
        """Say nothing: what arrives is shown elsewhere."""

    do_POST = _answer  # noqa: N815 - the library calls it so


class Gateways(ThreadingHTTPServer):
    """Both receivers on one port; refuses a text without a number and an event without a true signature.

    The age of a signature is not judged: days pass in seconds here.
    """

    daemon_threads = True

    def __init__(self, letterbox: Letterbox, secret: str, endpoint: str) -> None:
        super().__init__((HOST, 0), _Request)
        self._letterbox = letterbox
        self._signer = Webhook(secret)
        self._endpoint = endpoint
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="gateways", daemon=True)

    def url(self, path: str) -> str:
        """The address of one of the two."""
        return f"http://{HOST}:{self.server_address[1]}{path}"

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Judge one request and keep its message; the HTTP status to answer."""
        if path == SMS:
            status = self._take_text(headers.get("idempotency-key", ""), body)
        else:
            status = self._take_event(headers, body) if path == HOOK else _NOWHERE
        if status != _TAKEN:
            self._letterbox.refuse()
        return status

    def _take_text(self, message_id: str, body: bytes) -> int:
        said = json.loads(body)
        if not message_id or not said.get("phone") or not said.get("text"):
            return _BAD
        self._letterbox.drop("sms", said["phone"], message_id, said["text"])
        return _TAKEN

    def _take_event(self, headers: Mapping[str, str], body: bytes) -> int:
        message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not message_id or not stamp.isdecimal():
            return _BAD
        text = body.decode()
        expected = self._signer.sign(message_id, dt.datetime.fromtimestamp(int(stamp), dt.UTC), text)
        given = headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(expected, one) for one in given):
            return _FORGED
        self._letterbox.drop("webhook", self._endpoint, message_id, text)
        return _TAKEN

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
