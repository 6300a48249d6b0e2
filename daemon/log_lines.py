"""Lines of the log on their way out: written by a thread of their own, so that a reader who stops holds up nobody."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from queue import Full, Queue
from select import select

MOST_LINES = 10_000
"""So many lines wait for a reader; what comes after them is dropped and counted."""
LAST_LINES_SECONDS = 2.0
"""How long the end of the process waits for lines that are still to be written."""


class LineWriter(logging.Handler):
    """Writes the lines of a log to a file descriptor; drops lines rather than wait, and counts them.

    A descriptor that was closed, or is full, costs lines and nothing else. UTF-8, whatever the locale.
    """

    def __init__(self, descriptor: int, *, most: int = MOST_LINES) -> None:
        super().__init__()
        self.dropped = 0
        """The lines dropped since the start."""
        self.lost: Callable[[int], object] = lambda _: None
        """Called, with how many were dropped, once lines are written again."""
        self._descriptor = descriptor
        self._lines: Queue[bytes | None] = Queue(most)
        self._untold = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        """Put one line into the queue, or drop it when that is full."""
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001 - logging would print it to the very stream that may hang
            text = f"a line of {record.name} could not be made: {type(error).__name__}"
        try:
            self._lines.put_nowait(f"{text}\n".encode("utf-8", "backslashreplace"))
        except Full:
            self._drop()

    def close(self) -> None:
        """Write what waits, but not for longer than LAST_LINES_SECONDS; nothing is taken afterwards."""
        atexit.unregister(self.close)
        try:
            self._lines.put(None, timeout=LAST_LINES_SECONDS)
        except Full:
            return
        self._thread.join(LAST_LINES_SECONDS)
        super().close()

    def _drop(self) -> None:
        self.dropped += 1
        self._untold += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if not self._written(line):
                self._drop()
            elif self._untold and self._lines.empty():
                count, self._untold = self._untold, 0
                self.lost(count)

    def _written(self, line: bytes) -> bool:
        """Write a line whole; whether it could be."""
        while line:
            try:
                line = line[os.write(self._descriptor, line) :]
            except BlockingIOError:
                select([], [self._descriptor], [])  # another program has made it so that writing does not wait
            except OSError:
                return False
        return True
