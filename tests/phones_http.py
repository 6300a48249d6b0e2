"""Receivers over HTTP: an SMS gateway and a webhook endpoint, with answers told in advance."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

from standardwebhooks import Webhook

from tests.authority import Authority
from tests.phone import HOST, Arrival, Certificate, Phone


@dataclass(frozen=True)
class Answer:
    """What an HTTP receiver answers: after `delay` seconds, or not at all (`drop`, once the request is read)."""

    status: int = 200
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    drop: bool = False
    taken: bool | None = None
    """Whether the message counts as taken; by default a 2xx is, and so is one dropped."""

    @property
    def takes(self) -> bool:
        """Whether the receiver keeps the message."""
        return 200 <= self.status < 300 if self.taken is None else self.taken


@dataclass(frozen=True)
class HttpRequest:
    """One request as it came, refused or not."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: dt.datetime
    connection: int
    """The client's port: equal for requests over one kept connection."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    phone: HttpPhone

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is the client's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        phone = cast("_Server", self.server).phone
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        answer = phone.hears(HttpRequest(self.command, self.path, headers, body, dt.datetime.now(dt.UTC), port))
        phone.stopping.wait(answer.delay)
        if answer.drop:
            self.close_connection = True
            return
        said = answer.body if answer.body is not None else {}
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET = do_PUT = _answer  # noqa: N815 - the server's own names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be quiet."""


class HttpPhone(Phone):
    """A receiver over HTTP with answers told in advance; subclasses know where a request keeps its message.

    `answers` queues answers, each used once; when they are used up the `usual` one is given.
    """

    path = "/"

    def __init__(
        self,
        *,
        usual: Answer | None = None,
        strict: bool = True,
        tls: Certificate | Authority | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(strict=strict)
        self.usual = usual or Answer()
        self.requests: list[HttpRequest] = []
        self.stopping = threading.Event()
        self._answers: deque[Answer] = deque()
        self._scheme = "https" if tls else "http"
        self._server = _Server((HOST, port), _Handler)
        self._server.phone = self
        if tls:
            self._server.socket = tls.server_context().wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end of nothing."""
        return f"{self._scheme}://{HOST}:{self.port}{self.path}"

    def answers(self, *answers: Answer) -> None:
        """Give these answers to the next requests, in order."""
        self._answers.extend(answers)

    def hears(self, request: HttpRequest) -> Answer:
        """Record a request and say how it is answered."""
        self.requests.append(request)
        fault = self.fault(request)
        answer = fault or (self._answers.popleft() if self._answers else self.usual)
        if answer.takes:
            self.takes(self.arrival(request))
        return answer

    def fault(self, request: HttpRequest) -> Answer | None:
        """The answer to a request no honest receiver would accept; None for a good one."""
        raise NotImplementedError

    def arrival(self, request: HttpRequest) -> Arrival:
        """The message in a request."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.left(kind)


class SmsGateway(HttpPhone):
    """An SMS provider taking {"phone", "text", "id"} as JSON; with a `token` it refuses whoever lacks it."""

    path = "/sms"

    def __init__(self, *, token: str | None = None, **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**rest)
        self._token = token

    def fault(self, request: HttpRequest) -> Answer | None:
        if self._token is not None and request.headers.get("authorization") != f"Bearer {self._token}":
            return Answer(401)
        return None if request.headers.get("idempotency-key") else Answer(400)

    def arrival(self, request: HttpRequest) -> Arrival:
        told = json.loads(request.body)
        return Arrival(told["phone"], told["text"], request.headers["idempotency-key"], request.at, body=told)


class WebhookEar(HttpPhone):
    """An endpoint that checks each signature; its messages are addressed by the name it was given.

    The age of a timestamp is not judged: days pass in seconds here.
    """

    path = "/hook"

    def __init__(self, name: str, secret: str, **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**rest)
        self.name = name
        self._signer = Webhook(secret)

    def fault(self, request: HttpRequest) -> Answer | None:
        headers = request.headers
        if not {"webhook-id", "webhook-timestamp", "webhook-signature"} <= set(headers):
            return Answer(400)
        at = dt.datetime.fromtimestamp(int(headers["webhook-timestamp"]), dt.UTC)
        signature = self._signer.sign(headers["webhook-id"], at, request.body.decode())
        return None if signature in headers["webhook-signature"].split(" ") else Answer(401)

    def arrival(self, request: HttpRequest) -> Arrival:
        text = request.body.decode()
        return Arrival(self.name, text, request.headers["webhook-id"], request.at, body=json.loads(text))
