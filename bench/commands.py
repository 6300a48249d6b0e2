"""How long a command takes from being typed to its answer, in a small county: nearly all of it is starting."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import CONFIG, build, history, show
from daemon.store.keys import Keyring

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
RUNS = int(os.environ.get("BAOXUE_BENCH_RUNS", "5"))
CHILDREN = int(os.environ.get("BAOXUE_BENCH_CHILDREN", "400"))
LIMIT_SECONDS = 0.5
FEEDS_LIMIT_SECONDS = 1.0
"""Of what reads every file of every feed: see bench/check.py, too."""

LEDGER = (
    "--help",
    "cases",
    "case --help",
    "student list",
    "incident list",
    "ladder list",
    "silence list",
    "feeds",
    "contacts",
    "deliveries",
    "audit",
    "mark s-0000001 2026-03-02 am absent --by bench",
    "leave add s-0000002 2026-03-03 2026-03-04 sick --by bench",
    "rules list",
    "say nobody --dry-run",
    "db verify",
)
FEEDS = ("check", "import")


def main() -> None:
    """Print the least time of each command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)
        for command in LEDGER:
            show(f"baoxue {command}", fastest(folder, command), LIMIT_SECONDS, "s")
        for command in FEEDS:
            show(f"baoxue {command}", fastest(folder, command), FEEDS_LIMIT_SECONDS, "s")


def lay_out(folder: Path) -> None:
    """Build a county whose children were called for a week."""
    key = Keyring.generate()
    (folder / "bench.key").touch(0o600)
    (folder / "bench.key").write_text(key, encoding="ascii")
    (folder / "marks.csv").write_text("student_id,date,session,mark\ns-0000003,2026-03-02,am,present\n", "utf-8")
    district = build(folder, CHILDREN, f'{CONFIG}[privacy]\nkey_file = "bench.key"\n', Keyring.parse(key))
    history(district, 10)
    district.house.store.close()


def fastest(folder: Path, command: str) -> float:
    """Run a command several times, as it is installed; the seconds of the fastest."""
    return min(_timed(folder, command) for _ in range(RUNS))


def _timed(folder: Path, command: str) -> float:
    """Seconds that passed or, on a busy machine, that it worked."""
    begun, worked = perf_counter(), _worked()
    line = [sys.executable, "-m", "daemon", *command.split()]
    ran = subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False)  # noqa: S603 - our own
    took = min(perf_counter() - begun, _worked() - worked)
    if b"Traceback" in ran.stderr:
        raise SystemExit(ran.stderr.decode())
    return took


def _worked() -> float:
    """Seconds of the processor that processes started here have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
