"""`simulate`: the whole daemon on a virtual clock; nothing is sent, every message is one JSON line."""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import click

from daemon.cli.faults import refuse
from daemon.cli.reading import print_refused
from daemon.cli.shared import configured, progress_bars, quiet_logs, the_config
from daemon.config import Config
from daemon.desk.spans import span_end, span_start
from daemon.simulate import Simulation

_INSTANT = dt.timedelta(microseconds=1)


@click.command()
@click.option("--from", "first", metavar="T", help="起 a date or instant (default: the first term's first day).")
@click.option("--to", "last", metavar="T", help="止 a date, which includes its whole day, or an instant.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="写入文件 write there.")
@configured
def simulate(first: str | None, last: str | None, out: Path | None) -> None:
    """模拟 run over the configured file feeds on a virtual clock, on a store of its own."""
    config = the_config()
    start, end = _span(config, first, last)
    quiet_logs()
    with tempfile.TemporaryDirectory(prefix="baoxue-") as folder, progress_bars() as bars, _lines(out) as page:
        simulation = Simulation(config, start, end, Path(folder))
        task = bars.add_task("模拟 simulating", total=(end - start).total_seconds(), doing="")

        def progress(at: dt.datetime) -> None:
            bars.update(task, completed=(at - start).total_seconds(), doing=at.astimezone().date().isoformat())

        with closing(simulation.house.store):
            for line in simulation.run(progress):
                page.write(json.dumps(line, ensure_ascii=False) + "\n")
    print_refused(simulation.refused)


def _span(config: Config, first: str | None, last: str | None) -> tuple[dt.datetime, dt.datetime]:
    """The first and the last instant to simulate, both included."""
    zone, terms = ZoneInfo(config.service.timezone), config.calendar.terms
    start = span_start(first or min(term.from_ for term in terms).isoformat(), zone, "--from")
    end = span_end(last or max(term.to for term in terms).isoformat(), zone, "--to")
    if last is None or len(last.strip()) == len("2026-03-18"):
        end -= _INSTANT
    if end < start:
        raise refuse("--to", "lies before --from", "the span goes from the earlier to the later")
    return start, end


@contextmanager
def _lines(out: Path | None) -> Iterator[IO[str]]:
    """Standard output, or a file that appears only when it is complete."""
    if out is None or str(out) == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
