"""Whether what a test says makes sense: children, rules, facts and sessions there are, rows that can be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from daemon.config.source import Place
from daemon.config.values import quoted
from daemon.config.wording import Finding
from daemon.problems import choose
from daemon.ruletest.county import Class, boundary, child_of, children_of, instant
from daemon.ruletest.letters import Cell, Days, read_row
from daemon.ruletest.models import MOST_CHILDREN, ChildTable, TrialTable, Value
from rules.calendar import Calendar
from rules.facts.catalogue import Fact, Kind, find, names
from rules.rulebook import Rulebook

LONGEST_WATCH = dt.timedelta(days=400)
"""How long one test is watched at most."""

Cells = Mapping[str, Sequence[Cell]]


def check_test(place: Place, table: TrialTable, calendar: Calendar, rulebook: Rulebook) -> tuple[Cells, list[Finding]]:
    """The marks of a test's rows, and everything that is wrong with it."""
    children = children_of(table)
    if not children:
        return {}, [Finding((*place, "marks"), "speaks of no child", 'write [test.marks] ana = "AA AA P-"')]
    if len(children) > MOST_CHILDREN:
        fault = f"speaks of {len(children)} children"
        return {}, [Finding(place, fault, f"at most {MOST_CHILDREN}: with twenty absent there is a mass absence")]
    cells, found = _rows(place, table, calendar)
    found += _names(place, table, children, rulebook)
    if not found:
        found += [
            *_sessions(place, table, calendar),
            *_spans(place, table, calendar),
            *_expected(place, table),
        ]
    return cells, [*found, *_facts(place, table)]


def _days(table: TrialTable, child: str, calendar: Calendar) -> Days:
    variant = Class.of(child, table.students.get(child, ChildTable()), calendar).variant
    return Days(calendar, variant, table.from_)


def _rows(place: Place, table: TrialTable, calendar: Calendar) -> tuple[Cells, list[Finding]]:
    cells: dict[str, Sequence[Cell]] = {}
    found: list[Finding] = []
    for child, row in table.marks.items():
        cells[child], misread = read_row(row, _days(table, child, calendar))
        for one in misread:
            where: Place = () if one.week is None else (one.week,)
            found.append(Finding((*place, "marks", child, *where), one.fault, one.hint))
    return cells, found


def _about_children(table: TrialTable) -> Iterator[tuple[Place, str | None]]:
    """Every place that names a child, or leaves it out."""
    for key in ("mark", "leave", "movement", "expect", "fact"):
        for number, one in enumerate(getattr(table, key)):
            yield (key, number, "student"), one.student


def _names(place: Place, table: TrialTable, children: Sequence[str], rulebook: Rulebook) -> list[Finding]:
    """Children and rules that there are."""
    found = []
    for where, student in _about_children(table):
        if student is None and len(children) > 1:
            found.append(Finding((*place, *where), "is missing", f"say which of {len(children)} children it is"))
        elif student is not None and student not in children:
            found.append(
                Finding((*place, *where), f"{quoted(student)} is no child of this test", choose(student, children))
            )
    rules: list[tuple[Place, str]] = [(("about", number), rule) for number, rule in enumerate(table.about)]
    rules += [(("expect", number, "rule"), one.rule) for number, one in enumerate(table.expect) if one.rule is not None]
    for where, rule in rules:
        if rule not in rulebook.rules:
            found.append(Finding((*place, *where), f"{quoted(rule)} is no rule in force", choose(rule, rulebook.rules)))
    return found


def _sessions(place: Place, table: TrialTable, calendar: Calendar) -> Iterator[Finding]:
    """Marks with an instant of their own are of sessions in which the child is expected."""
    for number, one in enumerate(table.mark):
        child = child_of(table, one.student)
        variant = Class.of(child, table.students.get(child, ChildTable()), calendar).variant
        if one.session not in calendar.names(variant):
            fault, hint = f"{quoted(one.session)} is no session", choose(one.session, calendar.names(variant))
            yield Finding((*place, "mark", number, "session"), fault, hint)
        elif calendar.column(variant, one.date, one.session) is None:
            yield Finding((*place, "mark", number, "date"), f"{one.date} is no school day", "see [calendar]")


def _spans(place: Place, table: TrialTable, calendar: Calendar) -> Iterator[Finding]:
    """Leaves that begin before they end, and instants that are watched."""
    zone = calendar.zone
    for number, leave in enumerate(table.leave):
        if boundary(leave.from_, zone, after=0) >= boundary(leave.to, zone, after=1):
            yield Finding((*place, "leave", number, "to"), "is not after its from", "a leave ends later than it begins")
    start = boundary(table.from_, zone, after=0)
    end = start + LONGEST_WATCH if table.until is None else instant(table.until, zone)
    if end > start + LONGEST_WATCH or end <= start:
        hint = f"write an instant within {LONGEST_WATCH.days} days after {table.from_}"
        yield Finding((*place, "until"), "is not after from, or too long after it", hint)
        return
    watched = [*((("expect", n, "at"), one.at) for n, one in enumerate(table.expect))]
    watched += [*((("fact", n, "at"), one.at) for n, one in enumerate(table.fact))]
    for where, at in watched:
        if not start <= instant(at, zone) <= end:
            yield Finding(
                (*place, *where), "is not watched", f"this test is watched from {table.from_} to {_told(end, zone)}"
            )


def _told(at: dt.datetime, zone: dt.tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _expected(place: Place, table: TrialTable) -> Iterator[Finding]:
    for number, one in enumerate(table.expect):
        if one.kind is None and one.rule is None:
            hint = 'write kind = "return" or the like, or the rule that raises it'
            yield Finding((*place, "expect", number, "kind"), "is missing, and so is rule", hint)
        if one.stage is not None and one.kind not in {None, "stage"}:
            yield Finding(
                (*place, "expect", number, "stage"), f"stands beside kind {one.kind}", 'it is for kind = "stage"'
            )
        if one.rule is not None and table.about and one.rule not in table.about:
            hint = "add it to about, or leave about out"
            yield Finding((*place, "expect", number, "rule"), f"{quoted(one.rule)} is not in about", hint)


def _facts(place: Place, table: TrialTable) -> Iterator[Finding]:
    for number, one in enumerate(table.fact):
        fact = find(one.fact)
        if fact is None:
            yield Finding((*place, "fact", number, "fact"), f"{quoted(one.fact)} is no fact", choose(one.fact, names()))
        elif fault := _misfit(fact, one.value):
            yield Finding((*place, "fact", number, "value"), *fault)


def _misfit(fact: Fact, value: Value) -> tuple[str, str] | None:
    """Why a value can never be this fact's."""
    if (fact.kind is Kind.FLAG) != isinstance(value, bool):
        noun = "true or false" if fact.kind is Kind.FLAG else "a number"
        return f"is not {noun}", f"{fact.name} is {noun}"
    if fact.kind is Kind.COUNT and not isinstance(value, int):
        return f"{value} is not a whole number", f"{fact.name} counts {fact.unit}"
    if not fact.low <= value <= fact.high:
        return f"{value} is out of range", f"{fact.name} lies between {fact.low:g} and {fact.high:g}"
    return None
