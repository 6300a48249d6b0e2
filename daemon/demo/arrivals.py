"""What arrived at the receivers: kept in order, each message id once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a receiver took it.

    `at` is what the virtual clock showed, `steady` the seconds of the monotonic clock.
    """

    channel: str
    address: str
    message_id: str
    text: str
    at: dt.datetime
    steady: float


class Letterbox:
    """All arrivals of all channels; filled from the receivers' threads, emptied by whoever watches."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.repeats = 0
        """Messages that came once more under an id already known."""
        self.refused = 0
        """Requests no honest receiver accepts: a wrong signature, no id, no number."""
        self._now = now
        self._seen: set[str] = set()
        self._fresh: list[Arrival] = []
        self._lock = threading.Lock()

    def drop(self, channel: str, address: str, message_id: str, text: str) -> None:
        """Take one message in."""
        with self._lock:
            if message_id in self._seen:
                self.repeats += 1
                return
            self._seen.add(message_id)
            self._fresh.append(Arrival(channel, address, message_id, text, self._now(), time.monotonic()))

    def refuse(self) -> None:
        """Count a request that was turned away."""
        with self._lock:
            self.refused += 1

    def empty(self) -> list[Arrival]:
        """What arrived since the last time."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        return fresh
