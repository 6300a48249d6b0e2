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
BOUNCES = "bounces.example"
"""Where the addresses lie that mails are returned to."""
_OWNER = "nobody"
"""Who delivers into the Maildir: the server does that for no root."""


def installed() -> bool:
    """Whether OpenSMTPD can be started here."""
    return SMTPD is not None and os.geteuid() == 0


@contextlib.contextmanager
def opensmtpd(relay_to: int, bounces: Path | None = None) -> Iterator[int]:
    """A running server's port; what it takes for `DOMAIN` it hands to the port `relay_to`.

    What comes back to `BOUNCES` it puts into the Maildir `bounces`, which it makes. One at a time on a machine: its
    control socket and queue have fixed places.
    """
    assert SMTPD is not None
    with tempfile.TemporaryDirectory() as folder, (Path(tempfile.gettempdir()) / "opensmtpd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = _free_port()
        settings = Path(folder) / "smtpd.conf"
        settings.write_text(
            _delivering(Path(folder), bounces) + f"listen on {HOST} port {port} hostname localhost\n"
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


def _delivering(folder: Path, bounces: Path | None) -> str:
    """The lines by which bounces are delivered, with what they refer to; none where nobody wants them."""
    if bounces is None:
        return ""
    (folder / "owner").write_text(f"@ {_OWNER}\n")
    folder.chmod(0o755)
    shutil.chown(bounces, _OWNER)
    return (
        f"table owner file:{folder}/owner\n"
        f'action "back" maildir "{bounces}" virtual <owner>\n'
        f'match from any for domain "{BOUNCES}" action "back"\n'
    )


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
