"""How long a visitor may take, and how many there may be: whoever only holds a connection open goes first."""

from __future__ import annotations

import asyncio
from collections import Counter

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 15.0
"""How long a whole request may take to come, headers and body; a form of ours is 64 KB at most."""
ANSWER_SECONDS = 60.0
"""How long an answer may take to be made."""
REST_SECONDS = 10.0
"""How long a connection may be left after an answer; what was not fetched by then is dropped."""
MOST_CONNECTIONS = 400
"""So many connections at once: well below the 1024 files that a process may have open."""

_WHOLE = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)


class TimedProtocol(H11Protocol):
    """One connection of uvicorn's that ends when its visitor is too slow, or when there is no room for another.

    uvicorn times only what lies between two requests: a visitor who sends half a request holds it open for ever, and
    enough of those take links and health away from everybody else.
    """

    _timer: asyncio.TimerHandle | None = None
    _is_answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Take a connection, in place of another where there are too many."""
        super().connection_made(transport)
        self._within(REQUEST_SECONDS)
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take what came; the time for a request begins with its first byte."""
        if not self._is_answering and self.conn.their_state is h11.IDLE and self.cycle is not None:
            self._within(REQUEST_SECONDS)
        super().data_received(data)
        if not self._is_answering and self.conn.their_state in _WHOLE and not self.transport.is_closing():
            self._is_answering = True
            self._within(ANSWER_SECONDS)

    def on_response_complete(self) -> None:
        """Leave the visitor a moment to fetch the answer and to ask anew."""
        self._is_answering = False
        self._within(REST_SECONDS)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def _within(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """End the connection that has waited longest of the address that holds most of those that wait."""
        others = (one for one in self.connections if isinstance(one, TimedProtocol) and one is not self)
        waiting = [one for one in others if not one._is_answering]  # noqa: SLF001 - its own kind
        if not waiting:
            self.transport.abort()
            return
        held = Counter(one.client and one.client[0] for one in waiting)
        address, _ = held.most_common(1)[0]
        oldest = min((one for one in waiting if (one.client and one.client[0]) == address), key=_ends_at)
        oldest.transport.abort()


def _ends_at(one: TimedProtocol) -> float:
    return one._timer.when() if one._timer is not None else 0.0  # noqa: SLF001 - likewise
