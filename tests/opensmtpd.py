"""A real mail server: OpenSMTPD as Debian packages it, relaying one domain to a sink and refusing all others."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.phone import HOST

SMTPD = shutil.which("smtpd", path="/usr/sbin:/usr/local/sbin")
MISSING = "needs OpenSMTPD, and root to start it"
DOMAIN = "town.example"


def installed() -> bool:
    """Whether OpenSMTPD can be started here."""
    return SMTPD is not None and os.geteuid() == 0


@contextlib.contextmanager
def opensmtpd(relay_to: int) -> Iterator[int]:
    """A running server's port; what it takes for `DOMAIN` it hands to the port `relay_to`.

    One at a time on a machine: its control socket and queue have fixed places.
    """
    assert SMTPD is not None
    with tempfile.TemporaryDirectory() as folder, (Path(tempfile.gettempdir()) / "opensmtpd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = _free_port()
        settings = Path(folder) / "smtpd.conf"
        settings.write_text(
            f"listen on {HOST} port {port} hostname localhost\n"
            f'action "out" relay host smtp://{HOST}:{relay_to}\n'
            f'match from any for domain "{DOMAIN}" action "out"\n'
        )
        with subprocess.Popen(  # noqa: S603 - the packaged server, on settings made above
            [SMTPD, "-dv", "-f", str(settings)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server:
            try:
                _wait_for(server, "will accept")
                yield port
            finally:
                server.terminate()
                server.communicate(timeout=20)


def _wait_for(server: subprocess.Popen[str], words: str) -> None:
    assert server.stdout is not None
    said: list[str] = []
    for line in server.stdout:
        said.append(line)
        if words in line:
            return
    raise RuntimeError("OpenSMTPD did not start: " + "".join(said[-5:]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
