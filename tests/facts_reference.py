"""Every fact once more, child by child and day by day, as the catalogue words it; slow on purpose, and shares no code.

What it knows of windows, spells and rates is what the meanings in the catalogue say.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence

from rules.register import Movement
from rules.traits import Traits
from tests.facts_days import Cell, Child, Day, in_a_row, rate, spells

Value = int | float | bool
RUN_BREAK = dt.timedelta(days=10)


# ---- over a window --------------------------------------------------------------------------------------------------


def _days(counts: Callable[[Day], bool]) -> Callable[[Child, str], Value]:
    return lambda child, window: sum(map(counts, child.window(window)))


def _sessions(counts: Callable[[Cell], bool]) -> Callable[[Child, str], Value]:
    return lambda child, window: sum(counts(cell) for day in child.window(window) for cell in day.cells)


def _rate(counts: Callable[[Cell], bool]) -> Callable[[Child, str], Value]:
    return lambda child, window: rate(child.window(window), counts) or 0.0


def _spells(child: Child, window: str) -> int:
    """Spells whose second day lies in the window."""
    inside = {day.date for day in child.window(window)}
    return sum(len(spell) >= 2 and spell[1].date in inside for spell in spells(child.days))


def _weekday_share(child: Child, window: str) -> float:
    absent = [day for day in child.window(window) if day.absent]
    return 100 * sum(map(child.edge, absent)) / len(absent) if len(absent) >= 5 else 0.0


def _weekday_p(child: Child, window: str) -> float:
    absent = [day for day in child.window(window) if day.absent]
    known = [day for day in child.window(window) if day.known]
    if len(absent) < 5:
        return 1.0
    chance, size = sum(map(child.edge, known)) / len(known), len(absent)
    hits = range(sum(map(child.edge, absent)), size + 1)
    return sum(math.comb(size, n) * chance**n * (1 - chance) ** (size - n) for n in hits)


OVER: dict[str, Callable[[Child, str], Value]] = {
    "absence_days": _days(lambda day: day.absent),
    "absence_sessions": _sessions(lambda cell: cell.missed or cell.excused),
    "absence_rate": _rate(lambda cell: not cell.seen),
    "unexcused_days": _days(lambda day: day.missed),
    "unexcused_sessions": _sessions(lambda cell: cell.missed),
    "unexcused_rate": _rate(lambda cell: cell.missed),
    "leave_days": _days(lambda day: day.excused),
    "lateness": _sessions(lambda cell: cell.mark.name in {"LATE", "LEFT_EARLY"}),
    "half_days": _days(lambda day: day.seen and day.missed),
    "seen_days": _days(lambda day: day.seen),
    "unseen_days": _days(lambda day: day.gone),
    "unnamed_days": _days(lambda day: day.unheard),
    "known_days": _days(lambda day: day.known),
    "spells": _spells,
    "weekday_share": _weekday_share,
    "weekday_p": _weekday_p,
}


# ---- of the child as it stands --------------------------------------------------------------------------------------


def run(child: Child) -> list[Cell]:
    """The known absences of the current run (absence.md, 2 to 4)."""
    outs = [out.at for out in child.register.outs.get(child.row, ()) if out.at <= child.now]
    found: list[Cell] = []
    for cell in [cell for day in child.begun for cell in day.cells]:
        if cell.seen or cell.excused or (found and cell.missed and cell.start - found[-1].start > RUN_BREAK):
            found = []
        if cell.missed and not any(cell.start < at for at in outs):
            found.append(cell)
    return found


def _trend(child: Child) -> float:
    """The absence rate of the last 20 school days less that of the 60 before."""
    near, far = child.window("20"), child.window("80")
    recent = rate(near, lambda cell: not cell.seen)
    earlier = rate(far[: len(far) - len(near)], lambda cell: not cell.seen)
    return 0.0 if recent is None or earlier is None else recent - earlier


def _no_show(child: Child) -> int:
    since = [day for day in child.days if day.date >= child.opening()] if child.days else []
    return 0 if any(day.seen or day.excused for day in since) else sum(day.gone for day in since)


def _overrun(child: Child) -> int:
    last = max((n for n, cell in enumerate(child.cells) if cell.excused), default=None)
    after = [] if last is None else child.cells[last + 1 :]
    return 0 if any(cell.seen for cell in after) else len({cell.date for cell in after if cell.missed})


def _spell(child: Child) -> int:
    return in_a_row(child.days, lambda day: day.whole, lambda day: day.known)


def _relapse(child: Child) -> int:
    rows, days = spells(child.days), child.days
    if not _spell(child):
        return 0
    began = days.index(rows[-1][0])
    for long in [row for row in rows[:-1] if len(row) >= 5]:
        back = next(n for n in range(days.index(long[-1]) + 1, began) if days[n].known)
        if days[back].seen and sum(day.known for day in days[back + 1 : began + 1]) <= 20:
            return len(rows[-1])
    return 0


def _ordered(child: Child) -> list[Movement]:
    return sorted(child.movements, key=lambda one: (one.at, one.kind in {"resume", "transfer_in"}))


def _suspension(child: Child) -> tuple[bool, dt.datetime | None]:
    """Whether a suspension is on record that nothing ended, and when the last one ended."""
    going, ended = False, None
    for one in _ordered(child):
        if one.kind == "suspend":
            going, ended = True, None
        elif going and one.kind in {"resume", "transfer_in"}:
            going, ended = False, one.at
    return going, ended


def _resumption(child: Child) -> int:
    _, ended = _suspension(child)
    if ended is None:
        return 0
    since = ended.astimezone(child.register.calendar.zone).date()
    after = [day for day in child.days if day.date >= since]
    return 0 if any(day.seen or day.excused for day in after) else sum(day.missed for day in after)


def _transfer_pending(child: Child) -> bool:
    settles = {"transfer_in", "verified_elsewhere", "resume"}
    for one in child.movements:
        settled = one.evidence or any(other.kind in settles and other.at >= one.at for other in child.movements)
        seen = any(cell.seen and cell.start >= one.at for cell in child.cells)
        if one.kind == "transfer_out" and not settled and not seen:
            return True
    return False


NOW: dict[str, Callable[[Child], Value]] = {
    "absent_days": lambda child: len({cell.date for cell in run(child)}),
    "absent_sessions": lambda child: len(run(child)),
    "absence_trend": _trend,
    "spell_days": _spell,
    "unheard_days": lambda child: in_a_row(child.days, lambda day: day.unheard, lambda day: day.known),
    "gone_days": lambda child: in_a_row(child.days, lambda day: day.gone, lambda day: day.seen or day.excused),
    "no_show_days": _no_show,
    "overrun_days": _overrun,
    "long_leave_days": lambda child: in_a_row(
        child.days, lambda day: day.excused and not day.seen and not day.missed, lambda day: day.seen or day.missed
    ),
    "relapse_days": _relapse,
    "resumption_days": _resumption,
    "suspended": lambda child: _suspension(child)[0],
    "transfer_pending": _transfer_pending,
}


# ---- of those around it, and of what it is --------------------------------------------------------------------------


def _absent_share(child: Child, others: Sequence[Child], of_unit: Callable[[int], object]) -> float:
    """Percentage missed, in the last session heard of the child, of those of its unit expected in it."""
    if child.last is None:
        return 0.0
    column = child.last.column
    unit = of_unit(child.class_at(column))
    beside = [
        cell
        for other in others
        if of_unit(other.class_at(column)) == unit
        for cell in other.begun[column // child.register.calendar.slots].cells
        if cell.column == column
    ]
    return 100 * sum(cell.missed for cell in beside) / len(beside)


def _trait(traits: Traits, stem: str, row: int) -> Value:
    if stem == "grade":
        return int(traits.grade[row])
    if stem == "boarding":
        return bool(traits.boarding[row])
    carriers = traits.tags.get(stem.removeprefix("tag_"))
    return carriers is not None and bool(carriers[row])


def reference(
    stem: str, window: str | None, children: Sequence[Child], traits: Traits, schools: Sequence[str | None]
) -> list[Value]:
    """The value of one fact for every child."""
    if window is not None:
        return [OVER[stem](child, window) for child in children]
    if stem in NOW:
        return [NOW[stem](child) for child in children]
    if stem == "class_absence_share":
        return [_absent_share(child, children, lambda one: one) for child in children]
    if stem == "school_absence_share":
        return [_absent_share(child, children, lambda one: schools[one] or one) for child in children]
    return [_trait(traits, stem, row) for row in range(len(children))]


# ---- where clocks begin ---------------------------------------------------------------------------------------------


def anchor(child: Child, since: str) -> dt.datetime | None:
    """Where the clock of rules with this `since` began."""
    if since == "absence":
        return run(child)[0].start if run(child) else None
    if since == "movement":
        return max((one.at for one in child.movements if one.kind in {"transfer_out", "suspend"}), default=None)
    if since == "leave_end":
        over = [leave.ends for leave in child.register.leaves.get(child.row, ()) if leave.ends <= child.now]
        return max([*over, *(cell.end for cell in child.cells if cell.excused)], default=None)
    if not child.days:
        return None
    calendar, opened = child.register.calendar, child.opening()
    first = min(period.start for period in child.table_on(opened).periods)
    return dt.datetime.combine(opened, first, calendar.zone).astimezone(dt.UTC)
