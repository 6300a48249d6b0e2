"""Duty rotas: who takes turns in a role, from when on, and who stands in for whom."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field

from daemon.config.table import Table
from daemon.config.values import Clock, Day, Id, Lasting, Role, Zone, once, refusal


def _whole_days(span: dt.timedelta) -> dt.timedelta:
    if span % dt.timedelta(days=1):
        raise refusal("is no whole number of days", 'a turn ends at a handover; write "1d" or "7d"')
    return span


Days = Annotated[Lasting, AfterValidator(_whole_days)]
Names = Annotated[tuple[Id, ...], AfterValidator(once("contact"))]


class SubstituteConfig(Table):
    """`[[duty.substitute]]`: who takes another's turns for some days."""

    contact: Id = Field(description="whose turns", examples=['"office-1"'])
    by: Id = Field(description="the contact that takes them", examples=['"office-3"'])
    from_: Day = Field(validation_alias="from", description="the first day", examples=["2026-03-16"])
    to: Day = Field(description="the last day", examples=["2026-03-20"])


class DutyConfig(Table):
    """`[[duty]]`: of those who hold a role only the one whose turn it is, is told."""

    role: Role = Field(description="the role they share", examples=['"education_office"'])
    unit: Id | None = Field(
        default=None,
        description="the unit they hold it for; else wherever one of them does",
        examples=['"610999"'],
    )
    contacts: Annotated[Names, Field(min_length=1)] = Field(
        description="who takes turns, in order, by contact_id", examples=['["office-1", "office-2"]']
    )
    from_: Day = Field(validation_alias="from", description="when the first turn begins", examples=["2026-03-02"])
    handover: Clock = Field(default=dt.time(8), description="the time at which the duty changes hands")
    every: Days = Field(default=dt.timedelta(days=7), description="how long a turn lasts, in days")
    timezone: Zone | None = Field(
        default=None, description="the IANA zone of the handover, if not the service's", examples=['"Asia/Urumqi"']
    )
    on_holidays: Names = Field(
        default=(),
        description="who takes duties that begin on a day off, a day each in turn",
        examples=['["office-2", "office-3"]'],
    )
    substitute: tuple[SubstituteConfig, ...] = Field(
        default=(), description="who stands in for whom", examples=['[{ contact = "office-1", by = "office-3" }]']
    )
