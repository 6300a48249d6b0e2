"""The signals a daemon hears, in the order they come."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ENDED_TWICE = 1
"""The exit status of a daemon that is told a second time to end."""


@dataclass
class Heard:
    """Signals in the order they came; a second SIGTERM or SIGINT ends the process at once."""

    numbers: SimpleQueue[int] = field(default_factory=SimpleQueue)
    ends: int = 0

    def hear(self, number: int, _: FrameType | None) -> None:
        """Take note of one; to be called as signal handlers are."""
        self.ends += number != signal.SIGHUP
        if self.ends > 1:
            os._exit(_ENDED_TWICE)
        self.numbers.put(number)


@contextmanager
def hearing() -> Iterator[Heard]:
    """Signals to be heard, and no longer acted upon as they are by default."""
    heard = Heard()
    before = {number: signal.signal(number, heard.hear) for number in _SIGNALS}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
