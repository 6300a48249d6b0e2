"""How well a number puts those it happened to above the others: the ROC curve and the area under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cohort import Cohort
from rules.backtest.replay import Looks


@dataclass(frozen=True)
class Ranking:
    """One fact over weekly looks: in how many an outcome followed, in how many none; not a rule's.

    `area` is the share of pairs of a look with and one without an outcome in which the former has the larger value, a
    tie counting half; None without a pair. 0.5 says nothing, below it smaller values go with the outcome. `curve` is
    float64 (points, 2): the share of looks without and with an outcome at or above each value, from (0, 0) to (1, 1).
    """

    fact: str
    followed: int
    others: int
    area: float | None
    curve: NDArray[np.float64]


def rank(fact: str, values: NDArray[np.floating], followed: NDArray[np.bool_]) -> Ranking:
    """The ranking of looks (n,) by `values`, with `followed` bool (n,) where an outcome came."""
    distinct, place = np.unique(values, return_inverse=True)
    hits = np.bincount(place[followed], minlength=len(distinct)).astype(np.float64)
    others = np.bincount(place[~followed], minlength=len(distinct)).astype(np.float64)
    below = np.cumsum(others) - others
    pairs = hits.sum() * others.sum()
    area = float((hits * (below + others / 2)).sum() / pairs) if pairs else None
    curve = np.zeros((1, 2), np.float64)
    if pairs:
        falling = np.stack([others[::-1].cumsum() / others.sum(), hits[::-1].cumsum() / hits.sum()], axis=1)
        curve = np.concatenate([curve, falling])
    return Ranking(fact, int(hits.sum()), int(others.sum()), area, curve)


def rankings(looks: Looks, cohort: Cohort, horizon: int) -> tuple[Ranking, ...]:
    """Every fact of `looks`, over those at children at risk whose `horizon` (microseconds) has passed."""
    usable = cohort.at_risk_at(looks) & (looks.at + horizon <= cohort.until)
    followed = (cohort.outcome[looks.row] <= looks.at + horizon)[usable]
    return tuple(rank(fact, values[usable], followed) for fact, values in looks.values.items())
