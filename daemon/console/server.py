"""The console's door: uvicorn in a thread of its own, on a socket bound beforehand; signals stay ours."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from daemon.console.visitors import TimedProtocol

GRACE_SECONDS = 2
BACKLOG = 128


def bind(address: tuple[str, int]) -> socket.socket:
    """A socket bound to host and port (0: any free one), not listening yet; OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
    except BaseException:
        door.close()
        raise
    return door


class ConsoleServer:
    """Serves the console until `stop`; its failure is its own: the daemon goes on telling people without it."""

    def __init__(self, app: ASGIApp, door: socket.socket) -> None:
        self._door = door
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # a link's token would stand in it
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            http=TimedProtocol,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
            backlog=BACKLOG,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([door],), name="console", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, as `host:port`."""
        host, port = self._door.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Begin to serve; what is asked from now on is answered."""
        self._door.listen(BACKLOG)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.should_exit = True

    def ended_within(self, seconds: float) -> bool:
        """Wait at most so long for the last answers; whether it is over. It never holds up the end of the process."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()
