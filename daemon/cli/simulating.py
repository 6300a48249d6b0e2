"""`simulate`: the whole daemon on a virtual clock; nothing is sent, every message is one JSON line."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from contextlib import closing
from pathlib import Path

import click

from daemon.cli.language import worded
from daemon.cli.reading import print_each, print_refused, print_waiting
from daemon.cli.shared import configured, progress_bars, quiet_logs, the_config
from daemon.cli.spans import the_span
from daemon.cli.written import written

_INSTANT = dt.timedelta(microseconds=1)


@click.command()
@click.option("--from", "first", metavar="T", help="A date or instant (default: the first term's first day).")
@click.option("--to", "last", metavar="T", help="A date, which includes its whole day, or an instant.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there.",
)
@configured
def simulate(first: str | None, last: str | None, out: Path | None) -> None:
    """Run the whole daemon over the configured file feeds on a virtual clock, on a store of its own."""
    from daemon.simulate import Simulation  # noqa: PLC0415 - the whole daemon, which its help does not need

    config = the_config()
    start, end = the_span(config, first, last)
    quiet_logs()
    with (
        tempfile.TemporaryDirectory(prefix="baoxue-") as folder,
        progress_bars(worded("模拟", "simulating")) as bars,
        written(out) as page,
    ):
        simulation = Simulation(config, start, end, Path(folder))
        task = bars.add_task("", total=(end - start).total_seconds(), doing="")

        def progress(at: dt.datetime) -> None:
            bars.update(task, completed=(at - start).total_seconds(), doing=at.astimezone().date().isoformat())

        with closing(simulation.house.store):
            for line in simulation.run(progress):
                page.write(json.dumps(line, ensure_ascii=False) + "\n")
    print_refused(simulation.refused)
    print_waiting(simulation.waiting)
    print_each(simulation.notices)
