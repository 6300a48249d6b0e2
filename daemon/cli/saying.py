"""`say`: a test message to one recipient, by its real channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from daemon.app import make_id
from daemon.cli.faults import Refusal, refuse
from daemon.cli.output import print_records
from daemon.cli.shared import printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.house import House
from daemon.problems import Problem, choose, nearest
from daemon.settings import chat_names
from daemon.store import roster as rosters
from daemon.store.roster import Contact
from notifiers.contract import DeliveryError, Message, Previewer
from notifiers.examples import examples
from notifiers.sms.facts import sms_facts
from notifiers.webhook import webhook_body
from notifiers.words import KINDS, WordsError
from rules.records import ROLES

CHANNELS = ("sms", "email", "chat", "webhook")
SAID = {
    "channel": "渠道 channel",
    "contact": "对象 contact",
    "address": "地址 address",
    "sent": "已发送 sent",
    "subject": "标题 subject",
    "text": "内容 text",
}
_SHOWN = 3
NAMED = frozenset({"chat", "webhook"})
"""The channels whose addresses are names of our own."""


@click.command()
@click.option("--to", "recipient", required=True, metavar="RECIPIENT", help="对象 a contact's id, or a role one holds.")
@click.option("--channel", type=click.Choice(CHANNELS), help="渠道 only this one (default: all that reach).")
@click.option("--template", default="test", metavar="T", help="模板 the kind of message, with made-up facts.")
@click.option("--dry-run", is_flag=True, help="只显示 show it, send nothing.")
@printing
def say(recipient: str, channel: str | None, template: str, dry_run: bool) -> None:  # noqa: FBT001 - click's own way
    """试发 send a test message."""
    if template not in KINDS:
        raise refuse("--template", f'"{template}" is no kind of message', choose(template, KINDS))
    with the_house() as house:
        contact = _contact(house, recipient)
        messages = [_message(house, contact, one, template) for one in _channels(house, contact, channel)]
        problems = [] if dry_run else _send(house, messages)
    if problems:
        raise Refusal(problems, code=1)
    print_records([_record(contact, _shown(house, one), sent=not dry_run) for one in messages], SAID)


def _contact(house: House, recipient: str) -> Contact:
    """The contact of an id, or the only one in a role."""
    with house.store.read() as tx:
        people = house.people(tx)
        ids = [one.contact_id for one in people.roster.contacts]
        holders = [one.contact_id for one in people.roster.contacts if one.role == recipient]
        chosen = recipient if recipient in ids or recipient not in ROLES else holders[0] if len(holders) == 1 else None
        found = rosters.contacts_of(tx, [chosen]).get(chosen) if chosen else None
    if found is not None:
        return found
    if holders:
        hint = f"name one of them: {', '.join(holders[:_SHOWN])}{' …' if len(holders) > _SHOWN else ''}"
        raise refuse("--to", f"{len(holders)} contacts hold the role {recipient}", hint)
    meant = nearest(recipient, ids)
    hint = f'did you mean "{meant}"?' if meant else "ids are the contact_id of the contacts feed; import it first"
    raise refuse("--to", f'"{recipient}" is no contact', hint)


def _address(house: House, contact: Contact, channel: str) -> str | None:
    is_chat = contact.endpoint in chat_names(house.config)
    reach = {"sms": contact.phone, "email": contact.email, ("chat" if is_chat else "webhook"): contact.endpoint}
    return reach.get(channel)


def _channels(house: House, contact: Contact, channel: str | None) -> list[str]:
    """The channels to speak on: the one asked for, or every configured one on which the contact can be reached."""
    wanted = [channel] if channel else list(CHANNELS)
    found = [one for one in wanted if one in house.notifiers and _address(house, contact, one)]
    if found:
        return found
    if channel and channel not in house.notifiers:
        raise refuse("--channel", f"{channel} is not configured", f"add a table [channels.{channel}]")
    where = channel or "any configured channel"
    raise refuse("--to", f"this contact has no address on {where}", "look at the contacts feed")


def _message(house: House, contact: Contact, channel: str, kind: str) -> Message:
    language = contact.language or house.config.service.language
    facts: dict[str, Any] = dict(examples(language)["one"])
    facts |= {"district": house.config.service.district, "recipient_role": contact.role}
    message = Message(make_id(), channel, _address(house, contact, channel) or "", None, "", template=kind)
    if channel == "webhook":
        return replace(message, body=webhook_body(kind, message.message_id, wall_clock(), facts))
    try:
        provider = getattr(getattr(house.config.channels, channel, None), "provider", None)
        said = house.words.compose(kind, channel, language, facts, provider)
    except WordsError as error:
        problem = error.problem
        raise Refusal([Problem(problem.template, problem.line, "", problem.fault, problem.hint)]) from None
    message = replace(message, subject=said.subject, text=said.text, html=said.html, language=language)
    return replace(message, parameters=sms_facts(kind, language, facts)) if channel == "sms" else message


def _shown(house: House, message: Message) -> Message:
    """The message with what really leaves for its text, where that is not its words."""
    channel = house.notifiers[message.channel]
    if not isinstance(channel, Previewer):
        return message
    try:
        return replace(message, text=channel.preview(message))
    except DeliveryError as error:
        raise Refusal([Problem("baoxue", None, f"say {message.channel}", error.reason, None)], code=1) from None


def _send(house: House, messages: Sequence[Message]) -> list[Problem]:
    problems = []
    for message in messages:
        try:
            house.notifiers[message.channel].send(message)
        except DeliveryError as error:
            problems.append(Problem("baoxue", None, f"say {message.channel}", error.reason, None))
    return problems


def _record(contact: Contact, message: Message, *, sent: bool) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "contact": contact.contact_id,
        "address": message.address if message.channel in NAMED else _masked(message.address),
        "sent": sent,
        "message": message.message_id,
        "kind": message.template,
        "subject": message.subject,
        "text": message.text or None,
        "body": message.body,
    }


def _masked(address: str) -> str:
    """Enough of an address to recognise it."""
    user, at, host = address.partition("@")
    return f"{user[:1]}***{at}{host}" if at else f"***{address[-_SHOWN:]}"
