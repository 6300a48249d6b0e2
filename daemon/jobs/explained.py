"""What the rules see in one child, as plain values: facts with their days, rules with their parts, what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from daemon.jobs.dossier import local
from daemon.jobs.explain import Explained
from rules.case import Standing
from rules.conjuncts import conjuncts
from rules.facts.catalogue import Fact, find
from rules.facts.evidence import Evidence
from rules.picture import Page, letter, pages
from rules.predicate import Predicate
from rules.rule import Rule
from rules.signs import Sign, advance

Plain = dict[str, Any]
LONGEST, SHORTEST = 80, 20
"""School days of a picture, at most and (where there are so many) at least."""


def plain(seen: Explained) -> Plain:
    """Everything about one child and instant, ready for JSON; no name."""
    return {
        "student": seen.student,
        "class": seen.people.class_ids[seen.finding.class_index],
        "school": seen.people.school_ids[seen.finding.class_index],
        "at": local(seen.house, seen.now),
        "case": seen.stood.number,
        "stage": seen.stood.stage,
        "run": _run(seen),
        "report": _report(seen),
        "rules": [_rule(seen, rule) for rule in seen.rules],
        "facts": [_fact(seen, name) for name in seen.names],
        "leaves": _leaves(seen),
        "movements": _movements(seen),
        "picture": _picture(seen),
    }


def _run(seen: Explained) -> Plain | None:
    finding = seen.finding
    if finding.run_from is None:
        return None
    return {
        "from": local(seen.house, finding.run_from),
        "absent_days": finding.run_days,
        "open": finding.leave_until is None,
        "leave_until": local(seen.house, finding.leave_until),
        "ripe_at": local(seen.house, finding.ripe_at),
    }


def _report(seen: Explained) -> Plain:
    """The report of the current episode, or of the current run."""
    stood, house = seen.stood, seen.house
    standing = stood.standing is Standing.RAISED
    return {
        "rule": stood.rule if standing else seen.report.rule_id,
        "standing": stood.standing.value,
        "episode": stood.episode,
        "due_at": local(house, stood.due_at),
        "raised_at": local(house, stood.raised_at),
        "unconfirmed": stood.unconfirmed,
        "waits_since": local(house, stood.pending_at),
        "armed_at": None if standing else local(house, seen.finding.armed_at),
    }


# ---- rules --------------------------------------------------------------------------------------------------------


def _rule(seen: Explained, rule: Rule) -> Plain:
    view, why_not = seen.view(rule), seen.why_not(rule)
    holds = seen.holds(rule.when) if view is None else view.holds
    return {
        "rule": rule.rule_id,
        "title": dict(rule.title),
        "version": rule.version,
        "stage": rule.stage,
        "ladder": rule.ladder,
        "source": rule.law,
        "applies": why_not is None,
        "why_not": why_not,
        "after": f"{rule.after.total_seconds() / 3600:g}h",
        "clock": "school" if rule.school_time else "elapsed",
        "since": rule.since,
        "clock_began": local(seen.house, seen.finding.run_from if view is None else view.anchor),
        "when": rule.when.text,
        "holds": holds and why_not is None,
        "parts": [_part(seen, part) for part in conjuncts(rule.when)],
        "until": None if rule.until is None else rule.until.text,
        "until_parts": [] if rule.until is None else [_part(seen, part) for part in conjuncts(rule.until)],
        "priority": bool(view and view.hurried),
        "sign": None if rule.stage in {"reported", "suspected", "dropped_out"} else _sign(seen, rule),
    }


def _part(seen: Explained, part: Predicate) -> Plain:
    return {
        "text": part.text,
        "holds": seen.holds(part),
        "values": {name: seen.values[name] for name in sorted(part.facts)},
    }


def _sign(seen: Explained, rule: Rule) -> Plain:
    """How a rule beside the report's stands with the child, and what it will do if nothing more becomes known."""
    held, house = seen.stood.signs.get(rule.rule_id), seen.house
    line = house.calendar.lines[seen.finding.variant]
    after = advance(rule, held, seen.view(rule), line, seen.now)
    rests = _rests_until(rule, held)
    return {
        "stands": bool(held and held.stands),
        "times": held.times if held else 0,
        "due_at": local(house, held.due_at if held else None),
        "raised_at": local(house, held.raised_at if held else None),
        "rests_until": local(house, rests if rests is not None and rests > seen.now else None),
        "armed_at": local(house, after.armed_at if after else None),
        "due_now": bool(after and after.times > (held.times if held else 0)),
        "ends_now": bool(held and held.stands and (after is None or not after.stands)),
    }


def _rests_until(rule: Rule, held: Sign | None) -> dt.datetime | None:
    if held is None or held.raised_at is None or held.stands:
        return None
    return held.raised_at + rule.rearm


# ---- facts --------------------------------------------------------------------------------------------------------


def _fact(seen: Explained, name: str) -> Plain:
    fact, evidence = _known(name), seen.witness.evidence(name)
    return {
        "fact": fact.name,
        "alias": fact.alias,
        "value": seen.values[name],
        "unit": fact.unit,
        "meaning": fact.meaning,
        "meaning_zh": fact.zh,
        "since": _date(seen, evidence.since),
        "days": [_date(seen, day) for day in evidence.days],
        "sessions": [_session(seen, column) for column in evidence.columns],
        "of_days": len(evidence.of_days),
        "of_sessions": len(evidence.of_columns),
    }


def _known(name: str) -> Fact:
    fact = find(name)
    assert fact is not None
    return fact


def _date(seen: Explained, day: int | None) -> str | None:
    return None if day is None else seen.judgement.register.calendar.dates[day].isoformat()


def _session(seen: Explained, column: int) -> Mapping[str, str]:
    register = seen.judgement.register
    session = register.calendar.session(register.variant_of(seen.row, column), column)
    mark = letter(register, seen.judgement.meaning, seen.row, column)
    return {"date": session.date.isoformat(), "session": session.name, "mark": mark}


def _leaves(seen: Explained) -> list[Plain]:
    found = seen.judgement.register.leaves.get(seen.row, ())
    return [
        {"from": local(seen.house, one.starts), "to": local(seen.house, one.ends), "kind": one.kind}
        for one in sorted(found, key=lambda one: one.starts)
    ]


def _movements(seen: Explained) -> list[Plain]:
    found = seen.judgement.register.movements.get(seen.row, ())
    return [
        {"kind": one.kind, "at": local(seen.house, one.at), "evidence": one.evidence}
        for one in sorted(found, key=lambda one: one.at)
    ]


# ---- the picture --------------------------------------------------------------------------------------------------


def _picture(seen: Explained) -> Plain:
    """The child's register over the longest window of the facts used, day by day, to the day of `at`.

    Where nothing was heard for long, it ends a while after what was heard last.
    """
    evidence = [seen.witness.evidence(name) for name in seen.names]
    register = seen.judgement.register
    today = seen.now.astimezone(register.calendar.zone).date()
    last = min(sum(day <= today for day in register.calendar.dates) - 1, seen.heard + SHORTEST)
    first = min((day for one in evidence for day in _span(one)), default=last)
    shown = pages(register, seen.judgement.meaning, seen.row, 0, last)
    wanted = min(max(sum(page.day >= first for page in shown), SHORTEST), LONGEST)
    counted = frozenset(day for one in evidence for day in one.days)
    begins = _monday(shown[-wanted:][0].date) if shown else today
    return {
        "sessions": register.calendar.names(register.variant_of(seen.row)),
        "today": today.isoformat(),
        "days": [_page(page, counted) for page in shown if page.date >= begins],
    }


def _monday(day: dt.date) -> dt.date:
    """The day its week begins with, so that a picture begins with a whole week."""
    return day - dt.timedelta(days=day.weekday())


def _span(evidence: Evidence) -> Iterable[int]:
    return evidence.days if evidence.since is None else (evidence.since, *evidence.days)


def _page(page: Page, counted: frozenset[int]) -> Plain:
    return {"date": page.date.isoformat(), "marks": page.letters, "counted": page.day in counted}
