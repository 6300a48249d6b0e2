"""`contacts`: who can be told, in which role, on which channels, and which addresses fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.cli.output import print_records
from daemon.cli.shared import printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.dossier import local
from daemon.jobs.ways import Ways, ways_of
from daemon.settings import rotas_of, workdays_of
from daemon.store import roster, unreachable
from notifiers.numbers import kind_of, takes_texts
from notifiers.phrases import mask_address, mask_name
from rules.rota import OnDuty

if TYPE_CHECKING:
    import datetime as dt

    from daemon.jobs.house import House
    from daemon.store.roster import Contact
    from daemon.store.tx import Tx
    from daemon.store.unreachable import Unreachable

CONTACTS = {
    "contact": "编号 contact",
    "name": "姓名 name",
    "role": "角色 role",
    "unit": "单位 unit",
    "student": "学生 student",
    "phone": "电话 phone",
    "email": "邮箱 mail",
    "endpoint": "接收端 endpoint",
    "channels": "可用渠道 reached by",
    "on_duty": "当班 on duty",
    "fails": "不通 fails",
}


@click.command()
@click.option(
    "--unreachable",
    "failing",
    is_flag=True,
    help="不通 only those with no address, or one that fails or gets no texts.",
)
@printing
def contacts(failing: bool) -> None:  # noqa: FBT001 - click's own way
    """联系人 who can be told, and which addresses fail; names and addresses are masked."""
    with the_house() as house, house.store.read() as tx:
        records = list_contacts(tx, house, wall_clock())
    print_records([one for one in records if not failing or one["fails"] or not one["channels"]], CONTACTS)


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
    texts = "sms" in house.notifiers
    language = house.config.service.language
    return [
        _record(opened[name], ways, language)
        | {"on_duty": name in first}
        | {"fails": [*_without_texts(opened[name], texts), *(_fault(house, one) for one in flags.get(name, ()))]}
        for name in sorted(known)
    ]


def _record(one: Contact, ways: Ways, language: str) -> dict[str, Any]:
    return {
        "contact": one.contact_id,
        "name": mask_name(one.name, language),
        "role": one.role,
        "unit": one.unit_id,
        "student": one.student_id,
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
