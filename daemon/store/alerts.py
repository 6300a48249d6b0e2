"""The rows of the outbox: alerts, the messages they leave in, the attempts to send those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.store.tables import alert, attempt, message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

QUEUED, SENT, FAILED, CANCELLED, SHADOW = "queued", "sent", "failed", "cancelled", "shadow"
UNDELIVERED = "undelivered"
"""Taken over by the channel, which later said that it did not reach its recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """One thing to be told to one contact on one channel; `key` makes it exist once, for ever.

    `facts` is plain JSON with nothing personal. Alerts of one `group_key` to one `addressee` (the key of an address,
    else the contact) leave as one message where they can; none leaves before `not_before`. Of what waits, the lowest
    `priority` goes first. `fallback` are the channels to try after this one, the next of them also when it has not
    left by `falls_back_at`; `instead_of` is the alert, on the first channel, in whose place this one stands.
    Schools take turns. Alerts of one `bundle` to one addressee may leave as one message when that one waits anyway;
    a message `fits` so many of them (None: any number).
    """

    key: str
    contact_id: str
    role: str
    channel: str
    kind: str
    raised_at: dt.datetime
    facts: Mapping[str, Any]
    case_id: str | None = None
    incident_id: str | None = None
    student_id: str | None = None
    unit_id: str | None = None
    episode: int | None = None
    rung: int | None = None
    due_at: dt.datetime | None = None
    group_key: str | None = None
    not_before: dt.datetime | None = None
    addressee: str = ""
    priority: int = 0
    fallback: tuple[str, ...] = ()
    falls_back_at: dt.datetime | None = None
    instead_of: str | None = None
    school: str = ""
    bundle: str | None = None
    fits: int | None = None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as stored."""

    alert_id: str
    key: str
    case_id: str | None
    incident_id: str | None
    student_id: str | None
    unit_id: str | None
    contact_id: str
    role: str
    channel: str
    kind: str
    episode: int | None
    rung: int | None
    due_at: dt.datetime | None
    raised_at: dt.datetime
    facts: Mapping[str, Any]
    group_key: str | None
    message_id: str
    created_at: dt.datetime
    cancelled_at: dt.datetime | None
    cancel_reason: str | None
    fallback: Sequence[str]
    falls_back_at: dt.datetime | None
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is sent: one alert or several; its id stays the same over every attempt. Knows no words.

    `held` says why it waits (`hours`, `throttle`, `silence:ID`, …); of what is due, the lowest `priority` goes first,
    and within it the lowest `turn`: how many of its school waited before it.
    """

    message_id: str
    contact_id: str
    channel: str
    kind: str
    state: str
    next_at: dt.datetime
    lease_until: dt.datetime | None
    lease_by: str | None
    attempts: int
    created_at: dt.datetime
    told_at: dt.datetime | None
    doubtful: bool
    group_key: str | None
    addressee: str = ""
    priority: int = 0
    turn: int = 0
    held: str | None = None
    school: str = ""
    provider_id: str | None = None
    delivered_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try to send a message; without `ended_at` it is under way, or its end was lost."""

    message_id: str
    n: int
    started_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: str | None
    provider_id: str | None
    error: str | None
    doubtful: bool
    fault: str | None = None
    """Where the fault lies, as `notifiers.contract.Fault` names it."""


ALERT_COLUMNS = [alert.c[name] for name in AlertRow.__dataclass_fields__]
MESSAGE_COLUMNS = [message.c[name] for name in MessageRow.__dataclass_fields__]
ATTEMPT_COLUMNS = [attempt.c[name] for name in AttemptRow.__dataclass_fields__]
