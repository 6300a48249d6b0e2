"""`import`: every feed polled once now, and everything that was not taken said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from daemon.cli.faults import Refusal, refuse
from daemon.cli.language import worded
from daemon.cli.output import print_records
from daemon.cli.reading import print_each, print_refused, print_waiting
from daemon.cli.shared import as_json, printing, progress_bars, the_config, the_house
from daemon.cli.state import DOING, shown, waiting_of
from daemon.cli.vocabulary import RECORDS
from daemon.clock import wall_clock
from daemon.config import Config, FeedConfig
from daemon.desk.waiting import with_meant
from daemon.jobs.delivery import TakenIn
from daemon.jobs.house import House
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.untaken import Doing, Outstanding, after_poll, outstanding
from daemon.problems import Problem, choose

IMPORTED = {
    "feed": ("数据源", "feed"),
    "records": ("内容", "records"),
    "doing": ("状态", "state"),
    "counts": ("读取", "read"),
    "refused": ("被拒", "refused"),
    "waiting": ("等待名单", "waiting"),
    "held": ("暂缓", "held"),
    "missing": ("名单缺少", "missing from the roster"),
    "odd_classes": ("日历存疑", "calendar in doubt"),
}


@click.command("import")
@click.option("--feed", "feed_id", metavar="ID", help="Only this one.")
@printing
def import_(feed_id: str | None) -> None:
    """Poll every feed, or one, once now; say what was read, changed, refused, held, and what waits.

    What was refused in the newest delivery of a file is said also when the file has been read before. Exit status 1
    where anything was refused, held or failed, waits for a child who is not on the roster, or is missing from it.
    """
    config = the_config()
    wanted = in_order(_chosen(config, feed_id))
    records = []
    well, failed = True, []
    with the_house(config, makes_store=True, writes=True) as house, progress_bars(worded("导入", "importing")) as bars:
        task = bars.add_task("", total=len(wanted), doing="")
        for feed in wanted:
            bars.update(task, doing=feed.id)
            taken, known = _polled(house, feed)
            bars.advance(task)
            _say(taken, known)
            records.append(_record(feed, taken, known))
            well = well and known.is_well
            if known.doing is Doing.FAILED:
                fault = known.state.problem or "cannot be read"
                failed.append(Problem("baoxue", None, f"feed {feed.id}", fault, None))
    print_records(
        records if as_json() else [shown(one) for one in records], IMPORTED, {"doing": DOING, "records": RECORDS}
    )
    if failed or not well:
        raise Refusal(failed, code=1)


def _polled(house: House, feed: FeedConfig) -> tuple[TakenIn, Outstanding]:
    """Poll a feed; what came of it, and what of the feed is not taken afterwards."""
    now = wall_clock()
    taken = poll_feed(house, feed, now)
    with house.store.read() as tx:
        known = after_poll(outstanding(tx, feed, now), taken)
        waiting = with_meant(known.waiting, house.people(tx).roster.students)
    return taken, replace(known, waiting=waiting)


def _say(taken: TakenIn, known: Outstanding) -> None:
    print_refused(known.refused)
    print_each(taken.held)
    print_waiting(known.waiting)
    print_each(taken.notices)


def _record(feed: FeedConfig, taken: TakenIn, known: Outstanding) -> dict[str, Any]:
    return {
        "feed": feed.id,
        "records": feed.records,
        "state": known.doing.value,
        "counts": {key: count for key, count in sorted(taken.counts.items()) if count},
        "refused": len(known.refused),
        "waiting": waiting_of(known),
        "held": len(taken.held),
        "notices": len(taken.notices),
        "missing": list(known.missing),
        "odd_classes": taken.odd_classes,
    }


def _chosen(config: Config, feed_id: str | None) -> tuple[FeedConfig, ...]:
    chosen = tuple(feed for feed in config.feed if feed_id in (None, feed.id))
    if not chosen and feed_id is not None:
        ids = [feed.id for feed in config.feed]
        raise refuse("--feed", f'"{feed_id}" is no feed', choose(feed_id, ids) if ids else "add a [[feed]]")
    return chosen
