"""What is shown behind a fact's value is what was counted: counting it again gives the value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts.catalogue import FAMILIES, Fact, Kind, find
from rules.facts.evaluate import read_facts, reading_of
from rules.facts.evidence import Evidence, Witness
from rules.register import Leave, states
from rules.runs import scan_runs
from rules.traits import unknown
from tests.rules.small import DAY, register_of
from tests.table import instant

BREAK = 10 * 86_400_000_000
NAMES = tuple(
    f"{family.stem}_{window}" if family.windowed else family.stem
    for family in FAMILIES
    if not family.trait
    for window in (("7", "20", "term") if family.windowed else ("",))
)
ROWS = st.lists(st.text("AAAPPLT?-", min_size=0, max_size=56), min_size=1, max_size=3)
LEAVES = st.dictionaries(st.integers(0, 2), st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=2)


def witnesses(
    rows: list[str], leaves: dict[int, tuple[int, int]]
) -> list[tuple[Witness, dict[str, int | float | bool]]]:
    """Each child's witness, and the values of all facts."""
    begin = instant("Mon 00:00")
    spans = {
        row: [Leave(begin + first * DAY, begin + (first + length) * DAY, "sick")]
        for row, (first, length) in leaves.items()
        if row < len(rows)
    }
    register = register_of(*rows, leaves=spans)
    now = int(register.calendar.starts.max()) + 1
    meaning = states(register, now)
    runs = scan_runs(meaning, register.starts(), register.calendar.day_of, BREAK)
    reading = reading_of(register, meaning, runs, unknown(register.rows), NAMES)
    values = read_facts(reading, NAMES)
    return [
        (Witness(reading, runs, row), {name: found[row].item() for name, found in values.items()})
        for row in range(register.rows)
    ]


def counted(fact: Fact, evidence: Evidence) -> float | None:
    """The value the evidence amounts to; None where it only illustrates it."""
    if fact.kind is Kind.COUNT:
        return len(evidence.columns) if fact.unit == "sessions" else len(evidence.days)
    if fact.stem in {"absence_rate", "unexcused_rate"}:
        enough = len(evidence.of_days) >= fact.evidence
        return 100 * len(evidence.columns) / len(evidence.of_columns) if enough and evidence.of_columns else 0.0
    if fact.stem == "weekday_share":
        return 100 * len(evidence.days) / len(evidence.of_days) if len(evidence.of_days) >= fact.evidence else 0.0
    return None


@settings(max_examples=150, deadline=None)
@given(ROWS, LEAVES)
def test_counting_the_days_and_sessions_shown_gives_the_value(
    rows: list[str], leaves: dict[int, tuple[int, int]]
) -> None:
    for witness, values in witnesses(rows, leaves):
        for name, value in values.items():
            fact = find(name)
            assert fact is not None
            amount = counted(fact, witness.evidence(name))
            assert amount is None or amount == pytest.approx(value), (name, value, witness.evidence(name))


@given(ROWS, LEAVES)
@settings(max_examples=30, deadline=None)
def test_every_session_shown_lies_on_a_day_shown_and_both_are_in_order(
    rows: list[str], leaves: dict[int, tuple[int, int]]
) -> None:
    for witness, values in witnesses(rows, leaves):
        slots = witness.reading.tally.calendar.slots
        for name in values:
            shown = witness.evidence(name)
            assert {column // slots for column in shown.columns} <= set(shown.days)
            assert list(shown.days) == sorted(set(shown.days))
            assert list(shown.columns) == sorted(set(shown.columns))
            assert shown.since is None or all(day >= shown.since for day in shown.days)


def test_a_spell_names_its_own_days_and_not_those_of_the_one_before() -> None:
    ((witness, values),) = witnesses(["AAAAPPAAAAAA"], {})
    assert values["spell_days"] == 3
    assert witness.evidence("spell_days") == Evidence((3, 4, 5), (6, 7, 8, 9, 10, 11))


def test_an_unknown_name_is_refused() -> None:
    ((witness, _),) = witnesses(["AA"], {})
    with pytest.raises(KeyError):
        witness.evidence("no_such_fact")


def test_what_the_child_is_rests_on_no_session() -> None:
    ((witness, _),) = witnesses(["AA"], {})
    assert witness.evidence("boarding") == Evidence()
    assert np.array_equal(witness.evidence("suspended").columns, ())
