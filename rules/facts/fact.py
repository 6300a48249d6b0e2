"""What a fact is, and a family of facts over every window; computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST_WINDOW = 250
"""School days; more than any school year has."""

TERM, YEAR = "term", "year"
WINDOW_ZH = {TERM: "学期", YEAR: "学年"}
_SPOKEN = {TERM: "the current term", YEAR: "the school year, from 1 August"}
_SPOKEN_ZH = {TERM: "本学期", YEAR: "本学年(8月1日起)"}
DAYS, SESSIONS, PERCENT, POINTS, YES = "school days", "sessions", "%", "percentage points", "yes/no"
"""The units of facts."""

UNBOUNDED = float(10**9)
"""No count is larger."""


class Kind(StrEnum):
    """What a fact's values are: whole numbers (int64), shares and differences (float64), or yes and no (bool)."""

    COUNT = "count"
    SHARE = "share"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value known of every child at every instant, and what it is called in both languages; computes nothing.

    `evidence` is how many school days must be known in its window; with fewer the value is `blank`. `of_run`: it speaks
    of the current run alone; `trait`: of what the child is. `stem` and `window` are the parts of a windowed name.
    """

    name: str
    alias: str
    kind: Kind
    unit: str
    meaning: str
    zh: str
    evidence: int
    low: float
    high: float
    blank: float
    of_run: bool
    trait: bool
    stem: str
    window: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """One entry of the catalogue: a fact, or the same fact over every window.

    A window of school days ends with the last one heard of the child. Leave counts once a roll has reached it.
    """

    stem: str
    alias: str
    kind: Kind
    unit: str
    meaning: str
    zh: str
    windowed: bool = False
    evidence: int = 0
    low: float = 0.0
    high: float = UNBOUNDED
    blank: float = 0.0
    of_run: bool = False
    trait: bool = False

    def fact(self, window: str | None = None) -> Fact:
        """The fact over `window`: a number of school days, `term` or `year`; None for a family without windows."""
        name = self.stem if window is None else f"{self.stem}_{window}"
        alias = self.alias if window is None else f"{self.alias}_{WINDOW_ZH.get(window, window)}"
        over, over_zh = _spoken(window)
        low, high = self._bounds(int(window)) if window is not None and window.isdigit() else (self.low, self.high)
        return Fact(
            name,
            alias,
            self.kind,
            self.unit,
            self.meaning + over,
            self.zh + over_zh,
            self.evidence,
            low,
            high,
            self.blank,
            self.of_run,
            self.trait,
            self.stem,
            window,
        )

    def _bounds(self, days: int) -> tuple[float, float]:
        """Least and largest value over a window of so many school days: one without the evidence is always blank."""
        if days < self.evidence:
            return self.blank, self.blank
        counts_days = self.kind is Kind.COUNT and self.unit == DAYS
        return self.low, min(self.high, float(days)) if counts_days else self.high


def _spoken(window: str | None) -> tuple[str, str]:
    if window is None:
        return "", ""
    over = _SPOKEN.get(window, f"the last {window} school days")
    over_zh = _SPOKEN_ZH.get(window, f"最近{window}个上学日")
    return f", in {over}", f"({over_zh})"
