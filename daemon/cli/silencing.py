"""`silence`: what is not told for a while, by whose word and why."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.casework import BY
from daemon.cli.naming import name_shown, named, the_student
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import as_json, configured, printing, the_house
from daemon.clock import wall_clock
from daemon.desk.faults import DeskError
from daemon.desk.spans import span_end
from daemon.jobs import quiet
from daemon.jobs.dossier import local
from daemon.jobs.find import contact_called, unit_called
from daemon.jobs.naming import open_names
from daemon.jobs.proof import CHANNELS
from notifiers.phrases import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.jobs.house import House
    from daemon.store.silences import SilenceRow

SILENCE = {
    "units": ("单位", "units"),
    "students": ("学生", "students"),
    "contacts": ("联系人", "contacts"),
    "kinds": ("内容", "kinds"),
    "channels": ("渠道", "channels"),
    "statutory": ("含法定", "statutory"),
    "reason": ("原因", "reason"),
    "by": ("由谁", "by"),
    "since": ("起", "since"),
    "until": ("止", "until"),
    "ended_at": ("提前结束", "ended"),
    "ended_by": ("结束人", "ended by"),
    "waiting": ("等待", "waiting"),
    "silence": ("编号", "silence"),
}


WORDS = {"kinds": KINDS, "channels": CHANNELS}


@click.group()
@configured
def silence() -> None:
    """Hold messages for a while instead of telling them; nothing is ever dropped by it."""


@silence.command()
@click.option("--unit", "units", multiple=True, metavar="U", help="A unit, and all below it: its id or name.")
@click.option("--student", "students", multiple=True, metavar="S", help="A child: its id or whole name.")
@click.option("--contact", "contacts", multiple=True, metavar="C", help="A contact: an id or a name.")
@click.option("--kind", "kinds", multiple=True, metavar="K", help="A kind of message, such as risk.")
@click.option("--channel", "channels", multiple=True, metavar="CH", help="A channel, such as sms.")
@click.option("--until", metavar="T", help="A date (that day included) or an instant.")
@click.option("--for", "lasting", metavar="SPAN", help="How long, such as 8h or 2d; at most 30d.")
@click.option("--reason", required=True, metavar="R", help="Why.")
@click.option("--statutory", is_flag=True, help="Hold reports and escalations, too.")
@BY
@printing
def add(
    units: tuple[str, ...],
    students: tuple[str, ...],
    contacts: tuple[str, ...],
    kinds: tuple[str, ...],
    channels: tuple[str, ...],
    until: str | None,
    lasting: str | None,
    reason: str,
    statutory: bool,  # noqa: FBT001 - click's own way
    by: str,
) -> None:
    """Hold what matches every option given, until it ends; word that something is over always leaves."""
    now = wall_clock()
    with the_house(writes=True) as house:
        children = tuple(the_student(house, one) for one in students)
        with house.store.read() as tx:
            people = house.people(tx)
            places = tuple(unit_called(people, one, f"silence unit {one}") for one in units)
            heard_by = tuple(contact_called(tx, people, one, f"silence contact {one}") for one in contacts)
        scope = quiet.Scope(places, children, heard_by, kinds, channels)
        ends_at = _ends_at(house, until, lasting, now)
        row = quiet.begin(house, scope, ends_at, reason, by, now, statutory=statutory)
        print_record(_shown(house, _record(house, row)), SILENCE, WORDS)


@silence.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@printing
def list_(everything: bool) -> None:  # noqa: FBT001 - click's own way
    """List silences with who made them, why, and how many messages wait, the oldest first."""
    with the_house() as house:
        rows = quiet.listed(house, None if everything else wall_clock())
        records = [{**_record(house, row), "waiting": waiting} for row, waiting in rows]
        print_records([_shown(house, one) for one in records], SILENCE, WORDS)


@silence.command()
@click.argument("silence_id", metavar="ID")
@BY
@printing
def end(silence_id: str, by: str) -> None:
    """End a silence now; what it holds leaves at once."""
    with the_house(writes=True) as house:
        print_record(_shown(house, _record(house, quiet.end(house, silence_id, by, wall_clock()))), SILENCE, WORDS)


def _shown(house: House, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a silence as a table shows it, each id with its name; as it is where JSON is asked for."""
    if as_json():
        return record
    students, contacts = record["students"] or (), record["contacts"] or ()
    with house.store.read() as tx:
        names = open_names(tx, house.people(tx), students=students, contacts=contacts)
    return {
        **record,
        "units": [named(one, names.unit(one)) for one in record["units"] or ()],
        "students": [named(one, name_shown(names.students.get(one))) for one in students],
        "contacts": [named(one, name_shown(names.contacts.get(one))) for one in contacts],
    }


def _ends_at(house: House, until: str | None, lasting: str | None, now: dt.datetime) -> dt.datetime:
    if (until is None) == (lasting is None):
        raise DeskError("silence", "needs one end", "write --until 2026-03-20 or --for 2d, and not both")
    if until is not None:
        return span_end(until, house.calendar.zone, "silence until")
    assert lasting is not None
    return now + _span(lasting)


def _span(text: str) -> dt.timedelta:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - slow to import

    from daemon.config.values import Lasting  # noqa: PLC0415

    try:
        span: dt.timedelta = TypeAdapter(Lasting).validate_python(text)
    except ValidationError:
        raise DeskError("silence for", f'"{text[:40]}" is no span of time', 'write "8h", "2d" or "1d12h"') from None
    return span


def _record(house: House, row: SilenceRow) -> dict[str, object]:
    named = {key: list(row.scope.get(key, ())) for key in ("units", "students", "contacts", "kinds", "channels")}
    return {
        "silence": row.silence_id,
        **{key: value or None for key, value in named.items()},
        "statutory": bool(row.scope.get("statutory")),
        "reason": row.reason,
        "by": row.created_by,
        "since": local(house, row.starts_at),
        "until": local(house, row.ends_at),
        "ended_at": local(house, row.ended_at),
        "ended_by": row.ended_by,
    }
