"""What to say of a name that is no fact: the nearest one, or how its window is written."""

from __future__ import annotations

from difflib import get_close_matches

from rules.facts.catalogue import FAMILIES, LONGEST_WINDOW, Family, Kind, find, names, window_of
from rules.facts.fact import UNBOUNDED

_FAMILIES = {word: family for family in FAMILIES for word in (family.stem, family.alias)}
_KEYWORDS = {
    "is": "facts always have a value; write boarding or NOT boarding, never IS",
    "null": "facts always have a value, 0 where nothing is known",
    "like": "facts are numbers, or yes and no",
}
ALLOWED = "use facts, numbers, + - *, comparisons, AND, OR, NOT, BETWEEN, IN and parentheses"
LIST = "list them with: baoxue rules facts"


CONNECTIVES = {"且": "AND", "并且": "AND", "而且": "AND", "或": "OR", "或者": "OR", "非": "NOT", "不": "NOT"}
"""Words one may think of, and what is written instead."""


def unknown_name(name: str, *, keyword: bool = False) -> tuple[str, str]:
    """Fault and hint for a name that is no fact, or for a word that means something elsewhere (`keyword`)."""
    shown = f"'{name}'" if len(name) <= _SHOWN else f"'{name[:_SHOWN]}…'"
    if name in CONNECTIVES:
        return f"{shown} is not allowed", f"write {CONNECTIVES[name]}"
    if name.casefold() in _KEYWORDS:
        return f"{shown} is not allowed", _KEYWORDS[name.casefold()]
    near = _near(name)
    if keyword and near is None:
        return f"{shown} is not allowed", ALLOWED
    return _window_fault(name) or (f"unknown fact {shown}", f"did you mean '{near}'?" if near else LIST)


_SHOWN = 60


def _window_fault(name: str) -> tuple[str, str] | None:
    """What is wrong with the window of a name whose first part is a fact's."""
    family = _FAMILIES.get(name)
    if family is not None and family.windowed:
        return f"'{name}' needs a window", _windows(family, name)
    stem, _, window = name.rpartition("_")
    family = _FAMILIES.get(stem)
    if family is None:
        return None
    if not family.windowed:
        near = _near(name)
        meant = f", or {near}" if near else ""
        return f"'{stem}' takes no window", f"write {stem}{meant}"
    if window.isdecimal() and int(window) > LONGEST_WINDOW:
        return f"the window of '{name}' is too long", f"at most {LONGEST_WINDOW} school days, or {stem}_year"
    return f"'{window}' is no window", _windows(family, stem)


def _windows(family: Family, stem: str) -> str:
    term, year = ("term", "year") if stem == family.stem else ("学期", "学年")
    return f"write {stem}_20 for 20 school days, {stem}_{term} or {stem}_{year}"


def _near(name: str) -> str | None:
    """The fact most like a name, over the window it names."""
    parts = window_of(name)
    if parts is not None:
        stem, windowed = parts[0], {word for word, family in _FAMILIES.items() if family.windowed}
        found = get_close_matches(stem.casefold(), sorted(windowed), 1)
        if found:
            return f"{found[0]}_{name.rpartition('_')[2]}"
    found = get_close_matches(name.casefold(), names(), 1)
    return found[0] if found else None


def is_share(name: str) -> bool:
    """Whether a fact may have decimals."""
    fact = find(name)
    return fact is not None and fact.kind is Kind.SHARE


def domain(name: str) -> str:
    """The values a fact can have, in words."""
    fact = find(name)
    if fact is None or fact.kind is Kind.FLAG:
        return f"{name} is yes or no"
    if fact.high >= UNBOUNDED:
        return f"{name} is at least {fact.low:g}"
    return f"{name} is between {fact.low:g} and {fact.high:g}"
