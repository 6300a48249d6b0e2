"""`deliveries`: what became of each message, and what each channel comes to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from daemon.cli.faults import refuse
from daemon.cli.language import worded
from daemon.cli.layout import folded
from daemon.cli.naming import name_shown, named, refuse_unreadable, the_case
from daemon.cli.output import page_width, print_record, print_records
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock
from daemon.config import Config
from daemon.jobs.find import contact_called
from daemon.jobs.proof import CHANNELS, OUTCOMES
from daemon.jobs.record import list_deliveries, summary
from daemon.store import record
from daemon.store.alerts import SENT
from notifiers.phrases import KINDS, ROLES, one_line
from rules.durations import parse_duration

STATES = ("queued", "sent", "undelivered", "failed", "cancelled", "shadow")
DELIVERIES = {
    "cases": ("个案", "cases"),
    "names": ("学生", "children"),
    "kind": ("内容", "kind"),
    "state": ("状态", "state"),
    "told_at": ("发出", "sent"),
    "contact": ("对象", "contact"),
    "role": ("角色", "role"),
    "channel": ("渠道", "channel"),
    "attempts": ("次数", "attempts"),
    "created_at": ("生成", "made"),
    "delivered_at": ("送达", "arrived"),
    "receipt": ("回执", "receipt"),
    "next_at": ("下次", "next try"),
    "held": ("暂缓", "held"),
    "doubtful": ("存疑", "in doubt"),
    "error": ("问题", "problem"),
    "message": ("消息", "message"),
}
SUMMARY = {
    "channel": ("渠道", "channel"),
    "messages": ("消息", "messages"),
    "sent": ("已发出", "sent"),
    "arrived": ("已送达", "arrived"),
    "undelivered": ("未送达", "undelivered"),
    "failed": ("失败", "failed"),
    "queued": ("待发", "queued"),
    "other": ("其他", "other"),
    "attempts": ("次数", "attempts"),
    "to_sent_median": ("排队中位 s", "queued, median"),
    "to_sent_p95": ("排队95%", "queued, p95"),
    "to_arrival_median": ("在途中位 s", "on its way, median"),
    "to_arrival_p95": ("在途95%", "on its way, p95"),
    "in_all_median": ("全程中位 s", "in all, median"),
    "in_all_p95": ("全程95%", "in all, p95"),
}
WORDS = {"kind": KINDS, "state": OUTCOMES, "role": ROLES, "channel": CHANNELS}
_MARGIN = "    "
_MONTH = dt.timedelta(days=30)


@click.command()
@click.option("--case", "number", metavar="N", help="Only this case: its number, or its child's id or name.")
@click.option("--contact", metavar="WHO", help="Only to this contact: an id or a name.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--channel", type=click.Choice(["sms", "email", "chat", "webhook"]), help="Only this channel.")
@click.option("--since", metavar="T", help="Made since a date, an instant, or so long ago, such as 7d.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many, the newest first.")
@click.option("--text", "texts", is_flag=True, help="With what each message said when it left; without its keys.")
@click.option("--summary", "summed", is_flag=True, help="By channel: totals and times (default: of 30 days).")
@printing
def deliveries(
    number: str | None,
    contact: str | None,
    state: str | None,
    channel: str | None,
    since: str | None,
    limit: int,
    texts: bool,  # noqa: FBT001 - click's own way
    summed: bool,  # noqa: FBT001 - click's own way
) -> None:
    """Show what became of each message: attempts, receipts, how long it took; with --text also what it said."""
    with the_house() as house:
        number = the_case(house, number, part=True) if number else None
        with house.store.read() as tx:
            start = _since(house.config, since)
            if summed:
                taken = summary(record.times_taken(tx, start or wall_clock() - _MONTH))
                print_records(taken, SUMMARY, {"channel": CHANNELS})
                return
            to = contact_called(tx, house.people(tx), contact, "--contact") if contact else None
            asked = {"contact_id": to, "state": state, "channel": channel, "since": start, "limit": limit}
            found = list_deliveries(tx, house, number=number, texts=texts, **asked)
    if texts and not as_json():
        _print_texts(found)
    else:
        _print(found)
    refuse_unreadable(name for one in found for name in (one["contact_name"], *one["names"]))


def _print_texts(found: Sequence[Mapping[str, Any]]) -> None:
    """Print each message by itself, with what it said."""
    width = page_width()
    for one in found:
        print_record(_shown(one), DELIVERIES, WORDS)
        for said in one["texts"]:
            n, subject = said["n"], said["subject"]
            since = [worded(f"自第 {n} 次起", f"from attempt {n} on")] if len(one["texts"]) > 1 else []
            for line in ("", *since, *([subject, ""] if subject else []), *said["text"].splitlines()):
                for part in folded(one_line(line), width and width - len(_MARGIN)):
                    click.echo(f"{_MARGIN}{part}".rstrip())
        if not one["texts"]:
            click.echo(f"{_MARGIN}{worded('没有发出的内容记录', 'nothing is recorded that it said')}")
        click.echo()


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    seen = found if as_json() else [_shown(one) for one in found]
    print_records(seen, DELIVERIES, WORDS)


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as a table shows it."""
    return {
        **one,
        "names": [name_shown(name) for name in one["names"]],
        "contact": named(one["contact"], name_shown(one["contact_name"])),
        "state": "arrived" if one["state"] == SENT and one["delivered_at"] else one["state"],
    }


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
