"""Faults as an operator reads them: where, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in something an operator wrote, with its place; never holds a secret.

    `path` is the file as the operator named it; `line` counts from 1 and is None where a whole file is meant;
    `key` is dotted (`ladder[1].rung[0].tell`), counted from 0, and empty where no key is concerned.
    """

    path: str
    line: int | None
    key: str
    fault: str
    hint: str | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        subject = f"{place} {self.key}" if self.key else place
        words = f"{subject}  {self.fault}"
        return words if self.hint is None else f"{words} – {self.hint}"


class ConfigError(Exception):
    """A configuration was refused; carries every problem found in it, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The one of `choices` that `word` was probably meant to be, or None."""
    plain = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(word.casefold(), plain, n=1)
    return plain[close[0]] if close else None


def choose(word: str, choices: Iterable[str]) -> str:
    """The hint for a `word` that is none of `choices`: the nearest of them, or all of them."""
    known = list(choices)
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant is not None else f"choose {either(known)}"


def either(choices: Iterable[str]) -> str:
    """`choices` as words of a sentence: `sms, email or webhook`."""
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last
