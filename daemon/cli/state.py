"""`feeds`: how each feed is doing."""

from __future__ import annotations

from typing import Any

import click

from daemon.cli.output import print_records
from daemon.cli.shared import printing, the_house
from daemon.config import FeedConfig
from daemon.jobs.dossier import local
from daemon.jobs.house import House
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
