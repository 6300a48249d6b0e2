"""A case's proof of delivery: who was told what, when, by which channel, and what is known of its arrival."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from daemon.desk.deeds import DONE
from daemon.desk.ledger import case_row, subject_of
from daemon.desk.reasons import who
from daemon.jobs.casefile import from_row
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.jobs.office import act
from daemon.jobs.people import child_of
from daemon.jobs.record import attempt_values, receipt_values
from daemon.jobs.sent import sent_values
from daemon.jobs.ways import ways_of
from daemon.store import cases, journal, record
from daemon.store import roster as rosters
from daemon.store.alerts import CANCELLED, FAILED, QUEUED, SENT, SHADOW, UNDELIVERED, AlertRow
from daemon.store.journal import EntryDraft
from daemon.store.record import Posted
from daemon.store.roster import Contact
from daemon.store.tx import Tx
from notifiers.phrases import KINDS, ROLES, mask_name
from rules.case import Case

MADE = "proof of delivery made"
"""Journal: somebody had the proof of delivery of the case made; the entry says who."""
CORRECTIONS = frozenset({"retraction", "return", "reopened", "closed"})
ANSWERS = frozenset({"acknowledged", "acknowledgement lapsed", "acknowledgement recalled", "confirmed", DONE})
"""The lines of a journal that say what recipients answered."""

CHANNELS = {
    "sms": ("短信", "text message"),
    "email": ("邮件", "mail"),
    "chat": ("群机器人", "group robot"),
    "webhook": ("系统接口", "webhook"),
}
OUTCOMES = {
    "arrived": ("已送达", "arrived"),
    SENT: ("已发出", "sent"),
    UNDELIVERED: ("未送达", "did not arrive"),
    FAILED: ("发送失败", "failed"),
    CANCELLED: ("已取消", "cancelled"),
    QUEUED: ("待发送", "waits to be sent"),
    SHADOW: ("试运行，未发送", "trial run, not sent"),
}
DOUBTS = {
    "repeated": ("可能重复送达", "possibly repeated"),
    "lost": ("有一次发送结果不明", "the end of an attempt is not known"),
    "moved": ("对象的联系方式此后已变更", "the recipient's address has changed since"),
    "gone": ("对象已不在通讯录", "the recipient is on the roster no more"),
}


def make_proof(
    house: House,
    number: str,
    by: str,
    version: str,
    now: dt.datetime,
    keep: Callable[[dict[str, Any]], None] = lambda proof: None,  # noqa: ARG005 - kept by whoever asked
) -> dict[str, Any]:
    """Return the proof of a case as plain values; that it was made, and by whom, is a line of the case's journal.

    `keep` writes the paper, in the same transaction: where it fails nothing was made, and the journal says nothing.
    Names and addresses are masked. Raises DeskError for an unknown number, and when nobody is named.
    """
    person = who(by, subject_of(number))

    def work(tx: Tx) -> dict[str, Any]:
        _note(tx, number, person, now)
        made = _proof(tx, house, number, person, version, now)
        keep(made)
        return made

    return act(house, work)


def _note(tx: Tx, number: str, person: str, now: dt.datetime) -> None:
    row = case_row(tx, number)
    cases.hold(tx, [row.case_id])
    journal.append(tx, [EntryDraft(row.case_id, now, now, MADE, {"by": person, "way": "command line"})])


def _proof(tx: Tx, house: House, number: str, person: str, version: str, now: dt.datetime) -> dict[str, Any]:
    case = from_row(case_row(tx, number))
    lines = journal.history(tx, case.case_id)
    return {
        **_about(tx, house, case),
        "made_at": local(house, now),
        "made_by": person,
        "version": version,
        "notices": _notices(tx, house, case),
        "answers": [_answer(house, one) for one in lines if one.kind in ANSWERS],
        "journal": [{"seq": one.seq, "at": local(house, one.at), "kind": one.kind, "hash": one.hash} for one in lines],
        "chain": _chain(tx, case.case_id, lines),
    }


def _about(tx: Tx, house: House, case: Case) -> dict[str, Any]:
    people = house.people(tx)
    child = child_of(people, case.student_id)
    school = people.directory.school(child.class_id)
    town, _ = people.directory.town(child.class_id, child.residence_id)
    name = rosters.names_of(tx, [case.student_id]).get(case.student_id, "")
    return {
        "case": case.number,
        "district": house.config.service.district,
        "district_name": house.district_name(),
        "timezone": house.config.service.timezone,
        "child": mask_name(name, house.config.service.language),
        "school": school.name if school else child.class_id,
        "town": town.name if town else None,
        "stage": case.stage.value,
        "episode": case.episode,
        "run_from": local(house, case.run_from or case.finding.run_from),
        "due_at": local(house, case.due_at),
        "raised_at": local(house, case.raised_at),
        "rule": case.rule,
        "rule_version": case.rule_version,
        "closed_at": local(house, case.closed_at),
        "reason": case.reason,
    }


def _chain(tx: Tx, case_id: str, lines: Sequence[journal.Entry]) -> dict[str, Any]:
    broken = journal.verify(tx, case_id)
    return {
        "whole": not broken,
        "fault": f"{broken[0].seq}: {broken[0].fault}" if broken else None,
        "entries": len(lines),
        "last_hash": lines[-1].hash if lines else None,
    }


def _answer(house: House, line: journal.Entry) -> dict[str, Any]:
    """Who said it: by link and reply a role and a contact, else whatever name somebody gave."""
    by, role = str(line.body.get("by") or ""), str(line.body.get("role") or "")
    words = ROLES.get(role) if role and by.startswith(f"{role} ") else None
    return {
        "at": local(house, line.at),
        "kind": line.kind,
        "by": by.removeprefix(f"{role} ") if words else by or None,
        "role_zh": words[0] if words else None,
        "role_en": words[1] if words else None,
        "way": line.body.get("way"),
    }


# ---- the notices ----------------------------------------------------------------------------------------------------


def _notices(tx: Tx, house: House, case: Case) -> list[dict[str, Any]]:
    found = record.posted_about(tx, case.case_id)
    contacts = rosters.contacts_of(tx, {alert.contact_id for alert, _ in found})
    ways = ways_of(tx, house.config, frozenset(CHANNELS), contacts, house.clock())
    units = house.people(tx).directory.units
    said = sent_values(tx, {alert.message_id for alert, _ in found})
    order = {alert.alert_id: n for n, (alert, _) in enumerate(found, start=1)}
    notices = []
    for alert, posted in found:
        contact = contacts.get(alert.contact_id)
        same = ways.addressee(alert.contact_id, alert.channel) == posted.message.addressee
        unit = units.get(alert.unit_id or "")
        notices.append(
            {
                "n": order[alert.alert_id],
                "instead_of": order.get(alert.instead_of or ""),
                **_to_whom(alert, contact, unit.name if unit else alert.unit_id, same=same),
                **_what(house, alert),
                **_how(house, alert, posted),
                "texts": said.get(alert.message_id, []),
                "doubts": [*_doubts(posted), *([] if same or contact is None else ["moved"])]
                + ([] if contact and contact.gone_at is None else ["gone"]),
            }
        )
    return notices


def _to_whom(alert: AlertRow, contact: Contact | None, unit: str | None, *, same: bool) -> dict[str, Any]:
    role = ROLES.get(alert.role, (alert.role, alert.role))
    address = _address(contact, alert.channel) if contact is not None and same else None
    return {
        "role": alert.role,
        "role_zh": role[0],
        "role_en": role[1],
        "unit": unit,
        "contact": alert.contact_id,
        "name": mask_name(contact.name, contact.language or "zh") if contact is not None else None,
        "address": address,
    }


def _address(contact: Contact, channel: str) -> str | None:
    if channel == "sms":
        return mask_number(contact.phone)
    return mask_mail(contact.email) if channel == "email" else contact.endpoint


def mask_number(number: str | None) -> str | None:
    """A telephone number with all but its beginning and its last four digits hidden: +86138****1234."""
    if not number:
        return None
    return f"{number[:-8]}****{number[-4:]}" if len(number) > 8 else f"****{number[-2:]}"  # noqa: PLR2004


def mask_mail(address: str | None) -> str | None:
    """A mail address with all but its first letter and its domain hidden: o***@example.org."""
    if not address:
        return None
    local_part, _, domain = address.rpartition("@")
    return f"{local_part[:1]}***@{domain}"


def _what(house: House, alert: AlertRow) -> dict[str, Any]:
    kind, channel = KINDS.get(alert.kind, (alert.kind,) * 2), CHANNELS.get(alert.channel, (alert.channel,) * 2)
    return {
        "kind": alert.kind,
        "kind_zh": kind[0],
        "kind_en": kind[1],
        "correction": alert.kind in CORRECTIONS,
        "episode": alert.episode,
        "rung": alert.rung,
        "channel": alert.channel,
        "channel_zh": channel[0],
        "channel_en": channel[1],
        "due_at": local(house, alert.due_at),
        "raised_at": local(house, alert.raised_at),
    }


def _how(house: House, alert: AlertRow, posted: Posted) -> dict[str, Any]:
    row = posted.message
    outcome = CANCELLED if alert.cancelled_at is not None else row.state
    if outcome == SENT and row.delivered_at is not None:
        outcome = "arrived"
    words = OUTCOMES.get(outcome, (outcome, outcome))
    return {
        "message": row.message_id,
        "outcome": outcome,
        "outcome_zh": words[0],
        "outcome_en": words[1],
        "left_at": local(house, row.told_at) if alert.cancelled_at is None else None,
        "arrived_at": local(house, row.delivered_at),
        "cancelled_at": local(house, alert.cancelled_at),
        "cancel_reason": alert.cancel_reason,
        "provider_id": row.provider_id,
        "attempts": [attempt_values(house, one) for one in posted.attempts],
        "receipts": [receipt_values(house, one) for one in posted.receipts],
    }


def _doubts(posted: Posted) -> list[str]:
    doubted = [one for one in posted.attempts if one.doubtful]
    if doubted and len(posted.attempts) > 1:
        return ["repeated"]
    return ["lost"] if doubted or any(one.ended_at is None for one in posted.attempts) else []
