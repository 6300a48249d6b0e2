"""`feeds` and `feed`: how each feed is doing; what is held of one may be accepted."""

from __future__ import annotations

from typing import Any

import click

from daemon.cli.casework import BY
from daemon.cli.faults import refuse
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import configured, printing, the_house
from daemon.config import FeedConfig
from daemon.desk.reasons import who
from daemon.jobs import held
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.problems import choose
from daemon.store import incidents, intake
from daemon.store.intake import FeedState

FEEDS = {
    "feed": "数据源 feed",
    "records": "内容 records",
    "state": "状态 state",
    "last_polled_at": "上次轮询 last poll",
    "last_ok_at": "上次成功 last good",
    "silent_since": "中断自 silent since",
    "problem": "问题 problem",
    "counts": "上次读取 last read",
}


ACCEPTED = {"feed": "数据源 feed", "accepted": "采用 accepted", "by": "由谁 by", "counts": "读取 read"}


@click.command()
@printing
def feeds() -> None:
    """数据源 the state of each feed."""
    with the_house() as house, house.store.read() as tx:
        states = {state.feed_id: state for state in intake.feed_states(tx)}
        silent = {row.subject: row for row in incidents.open_incidents(tx, "feed_silent")}
        records = [
            _feed(house, feed, states.get(feed.id, FeedState(feed.id)))
            | {"silent_since": local(house, silent[feed.id].opened_at) if feed.id in silent else None}
            for feed in house.config.feed
        ]
    print_records(records, FEEDS)


@click.group()
@configured
def feed() -> None:
    """数据源 one feed."""


@feed.command()
@click.argument("feed_id", metavar="ID")
@BY
@printing
def accept(feed_id: str, by: str) -> None:
    """采用 take in what a feed delivered although it lacks much of what is in force; read it anew at once."""
    from daemon.jobs.poll import poll_feed  # noqa: PLC0415 - reads feeds, which the others need not

    person = who(by, f"feed {feed_id}")
    with the_house() as house:
        config = next((one for one in house.config.feed if one.id == feed_id), None)
        if config is None:
            ids = [one.id for one in house.config.feed]
            raise refuse("feed", f'"{feed_id}" is no feed', choose(feed_id, ids) if ids else "add a [[feed]]")
        now = house.clock()
        accepted = house.store.commit(lambda tx: held.accept(tx, feed_id, person, now))
        if not accepted:
            raise refuse(f"feed {feed_id}", "has nothing that is held", "baoxue feeds shows the state of each feed")
        taken = poll_feed(house, config, now)
    counts = {key: count for key, count in sorted(taken.counts.items()) if count}
    print_record({"feed": feed_id, "accepted": list(accepted), "by": by, "counts": counts}, ACCEPTED)


def _feed(house: House, feed: FeedConfig, state: FeedState) -> dict[str, Any]:
    return {
        "feed": feed.id,
        "records": feed.records,
        "kind": feed.kind,
        "state": state.state,
        "last_polled_at": local(house, state.last_polled_at),
        "last_ok_at": local(house, state.last_ok_at),
        "problem": state.problem,
        "counts": dict(state.counts),
    }
