"""The service manager's socket: ready, reloading, stopping, still alive; silent where there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Watch:
    """Tells systemd how the daemon is (sd_notify(3)); does nothing when not started by it.

    `environ` is read once: NOTIFY_SOCKET, and WATCHDOG_USEC for how often a sign of life is owed.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        found = os.environ if environ is None else environ
        self._address = found.get("NOTIFY_SOCKET", "")
        owed = found.get("WATCHDOG_USEC", "")
        self.owed_seconds: float | None = int(owed) / 1_000_000 if owed.isdigit() else None

    def tell(self, *states: str) -> None:
        """Send `states`, such as READY=1; a manager that does not listen is not our failure, and is not waited for."""
        if not self._address:
            return
        path = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            try:
                manager.settimeout(0)
                manager.connect(path)
                manager.sendall("\n".join(states).encode())
            except OSError:
                return
