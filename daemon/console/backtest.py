"""A backtest as one page for people: figures in words, plots, what they mean; loads nothing and runs no script."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

Document = Mapping[str, Any]
"""The very document that `--json` prints."""

MOST_CHILDREN = 200
"""Children listed under a rule; a page of tens of thousands would open in no browser."""
MOST_CURVES = 12
MOST_BINS = 14
_STEPS = (1, 2, 5, 7, 10, 14, 20, 30, 60, 90, 180, 365)
_TOPS = (0.05, 0.1, 0.25, 0.5, 1.0)
_ROUND = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram: how high, and the words under it where it has some."""

    height: int
    label: str | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Columns up to `top`, a round number; `mark` is where along them something is pointed out, from 0 to 1."""

    columns: Sequence[Column]
    top: int
    mark: float | None = None


def render_backtest(document: Document) -> str:
    """The page as HTML, whole in itself; names no child but by its id."""
    page = _environment().get_template("page.html.j2")
    return page.render(
        document=document,
        figures={figure["key"]: figure for figure in document["definitions"]},
        raised=[rule for rule in document["rules"] if rule["figures"]["episodes"]],
        silent=[rule for rule in document["rules"] if not rule["figures"]["episodes"]],
        curves=_telling(document["facts"]),
        most_children=MOST_CHILDREN,
        style=Markup(style()),  # noqa: S704 - our own
    )


@cache
def style() -> str:
    """The style sheet, which stands in the page itself."""
    return resources.files("templates").joinpath("backtest", "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("templates", "backtest"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"percent": percent, "number": number, "day": _day, "minute": _minute}
    found.globals |= {"leads": lead_histogram, "weeks": week_histogram, "reach": reach, "points": _points}
    return found


def percent(share: float | None) -> str:
    """A share in percent, with a decimal where it is small."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"  # noqa: PLR2004 - from ten percent on none is needed


def number(value: float | None) -> str:
    """A number as people read it: thousands apart, a decimal only where it is small and no count."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:,.1f}"  # noqa: PLR2004


def lead_histogram(days: Sequence[float], median: float | None) -> Histogram:
    """Children by how many days before the outcome they were flagged first; the median is pointed out."""
    longest = max(days, default=0.0)
    step = next((one for one in _STEPS if longest < one * MOST_BINS), math.ceil((longest + 1) / MOST_BINS))
    bins = int(longest // step) + 1
    heights = [0] * bins
    for one in days:
        heights[int(one // step)] += 1
    every = 2 if bins > MOST_BINS // 2 else 1
    columns = [Column(height, str(n * step) if n % every == 0 else None) for n, height in enumerate(heights)]
    return Histogram(columns, _top(heights), None if median is None else median / (bins * step))


def week_histogram(weekly: Sequence[int], start: str) -> Histogram:
    """Flags by week; the first week of a month bears its name where there is room, the first of a year its year."""
    first = dt.datetime.fromisoformat(start).date()
    days = [first + dt.timedelta(weeks=n) for n in range(len(weekly))]
    begins = [0, *(n + 1 for n, (one, then) in enumerate(pairwise(days)) if one.month != then.month)]
    kept = begins[:: math.ceil(len(begins) / 7)]
    labels = {n: f"{days[n].month}月" for n in kept}
    labels |= {n: f"{days[n].year}年" for before, n in pairwise(kept) if days[before].year != days[n].year}
    return Histogram([Column(height, labels.get(n)) for n, height in enumerate(weekly)], _top(weekly))


def _top(heights: Sequence[int]) -> int:
    """The first round number that no column exceeds."""
    highest = max([1, *heights])
    unit: int = 10 ** (len(str(highest)) - 1)
    return next(unit * one for one in _ROUND if unit * one >= highest)


def reach(*shares: Mapping[str, Any] | None) -> float:
    """Where an axis of shares ends, so that each with its interval has room on it."""
    highest = max((share["high"] for share in shares if share and share["high"] is not None), default=1.0)
    return next(top for top in _TOPS if highest <= top + 1e-9)


def _telling(facts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The facts that say most, whichever way, and no more than a page holds."""
    known = [fact for fact in facts if fact["auc"] is not None]
    return sorted(known, key=lambda fact: (-abs(fact["auc"] - 0.5), fact["fact"]))[:MOST_CURVES]


def _points(curve: Sequence[Sequence[float]], size: int) -> str:
    """A curve from (0, 0) to (1, 1) as the points of a polyline in a square of `size`."""
    return " ".join(f"{x * size:.1f},{size - y * size:.1f}" for x, y in curve)


def _day(instant: str) -> str:
    return instant[:10]


def _minute(instant: str | None) -> str:
    return instant[:16].replace("T", " ") if instant else "–"
