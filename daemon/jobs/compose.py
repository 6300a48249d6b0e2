"""From a message of the outbox to words on their way: names are opened here, and masked at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daemon.desk.links import Act
from daemon.jobs.house import House
from daemon.providers import provider_of
from daemon.store import roster as rosters
from daemon.store.outbox import AlertRow, MessageRow
from daemon.store.roster import Contact
from daemon.store.tx import Tx
from notifiers.contract import Message
from notifiers.numbers import takes_texts
from notifiers.phrases import class_words, grade_words
from notifiers.sms.facts import sms_facts
from notifiers.webhook import webhook_body
from notifiers.words import mask_name
from rules.instants import from_micros
from rules.pacing import DIGEST, kind_of

_LISTS = ("failures", "findings", "owed")
"""Facts of which a message names those of all its alerts."""
ACKNOWLEDGED = frozenset({"report", "escalation", "reopened"})
"""The kinds that ask to be acknowledged."""
_ANSWERED = ACKNOWLEDGED | {"reminder"}
"""The kinds with a link behind which a recipient says what was done."""
_FOUND_BY = frozenset({"report", "escalation", "reopened", "reminder", "confirm_request", "risk"})
"""The kinds by which somebody is to find a child."""
FINDERS = frozenset(
    {
        "town_government",
        "town_head",
        "village_head",
        "education_office",
        "central_school",
        "principal",
        "class_teacher",
        "mentor",
    }
)
"""The roles that go and look for a child, and are told its class and village; nobody else needs them."""


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
    address = contact and address_of(contact, message.channel)
    if contact is None or not address:
        return None
    facts = facts_of(house, alerts, opened.names, contact, message.channel)
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


def address_of(contact: Contact, channel: str) -> str | None:
    """Return where a contact is reached on a channel; None where it is not."""
    return {
        "sms": contact.phone if contact.phone and takes_texts(contact.phone) else None,
        "email": contact.email,
        "chat": contact.endpoint,
        "webhook": contact.endpoint,
    }.get(channel)


def facts_of(
    house: House, alerts: Sequence[AlertRow], names: Mapping[str, str], contact: Contact, channel: str
) -> dict[str, Any]:
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
        "alerts": [_alert(house, one, names, contact, channel) for one in alerts if one.student_id is not None],
        "judge_url": _judge_url(house, alerts),
        "district": house.district_name(),
        "signature": signature_of(house, channel),
        "callback": house.config.service.callback,
        "reply_code": _reply_code(house, alerts),
        "recipient_role": alerts[0].role if alerts else contact.role,
    }


def _notice(house: House, one: AlertRow) -> dict[str, Any]:
    """An alert about a unit, a feed or the daemon itself, in one line of a digest."""
    since = one.facts.get("since")
    told = {key: one.facts.get(key) for key in ("unit", "feed", "classes", "count")}
    return {**told, "kind": one.kind, "since": None if since is None else _local(house, from_micros(since))}


def _judge_url(house: House, alerts: Sequence[AlertRow]) -> str | None:
    """The link to judge a mass absence by; None for a message about anything else."""
    asked = len(alerts) == 1 and alerts[0].kind == "mass_absence"
    return house.links.url(Act.JUDGE, alerts[0].alert_id) if asked else None


def signature_of(house: House, channel: str) -> str | None:
    """The registered signature that our own text messages begin with; approved texts have theirs at the provider."""
    sms = house.config.channels.sms
    own_words = channel == "sms" and sms is not None and sms.chosen.limits is None
    return getattr(sms, "sign_name", None) if own_words else None


def _may_acknowledge(alert: AlertRow) -> bool:
    """Whether the recipient of an alert is one whose acknowledgement it asks for; earlier alerts did not say."""
    allowed = alert.facts.get("acknowledged_by")
    return alert.kind in ACKNOWLEDGED if allowed is None else alert.role in allowed


def _reply_code(house: House, alerts: Sequence[AlertRow]) -> str | None:
    """The code that, answered, acknowledges all of a text message; None where no answer would be heard, or count."""
    reports = [one for one in alerts if one.channel == "sms" and one.kind in ACKNOWLEDGED]
    asked = bool(reports) and all(_may_acknowledge(one) for one in reports)
    heard = getattr(house.config.channels.sms, "replies", False)
    return house.links.reply_code(alerts[0].message_id) if asked and heard else None


def _alert(house: House, alert: AlertRow, names: Mapping[str, str], contact: Contact, channel: str) -> dict[str, Any]:
    facts = alert.facts
    language = contact.language or house.config.service.language
    of_reader = channel != "webhook"
    near = is_told_where(alert.kind, alert.role, channel)
    own_class = near and facts.get("class") != facts["school"]  # some schools are their own class
    return {
        "case": facts["case"],
        "student": mask_name(names.get(alert.student_id or "", ""), language),
        "school": facts["school"],
        "class": class_words(facts.get("class"), facts["grade"], language) if own_class else None,
        "grade": grade_words(facts["grade"], language),
        "village": house.village_of(alert.student_id) if near else None,
        "town": facts["town"],
        "residence_assumed": facts["residence_assumed"],
        "run_from": _instant(house, facts.get("run_from")),
        "due_at": _local(house, alert.due_at) if alert.due_at else None,
        "raised_at": _instant(house, facts.get("reported_at")),
        "answer_by": _instant(house, facts.get("answer_by")),
        "episode": alert.episode,
        "unconfirmed": facts["unconfirmed"],
        "reason": (facts.get("cause") if of_reader else None) or facts["reason"],
        "days_absent": facts["days_absent"],
        "kind": facts.get("would", alert.kind),
        "rule": facts.get("rule"),
        "rule_version": facts.get("rule_version"),
        "title": _title(facts, language),
        **_links(house, alert),
    }


def is_told_where(kind: str, role: str, channel: str) -> bool:
    """Whether a recipient is told a child's class and village: whoever has to find it, and no group or machine."""
    return kind in _FOUND_BY and role in FINDERS and channel in {"sms", "email"}


def _links(house: House, alert: AlertRow) -> dict[str, str | None]:
    """The recipient's own links: to acknowledge where that counts, else to say what was done; to answer a question."""
    answered, asks, url = alert.kind in _ANSWERED, alert.kind == "confirm_request", house.links.url
    acknowledges = answered and _may_acknowledge(alert)
    return {
        "acknowledge_url": url(Act.ACKNOWLEDGE, alert.alert_id) if acknowledges else None,
        "record_url": url(Act.DEED, alert.alert_id) if answered and not acknowledges else None,
        "confirm_seen_url": url(Act.SEEN, alert.alert_id) if asks else None,
        "confirm_absent_url": url(Act.ABSENT, alert.alert_id) if asks else None,
    }


def _title(facts: Mapping[str, Any], language: str) -> str | None:
    """What the rule is called in a language, else in the other."""
    title: Mapping[str, str] = facts.get("title") or {}
    return title.get(language) or next(iter(title.values()), None)


def _instant(house: House, micros: int | None) -> dt.datetime | None:
    return None if micros is None else _local(house, from_micros(micros))


def _local(house: House, instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(house.calendar.zone)
