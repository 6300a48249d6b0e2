"""A tally kept up to date, change by change, holds what one made at once would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rules.facts.evaluate import last_spoken
from rules.facts.tally import CHAINS, SUMS, Tally
from rules.facts.tracks import tracks_of
from rules.instants import to_micros
from rules.records import Mark
from rules.register import Leave, Register, states
from tests.rules.pasts import Past, pasts
from tests.rules.small import DAY

some = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
_corrections = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 90), st.sampled_from(Mark)), max_size=6)
"""Child, sessions back from the last begun one, and what is said of it instead."""


def tally_of(past: Past, register: Register | None = None) -> Tally:
    """A tally of which no day is counted yet."""
    register = register or past.register
    meaning = states(register, to_micros(past.now))
    marks, cells = np.ascontiguousarray(register.marks.T), np.ascontiguousarray(meaning.T)
    upto = last_spoken(register.marks, meaning)
    return Tally(tracks_of(register.calendar, register.variant), marks, cells, upto, [*SUMS, *CHAINS])


def at_once(past: Past, register: Register, days: int) -> Tally:
    """The first `days` counted in one go."""
    tally = tally_of(past, register)
    tally.refresh(slice(None), 0, days - 1)
    return tally


def day_by_day(tally: Tally, first: int, days: int) -> None:
    for day in range(first, days):
        tally.refresh(slice(None), day, day)


def corrected(past: Past, register: Register, corrections: Sequence[tuple[int, int, Mark]]) -> Register:
    """The register with some cells said otherwise."""
    marks = register.marks.copy()
    begun = np.flatnonzero((register.starts() <= to_micros(past.now)).any(axis=0))
    for row, back, mark in corrections:
        marks[row % register.rows, begun[-1 - back % len(begun)]] = mark
    return replace(register, marks=marks)


def take_in(past: Past, tally: Tally, register: Register) -> NDArray[np.int64]:
    """Put what a register now says into the tally's cells; the first day of each row that may count otherwise."""
    other = tally_of(past, register)
    changed = (tally.marks != other.marks) | (tally.meaning != other.meaning)
    lower, upper = np.minimum(tally.upto, other.upto), np.maximum(tally.upto, other.upto)
    columns = np.arange(len(changed))[:, None]
    changed |= (columns > lower) & (columns <= upper)  # leave that a roll has, or no longer has, reached
    tally.marks[:], tally.meaning[:], tally.upto[:] = other.marks, other.meaning, other.upto
    first = np.where(changed.any(axis=0), np.argmax(changed, axis=0), len(changed))
    return np.asarray(first // tally.calendar.slots, np.int64)


def assert_same(tally: Tally, plain: Tally, days: int) -> None:
    for name, series in tally.series.items():
        assert (series[: days + 1] == plain.series[name][: days + 1]).all(), name


@some
@given(pasts())
def test_counted_day_by_day_or_at_once_it_comes_to_the_same(past: Past) -> None:
    tally = tally_of(past)
    day_by_day(tally, 0, tally.days)

    assert_same(tally, at_once(past, past.register, tally.days), tally.days)


@some
@given(pasts(), st.lists(_corrections, min_size=1, max_size=3), st.integers(60, 125), st.booleans())
def test_after_corrections_of_any_past_day_only_those_days_and_children_need_be_counted_again(
    past: Past,
    rounds: list[list[tuple[int, int, Mark]]],
    reached: int,
    one_by_one: bool,  # noqa: FBT001
) -> None:
    tally = tally_of(past)
    reached = min(reached, tally.days)
    day_by_day(tally, 0, reached)
    register = past.register
    for corrections in rounds:
        register = corrected(past, register, corrections)
        first = take_in(past, tally, register)
        rows = np.flatnonzero(first < reached)
        for group in [[row] for row in rows.tolist()] if one_by_one else [rows.tolist()] if len(rows) else []:
            tally.refresh(np.array(group), int(first[group].min()), reached - 1)
        assert_same(tally, at_once(past, register, reached), reached)
    day_by_day(tally, reached, tally.days)

    assert_same(tally, at_once(past, register, tally.days), tally.days)


@some
@given(pasts(), st.integers(0, 60), st.integers(1, 20))
def test_leave_entered_late_or_withdrawn_is_a_change_like_any_other(past: Past, back: int, days: int) -> None:
    register, starts = past.register, past.now - back * DAY
    granted = replace(register, leaves={0: [Leave(starts, starts + days * DAY, "sick")]})
    tally = at_once(past, register, len(register.calendar.dates))

    for known in (granted, register):
        first = take_in(past, tally, known)
        rows = np.flatnonzero(first < tally.days)
        if len(rows):
            tally.refresh(rows, int(first.min()), tally.days - 1)
        assert_same(tally, at_once(past, known, tally.days), tally.days)
