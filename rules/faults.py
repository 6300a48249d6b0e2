"""What is wrong with a rule file, in words its author can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class RuleFault:
    """Something in a rule file that its author must mend."""

    source: str
    line: int | None
    key: str
    fault: str
    hint: str | None = None


def choose(word: str, choices: Iterable[str], otherwise: str) -> str:
    """The hint for a word that is none of `choices`: the nearest of them, or (after `otherwise`) all."""
    known = tuple(choices)
    near = get_close_matches(word, known, 1)
    return f"did you mean '{near[0]}'?" if near else f"{otherwise}: {', '.join(known)}"
