"""Acknowledging by the code of a text message: who may is the one it was sent to; hears no channel itself."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.desk.faults import DeskError
from daemon.desk.ledger import case_row
from daemon.jobs.house import House
from daemon.jobs.office import Actor, acknowledge
from daemon.store import outbox, roster
from daemon.store.alerts import AlertRow
from daemon.store.asked import Asked, asked_on
from daemon.store.tx import Tx
from rules.case import Standing

REPLY = "reply"
"""The way of somebody who answered a text message."""
ANSWERED = frozenset({"report", "escalation", "reopened"})
"""The kinds whose code acknowledges."""
LIVES = dt.timedelta(days=90)
"""How long a code is listened for; among few people's messages of that time hardly two share one."""

_CODE = re.compile(r"(?<!\d)\d{5}(?!\d)", re.ASCII)
_LONGEST = 1_000
"""Characters of a reply that are read: nobody writes more before the code."""
_PREFIX = 4
"""Digits by which two ways to write one number may differ in front: a country's code, and a zero for it."""
_SHORTEST = 9


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
class Answered:
    """What came of a reply, whose it was, and the cases acknowledged by it, now or before."""

    outcome: Outcome
    contact_id: str | None = None
    numbers: tuple[str, ...] = ()


def acknowledge_by_reply(house: House, sender: str, text: str, now: dt.datetime) -> Answered:
    """Acknowledge every report in the message whose code stands in `text`, if it was sent to the number `sender`.

    Words around the code do not matter, nor how its digits are written; of two such messages the newer is meant,
    unless there is nothing to acknowledge in it. Twice is once.
    """
    codes = codes_in(text)
    if not codes:
        return Answered(Outcome.NO_CODE)
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
    """Every five digits in a row that stand in a reply, however they are written."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST])
    return frozenset(_CODE.findall("".join(_digit(letter) for letter in plain)))


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
