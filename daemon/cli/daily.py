"""`demo`, `run` and `check`: what is done every day, and on the first."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from daemon.cli.faults import FAILED, WRONG, Refusal, print_faults
from daemon.cli.language import in_words, worded
from daemon.cli.output import print_json
from daemon.cli.shared import as_json, called_as, config_path, configured, printing, the_config, working
from daemon.problems import Problem


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another county.")
@click.option("--days", type=int, default=15, show_default=True, help="School days to play.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="2 is twice as fast.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep feeds and store in this folder.")
def demo(seed: int, days: int, speed: float, keep: Path | None) -> int:
    """Show a simulated county; nothing to configure, nothing leaves this machine."""
    return int(importlib.import_module("daemon.demo").run(seed, days, speed, keep, called_as()))


@click.command()
@configured
def run() -> int:
    """Run the daemon."""
    return int(importlib.import_module("daemon.clockwork").run(config_path()))


@click.command()
@click.option("--live", is_flag=True, help="What leaving shadow mode would send; in live mode, what is owed.")
@printing
def check(live: bool) -> None:  # noqa: FBT001 - click's own way
    """Check configuration, rules, templates, feeds with all they hold, and whether every rung reaches somebody.

    Exit status 2 where the configuration is wrong, 1 where something in the feeds is refused, waits for a child who is
    not on the roster, is held or reaches nobody.
    """
    if live:
        importlib.import_module("daemon.cli.switching").print_unsent()
        return
    from daemon.check import examine  # noqa: PLC0415
    from daemon.clock import wall_clock  # noqa: PLC0415 - a bad configuration is said sooner without it

    with working(worded("正在检查", "checking")):
        found = examine(the_config(), wall_clock())
    kinds = {"problems": found.problems, "findings": found.findings, "notices": found.notices}
    if as_json():
        print_json({kind: list(map(_plain, those)) for kind, those in kinds.items()})
    else:
        print_faults(found.notices)
    if found.problems or found.findings:
        said = () if as_json() else (*found.findings, *found.problems)
        raise Refusal(said, code=WRONG if found.problems else FAILED)
    if not as_json():
        notices = len(found.notices)
        noticed = (f"检查通过，另有{notices}项提示", f"passed, with {notices} notices")
        well = in_words(noticed if notices else ("检查通过", "all is well"))
        click.echo(f"{well}: {found.summary}")


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "key": problem.key,
        "fault": problem.fault,
        "hint": problem.hint,
    }
