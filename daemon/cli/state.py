"""`feeds` and `deliveries`: how each feed and each message is doing."""

from __future__ import annotations

from typing import Any

import click

from daemon.cli.output import print_records
from daemon.cli.shared import printing, the_house
from daemon.config import FeedConfig
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.store import cases, incidents, intake, outbox
from daemon.store.intake import FeedState
from daemon.store.outbox import Delivery

STATES = ("queued", "sent", "failed", "cancelled", "shadow")
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
DELIVERIES = {
    "message": "消息 message",
    "kind": "内容 kind",
    "channel": "渠道 channel",
    "contact": "对象 contact",
    "state": "状态 state",
    "attempts": "次数 attempts",
    "created_at": "生成 made",
    "told_at": "送达 told",
    "next_at": "下次 next try",
    "doubtful": "存疑 in doubt",
    "error": "问题 problem",
    "cases": "个案 cases",
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


@click.command()
@click.option("--state", type=click.Choice(STATES), help="状态 only those in this state.")
@click.option("--channel", type=click.Choice(["sms", "email", "chat", "webhook"]), help="渠道 only this channel.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="条数 how many, the newest first."
)
@printing
def deliveries(state: str | None, channel: str | None, limit: int) -> None:
    """投递 the state of each message."""
    with the_house() as house, house.store.read() as tx:
        found = outbox.deliveries(tx, state=state, channel=channel, limit=limit)
        wanted = {alert.case_id for one in found for alert in one.alerts if alert.case_id}
        numbers = {key: row.number for key, row in cases.cases_by_id(tx, sorted(wanted)).items()}
        records = [_delivery(house, one, numbers) for one in found]
    print_records(records, DELIVERIES)


def _delivery(house: House, one: Delivery, numbers: dict[str, str]) -> dict[str, Any]:
    row = one.message
    errors = [attempt.error for attempt in one.attempts if attempt.error]
    return {
        "message": row.message_id,
        "kind": row.kind,
        "channel": row.channel,
        "contact": row.contact_id,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": local(house, row.created_at),
        "told_at": local(house, row.told_at),
        "next_at": local(house, row.next_at) if row.state == "queued" else None,
        "doubtful": row.doubtful,
        "error": errors[-1] if errors and row.state != "sent" else None,
        "cases": sorted({numbers[alert.case_id] for alert in one.alerts if alert.case_id in numbers}),
    }
