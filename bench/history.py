"""How long the past takes to be read from files: ten million rows of a learning site, by mapping alone."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import learners, show
from daemon.backtest.files import history_from_files
from daemon.config import load_config


def main() -> None:
    """Print the figures of one reading."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, learners.__file__, name], check=True)  # noqa: S603 - ours, and its memory its own
        config = load_config(Path(name) / "config.toml")
        span = dt.datetime(2013, 1, 1, tzinfo=dt.UTC), dt.datetime(2015, 12, 31, tzinfo=dt.UTC)
        begun = perf_counter()
        history, refused = history_from_files(config, *span)
        took = perf_counter() - begun
    if refused or len(history.movements) != learners.WITHDRAWN:
        raise SystemExit("the site was not read whole")
    print(f"{len(history.students)} learners, {learners.ROWS} rows, {len(history.movements)} withdrawals")
    show("reading the past of a learning site from its files", took, 25, "s")
    show(
        "memory of the whole process at its peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1000, "MB"
    )


if __name__ == "__main__":
    main()
