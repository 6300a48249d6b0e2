"""What a child is, beside what it does: grade, boarding, tags, and the units it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Traits:
    """Traits of a register's rows; says nothing about attendance.

    `grade` int16 (rows,), 0 where unknown; `grade_text` as the roster has it; `boarding` bool (rows,); `tags` bool
    (rows,) by tag; `units` for each row its class and every unit above it, nearest first.
    """

    grade: NDArray[np.int16]
    grade_text: Sequence[str | None]
    boarding: NDArray[np.bool_]
    tags: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    units: Sequence[tuple[str, ...]] = ()

    @property
    def rows(self) -> int:
        """How many children."""
        return len(self.grade)

    def tagged(self, tag: str) -> NDArray[np.bool_]:
        """Who carries `tag`; bool (rows,)."""
        found = self.tags.get(tag)
        return np.zeros(self.rows, np.bool_) if found is None else found

    def part(self, rows: Sequence[int] | NDArray[np.intp]) -> Traits:
        """The traits of only `rows`, renumbered."""
        index = np.asarray(rows, np.intp)
        return Traits(
            self.grade[index],
            [self.grade_text[row] for row in index],
            self.boarding[index],
            {tag: who[index] for tag, who in self.tags.items()},
            [self.units[row] for row in index],
        )


def unknown(rows: int) -> Traits:
    """Traits of children of whom nothing is known but their marks."""
    return Traits(np.zeros(rows, np.int16), [None] * rows, np.zeros(rows, np.bool_), {}, [()] * rows)


_NUMERALS = {word: n + 1 for n, word in enumerate("一二三四五六七八九")} | {"十": 10, "十一": 11, "十二": 12}
_STAGES = (("小学", 0), ("小", 0), ("初中", 6), ("初", 6), ("高中", 9), ("高", 9))
_DIGITS = re.compile(r"\d{1,2}")
LAST_GRADE = 13


def grade_number(text: str | None) -> int:
    """The grade as a number: `7`, `Grade 7`, `七年级`, `初一` are 7; 0 where it cannot be told."""
    if not text:
        return 0
    words = text.strip()
    added = next((more for word, more in _STAGES if words.startswith(word)), 0)
    found = _DIGITS.search(words)
    number = int(found[0]) if found else next((_NUMERALS[w] for w in _spelled(words)), 0)
    return number + added if 0 < number + added <= LAST_GRADE and number else 0


def _spelled(words: str) -> list[str]:
    """The numerals in `words`, the longest first."""
    return [word for word in sorted(_NUMERALS, key=len, reverse=True) if word in words]
