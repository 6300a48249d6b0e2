"""From what a walk and a replay of cases found to flags, as columns whose rows are a group's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from rules.backtest.flags import KINDS, NOT_KNOWN, Columns
from rules.backtest.reports import Decided
from rules.backtest.walk import Walk
from rules.instants import to_micros

_KIND = {"watch": KINDS.index("risk"), "first_absence": KINDS.index("reminder")}
Number = Mapping[tuple[str, str], int]
"""By id and version the place of each rule among the columns' rules."""


def signs_of(walk: Walk, number: Number) -> list[Columns]:
    """The signs raised, as columns whose rows are the group's."""
    return [
        _columns(
            number, (rule.rule_id, rule.version), _KIND[rule.stage], *map(np.concatenate, zip(*raised, strict=True))
        )
        for rule, raised in zip(walk.signs, walk.raised, strict=True)
        if raised
    ]


def _columns(
    number: Number,
    rule: tuple[str, str],
    kind: int,
    row: NDArray[np.intp],
    due_at: NDArray[np.int64],
    raised_at: NDArray[np.int64],
    episode: NDArray[np.int32],
    *,
    unconfirmed: bool = False,
) -> Columns:
    size = len(row)
    return Columns(
        tuple(number),
        np.full(size, number[rule], np.int16),
        row.astype(np.int32),
        episode.astype(np.int32),
        due_at,
        raised_at,
        np.full(size, kind, np.int8),
        np.full(size, unconfirmed, np.bool_),
        np.full(size, NOT_KNOWN, np.int8),
    )


def reports_of(decided: Iterable[Decided], rows: NDArray[np.intp], number: Number) -> list[Columns]:
    """The reports raised and stages reached; `rows` are the group's of those replayed."""
    found = (_report(one, int(rows[one.row]), number) for one in decided)
    return [one for one in found if one is not None]


def _report(one: Decided, row: int, number: Number) -> Columns | None:
    body = one.entry.body
    raised = one.entry.kind == "raised"
    if not raised and not (one.entry.kind == "stage" and "rule" in body):
        return None
    at = np.array([to_micros(one.at)], np.int64)
    due = np.array([to_micros(body["due_at"])], np.int64) if raised else at
    return _columns(
        number,
        (body["rule"], body["version"]),
        KINDS.index("report" if raised else "stage"),
        np.array([row], np.intp),
        due,
        at,
        np.array([one.episode], np.int32),
        unconfirmed=raised and body["unconfirmed"],
    )
