"""docs/words.md names every kind and every fact there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from notifiers import phrases
from notifiers.words import ALERT_FACTS, FACTS

PAGE = (Path(__file__).parents[2] / "docs" / "words.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a line that begins so."""
    below = PAGE[PAGE.index(heading) :].split("\n\n", 1)[0] if heading.startswith("|") else PAGE.split(heading, 1)[1]
    rows = [line for line in below.split("\n## ", 1)[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]


def names(cells: list[list[str]]) -> set[str]:
    return {name for row in cells for name in re.findall(r"`(\w+)`", row[0])}


def test_the_kinds_are_those_there_are() -> None:
    assert {row[0].strip("`"): (row[1], row[2]) for row in table("## Kinds 种类")} == phrases.KINDS


def test_the_facts_are_those_a_template_is_told() -> None:
    assert names(table("| of each of `alerts`")) == set(ALERT_FACTS)
    assert names(table("| beside them")) == {*FACTS, "language", "channel"}
