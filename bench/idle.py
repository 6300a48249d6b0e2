"""A real daemon that has taken in a county's marks and gone quiet: its memory, and its use of a core."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import CONFIG, ZONE, District, build, history, show
from daemon.clock import wall_clock
from daemon.jobs.intake import CLASS
from daemon.store import cases, timers
from daemon.store.keys import Keyring

ROOT = Path(__file__).resolve().parent.parent
CHILDREN = int(os.environ.get("BAOXUE_BENCH_CHILDREN", "100000"))
SESSIONS = 20
ABSENT = 20
"""One child in so many."""

TERM = "from = 2026-03-02, to = 2026-07-10"
CHANGES = {
    "sessions =": "weekdays = [1, 2, 3, 4, 5, 6, 7]\nsessions =",
    "start = 08:00:00, end = 11:40:00": "start = 00:00:00, end = 00:30:00",
    "start = 14:00:00, end = 17:00:00": "start = 23:00:00, end = 23:30:00",
    'path = "marks.csv"': 'path = "marks*.csv"\npoll = "10s"\nstale_after = "1000h"',
    "[channels.sms]": '[privacy]\nkey_file = "bench.key"\n[console]\nlisten = "127.0.0.1:0"\n[channels.sms]',
}
"""So that there is school at whatever instant this is run, and the day's absences are known for what they are."""

IDLE_SECONDS = 20.0
QUIET_SECONDS = 2.0
QUIET = 0.05
"""A process that uses less of a core over QUIET_SECONDS has nothing more to do."""
PATIENCE_SECONDS = 180.0


def main() -> None:
    """Print the figures of a daemon at rest."""
    print(f"{CHILDREN} children, {SESSIONS} sessions of history, then {CHILDREN} marks, one in {ABSENT} absent")
    with tempfile.TemporaryDirectory() as name, gateway() as port:
        today = wall_clock().astimezone(ZONE).date()
        district = lay_out(Path(name), today, port)
        with daemon(district.folder) as process:
            wait_until_quiet(process, lambda: judged(district) and not cases_of(district))
            print(f"  started, roster read, everybody judged: {memory(process, 'VmRSS'):.0f} MB")
            deliver(district, today)
            wait_until_quiet(process, lambda: judged(district) and cases_of(district) >= CHILDREN // ABSENT)
            share = use_of_core(process, IDLE_SECONDS)
            peak, resident = memory(process, "VmHWM"), memory(process, "VmRSS")
        print(f"  most it ever held, in the poll: {peak:.0f} MB")
        show("resident after 100 000 marks, judged, gone quiet", resident, 150.0, "MB")
        show(f"use of a core over {IDLE_SECONDS:.0f} s of it", share * 100, 1.0, "%")


# ---- the county -------------------------------------------------------------------------------------------------


def lay_out(folder: Path, today: dt.date, port: int) -> District:
    """A county in school every day until yesterday, in sessions at both ends of the day, polled every ten seconds."""
    first = today - dt.timedelta(days=SESSIONS // 2)
    term = f"from = {first}, to = {today + dt.timedelta(days=90)}"
    config = CONFIG.replace("127.0.0.1:9/", f"127.0.0.1:{port}/").replace(TERM, term)
    for old, new in CHANGES.items():
        config = config.replace(old, new)
    key = Keyring.generate()
    (folder / "bench.key").touch(0o600)
    (folder / "bench.key").write_text(key, encoding="ascii")
    district = build(folder, CHILDREN, config, Keyring.parse(key))
    history(district, SESSIONS, days=[first + dt.timedelta(days=n) for n in range(SESSIONS // 2)])
    return district


def deliver(district: District, day: dt.date) -> None:
    """A morning's marks, there whole or not at all."""
    rows = [f"{one},{day},am,{'absent' if n % ABSENT == 0 else 'present'}" for n, one in enumerate(district.students)]
    partial = district.folder / "marks.csv.part"
    partial.write_text("student_id,date,session,mark\n" + "\n".join(rows) + "\n", encoding="utf-8")
    partial.rename(district.folder / "marks.csv")


def judged(district: District) -> bool:
    """Whether no class has still to be judged."""
    with district.house.store.read() as tx:
        return timers.next_due(tx, (CLASS,)) is None


def cases_of(district: District) -> int:
    """How many cases are open."""
    with district.house.store.read() as tx:
        return len(cases.open_cases(tx))


class _Takes(BaseHTTPRequestHandler):
    """A gateway that takes every text message and says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take one."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing about it."""


@contextmanager
def gateway() -> Iterator[int]:
    """Somebody who takes text messages, on this port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


# ---- the process, as the kernel sees it ---------------------------------------------------------------------------


@contextmanager
def daemon(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`baoxue run`, as an operator starts it; ended at the end."""
    command = [sys.executable, "-m", "daemon", "run", "--config", str(folder / "config.toml")]
    log = folder / "daemon.log"
    with log.open("wb") as sink, subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=sink) as process:  # noqa: S603 - our own
        try:
            yield process
        except BaseException:
            print(log.read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise
        finally:
            process.terminate()


def wait_until_quiet(process: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    """Until `done`, and the process has nothing to do."""
    until = perf_counter() + PATIENCE_SECONDS
    while perf_counter() < until and process.poll() is None:
        if use_of_core(process, QUIET_SECONDS) < QUIET and done():
            return
    raise SystemExit("the daemon ended, or never came to rest")


def use_of_core(process: subprocess.Popen[bytes], seconds: float) -> float:
    """The share of one core it uses over so many seconds."""
    before, begun = cpu_seconds(process), perf_counter()
    time.sleep(seconds)
    return (cpu_seconds(process) - before) / (perf_counter() - begun)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What it has used so far, in itself and for it."""
    after_name = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: subprocess.Popen[bytes], which: str) -> float:
    """A figure of its memory, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(which)) * 1024 / 1e6


if __name__ == "__main__":
    main()
