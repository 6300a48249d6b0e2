"""What a replay yields: flags, and looks at all children once a week; judges neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.signs import Value


@dataclass(frozen=True, slots=True)
class Flag:
    """One rule raised of one child at one instant, as things were known then; says nothing of what came after.

    `kind` is report, risk, reminder or stage; `episode` counts the times this rule was raised of this child.
    """

    rule: str
    version: str
    row: int
    student: str
    episode: int
    due_at: dt.datetime
    raised_at: dt.datetime
    kind: str
    unconfirmed: bool = False
    run_from: dt.datetime | None = None
    run_days: int = 0
    values: Mapping[str, Value] = field(default_factory=dict)
    """Those of the facts of `when`."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Facts of children at weekly instants, one entry a child and instant.

    `at` int64 (n,) microseconds; `row` int32 (n,); `values` float64 (n,) by name of a fact.
    """

    at: NDArray[np.int64]
    row: NDArray[np.int32]
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Everything a replay yields; flags in order of `raised_at`."""

    flags: Sequence[Flag]
    looks: Looks
