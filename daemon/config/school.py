"""Whose daemon this is, and when children are expected."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from daemon.config.country import country_of
from daemon.config.table import Table
from daemon.config.values import Clock, Country, DatabaseUrl, Day, Id, Text, Weekdays, Zone

_TERMS = "[{ from = 2026-03-02, to = 2026-07-10 }]"
_SESSIONS = '[{ name = "am", start = 08:00:00, end = 11:40:00 }]'


class ServiceConfig(Table):
    """`[service]`: whose daemon this is, in which words it speaks, and where it remembers."""

    district: Text = Field(
        description="the county or bureau, which leads every key in the store", examples=['"610999"']
    )
    timezone: Zone = Field(default="Asia/Shanghai", description="the IANA time zone of the schools")
    country: Country | None = Field(
        default=None,
        description="the country of telephone numbers without a country code; none: the zone's",
        examples=['"CN"'],
    )
    language: Literal["zh", "en"] = Field(default="zh", description="the language of messages to those who chose none")
    database: DatabaseUrl = Field(default="sqlite:///baoxue.db", repr=False, description="the URL of the store")
    callback: Text | None = Field(
        default=None, description="the telephone number recipients may call back", examples=['"0911-1234567"']
    )
    mode: Literal["live", "shadow"] = Field(
        default="live", description="whether messages go to all, or to the operator only who hears what would be told"
    )
    watch_at: Clock = Field(
        default=dt.time(8, 30), description="when the operator is told, each day, what of the setup reaches nobody"
    )

    @property
    def dialled_from(self) -> str | None:
        """The country in which a telephone number without a country code is dialled; None where nobody can tell."""
        return self.country or country_of(self.timezone)


class Term(Table):
    """One school term; both dates are school days' bounds, inclusive."""

    from_: Day = Field(validation_alias="from", description="the first day of the term", examples=["2026-03-02"])
    to: Day = Field(description="the last day of the term", examples=["2026-07-10"])


class SessionConfig(Table):
    """One half-day of the timetable, in the schools' local time."""

    name: Text = Field(description="the word feeds use for it", examples=['"am"'])
    start: Clock = Field(description="when it begins", examples=["08:00:00"])
    end: Clock = Field(description="when it ends", examples=["11:40:00"])


Terms = Annotated[tuple[Term, ...], Field(min_length=1)]
Sessions = Annotated[tuple[SessionConfig, ...], Field(min_length=1)]


class UnitCalendar(Table):
    """`[[calendar.unit]]`: where one school, class or village differs from the district; None means as above it."""

    unit: Id = Field(description="the id of the unit that differs", examples=['"sch-2"'])
    closed: tuple[Day, ...] = Field(default=(), description="its own days off", examples=["[2026-04-10]"])
    open: tuple[Day, ...] = Field(default=(), description="its own make-up days", examples=["[2026-04-11]"])
    weekdays: Weekdays | None = Field(
        default=None, description="its school days, 1 is Monday", examples=["[1, 2, 3, 4, 5, 6]"]
    )
    sessions: Sessions | None = Field(default=None, description="its own timetable", examples=[_SESSIONS])
    terms: Terms | None = Field(default=None, description="its own terms", examples=[_TERMS])


class CalendarConfig(Table):
    """`[calendar]`: when children are expected."""

    terms: Terms = Field(description="the school terms, both dates included", examples=[_TERMS])
    weekdays: Weekdays = Field(default=(1, 2, 3, 4, 5), description="the school days of a week, 1 is Monday")
    holidays: Literal["CN", "none"] = Field(default="CN", description="the public holidays and make-up days")
    closed: tuple[Day, ...] = Field(default=(), description="days off besides the holidays", examples=["[2026-03-19]"])
    open: tuple[Day, ...] = Field(default=(), description="school days in spite of all else", examples=["[2026-03-28]"])
    sessions: Sessions = Field(description="the half-days of a school day", examples=[_SESSIONS])
    unit: tuple[UnitCalendar, ...] = Field(
        default=(), description="the units that differ", examples=['[{ unit = "sch-2" }]']
    )
