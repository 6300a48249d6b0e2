"""The catalogue of facts a rule may speak of: one entry a fact; computes nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A number known of every child at every instant, and what it is called in both languages."""

    name: str
    alias: str
    unit: str
    meaning: str


CATALOGUE: tuple[Fact, ...] = (
    Fact(
        "absent_days",
        "缺勤天数",
        "school days",
        "different school days with a known absence without leave in the current run; 0 where there is no run",
    ),
)

BY_NAME = {word: fact for fact in CATALOGUE for word in (fact.name, fact.alias)}
"""Every word a rule may use, to its fact."""
