"""A limit on the time of one HTTP exchange that no slow sender can stretch."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from notifiers.connections import TrustingAdapter


class Fuse:
    """Cuts every connection made under it when its time is up, also in the middle of a header or a handshake.

    Socket timeouts only limit the silence between two bytes; a server that drips one at a time never meets them.
    Does not limit name resolution.
    """

    def __init__(self, seconds: float) -> None:
        self.blown = False
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._blow)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._watched:
                watched.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> socket.socket:
        """`connection` itself; a duplicate is kept, because TLS takes the original away."""
        with self._lock:
            self._watched.append(connection.dup())
        if self.blown:
            self._blow()
        return connection

    def _blow(self) -> None:
        self.blown = True
        with self._lock:
            for watched in self._watched:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)


class FusedAdapter(TrustingAdapter):
    """Transport whose connections hang on a Fuse; retries nothing by itself."""

    def __init__(self, fuse: Fuse, context: ssl.SSLContext) -> None:
        self.pools = _fused_pools(fuse)
        super().__init__(context, max_retries=0)


def _fused_pools(fuse: Fuse) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return fuse.watch(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return fuse.watch(super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Session(requests.Session):
    """A session that sees no redirects: the library would read their bodies whole before asking us."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the signature is theirs
        return None


def fused_session(fuse: Fuse, context: ssl.SSLContext) -> requests.Session:
    """Return a session that reads no environment, follows no redirect, and whose connections hang on `fuse`."""
    session = _Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, FusedAdapter(fuse, context))
    return session
