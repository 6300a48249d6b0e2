"""`demo`, `run`, `check` and `import`: what is done every day, and on the first."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from daemon.cli.faults import Refusal, print_faults, refuse
from daemon.cli.output import print_json, print_records
from daemon.cli.reading import print_refused
from daemon.cli.shared import as_json, config_path, configured, printing, progress_bars, the_config, the_house
from daemon.config import Config, FeedConfig
from daemon.problems import Problem, choose

IMPORTED = {
    "feed": "数据源 feed",
    "records": "内容 records",
    "state": "状态 state",
    "counts": "读取 read",
    "refused": "被拒 refused",
    "missing": "名单缺少 missing from the roster",
    "odd_classes": "日历存疑 calendar in doubt",
}


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="种子 another seed, another county.")
@click.option("--days", type=int, default=15, show_default=True, help="天数 school days to play.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="速度 2 is twice as fast.")
@click.option("--keep", type=click.Path(path_type=Path), help="保留 keep feeds and store in this folder.")
def demo(seed: int, days: int, speed: float, keep: Path | None) -> int:
    """演示 a simulated county; nothing to configure, nothing leaves this machine."""
    return int(importlib.import_module("daemon.demo").run(seed, days, speed, keep))


@click.command()
@configured
def run() -> int:
    """运行 the daemon."""
    return int(importlib.import_module("daemon.clockwork").run(config_path()))


@click.command()
@click.option("--live", is_flag=True, help="转正 what leaving shadow mode would send; in live mode, what is owed.")
@printing
def check(live: bool) -> None:  # noqa: FBT001 - click's own way
    """检查 configuration, rules, templates, feeds; and whether every rung of every ladder reaches somebody."""
    if live:
        importlib.import_module("daemon.cli.switching").print_unsent()
        return
    from daemon.check import examine  # noqa: PLC0415
    from daemon.clock import wall_clock  # noqa: PLC0415 - a bad configuration is said sooner without it

    found = examine(the_config(), wall_clock())
    if as_json():
        print_json({"problems": list(map(_plain, found.problems)), "notices": list(map(_plain, found.notices))})
    else:
        print_faults(found.notices)
    if found.problems:
        raise Refusal(() if as_json() else found.problems)
    if not as_json():
        click.echo(f"检查通过 all is well: {found.summary}")


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "key": problem.key,
        "fault": problem.fault,
        "hint": problem.hint,
    }


@click.command("import")
@click.option("--feed", "feed_id", metavar="ID", help="数据源 only this one.")
@printing
def import_(feed_id: str | None) -> None:
    """导入 poll every feed, or one, once now; say what was read, changed and refused."""
    from daemon.clock import wall_clock  # noqa: PLC0415 - a bad configuration is said sooner without it
    from daemon.jobs.poll import in_order, poll_feed  # noqa: PLC0415
    from daemon.store import intake  # noqa: PLC0415

    config = the_config()
    wanted = in_order(_chosen(config, feed_id))
    records, problems = [], []
    with the_house(config) as house, progress_bars() as bars:
        task = bars.add_task("导入 importing", total=len(wanted), doing="")
        for feed in wanted:
            bars.update(task, doing=feed.id)
            taken = poll_feed(house, feed, wall_clock())
            with house.store.read() as tx:
                state = intake.feed_state(tx, feed.id)
            bars.advance(task)
            print_refused(taken.refused)
            if state.state == "failed":
                problems.append(Problem("baoxue", None, f"feed {feed.id}", state.problem or "cannot be read", None))
            records.append(
                {
                    "feed": feed.id,
                    "records": feed.records,
                    "state": state.state,
                    "counts": {key: count for key, count in sorted(taken.counts.items()) if count},
                    "refused": len(taken.refused),
                    "missing": sorted(taken.missing) if as_json() else len(taken.missing),
                    "odd_classes": taken.odd_classes,
                }
            )
    print_records(records, IMPORTED)
    if problems:
        raise Refusal(problems, code=1)


def _chosen(config: Config, feed_id: str | None) -> tuple[FeedConfig, ...]:
    chosen = tuple(feed for feed in config.feed if feed_id in (None, feed.id))
    if not chosen and feed_id is not None:
        ids = [feed.id for feed in config.feed]
        raise refuse("--feed", f'"{feed_id}" is no feed', choose(feed_id, ids) if ids else "add a [[feed]]")
    return chosen
