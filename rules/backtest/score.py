"""What a rule's flags were worth, set against what became of the children; every figure by its exact definition."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cohort import WEEK, Cohort
from rules.backtest.flags import Flag
from rules.backtest.replay import Looks
from rules.instants import NEVER, span, to_micros

DAY = span(dt.timedelta(days=1))
SURE = 1.959964
"""Standard deviations of a 95 % interval."""
QUARTERED = 4
"""Values without which there are no quartiles."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`; without anything to be a share of it has no value, and is not 0."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, from 0 to 1."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share: where it may well lie, given how few it was counted on."""
        if not self.of:
            return None
        share, z2 = self.hits / self.of, SURE**2
        middle = share + z2 / (2 * self.of)
        reach = SURE * math.sqrt(share * (1 - share) / self.of + z2 / (4 * self.of**2))
        low, high = ((middle + way * reach) / (1 + z2 / self.of) for way in (-1, 1))
        return max(low, 0.0), min(high, 1.0)


@dataclass(frozen=True, slots=True)
class Leads:
    """Days from a child's first flag to its outcome, ascending, one a child flagged before."""

    days: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """The middle one; None where there is none."""
        return float(np.median(self.days)) if self.days else None

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """A quarter of the children were flagged later than the first, a quarter earlier than the second."""
        if len(self.days) < QUARTERED:
            return None
        lower, upper = np.quantile(self.days, [0.25, 0.75])
        return float(lower), float(upper)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What holds of the children whatever the rule; against it a rule is judged.

    `looks` are all weekly looks at children at risk whose horizon has passed; hits are those followed by an outcome
    within it. `cut_off` counts the looks at children at risk whose horizon reaches beyond what is known.
    """

    children: int
    child_weeks: float
    outcomes: int
    looks: Share
    cut_off: int


@dataclass(frozen=True, slots=True)
class Score:
    """What one rule's flags came to. *Followed* is: the child's outcome came after the flag and within the horizon.

    `children` were flagged, in `episodes` (times raised), `unconfirmed` among them. `late` episodes were raised at or
    after the child's outcome, `cut_off` ones have a horizon that reaches beyond what is known; neither counts for
    `precision`, which is of all other episodes those followed. `recall` is of the children with an outcome in the span
    those flagged before it at any time, `recall_within` those flagged at most a horizon before it. `back` is of the
    episodes after which a roll of the child's was called those in which the first of these saw it, `unheard` the
    episodes after which none was. `weekly` int64 (weeks,) counts episodes by the week of the span.
    """

    rule: str
    children: int
    episodes: int
    unconfirmed: int
    late: int
    cut_off: int
    baseline: Baseline
    precision: Share
    recall: Share
    recall_within: Share
    lead: Leads
    back: Share
    unheard: int
    weekly: NDArray[np.int64]

    @property
    def alerts(self) -> float | None:
        """Episodes per 1 000 child-weeks at risk."""
        return 1_000 * self.episodes / self.baseline.child_weeks if self.baseline.child_weeks else None

    @property
    def lift(self) -> float | None:
        """Precision divided by the base rate: how much likelier an outcome is after a flag than after any look."""
        precision, base = self.precision.value, self.baseline.looks.value
        return precision / base if precision is not None and base else None


def baseline(cohort: Cohort, looks: Looks, horizon: dt.timedelta) -> Baseline:
    """What holds of the children of `cohort` whatever the rule."""
    at_risk = cohort.at_risk_at(looks)
    judged = at_risk & (looks.at + span(horizon) <= cohort.until)
    followed = judged & (cohort.outcome[looks.row] <= looks.at + span(horizon))
    return Baseline(
        children=int(cohort.at_risk.sum()),
        child_weeks=cohort.child_weeks,
        outcomes=int(cohort.outcomes.sum()),
        looks=Share(int(followed.sum()), int(judged.sum())),
        cut_off=int(at_risk.sum() - judged.sum()),
    )


def score(rule: str, flags: Sequence[Flag], cohort: Cohort, common: Baseline, horizon: dt.timedelta) -> Score:
    """The figures of one rule from all its `flags`; `common` is the baseline of the same cohort and horizon."""
    row = np.array([flag.row for flag in flags], np.intp)
    at = np.array([to_micros(flag.raised_at) for flag in flags], np.int64)
    outcome, ahead = cohort.outcome[row], span(horizon)
    late = at >= outcome
    cut_off = ~late & (at + ahead > cohort.until)
    judged = ~late & ~cut_off
    followed = judged & (outcome <= at + ahead)
    first, last = _before_outcome(cohort, row[~late], at[~late])
    caught = cohort.outcomes & (first < NEVER)
    within = caught & (cohort.outcome - last <= ahead)
    back = [flag.back for flag in flags if flag.back is not None]
    found = int(cohort.outcomes.sum())
    return Score(
        rule=rule,
        children=len(np.unique(row)),
        episodes=len(flags),
        unconfirmed=sum(flag.unconfirmed for flag in flags),
        late=int(late.sum()),
        cut_off=int(cut_off.sum()),
        baseline=common,
        precision=Share(int(followed.sum()), int(judged.sum())),
        recall=Share(int(caught.sum()), found),
        recall_within=Share(int(within.sum()), found),
        lead=Leads(tuple(np.sort((cohort.outcome - first)[caught] / DAY).tolist())),
        back=Share(sum(back), len(back)),
        unheard=len(flags) - len(back),
        weekly=_by_week(cohort, at),
    )


def _before_outcome(
    cohort: Cohort, row: NDArray[np.intp], at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last of the flags `at` of each child; int64 (rows,), NEVER and −NEVER where it has none."""
    first = np.full(len(cohort.outcome), NEVER, np.int64)
    last = np.full(len(cohort.outcome), -NEVER, np.int64)
    np.minimum.at(first, row, at)
    np.maximum.at(last, row, at)
    return first, last


def _by_week(cohort: Cohort, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the instants lie in each week of the span."""
    weeks = max(-((cohort.start - cohort.end) // WEEK), 1)
    week = np.clip((at - cohort.start) // WEEK, 0, weeks - 1)
    return np.bincount(week, minlength=weeks).astype(np.int64)
