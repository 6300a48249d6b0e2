"""`say`: a test message to one recipient by its real channels; or the words of any kind, shown and not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import click

from daemon.app import make_id
from daemon.cli.faults import Refusal, refuse
from daemon.cli.language import worded
from daemon.cli.output import print_json, print_record, print_records
from daemon.cli.previews import previewed
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.channel_problems import Line, end_problems
from daemon.jobs.find import contact_called
from daemon.jobs.house import House
from daemon.jobs.proof import CHANNELS as WAYS
from daemon.problems import Problem, choose
from daemon.providers import provider_of
from daemon.settings import chat_names
from daemon.store import roster as rosters
from daemon.store.addresses import endpoint_key
from daemon.store.roster import Contact
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Message, Previewer
from notifiers.examples import examples
from notifiers.numbers import MENDING, kind_of, takes_texts
from notifiers.phrases import KINDS as NOTICES
from notifiers.sms.facts import sms_facts
from notifiers.webhook import webhook_body
from notifiers.words import KINDS, LANGUAGES, WordsError, sms_encoding, sms_segments
from rules.records import ROLES

CHANNELS = ("sms", "email", "chat", "webhook")
EXAMPLES = tuple(examples("zh"))
ALL = "all"
SAID = {
    "channel": ("渠道", "channel"),
    "name": ("姓名", "name"),
    "contact": ("对象", "contact"),
    "address": ("地址", "address"),
    "sent": ("已发送", "sent"),
    "subject": ("标题", "subject"),
    "text": ("内容", "text"),
}
SHOWN = {
    "kind": ("种类", "kind"),
    "channel": ("渠道", "channel"),
    "name": ("姓名", "name"),
    "contact": ("对象", "contact"),
    "address": ("地址", "address"),
    "template": ("模板", "template"),
    "encoding": ("编码", "encoding"),
    "segments": ("短信条数", "segments"),
    "subject": ("标题", "subject"),
}
WORDS = {"kind": NOTICES, "channel": WAYS}
_NAMED = 3
NAMED = frozenset({"chat", "webhook"})
"""The channels whose addresses are names of our own."""


@dataclass(frozen=True, slots=True)
class _Hearer:
    """Who is spoken to on which channel; in a preview nobody in particular, and then without an address."""

    channel: str
    language: str
    address: str | None = field(default=None, repr=False)
    contact_id: str | None = None
    role: str | None = None
    name: str | None = field(default=None, repr=False)


@click.command()
@click.option("--to", "recipient", metavar="RECIPIENT", help="A contact: its id or name, or a role one holds.")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only this one (default: all that reach).")
@click.option("--template", default="test", metavar="T", help=f"The kind of message, or {ALL}, with made-up facts.")
@click.option("--language", type=click.Choice(LANGUAGES), help="In which language (default: the recipient's).")
@click.option("--example", type=click.Choice(EXAMPLES), help="Which made-up facts (default: one).")
@click.option("--dry-run", is_flag=True, help="Show it, send nothing; then nobody need be named.")
@printing
def say(
    recipient: str | None,
    channel: str | None,
    template: str,
    language: str | None,
    example: str | None,
    dry_run: bool,  # noqa: FBT001 - click's own way
) -> None:
    """Send a test message, or preview any."""
    kinds = _kinds(template, recipient, dry_run=dry_run)
    with the_house() as house:
        hearers = _hearers(house, recipient, channel, language)
        said = [(one, _message(house, one, kind, example)) for kind in kinds for one in hearers]
        if dry_run:
            _show([_preview(house, one, message) for one, message in said])
            return
        problems = _send(house, [message for _, message in said])
        wrong = {problem.key.removeprefix("say ") for problem in problems}
        _note_taken(house, [message for _, message in said if message.channel not in wrong])
    if problems:
        raise Refusal(problems, code=1)
    print_records([_record(one, message, sent=True) for one, message in said], SAID, WORDS)


def _kinds(template: str, recipient: str | None, *, dry_run: bool) -> tuple[str, ...]:
    if not dry_run and recipient is None:
        raise refuse("--to", "nobody is named", "name a recipient, or look at the words with --dry-run")
    if template == ALL and dry_run:
        return KINDS
    if template == ALL:
        raise refuse("--template", "all of them are sent to nobody", "look at them with --dry-run")
    if template not in KINDS:
        raise refuse("--template", f'"{template}" is no kind of message', choose(template, KINDS))
    return (template,)


# ---- to whom ----------------------------------------------------------------------------------------------------


def _hearers(house: House, recipient: str | None, channel: str | None, language: str | None) -> list[_Hearer]:
    """A recipient on each of its channels, or on the one asked for; nobody: anybody, on every channel there is."""
    if recipient is None:
        tongue = language or house.config.service.language
        wanted = [channel] if channel else list(CHANNELS)
        return [_Hearer(one, tongue, address) for one in wanted for address in _rooms(house, one)]
    contact = _contact(house, recipient)
    tongue = language or contact.language or house.config.service.language
    return [
        _Hearer(one, tongue, _address(house, contact, one), contact.contact_id, contact.role, contact.name)
        for one in _channels(house, contact, channel)
    ]


def _rooms(house: House, channel: str) -> Iterator[str | None]:
    """Where anybody would be spoken to: of group chats one of each provider, since each may have words of its own."""
    chat = house.config.channels.chat
    if channel != "chat" or chat is None:
        yield None
        return
    yield from {robot.provider: name for name, robot in reversed(chat.endpoints.items())}.values()


def _contact(house: House, recipient: str) -> Contact:
    """Return the contact of an id or a name, or the only one in a role."""
    with house.store.read() as tx:
        people = house.people(tx)
        ids = [one.contact_id for one in people.roster.contacts]
        holders = [one.contact_id for one in people.roster.contacts if one.role == recipient]
        chosen = recipient if recipient in ids or recipient not in ROLES else holders[0] if len(holders) == 1 else None
        found = rosters.contacts_of(tx, [chosen]).get(chosen) if chosen else None
        if found is not None:
            return found
        if holders:
            hint = f"name one of them: {', '.join(holders[:_NAMED])}{' …' if len(holders) > _NAMED else ''}"
            raise refuse("--to", f"{len(holders)} contacts hold the role {recipient}", hint)
        called = contact_called(tx, people, recipient, "--to")
        return rosters.contacts_of(tx, [called])[called]


def _address(house: House, contact: Contact, channel: str) -> str | None:
    is_chat = contact.endpoint in chat_names(house.config)
    texted = contact.phone if contact.phone and takes_texts(contact.phone) else None
    reach = {"sms": texted, "email": contact.email, ("chat" if is_chat else "webhook"): contact.endpoint}
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
    if contact.phone and channel in {"sms", None} and not takes_texts(contact.phone):
        fault = f"this contact's number is {kind_of(contact.phone)}, which takes no text messages"
        raise refuse("--to", fault, MENDING)
    raise refuse("--to", f"this contact has no address on {where}", "look at the contacts feed")


# ---- what is said -----------------------------------------------------------------------------------------------


def _message(house: House, hearer: _Hearer, kind: str, example: str | None) -> Message:
    channel, language = hearer.channel, hearer.language
    facts = previewed(house, kind, channel, language, hearer.role, example)
    message = Message(make_id(), channel, hearer.address or "", None, "", template=kind, language=language)
    if channel == "webhook":
        return replace(message, body=webhook_body(kind, message.message_id, wall_clock(), facts))
    provider = provider_of(house.config.channels, channel, hearer.address)
    try:
        said = house.words.compose(kind, channel, language, facts, provider)
    except WordsError as error:
        problem = error.problem
        raise Refusal(
            [Problem(f"templates/{problem.template}", problem.line, "", problem.fault, problem.hint)]
        ) from None
    message = replace(message, subject=said.subject, text=said.text, html=said.html)
    return replace(message, parameters=sms_facts(kind, language, facts)) if channel == "sms" else message


def _send(house: House, messages: Sequence[Message]) -> list[Problem]:
    problems = []
    for message in messages:
        try:
            house.notifiers[message.channel].send(message)
        except DeliveryError as error:
            problems.append(Problem("baoxue", None, f"say {message.channel}", error.reason, None))
    return problems


def _note_taken(house: House, messages: Sequence[Message]) -> None:
    """End the problems of channels that took a message: what waits for them goes at once."""
    now = wall_clock()

    def note(tx: Tx) -> None:
        taken = {Line.of(one.channel, endpoint_key(tx, one.channel, one.address)) for one in messages}
        end_problems(tx, house, taken, now)

    if messages:
        house.store.commit(note)


# ---- what is shown ----------------------------------------------------------------------------------------------


def _preview(house: House, hearer: _Hearer, message: Message) -> dict[str, Any]:
    """A message with all that leaves for it, from which template, and what a text message costs."""
    channel: object = house.notifiers.get(message.channel)
    if isinstance(channel, Previewer):
        return _record(hearer, replace(message, text=_approved(channel, message)), sent=False)
    record = _record(hearer, message, sent=False) | {"html": message.html}
    if message.channel == "sms":
        record |= {"encoding": sms_encoding(message.text), "segments": sms_segments(message.text)}
    if message.channel == "webhook":
        return record
    provider = provider_of(house.config.channels, message.channel, hearer.address)
    name = house.words.template(message.template, message.channel, message.language, provider)
    own = name in house.words.own
    return record | {"template": f"templates/{name}" if own else f"{name} {worded('自带', 'as shipped')}"}


def _approved(channel: Previewer, message: Message) -> str:
    """What leaves where a provider sends approved texts instead of our words."""
    try:
        return channel.preview(message)
    except DeliveryError as error:
        raise Refusal([Problem("baoxue", None, f"say {message.channel}", error.reason, None)], code=1) from None


def _record(hearer: _Hearer, message: Message, *, sent: bool) -> dict[str, Any]:
    address = message.address or None
    return {
        "channel": message.channel,
        "contact": hearer.contact_id,
        "name": hearer.name,
        "address": address if address is None or message.channel in NAMED else _masked(address),
        "sent": sent,
        "message": message.message_id,
        "kind": message.template,
        "language": message.language,
        "subject": message.subject,
        "text": message.text or None,
        "body": message.body,
    }


def _show(records: Sequence[Mapping[str, Any]]) -> None:
    """Each message as it reads, line by line."""
    if as_json():
        print_json(records)
        return
    for n, record in enumerate(records):
        if n:
            click.echo()
        print_record(record, SHOWN, WORDS)
        click.echo()
        body = record["text"] or json.dumps(record["body"], ensure_ascii=False, indent=2)
        click.echo(body.rstrip("\n"))


def _masked(address: str) -> str:
    """Enough of an address to recognise it."""
    user, at, host = address.partition("@")
    return f"{user[:1]}***{at}{host}" if at else f"***{address[-_NAMED:]}"
