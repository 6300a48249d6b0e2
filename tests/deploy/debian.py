"""A clean Debian under its own systemd: its own processes, /tmp, units and network; the clock is not its to set."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "setpriv")
PACKAGES = "systemd,systemd-sysv,dbus,passwd,python3,python3-venv,sudo,curl,procps"
"""A minimal system, and what part 1 of deploy/README.md installs, for there is no network inside."""

_BOOT_SECONDS = 60.0
_SHUTDOWN_SECONDS = 30.0
_RUNNING = {"running", "degraded"}
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class CannotBootError(Exception):
    """This machine cannot boot a Debian in a sandbox; the words say why."""


@dataclass(frozen=True, slots=True)
class Debian:
    """A booted Debian: its root folder as seen from here, and the process id of its systemd."""

    root: Path
    pid: int

    def run(self, script: str, *, user: str = "root", stdin: str = "", seconds: float = 600) -> Ran:
        """Run lines of shell inside as `user`, in a login-like environment; stops at the first that fails."""
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        enter = ["nsenter", f"--target={self.pid}", *namespaces]
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        home = "/root" if user == "root" else f"/home/{user}"
        shell = ["bash", "-e", "-o", "pipefail", "-c", f"cd {home}\n{script}"]
        environment = _ENVIRONMENT | {"HOME": home, "USER": user}
        done = subprocess.run(  # noqa: S603 - the lines of our own documentation
            [*enter, *become, *shell], input=stdin, env=environment, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a script ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it printed."""
        return self.out + self.err


def build(suite: str, root: Path) -> None:
    """Lay out a minimal Debian `suite` in `root`; CannotBootError where the tools or the packages are not to be had."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotBootError(f"not installed: {', '.join(missing)}")
    if os.geteuid():
        raise CannotBootError("only root may boot one")
    made = _call(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", suite, str(root)])
    if made.returncode:
        raise CannotBootError(f"Debian {suite} could not be laid out: {made.stderr.strip()[-300:]}")
    (root / "etc/hostname").write_text("office\n", encoding="ascii")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 office\n", encoding="ascii")


@contextmanager
def booted(root: Path) -> Iterator[Debian]:
    """Boot the Debian in `root`, and end it afterwards, also when this process is killed.

    CannotBootError when its systemd does not come up.
    """
    managed = Path("/run/systemd/system").is_dir()
    alone = () if managed else ("--register=no", "--keep-unit")
    command = [
        "setpriv",
        "--pdeathsig=TERM",
        "systemd-nspawn",
        "--quiet",
        f"--directory={root}",
        "--boot",
        "--private-network",
        "--console=pipe",
    ]
    environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    with (
        _the_only_one(),
        tempfile.TemporaryFile("w+") as console,
        subprocess.Popen(  # noqa: S603 - as above
            [*command, *alone], env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            start_new_session=True,
        ) as nspawn,
    ):  # fmt: skip
        try:
            yield _up(root, nspawn, console)
        finally:
            _end(nspawn)


@contextmanager
def _the_only_one() -> Iterator[None]:
    """Wait until no other test has one booted: on a machine without systemd two would share one tree of cgroups."""
    with (Path(tempfile.gettempdir()) / "baoxue-debian.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end(nspawn: subprocess.Popen[bytes]) -> None:
    """Shut the Debian down; where that takes too long it dies with `nspawn`, to whose life its systemd is bound."""
    nspawn.terminate()
    try:
        nspawn.wait(_SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        nspawn.kill()


def _up(root: Path, nspawn: subprocess.Popen[bytes], console: IO[str]) -> Debian:
    until = time.monotonic() + _BOOT_SECONDS
    said = "it has no process yet"
    while time.monotonic() < until and nspawn.poll() is None:
        pid = _child(nspawn.pid)
        if pid is not None:
            machine = Debian(root, pid)
            said = machine.run("systemctl is-system-running || true", seconds=30).out.strip()
            if said in _RUNNING:
                return machine
        time.sleep(0.2)
    if nspawn.poll() is not None:
        console.seek(0)
        said = console.read().strip()[-300:]
    raise CannotBootError(f"systemd does not come up: {said}")


def _child(pid: int) -> int | None:
    """Return the systemd that `nspawn` started, as soon as it is one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    for child in map(int, children):
        if Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip() == "systemd":
            return child
    return None


def _call(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as above
