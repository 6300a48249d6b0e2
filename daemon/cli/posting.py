"""`deliveries`: what became of each message, and what each channel comes to."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import click

from daemon.cli.faults import refuse
from daemon.cli.output import print_records
from daemon.cli.shared import printing, the_house
from daemon.clock import wall_clock
from daemon.config import Config
from daemon.jobs.record import list_deliveries, summary
from daemon.store import record
from rules.durations import parse_duration

STATES = ("queued", "sent", "undelivered", "failed", "cancelled", "shadow")
DELIVERIES = {
    "message": "消息 message",
    "kind": "内容 kind",
    "channel": "渠道 channel",
    "contact": "对象 contact",
    "state": "状态 state",
    "attempts": "次数 attempts",
    "created_at": "生成 made",
    "told_at": "发出 sent",
    "delivered_at": "送达 arrived",
    "receipt": "回执 receipt",
    "next_at": "下次 next try",
    "held": "暂缓 held",
    "doubtful": "存疑 in doubt",
    "error": "问题 problem",
    "cases": "个案 cases",
}
SUMMARY = {
    "channel": "渠道 channel",
    "messages": "消息 messages",
    "sent": "已发出 sent",
    "arrived": "已送达 arrived",
    "undelivered": "未送达 undelivered",
    "failed": "失败 failed",
    "queued": "待发 queued",
    "other": "其他 other",
    "attempts": "次数 attempts",
    "to_sent_median": "排队中位 s queued, median",
    "to_sent_p95": "排队95% queued, p95",
    "to_arrival_median": "在途中位 s on its way, median",
    "to_arrival_p95": "在途95% on its way, p95",
    "in_all_median": "全程中位 s in all, median",
    "in_all_p95": "全程95% in all, p95",
}
_MONTH = dt.timedelta(days=30)


@click.command()
@click.option("--case", "number", metavar="N", help="个案 only messages about this case.")
@click.option("--contact", metavar="ID", help="对象 only to this contact.")
@click.option("--state", type=click.Choice(STATES), help="状态 only those in this state.")
@click.option("--channel", type=click.Choice(["sms", "email", "chat", "webhook"]), help="渠道 only this channel.")
@click.option("--since", metavar="T", help="自 made since a date, an instant, or so long ago, such as 7d.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="条数 how many, the newest first."
)
@click.option("--summary", "summed", is_flag=True, help="汇总 by channel: totals and times (default: of 30 days).")
@printing
def deliveries(
    number: str | None,
    contact: str | None,
    state: str | None,
    channel: str | None,
    since: str | None,
    limit: int,
    summed: bool,  # noqa: FBT001 - click's own way
) -> None:
    """投递 what became of each message: attempts, receipts, how long it took."""
    with the_house() as house, house.store.read() as tx:
        start = _since(house.config, since)
        if summed:
            print_records(summary(record.times_taken(tx, start or wall_clock() - _MONTH)), SUMMARY)
            return
        found = list_deliveries(
            tx, house, number=number, contact_id=contact, state=state, channel=channel, since=start, limit=limit
        )
    print_records(found, DELIVERIES)


def _since(config: Config, said: str | None) -> dt.datetime | None:
    """An instant, the beginning of a date where the schools are, or so long ago."""
    if said is None:
        return None
    if span := parse_duration(said):
        return wall_clock() - span
    try:
        at = dt.datetime.fromisoformat(said)
    except ValueError:
        raise refuse("--since", f'"{said}" is no date, instant or duration', "such as 2026-03-18 or 7d") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(config.service.timezone))
