"""From the configuration to what rules understand; reads no file but those of rules, and starts nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar

from daemon.config import CalendarConfig, Config, ConfigError, LadderConfig, Problem, RulesConfig, UnitCalendar
from rules.calendar import Calendar, Period, Timetable
from rules.case import Law
from rules.finding import Clock
from rules.ladder import Ladder, Rung
from rules.rulebook import Rule, Rulebook, RulebookError, RuleFault, read_rules


def build_calendar(config: Config) -> Calendar:
    """The sessions of every unit over all terms."""
    return calendar_of(config.calendar, ZoneInfo(config.service.timezone))


def calendar_of(calendar: CalendarConfig, zone: ZoneInfo) -> Calendar:
    """The sessions a `[calendar]` speaks of."""
    own = {unit.unit: _timetable(calendar, unit) for unit in calendar.unit}
    return Calendar(zone, _timetable(calendar, None), own)


def build_law(config: Config, rule: Rule) -> Law:
    """The rule in force with the figures of the configuration."""
    ladders = {ladder.id: _ladder(ladder) for ladder in config.ladder}
    return Law(
        rule=rule.rule_id,
        version=rule.version,
        clock=Clock(after=rule.after, school_time=rule.school_time, run_break=config.rules.run_break),
        ladder=ladders[rule.ladder or ""],
        wait_for_roll=config.rules.wait_for_roll,
        unconfirmed_after=config.rules.unconfirmed_after,
        storm_hold=config.rules.storm_hold,
    )


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


def _ladder(ladder: LadderConfig) -> Ladder:
    rungs = [Rung(rung.after, rung.unless, rung.tell, rung.channels) for rung in ladder.rung]
    return Ladder(ladder.id, tuple(sorted(rungs, key=lambda rung: rung.after)), ladder.acknowledged_by)


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


def load_rules(config: Config) -> Rulebook:
    """The packs the configuration names and the operator's files; raises ConfigError with every fault of them."""
    sources = rule_sources(config.rules, config.base)
    return read_rulebook(sources, [ladder.id for ladder in config.ladder], str(config.path))


def rule_sources(rules: RulesConfig, base: Path) -> list[tuple[str, str]]:
    """Name and text of the packs and files of a `[rules]` table; raises ConfigError for those that cannot be read."""
    packs = resources.files("rules").joinpath("packs")
    sources = [
        (f"packs/{name}.toml", packs.joinpath(f"{name}.toml").read_text(encoding="utf-8")) for name in rules.packs
    ]
    problems = []
    for name in rules.files:
        try:
            sources.append((name, (base / name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            problems.append(Problem(name, None, "", "cannot be read as UTF-8 text", "see rules.files"))
    if problems:
        raise ConfigError(problems)
    return sources


def read_rulebook(sources: Sequence[tuple[str, str]], ladders: Iterable[str], path: str) -> Rulebook:
    """The rules of `sources`, which may name `ladders`; raises ConfigError with every fault of them.

    A fault of no rule file is one of `[rules]` in the file at `path`.
    """
    try:
        return read_rules(sources, ladders)
    except RulebookError as error:
        raise ConfigError(_problem(path, fault) for fault in error.faults) from None


def _problem(path: str, fault: RuleFault) -> Problem:
    source, key = (fault.source, fault.key) if fault.source else (path, f"rules.{fault.key}")
    return Problem(source, fault.line, key, fault.fault, fault.hint)
