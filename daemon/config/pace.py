"""When recipients are spoken to, how much at once, and how often."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from daemon.config.table import Table
from daemon.config.values import (
    Clock,
    Count,
    Day,
    Duration,
    Id,
    Lasting,
    Roles,
    Text,
    Weekdays,
    Zone,
    once,
    quoted,
    refusal,
)
from daemon.problems import choose
from notifiers.phrases import KINDS
from rules.pacing import STATUTORY


def _kind(name: str) -> str:
    if name not in KINDS:
        raise refusal(f"{quoted(name)} is no kind of message", choose(name, KINDS))
    return name


Kinds = Annotated[tuple[Annotated[str, AfterValidator(_kind)], ...], AfterValidator(once("kind"))]
Contacts = Annotated[tuple[Id, ...], Field(min_length=1), AfterValidator(once("contact"))]

_minutes = dt.timedelta(minutes=1)


class HoursConfig(Table):
    """`[[hours]]`: when somebody is spoken to; what comes at other times waits."""

    id: Text = Field(description="what the record of messages calls it", examples=['"day"'])
    from_: Clock = Field(validation_alias="from", description="when speaking begins", examples=["07:00:00"])
    to: Clock = Field(description="when it ends, the day after if that is no later", examples=["21:00:00"])
    weekdays: Weekdays = Field(default=(1, 2, 3, 4, 5, 6, 7), description="the days it begins on, 1 is Monday")
    timezone: Zone | None = Field(
        default=None, description="the recipients' time zone, if not the schools'", examples=['"Asia/Urumqi"']
    )
    holidays: Literal["CN", "none"] = Field(default="none", description="the public holidays and make-up days")
    closed: tuple[Day, ...] = Field(default=(), description="days without hours", examples=["[2026-05-04]"])
    open: tuple[Day, ...] = Field(default=(), description="days with hours in spite of all", examples=["[2026-05-09]"])
    roles: Roles = Field(default=(), description="the roles it is for", examples=['["class_teacher", "mentor"]'])
    contacts: Contacts = Field(default=(), repr=False, description="the contacts it is for", examples=['["k-17"]'])
    exempt: Kinds = Field(
        default=tuple(sorted(STATUTORY)), description="the kinds of message that do not wait", examples=['["report"]']
    )


class ThrottleConfig(Table):
    """`[[pacing.throttle]]`: how many messages one addressee gets on a channel within a span."""

    channel: Literal["sms", "email", "chat", "webhook"] = Field(description="the channel", examples=['"sms"'])
    most: Annotated[Count, Field(ge=1)] = Field(description="how many messages at most", examples=["5"])
    within: Lasting = Field(description="within which span", examples=['"15m"'])
    urgent: bool = Field(default=False, strict=True, description="whether urgent messages wait for it, too")
    roles: Roles = Field(default=(), description="the roles it is for", examples=['["class_teacher"]'])
    contacts: Contacts = Field(default=(), repr=False, description="the contacts it is for", examples=['["k-17"]'])


class PacingConfig(Table):
    """`[pacing]`: how much is told at once, and how often."""

    wait: Duration = Field(
        default=dt.timedelta(seconds=30), description="how long what is not urgent waits for more of its like"
    )
    throttle: tuple[ThrottleConfig, ...] = Field(
        default=(
            ThrottleConfig(channel="sms", most=5, within=15 * _minutes),
            ThrottleConfig(channel="email", most=20, within=15 * _minutes),
            ThrottleConfig(channel="chat", most=18, within=_minutes, urgent=True),
        ),
        description="how many messages one addressee gets",
        examples=['[{ channel = "sms", most = 5, within = "15m" }]'],
    )
