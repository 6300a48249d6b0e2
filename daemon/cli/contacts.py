"""`contacts`: who can be told, in which role, on which channels, and which addresses fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.cli.language import in_words
from daemon.cli.naming import named
from daemon.cli.output import print_records, shown
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.dossier import local
from daemon.jobs.naming import Names, open_names
from daemon.jobs.proof import CHANNELS
from daemon.jobs.ways import Ways, ways_of
from daemon.settings import rotas_of, workdays_of
from daemon.store import roster, unreachable
from notifiers.numbers import kind_of, takes_texts
from notifiers.phrases import ROLES, mask_address
from rules.rota import OnDuty

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from daemon.jobs.house import House
    from daemon.store.roster import Contact
    from daemon.store.tx import Tx
    from daemon.store.unreachable import Unreachable

CONTACTS = {
    "name": ("姓名", "name"),
    "role": ("角色", "role"),
    "unit": ("单位", "unit"),
    "student": ("学生", "student"),
    "phone": ("电话", "phone"),
    "email": ("邮箱", "mail"),
    "endpoint": ("接收端", "endpoint"),
    "channels": ("可用渠道", "reached by"),
    "on_duty": ("当班", "on duty"),
    "fails": ("不通", "fails"),
    "contact": ("编号", "contact"),
}


@click.command()
@click.option(
    "--unreachable", "failing", is_flag=True, help="Only those with no address, or one that fails or gets no texts."
)
@printing
def contacts(failing: bool) -> None:  # noqa: FBT001 - click's own way
    """List who can be told, and which addresses fail; addresses are masked."""
    with the_house() as house, house.store.read() as tx:
        records = list_contacts(tx, house, wall_clock())
    chosen = [one for one in records if not failing or one["fails"] or not one["channels"]]
    print_records(
        chosen if as_json() else [_shown(one) for one in chosen], CONTACTS, {"role": ROLES, "channels": CHANNELS}
    )


def _shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contact as a table shows it: unit and child by name and id."""
    return {
        **record,
        "unit": named(record["unit"], record["unit_name"]),
        "student": named(record["student"], record["student_name"]),
        "fails": [
            " ".join(filter(None, (in_words(CHANNELS[one["channel"]]), shown(one.get("since") or ""), one["why"])))
            for one in record["fails"]
        ],
    }


def list_contacts(tx: Tx, house: House, now: dt.datetime) -> list[dict[str, Any]]:
    """Everybody on the roster as a record, by id."""
    known = house.people(tx).directory.recipients
    ways = ways_of(tx, house.config, house.notifiers, known, now)
    flags: dict[str, list[Unreachable]] = {}
    for one in unreachable.flags(tx):
        if (one.contact_id, one.channel) in ways.flagged:
            flags.setdefault(one.contact_id, []).append(one)
    duty = OnDuty(house.people(tx).directory, rotas_of(house.config), now, workdays_of(house.config.calendar))
    first = set(duty.first())
    opened = roster.contacts_of(tx, known)
    people = house.people(tx)
    names = open_names(tx, people, students=[one.student_id for one in opened.values()])
    texts = "sms" in house.notifiers
    return [
        _record(opened[name], ways, names)
        | {"on_duty": name in first}
        | {"fails": [*_without_texts(opened[name], texts), *(_fault(house, one) for one in flags.get(name, ()))]}
        for name in sorted(known)
    ]


def _record(one: Contact, ways: Ways, names: Names) -> dict[str, Any]:
    return {
        "contact": one.contact_id,
        "name": one.name,
        "role": one.role,
        "unit": one.unit_id,
        "unit_name": names.unit(one.unit_id),
        "student": one.student_id,
        "student_name": names.students.get(one.student_id or ""),
        "phone": mask_address(one.phone),
        "email": mask_address(one.email),
        "endpoint": one.endpoint,
        "channels": list(ways.usable(one.contact_id)),
    }


def _without_texts(one: Contact, texts: bool) -> list[dict[str, Any]]:  # noqa: FBT001 - whether the channel is there
    """That a number takes no text messages, where any are sent."""
    if not texts or one.phone is None or takes_texts(one.phone):
        return []
    return [{"channel": "sms", "why": f"{kind_of(one.phone)}: no text message reaches it"}]


def _fault(house: House, flag: Unreachable) -> dict[str, Any]:
    return {"channel": flag.channel, "since": local(house, flag.since), "why": flag.reason}
