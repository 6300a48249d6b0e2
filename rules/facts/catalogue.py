"""The catalogue of facts: every name in both languages to its fact; computes nothing."""

from __future__ import annotations

import re
from functools import cache

from rules.facts.fact import LONGEST_WINDOW, TERM, WINDOW_ZH, YEAR, Fact, Family, Kind
from rules.facts.families import FAMILIES, TAGS

__all__ = ["FAMILIES", "LONGEST_WINDOW", "TAGS", "TERM", "YEAR", "Fact", "Family", "Kind", "find", "names", "window_of"]

_USUAL = ("20", "60", TERM, YEAR)
"""Windows worth suggesting."""

_BY_WORD = {word: family for family in FAMILIES for word in (family.stem, family.alias)}
_WINDOWS_ZH = {zh: window for window, zh in WINDOW_ZH.items()}
_WINDOWED = re.compile(r"(.+)_([1-9]\d{0,2}|term|year|学期|学年)")


@cache
def find(name: str) -> Fact | None:
    """The fact of a name in either language, its window included; None where there is none."""
    family = _BY_WORD.get(name)
    if family is not None:
        return None if family.windowed else family.fact()
    match = _WINDOWED.fullmatch(name)
    family = _BY_WORD.get(match[1]) if match else None
    if match is None or family is None or not family.windowed:
        return None
    window = _WINDOWS_ZH.get(match[2], match[2])
    if window.isdigit() and int(window) > LONGEST_WINDOW:
        return None
    return family.fact(window)


@cache
def names() -> tuple[str, ...]:
    """Names worth suggesting, in both languages: each family's, over the usual windows."""
    found = []
    for family in FAMILIES:
        facts = [family.fact(window) for window in _USUAL] if family.windowed else [family.fact()]
        found += [word for fact in facts for word in (fact.name, fact.alias)]
    return tuple(found)


def window_of(name: str) -> tuple[str, str] | None:
    """Stem and window of a name that ends like a windowed one, whether or not there is such a fact."""
    match = _WINDOWED.fullmatch(name)
    return (match[1], _WINDOWS_ZH.get(match[2], match[2])) if match else None
