"""From the configuration to what rules understand: calendars, ladders, rotas, pacing; reads no file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import chinese_calendar

from daemon.config import (
    CalendarConfig,
    Config,
    DutyConfig,
    HoursConfig,
    LadderConfig,
    Problem,
    UnitCalendar,
)
from daemon.config.speech import RungConfig
from rules.calendar import Calendar, Period, Timetable
from rules.hours import Hours
from rules.ladder import Ladder, Rung
from rules.pacing import Pacing, Throttle
from rules.rota import IsWorkday, Rota, Substitute

if TYPE_CHECKING:
    from notifiers.words import Words  # slow to load, and given only by those who have it


def build_calendar(config: Config) -> Calendar:
    """The sessions of every unit over all terms."""
    return calendar_of(config.calendar, ZoneInfo(config.service.timezone))


def calendar_of(calendar: CalendarConfig, zone: ZoneInfo) -> Calendar:
    """The sessions a `[calendar]` speaks of."""
    own = {unit.unit: _timetable(calendar, unit) for unit in calendar.unit}
    return Calendar(zone, _timetable(calendar, None), own)


def uncovered_years(config: Config) -> list[int]:
    """Years of the terms for which the holidays' library knows no make-up days yet."""
    if config.calendar.holidays == "none":
        return []
    years = {day.year for term in config.calendar.terms for day in (term.from_, term.to)}
    return sorted(year for year in years if not _covered(year))


def _covered(year: int) -> bool:
    try:
        chinese_calendar.is_holiday(dt.date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def ladder_of(ladder: LadderConfig) -> Ladder:
    """A ladder as rules know it, its rungs in order of delay."""
    rungs = tuple(sorted(map(_rung, ladder.rung), key=lambda rung: rung.after))
    return Ladder(ladder.id, rungs, ladder.acknowledged_by, ladder.remind_after or None, ladder.lapses_after or None)


def _rung(rung: RungConfig) -> Rung:
    until = rung.until or "acknowledged"
    return Rung(rung.after, rung.unless, rung.tell, rung.channels, rung.repeat, until, rung.reach, rung.fall_back)


def rotas_of(config: Config) -> tuple[Rota, ...]:
    """The duty rotas, as they stand in the configuration."""
    return tuple(_rota(one, ZoneInfo(one.timezone or config.service.timezone)) for one in config.duty)


def _rota(duty: DutyConfig, zone: ZoneInfo) -> Rota:
    return Rota(
        duty.role,
        duty.unit,
        duty.contacts,
        duty.from_,
        duty.handover,
        duty.every.days,
        zone,
        duty.on_holidays,
        tuple(Substitute(one.contact, one.by, one.from_, one.to) for one in duty.substitute),
    )


def webhook_names(config: Config) -> frozenset[str]:
    """The names of the configured endpoints that take signed events."""
    webhook = config.channels.webhook
    return frozenset() if webhook is None else frozenset(webhook.endpoints)


def chat_names(config: Config) -> frozenset[str]:
    """The names of the configured group chats."""
    chat = getattr(config.channels, "chat", None)
    return frozenset() if chat is None else frozenset(chat.endpoints)


def workdays_of(calendar: CalendarConfig) -> IsWorkday:
    """Whether offices work on a day: by the national calendar with its 调休, but for days the county closed or opened.

    A county without it, or a year it does not know, works from Monday to Friday.
    """
    closed, opened, national = frozenset(calendar.closed), frozenset(calendar.open), calendar.holidays == "CN"

    def is_workday(day: dt.date) -> bool:
        if day in closed or day in opened:
            return day in opened
        return chinese_calendar.is_workday(day) if national and _covered(day.year) else day.isoweekday() <= _FRIDAY

    return is_workday


def pacing_of(config: Config) -> Pacing:
    """When recipients are spoken to and how often."""
    return Pacing(
        config.pacing.wait,
        tuple(_hours(one, config) for one in config.hours),
        tuple(
            Throttle(one.channel, one.most, one.within, one.urgent, frozenset(one.roles), frozenset(one.contacts))
            for one in config.pacing.throttle
        ),
    )


def _hours(hours: HoursConfig, config: Config) -> Hours:
    days = [day for term in config.calendar.terms for day in (term.from_, term.to)]
    years = (dt.date(min(days).year, 1, 1), dt.date(max(days).year + 1, 12, 31))
    off, make_up = _national((years,)) if hours.holidays == "CN" else (frozenset[dt.date](), frozenset[dt.date]())
    return Hours(
        hours.id,
        hours.from_,
        hours.to,
        ZoneInfo(hours.timezone or config.service.timezone),
        frozenset(hours.weekdays),
        days_off=off,
        make_up=make_up,
        closed=frozenset(hours.closed),
        open=frozenset(hours.open),
        roles=frozenset(hours.roles),
        contacts=frozenset(hours.contacts),
        exempt=frozenset(hours.exempt),
    )


def _timetable(common: CalendarConfig, unit: UnitCalendar | None) -> Timetable:
    terms = (unit.terms if unit else None) or common.terms
    sessions = (unit.sessions if unit else None) or common.sessions
    weekdays = (unit.weekdays if unit else None) or common.weekdays
    spans = tuple((term.from_, term.to) for term in terms)
    off, make_up = _national(spans) if common.holidays == "CN" else (frozenset[dt.date](), frozenset[dt.date]())
    closed, opened = frozenset(common.closed), frozenset(common.open)
    if unit:
        closed = (closed - set(unit.open)) | set(unit.closed)
        opened = (opened - set(unit.closed)) | set(unit.open)
    return Timetable(
        terms=spans,
        periods=tuple(Period(one.name, one.start, one.end) for one in sessions),
        weekdays=frozenset(weekdays),
        days_off=off,
        make_up=make_up,
        closed=closed,
        open=opened,
    )


def _national(terms: Sequence[tuple[dt.date, dt.date]]) -> tuple[frozenset[dt.date], frozenset[dt.date]]:
    """Weekdays off and weekend days worked by the State Council's notices; nothing for years it has not ruled yet."""
    days = [day for first, last in terms for day in _days(first, last) if _covered(day.year)]
    off = frozenset(day for day in days if chinese_calendar.is_holiday(day) and day.isoweekday() <= _FRIDAY)
    make_up = frozenset(day for day in days if chinese_calendar.is_workday(day) and day.isoweekday() > _FRIDAY)
    return off, make_up


_FRIDAY = 5


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def template_problems(words: Words) -> list[Problem]:
    """What is wrong with the operator's templates, as faults of files beside the configuration."""
    return [Problem(f"templates/{one.template}", one.line, "", one.fault, one.hint) for one in words.problems()]
