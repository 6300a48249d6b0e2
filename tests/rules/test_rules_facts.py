"""Facts against their plain definitions on random pasts; and that nothing but news changes them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.calendar import Timetable
from rules.facts.anchors import anchors_of
from rules.facts.catalogue import FAMILIES, Fact, Kind, find
from rules.facts.evaluate import Values, evaluate, reading_of
from rules.facts.tracks import tracks_of
from rules.facts.windows import Windows
from rules.instants import NEVER, to_micros
from rules.traits import unknown
from tests.facts_days import Child
from tests.facts_reference import anchor, reference
from tests.rules.pasts import CALENDAR, SCHOOLS, Past, pasts
from tests.rules.small import DAY, MONDAY, calendar, judged, register_of

WINDOWS = ("1", "5", "20", "term", "year")
FACTS: tuple[Fact, ...] = tuple(
    fact for family in FAMILIES for fact in (map(family.fact, WINDOWS) if family.windowed else [family.fact()])
)
NAMES = [fact.name for fact in FACTS]
DTYPES: dict[Kind, type[Any]] = {Kind.COUNT: np.int64, Kind.SHARE: np.float64, Kind.FLAG: np.bool_}
LEAST = 0.05
"""The share of pasts of which each fact must say something."""


def on(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on so many pasts, the same ones each time."""
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )


def values_of(past: Past, now: dt.datetime | None = None) -> Values:
    judgement = judged(past.register, now or past.now)
    return evaluate(past.register, judgement.meaning, judgement.runs, past.traits, NAMES, SCHOOLS)


def children_of(past: Past) -> list[Child]:
    return [Child(past.register, row, to_micros(past.now)) for row in range(past.register.rows)]


def as_lists(values: Values) -> dict[str, list[int | float | bool]]:
    return {name: found.tolist() for name, found in values.items()}


# ---- values ---------------------------------------------------------------------------------------------------------


def test_every_fact_equals_its_plain_definition_and_says_something_of_a_twentieth_of_all_pasts() -> None:
    said: Counter[str] = Counter()

    @on(100)
    @given(pasts())
    def each(past: Past) -> None:
        values, children = values_of(past), children_of(past)
        said["examples"] += 1
        for fact in FACTS:
            plain = reference(fact.stem, fact.window, children, past.traits, SCHOOLS)
            assert values[fact.name].tolist() == pytest.approx(plain, abs=1e-9), f"{fact.name}, {past.plots}"
            said[fact.name] += any(value != fact.blank for value in plain)

    each()
    speaking = [fact for fact in FACTS if fact.low < fact.high]
    least = LEAST * said["examples"]
    assert {fact.name: said[fact.name] for fact in speaking if said[fact.name] < least} == {}


@on(40)
@given(pasts())
def test_every_child_has_a_value_of_the_facts_kind_within_its_bounds(past: Past) -> None:
    for name, found in values_of(past).items():
        fact = find(name)
        assert fact is not None
        assert found.dtype == DTYPES[fact.kind], name
        assert found.shape == (past.register.rows,)
        assert np.isfinite(found).all(), name
        assert ((found >= fact.low) & (found <= fact.high)).all(), name


@on(10)
@given(pasts())
def test_a_fact_is_the_same_whatever_else_is_asked_for(past: Past) -> None:
    judgement, together = past.judged, values_of(past)

    for name in NAMES:
        alone = evaluate(past.register, judgement.meaning, judgement.runs, past.traits, [name], SCHOOLS)
        assert alone[name].tolist() == together[name].tolist(), name


def test_of_children_of_whom_nothing_is_known_every_fact_is_blank() -> None:
    register = register_of("", "")
    judgement = judged(register, "Fri 12:00")

    values = evaluate(register, judgement.meaning, judgement.runs, unknown(2), NAMES)

    assert as_lists(values) == {fact.name: [fact.blank] * 2 for fact in FACTS}


def test_of_no_children_there_are_no_values() -> None:
    register = register_of()
    judgement = judged(register, "Fri 12:00")

    values = evaluate(register, judgement.meaning, judgement.runs, unknown(0), NAMES)

    assert all(found.shape == (0,) for found in values.values())


def test_before_the_first_school_day_every_fact_is_blank() -> None:
    register = register_of("", known=calendar().until(MONDAY - DAY))
    judgement = judged(register, "Fri 12:00")

    values = evaluate(register, judgement.meaning, judgement.runs, unknown(1), NAMES)

    assert as_lists(values) == {fact.name: [fact.blank] for fact in FACTS}


def test_a_fact_whose_window_is_shorter_than_its_evidence_can_only_be_blank() -> None:
    bounds = {name: (fact.low, fact.high) for name in ("absence_rate_9", "weekday_p_4") if (fact := find(name))}

    assert bounds == {"absence_rate_9": (0, 0), "weekday_p_4": (1, 1)}


# ---- what changes them ----------------------------------------------------------------------------------------------


@on(30)
@given(pasts(ahead=False), st.sampled_from((1, 2, 30, 400)))
def test_while_nothing_becomes_known_no_fact_of_the_past_changes(past: Past, days: int) -> None:
    now, later = as_lists(values_of(past)), as_lists(values_of(past, past.now + days * DAY))

    changed = {name for name in NAMES if now[name] != later[name]}

    assert changed <= {"absent_days", "absent_sessions"}, "a run ends where a known leave or movement takes effect"


@on(30)
@given(pasts(ahead=False), st.sampled_from((1, 30)))
def test_a_run_changes_by_the_passing_of_time_only_where_a_leave_or_movement_takes_effect(
    past: Past, days: int
) -> None:
    register, later = past.register, past.now + days * DAY

    def quiet(row: int) -> bool:
        leaves, outs = register.leaves.get(row, ()), register.outs.get(row, ())
        return not any(one.ends > past.now for one in leaves) and not any(past.now < out.at <= later for out in outs)

    now, then = values_of(past), values_of(past, later)
    for row in filter(quiet, range(register.rows)):
        assert now["absent_days"][row] == then["absent_days"][row]
        assert now["absent_sessions"][row] == then["absent_sessions"][row]


@on(20)
@given(pasts())
def test_in_what_order_leaves_and_movements_became_known_changes_nothing(past: Past) -> None:
    register = past.register
    leaves = {row: tuple(reversed(known)) for row, known in register.leaves.items()}
    movements = {row: tuple(reversed(known)) for row, known in register.movements.items()}
    other = replace(past, register=replace(register, leaves=leaves, movements=movements))

    assert as_lists(values_of(past)) == as_lists(values_of(other))


# ---- where clocks begin ---------------------------------------------------------------------------------------------


def test_every_anchor_is_where_its_plain_definition_puts_it() -> None:
    said: Counter[str] = Counter()
    anchors = ("absence", "leave_end", "movement", "term_start")

    @on(40)
    @given(pasts())
    def each(past: Past) -> None:
        judgement, children, now = past.judged, children_of(past), to_micros(past.now)
        reading = reading_of(past.register, judgement.meaning, judgement.runs, past.traits, NAMES, SCHOOLS)
        for since in anchors:
            found = anchors_of(past.register, judgement.meaning, judgement.runs, reading, since, now)
            plain = [anchor(child, since) for child in children]
            assert found is not None
            assert found.tolist() == [NEVER if at is None else to_micros(at) for at in plain], since
            said[since] += any(at is not None for at in plain)
        assert anchors_of(past.register, judgement.meaning, judgement.runs, reading, "condition", now) is None

    each()
    assert all(said[since] >= LEAST * 40 for since in anchors)


# ---- windows --------------------------------------------------------------------------------------------------------


def plain_start(tables: Sequence[Timetable], dates: Sequence[dt.date], window: str) -> int:
    """The day with which a window begins that ends with the last of `dates`; one timetable a day."""
    if not dates:
        return 0
    if window.isdigit():
        taught = [n for n, (day, table) in enumerate(zip(dates, tables, strict=True)) if table.expects(day)]
        return taught[-int(window)] if len(taught) >= int(window) else 0
    terms = [first for first, _ in tables[-1].terms]
    firsts = terms if window == "term" else [dt.date(year, 8, 1) for year in (2025, 2026)]
    since = max((first for first in firsts if first <= dates[-1]), default=dates[0])
    return next((n for n, day in enumerate(dates) if day >= since), len(dates))


@pytest.mark.parametrize("window", [*WINDOWS, "60", "250"])
@pytest.mark.parametrize("changed", [None, 25, 60])
def test_a_window_begins_where_counting_back_the_childs_school_days_leads(window: str, changed: int | None) -> None:
    days = len(CALENDAR.dates)
    daily = [1 if changed is not None and day >= changed else 0 for day in range(days)]
    variant = np.repeat([daily, [1] * days], CALENDAR.slots, axis=1)
    tracks = tracks_of(CALENDAR, variant)

    for row, by_day in enumerate((daily, [1] * days)):
        tables = [CALENDAR.tables[one] for one in by_day]
        starts = Windows(tracks).starts(window)[tracks.of[row]].tolist()
        assert starts == [plain_start(tables[:n], CALENDAR.dates[:n], window) for n in range(days + 1)]
