"""`ladder …`: who is told one after the other, and giving open cases the ladder as it is configured now."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.naming import name_shown, the_case
from daemon.cli.output import print_records
from daemon.cli.shared import as_json, configured, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.ladders import Applied, Climbing, apply_ladder, climbing, ladder_named
from daemon.jobs.naming import open_names
from daemon.jobs.proof import CHANNELS
from daemon.store.cases import by_number
from notifiers.phrases import ROLES

if TYPE_CHECKING:
    from daemon.jobs.house import House
    from rules.ladder import Ladder, Rung

LADDERS = {
    "ladder": ("阶梯", "ladder"),
    "rungs": ("级数", "rungs"),
    "acknowledged_by": ("签收方", "acknowledged by"),
    "remind_after": ("未处置提醒", "reminds after"),
    "lapses_after": ("签收失效", "lapses after"),
    "cases": ("在办个案", "open cases"),
    "outdated": ("用旧版的", "on an earlier version"),
}
RUNGS = {
    "rung": ("级", "rung"),
    "after": ("报告后", "after"),
    "unless": ("免除条件", "unless"),
    "tell": ("告知", "tells"),
    "channels": ("渠道", "channels"),
    "reach": ("方式", "reach"),
    "fall_back": ("换渠道", "falls back after"),
    "repeat": ("重复", "repeats every"),
    "until": ("直到", "until"),
}
APPLIED = {
    "case": ("编号", "case"),
    "name": ("姓名", "name"),
    "changed": ("已更换", "changed"),
    "was": ("原下一级", "next rung before"),
    "rung": ("现下一级", "next rung now"),
    "next_at": ("下次告知", "speaks next"),
}


WORDS = {
    "acknowledged_by": ROLES,
    "tell": ROLES,
    "channels": CHANNELS,
    "unless": {"acknowledged": ("已签收", "acknowledged"), "seen": ("已见到学生", "seen")},
    "until": {"acknowledged": ("已签收", "acknowledged"), "seen": ("已见到学生", "seen")},
    "reach": {"first": ("依次", "first that reaches"), "every": ("同时", "every")},
}


@click.group()
@configured
def ladder() -> None:
    """See ladders, and give open cases the one that is configured now."""


@ladder.command("list")
@printing
def list_ladders() -> None:
    """List every ladder, with how many open cases are on it."""
    with the_house() as house, house.store.read() as tx:
        found = climbing(tx, house)
        print_records([_outline(house, name, one) for name, one in found.items()], LADDERS, WORDS)


@ladder.command()
@click.argument("ladder_id", metavar="ID")
@printing
def show(ladder_id: str) -> None:
    """Show the rungs of a ladder, in order, as they are configured."""
    with the_house() as house:
        print_records([_rung(n, rung) for n, rung in enumerate(ladder_named(house, ladder_id).rungs)], RUNGS, WORDS)


@ladder.command("apply")
@click.argument("ladder_id", metavar="ID")
@click.option(
    "--case",
    "number",
    metavar="N",
    help="Only this case: its number, or its child's id or name.",
)
@click.option("--by", required=True, metavar="WHO", help="Who wants it so; kept in the journal.")
@printing
def apply_(ladder_id: str, number: str | None, by: str) -> None:
    """Let open cases go on climbing a ladder as it is configured now; what was said is not said again."""
    with the_house(writes=True) as house:
        number = the_case(house, number) if number else None
        done = apply_ladder(house, ladder_id, by, wall_clock(), number)
        with house.store.read() as tx:
            rows = {row.number: row for row in (by_number(tx, one.number) for one in done) if row}
            names = open_names(tx, house.people(tx), students=[row.student_id for row in rows.values()]).students
        records = [{**_applied(house, one), "name": names.get(rows[one.number].student_id)} for one in done]
    print_records(records if as_json() else [{**one, "name": name_shown(one["name"])} for one in records], APPLIED)


def _outline(house: House, name: str, found: Climbing) -> dict[str, Any]:
    known: Ladder | None = house.law.ladders.get(name)
    return {
        "ladder": name,
        "rungs": len(known.rungs) if known else None,
        "acknowledged_by": list(known.acknowledged_by) if known else [],
        "remind_after": _span(known.remind_after) if known else None,
        "lapses_after": _span(known.lapses_after) if known else None,
        "cases": found.cases,
        "outdated": found.outdated,
    }


def _rung(number: int, rung: Rung) -> dict[str, Any]:
    return {
        "rung": number,
        "after": _span(rung.after),
        "unless": rung.unless,
        "tell": list(rung.tell),
        "channels": list(rung.channels),
        "reach": rung.reach,
        "fall_back": _span(rung.fall_back) if rung.reach == "first" else None,
        "repeat": _span(rung.repeat),
        "until": rung.until if rung.repeat else None,
    }


def _applied(house: House, one: Applied) -> dict[str, Any]:
    return {
        "case": one.number,
        "changed": one.changed,
        "was": one.was,
        "rung": one.rung,
        "next_at": one.next_at.astimezone(house.calendar.zone).isoformat() if one.next_at else None,
    }


def _span(span: dt.timedelta | None) -> str | None:
    """A span as the configuration writes it."""
    if span is None:
        return None
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    written = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n)
    return written or "0h"
