"""Words to the operator past the store: for when the store is what fails, and there is no outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from daemon.jobs.compose import address_of, signature_of
from daemon.jobs.house import House
from daemon.jobs.routing import Routing, operators
from daemon.jobs.service_problems import OVER, TOLD, Trouble, service_facts
from daemon.providers import provider_of
from daemon.store import roster as rosters
from daemon.store.roster import Contact
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Message
from notifiers.sms.facts import sms_facts
from notifiers.webhook import webhook_body
from notifiers.words import WordsError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Operators:
    """The operators as last read, with their addresses and the channels to try, best first; kept in memory only."""

    reached: Sequence[tuple[Contact, tuple[str, ...]]] = field(default=(), repr=False)
    district: str = ""


def known_operators(tx: Tx, house: House, now: dt.datetime) -> Operators:
    """Read who is to be told about the service now, and by which channels."""
    people = house.people(tx)
    sought = operators(people)
    routing = Routing(house, people, now)
    routing.look_up(tx, sought)
    routes, _ = routing.routes(sought)
    contacts = rosters.contacts_of(tx, [route.recipient.contact_id for route in routes])
    reached = [(contacts[route.recipient.contact_id], (route.channel, *route.fallback)) for route in routes]
    return Operators(reached, house.district_name())


def tell_directly(
    house: House, known: Operators, trouble: Trouble, since: dt.datetime, now: dt.datetime, *, over: bool = False
) -> int:
    """Tell every known operator of a problem, or that it is over, each by the first channel that takes it; how many."""
    facts = service_facts(trouble, since.astimezone(house.calendar.zone), over=over) | {"district": known.district}
    kind = OVER if over else TOLD
    told = sum(_told(house, contact, channels, kind, facts, now) for contact, channels in known.reached)
    if not told:
        log.critical(
            "no operator could be told", part=trouble.part, reason=trouble.reason, operators=len(known.reached)
        )
    return told


def _told(
    house: House, contact: Contact, channels: Sequence[str], kind: str, facts: dict[str, Any], now: dt.datetime
) -> bool:
    for channel in channels:
        notifier = house.notifiers.get(channel)
        if notifier is None:
            continue
        try:
            notifier.send(_message(house, contact, channel, kind, facts, now))
        except (DeliveryError, WordsError) as error:
            log.warning("operator not told directly", channel=channel, reason=str(error))
        else:
            log.info("operator told directly", channel=channel, kind=kind)
            return True
    return False


def _message(
    house: House, contact: Contact, channel: str, kind: str, facts: dict[str, Any], now: dt.datetime
) -> Message:
    address = address_of(contact, channel) or ""
    message = Message(house.new_id(), channel, address, None, "", template=kind)
    facts = {**facts, "signature": signature_of(house, channel), "recipient_role": contact.role}
    facts |= {"callback": house.config.service.callback, "alerts": ()}
    if channel == "webhook":
        return replace(message, body=webhook_body(kind, message.message_id, now, facts))
    language = contact.language or house.config.service.language
    said = house.words.compose(kind, channel, language, facts, provider_of(house.config.channels, channel, address))
    parameters = sms_facts(kind, language, facts) if channel == "sms" else {}
    message = replace(message, subject=said.subject, text=said.text, html=said.html)
    return replace(message, parameters=parameters, language=language)
