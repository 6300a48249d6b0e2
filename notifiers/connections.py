"""The connections that requests goes over: known to whoever has to cut them off, and patient with announcements."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from io import BufferedReader
from types import MappingProxyType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_FINAL = 200
"""Lower statuses announce an answer, but for one that ends the protocol."""


class _Use:
    """The connection that one thread's request goes over, or went over last."""

    connection: HTTPConnection | None = None


class _InUse(threading.local):
    def __init__(self) -> None:
        self.mine = _Use()


_in_use = _InUse()


class _Head:
    """The stream of an answer while its head is read: the standard library takes an end within it for the end of it."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream

    def readline(self, limit: int = -1) -> bytes:
        """Return one line; raise RemoteDisconnected where the stream ends instead."""
        line = self._stream.readline(limit)
        if not line:
            raise RemoteDisconnected("the connection broke within the head of the answer")
        return line

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class _FinalResponse(HTTPResponse):
    """An answer, past all that announce it (103 Early Hints): the standard library knows only 100."""

    def begin(self) -> None:
        """Read the head, the whole of it."""
        stream = self.fp
        self.fp = _Head(stream)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:  # closed, where what came is no HTTP
                self.fp = stream

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status >= _FINAL or status in {HTTPStatus.CONTINUE, HTTPStatus.SWITCHING_PROTOCOLS}:
                return version, status, reason
            parse_headers(self.fp)


class _Connection(HTTPConnection):
    response_class = _FinalResponse

    def connect(self) -> None:
        _in_use.mine.connection = self
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        _in_use.mine.connection = self
        super().request(*args, **options)


class _SecureConnection(HTTPSConnection):
    response_class = _FinalResponse

    def connect(self) -> None:
        _in_use.mine.connection = self  # already while a proxy is asked for a tunnel
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        _in_use.mine.connection = self
        super().request(*args, **options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class TrustingAdapter(HTTPAdapter):
    """An adapter of requests that verifies certificates by one context of TLS, not by the list that requests brings.

    Its connections, through a proxy too, are those of `pools`, by scheme.
    """

    pools: Mapping[str, type[HTTPConnectionPool]]

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - requests' own
        self._context = context
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """Make the pools of connections."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = dict(self.pools)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        manager.pool_classes_by_scheme = dict(self.pools)
        return manager

    def cert_verify(self, conn: Any, *_: Any) -> None:  # noqa: ANN401 - requests' own
        """Demand a certificate, and add no authorities to those of the context."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None


class KnownConnections(TrustingAdapter):
    """An adapter over connections of which `connected` knows."""

    pools = MappingProxyType({"http": _Pool, "https": _SecurePool})


def connected() -> Callable[[], socket.socket | None]:
    """Return what tells, in any thread, the socket that this thread's request goes over; None while it has none."""
    mine = _in_use.mine
    return lambda: None if mine.connection is None else mine.connection.sock
