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
    distinct, hits = np.unique(values[followed], return_counts=True)
    others = np.sort(values[~followed])
    below = np.asarray(np.searchsorted(others, distinct, "left"), np.int64)
    upto = np.asarray(np.searchsorted(others, distinct, "right"), np.int64)
    pairs = int(hits.sum()) * len(others)
    if not pairs:
        return Ranking(fact, int(hits.sum()), len(others), None, np.zeros((1, 2), np.float64))
    area = float((hits * (below + upto)).sum() / 2 / pairs)
    return Ranking(fact, int(hits.sum()), len(others), area, _curve(hits, below, upto, len(others)))


def _curve(
    hits: NDArray[np.int64], below: NDArray[np.int64], upto: NDArray[np.int64], others: int
) -> NDArray[np.float64]:
    """From how many looks with an outcome have each value, and how many of the `others` are below it, or up to it."""
    caught = hits[::-1].cumsum()
    steps = np.stack([others - upto[::-1], caught - hits[::-1], others - below[::-1], caught], axis=1).reshape(-1, 2)
    points: NDArray[np.float64] = np.concatenate([[[0, 0]], steps, [[others, caught[-1]]]])
    return points / np.array([others, caught[-1]], np.float64)


def rankings(looks: Looks, cohort: Cohort, horizon: int) -> tuple[Ranking, ...]:
    """Every fact of `looks`, over those at children at risk whose `horizon` (microseconds) has passed."""
    usable = cohort.at_risk_at(looks) & (looks.at + horizon <= cohort.until)
    followed = (cohort.outcome[looks.row] <= looks.at + horizon)[usable]
    return tuple(rank(fact, values[usable], followed) for fact, values in looks.values.items())
