"""From a message of the outbox to words on their way: names are opened here, and masked at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daemon.channels import provider_of
from daemon.desk.links import Act
from daemon.jobs.house import House
from daemon.store import roster as rosters
from daemon.store.outbox import AlertRow, MessageRow
from daemon.store.roster import Contact
from daemon.store.tx import Tx
from notifiers.contract import Message
from notifiers.sms.facts import sms_facts
from notifiers.webhook import webhook_body
from notifiers.words import mask_name
from rules.instants import from_micros
from rules.pacing import DIGEST, kind_of

_LISTS = ("failures", "findings", "owed")
"""Facts of which a message names those of all its alerts."""
_ACKNOWLEDGED = frozenset({"report", "escalation", "reopened"})


@dataclass(frozen=True, slots=True)
class Opened:
    """Names and addresses, opened for some messages and forgotten with them."""

    contacts: Mapping[str, Contact] = field(repr=False)
    names: Mapping[str, str] = field(repr=False)


def open_for(tx: Tx, messages: Iterable[tuple[MessageRow, Sequence[AlertRow]]]) -> Opened:
    """The names and addresses that these messages with their alerts need; machines are told no names."""
    wanted = list(messages)
    named = (alerts for row, alerts in wanted if row.channel != "webhook")
    students = [one.student_id for alerts in named for one in alerts if one.student_id]
    return Opened(rosters.contacts_of(tx, [row.contact_id for row, _ in wanted]), rosters.names_of(tx, students))


def compose(house: House, opened: Opened, message: MessageRow, alerts: Sequence[AlertRow]) -> Message | None:
    """The message in its recipient's language; None when its recipient has no address on that channel any more."""
    contact = opened.contacts.get(message.contact_id)
    address = contact and _address(contact, message.channel)
    if contact is None or not address:
        return None
    facts = facts_of(house, alerts, opened.names, contact)
    kind = said_as(message, alerts)
    if message.channel == "webhook":
        body = webhook_body(message.kind, message.message_id, message.created_at, facts)
        return Message(message.message_id, message.channel, address, None, "", body=body, template=message.kind)
    language = contact.language or house.config.service.language
    provider = provider_of(house.config.channels, message.channel, address)
    said = house.words.compose(kind, message.channel, language, facts, provider)
    return Message(
        message.message_id,
        message.channel,
        address,
        said.subject,
        said.text,
        said.html,
        template=kind,
        parameters=sms_facts(kind, language, facts) if message.channel == "sms" else {},
        language=language,
    )


def said_as(message: MessageRow, alerts: Sequence[AlertRow]) -> str:
    """The kind of words a message needs: a digest of which only alerts of one kind are left is none."""
    if message.kind != DIGEST or not alerts:
        return message.kind
    about_children = len(alerts) == 1 or all(one.student_id for one in alerts)
    return kind_of((one.kind for one in alerts), about_children=about_children)


def _address(contact: Contact, channel: str) -> str | None:
    return {
        "sms": contact.phone,
        "email": contact.email,
        "chat": contact.endpoint,
        "webhook": contact.endpoint,
    }.get(channel)


def facts_of(house: House, alerts: Sequence[AlertRow], names: Mapping[str, str], contact: Contact) -> dict[str, Any]:
    """What a template gets: the alerts with masked names and local times, and what they share."""
    shared = dict(alerts[0].facts) if alerts and alerts[0].student_id is None else {}
    if "since" in shared and shared["since"] is not None:
        shared["since"] = _local(house, from_micros(shared["since"]))
    shared |= {key: found for key in _LISTS if (found := [one for each in alerts for one in each.facts.get(key, ())])}
    if alerts and alerts[0].incident_id:
        shared["incident"] = alerts[0].incident_id
    units = [one for one in alerts if one.student_id is None]
    notices = [_notice(house, one) for one in units] if len(alerts) > 1 else []
    return {
        **shared,
        "notices": notices,
        "alerts": [_alert(house, one, names, contact) for one in alerts if one.student_id is not None],
        "district": house.district_name(),
        "callback": house.config.service.callback,
        "reply_code": _reply_code(house, alerts),
        "recipient_role": alerts[0].role if alerts else contact.role,
    }


def _notice(house: House, one: AlertRow) -> dict[str, Any]:
    """An alert about a unit, a feed or the daemon itself, in one line of a digest."""
    since = one.facts.get("since")
    told = {key: one.facts.get(key) for key in ("unit", "feed", "classes", "count")}
    return {**told, "kind": one.kind, "since": None if since is None else _local(house, from_micros(since))}


def _reply_code(house: House, alerts: Sequence[AlertRow]) -> str | None:
    """The code that, answered, acknowledges all of a text message; None where no answer would be heard."""
    asked = any(one.channel == "sms" and one.kind in _ACKNOWLEDGED for one in alerts)
    heard = getattr(house.config.channels.sms, "replies", False)
    return house.links.reply_code(alerts[0].message_id) if asked and heard else None


def _alert(house: House, alert: AlertRow, names: Mapping[str, str], contact: Contact) -> dict[str, Any]:
    facts = alert.facts
    language = contact.language or house.config.service.language
    run_from, reported = facts.get("run_from"), facts.get("reported_at")
    acts = house.links
    asks = alert.kind == "confirm_request"
    return {
        "case": facts["case"],
        "student": mask_name(names.get(alert.student_id or "", ""), language),
        "school": facts["school"],
        "grade": facts["grade"],
        "town": facts["town"],
        "residence_assumed": facts["residence_assumed"],
        "run_from": _local(house, from_micros(run_from)) if run_from is not None else None,
        "due_at": _local(house, alert.due_at) if alert.due_at else None,
        "raised_at": _local(house, from_micros(reported)) if reported is not None else None,
        "episode": alert.episode,
        "unconfirmed": facts["unconfirmed"],
        "reason": facts["reason"],
        "days_absent": facts["days_absent"],
        "kind": facts.get("would", alert.kind),
        "rule": facts.get("rule"),
        "rule_version": facts.get("rule_version"),
        "title": _title(facts, language),
        "acknowledge_url": acts.url(Act.ACKNOWLEDGE, alert.alert_id) if alert.kind in _ACKNOWLEDGED else None,
        "confirm_seen_url": acts.url(Act.SEEN, alert.alert_id) if asks else None,
        "confirm_absent_url": acts.url(Act.ABSENT, alert.alert_id) if asks else None,
    }


def _title(facts: Mapping[str, Any], language: str) -> str | None:
    """What the rule is called in a language, else in the other."""
    title: Mapping[str, str] = facts.get("title") or {}
    return title.get(language) or next(iter(title.values()), None)


def _local(house: House, instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(house.calendar.zone)
