"""Bounds on the whole of an exchange: a time-out of a socket holds for one wait, and some receivers go on for ever."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator


class Bound:
    """Whether the exchange was cut off because its time was over."""

    expired = False


@contextlib.contextmanager
def bounded(seconds: float, connected: Callable[[], socket.socket | None]) -> Iterator[Bound]:
    """Cut the connection off, from another thread, where the block takes longer than `seconds`.

    `connected` gives the socket in use by then, or None while there is none. Whoever reads from it finds its end.
    """
    bound = Bound()

    def cut() -> None:
        bound.expired = True
        with contextlib.suppress(OSError, ValueError):  # it is over, or was never begun
            _hang_up(connected())

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield bound
    finally:
        timer.cancel()


def _hang_up(connection: socket.socket | None) -> None:
    """End a connection for both sides, by a socket of its own: one under TLS must not be touched by another thread."""
    if connection is None:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
