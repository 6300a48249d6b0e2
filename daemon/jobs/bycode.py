"""Acknowledging by answering a text message: who may is the one it was sent to; hears no channel itself."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from daemon.desk.faults import DeskError
from daemon.desk.ledger import case_row
from daemon.jobs.house import House
from daemon.jobs.office import Actor, acknowledge
from daemon.jobs.stale import cases_about
from daemon.store import outbox, roster
from daemon.store.alerts import AlertRow
from daemon.store.asked import Asked, asked_on, last_tried
from daemon.store.tx import Tx
from notifiers.numbers import takes_texts
from rules.case import Case, Standing

REPLY = "reply"
"""The way of somebody who answered a text message."""
ANSWERED = frozenset({"report", "escalation", "reopened"})
"""The kinds whose code acknowledges."""
LIVES = dt.timedelta(days=90)
"""How long a code is listened for; among few people's messages of that time hardly two share one."""

_CODE = re.compile(r"(?<!\d)\d{5}(?!\d)", re.ASCII)
_SPACED = re.compile(r"\d(?:[\s.,、。·_-]{0,2}\d)*", re.ASCII)
"""Digits with blanks or marks between them, as some write a code and many a date or a number."""
_DIGITS = 5
_ASSENT = re.compile(
    r"(?:[\s,.，。!！~、]|已|我|们|了|的|谢谢|马上|立即|去|办|核实|处理|请放心)*"
    r"(?:收到|知悉|知道|好|签收|确认|明白|是|嗯|ok|okay|yes|received|got it|noted|acknowledged?)"
    r"(?:[\s,.，。!！~、]|已|我|们|了|的|啦|谢谢|马上|立即|去|办|核实|处理|请放心|thanks|thank you)*",
    re.IGNORECASE,
)
"""What says yes and nothing else; whatever else somebody writes about a child is no acknowledgement."""
_LONGEST = 1_000
"""Characters of a reply that are read: nobody writes more before the code."""
_PREFIX = 4
"""Digits by which two ways to write one number may differ in front: a country's code, and a zero for it."""
_SHORTEST = 9
_GATEWAY = re.compile(r"(?:86)?106", re.ASCII)
"""The numbers by which Chinese gateways send."""


class Outcome(StrEnum):
    """What came of a reply; of several the first in this order counts."""

    ACKNOWLEDGED = "acknowledged"
    BEFORE = "acknowledged before"
    NOT_ALLOWED = "not allowed"
    """It was sent to them, but another role acknowledges."""
    CLOSED = "nothing to acknowledge"
    """The report was retracted, the child returned, or the case is closed."""
    UNKNOWN_SENDER = "unknown sender"
    """The code was sent to another number."""
    UNKNOWN_CODE = "unknown code"
    NO_CODE = "no code"


_RANKED = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for its acknowledgement by whoever wrote, and the code that gives it."""

    number: str
    code: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a reply, whose it was, and the cases acknowledged by it, now or before.

    `reader` is the contact whose number wrote, if it was told of a case before; `waiting` are its cases that wait.
    """

    outcome: Outcome
    contact_id: str | None = None
    numbers: tuple[str, ...] = ()
    reader: str | None = None
    waiting: tuple[Waiting, ...] = ()


def acknowledge_by_reply(house: House, sender: str, text: str, now: dt.datetime) -> Answered:
    """Acknowledge every report in the message whose code stands in `text`, if it was sent to the number `sender`.

    Words around the code do not matter, nor how its digits are written; of two such messages the newer is meant,
    unless there is nothing to acknowledge in it. Twice is once. A plain 收到 acknowledges the one case that waits for
    that number, if nothing else was said to it since.
    """
    if is_machine(sender):
        return Answered(Outcome.UNKNOWN_SENDER)
    codes = codes_in(text)
    found = _by_codes(house, sender, codes, now) if codes else _without_code(house, sender, text, now)
    if found.contact_id is not None:
        return replace(found, reader=found.contact_id)
    with house.store.read() as tx:
        reader, waiting, _ = _open_to(tx, house, sender, now)
    return replace(found, reader=reader, waiting=waiting)


def _without_code(house: House, sender: str, text: str, now: dt.datetime) -> Answered:
    """Acknowledge by a plain yes the one message it can mean."""
    if not _ASSENT.fullmatch(unicodedata.normalize("NFKC", text[:_LONGEST]).strip()):
        return Answered(Outcome.NO_CODE)
    with house.store.read() as tx:
        _, waiting, messages = _open_to(tx, house, sender, now)
        contacts = {one.contact_id for one in messages}
        last = last_tried(tx, "sms", contacts) if contacts else None
        meant = next((one for one in messages if one.message_id == last), None)
        alerts = outbox.alerts_by_message(tx, [last]) if meant and last else {}
    if meant is None or len({one.number for one in waiting}) != 1:
        return Answered(Outcome.NO_CODE)
    return _acknowledge(house, meant, alerts.get(meant.message_id, ()), now)


def _by_codes(house: House, sender: str, codes: Collection[str], now: dt.datetime) -> Answered:
    """Acknowledge by a code what the message that bears it is about."""
    with house.store.read() as tx:
        bearing = _bearing(tx, house, codes, now)
        theirs = _sent_to(tx, bearing, sender)
        alerts = outbox.alerts_by_message(tx, [one.message_id for one in theirs])
    if not theirs:
        return Answered(Outcome.UNKNOWN_SENDER if bearing else Outcome.UNKNOWN_CODE)
    found = Answered(Outcome.CLOSED, theirs[0].contact_id)
    for one in theirs:
        answered = _acknowledge(house, one, alerts.get(one.message_id, ()), now)
        if _RANKED.index(answered.outcome) < _RANKED.index(found.outcome):
            found = answered
        if found.numbers:
            break
    return found


def codes_in(text: str) -> frozenset[str]:
    """Return every five digits in a row that stand in a reply, however they are written and spaced."""
    plain = "".join(_digit(letter) for letter in unicodedata.normalize("NFKC", text[:_LONGEST]))
    runs = (re.sub(r"\D", "", run, flags=re.ASCII) for run in _SPACED.findall(plain))
    return frozenset(_CODE.findall(plain)).union(run for run in runs if len(run) == _DIGITS)


def _digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


def _bearing(tx: Tx, house: House, codes: Collection[str], now: dt.datetime) -> list[Asked]:
    """The messages that bear one of these codes, newest first."""
    asked = asked_on(tx, "sms", ANSWERED, now - LIVES)
    return [one for one in asked if house.links.reply_codes(one.message_id).intersection(codes)]


def _sent_to(tx: Tx, messages: Sequence[Asked], sender: str) -> list[Asked]:
    """Those of some messages that went to a number; of whom only their contacts are opened."""
    contacts = roster.contacts_of(tx, [one.contact_id for one in messages])
    return [
        one
        for one in messages
        if (contact := contacts.get(one.contact_id)) is not None
        and contact.gone_at is None
        and contact.phone is not None
        and is_same_number(contact.phone, sender)
    ]


def _open_to(
    tx: Tx, house: House, sender: str, now: dt.datetime
) -> tuple[str | None, tuple[Waiting, ...], list[Asked]]:
    """Return whose number it is, if it was told of a case, the cases that wait for it, and the messages about them."""
    told = _sent_to(tx, asked_on(tx, "sms", ANSWERED, now - LIVES), sender)
    alerts = outbox.alerts_by_message(tx, [one.message_id for one in told])
    known = cases_about(tx, (row for rows in alerts.values() for row in rows))
    found: dict[str, Waiting] = {}
    messages = []
    for one in told:
        mine = [case for row in alerts.get(one.message_id, ()) if (case := _waits(known, row)) is not None]
        messages += [one] if mine else []
        for case in mine:
            found.setdefault(case.number, Waiting(case.number, house.links.reply_code(one.message_id)))
    return told[0].contact_id if told else None, tuple(found.values()), messages


def _waits(known: Mapping[str, Case], alert: AlertRow) -> Case | None:
    """Return the case of an alert, if its recipient can still acknowledge it."""
    case = known.get(alert.case_id or "")
    if case is None or alert.kind not in ANSWERED or not case.is_open or case.standing is not Standing.RAISED:
        return None
    allowed = case.episode == alert.episode and alert.role in case.ladder.acknowledged_by
    return case if allowed and case.acknowledged_at is None else None


def is_machine(sender: str) -> bool:
    """Return whether a number is a gateway's or a service's, like 10086 or 106…, which nobody answers."""
    digits = _bare(sender)
    if len(digits) < _SHORTEST or _GATEWAY.match(digits):
        return True
    return sender.startswith("+") and not takes_texts(sender)


def is_same_number(one: str, other: str) -> bool:
    """Whether two ways to write a telephone number mean one: with its country, or as it is dialled at home."""
    short, long = sorted((_bare(one), _bare(other)), key=len)
    if len(short) < _SHORTEST:
        return bool(short) and short == long
    return long.endswith(short) and len(long) - len(short) <= _PREFIX


def _bare(number: str) -> str:
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", number), flags=re.ASCII).lstrip("0")


def _acknowledge(house: House, message: Asked, alerts: Sequence[AlertRow], now: dt.datetime) -> Answered:
    """Acknowledge what one message is about."""
    outcomes = {str(one.facts["case"]): _one(house, one, now) for one in alerts if one.kind in ANSWERED}
    best = min(outcomes.values(), key=_RANKED.index, default=Outcome.CLOSED)
    done = (Outcome.ACKNOWLEDGED, Outcome.BEFORE)
    numbers = tuple(number for number, outcome in outcomes.items() if outcome in done)
    return Answered(best, message.contact_id, numbers)


def _one(house: House, alert: AlertRow, now: dt.datetime) -> Outcome:
    number = str(alert.facts["case"])
    actor = Actor(f"{alert.role} {alert.contact_id}", REPLY, alert.role, alert.contact_id)
    try:
        acted = acknowledge(house, number, actor, now, episode=alert.episode)
    except DeskError:
        return _why_not(house, number, alert)
    return Outcome.ACKNOWLEDGED if acted.changed else Outcome.BEFORE


def _why_not(house: House, number: str, alert: AlertRow) -> Outcome:
    try:
        with house.store.read() as tx:
            state = case_row(tx, number)
    except DeskError:
        return Outcome.CLOSED
    stands = state.is_open and state.episode == alert.episode and state.state.get("standing") == Standing.RAISED
    return Outcome.NOT_ALLOWED if stands else Outcome.CLOSED
