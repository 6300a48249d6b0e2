"""Flags: which child which rule flagged, when it was due and raised; many of them as columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.backtest.ground import Ground
from rules.instants import from_micros
from rules.records import Mark
from rules.register import MISSED, SEEN, SKIP

KINDS = ("report", "risk", "reminder", "stage")
NOT_KNOWN = -1


@dataclass(frozen=True, slots=True)
class Flag:
    """One child flagged by one rule: when it was due and raised, and whether the child was seen at the next session.

    `kind` is report, risk, reminder or stage; `episode` counts the raisings of a sign, or the reports of a case that
    nothing but reports and runs keeps open; `back` is None where no later roll of the child was called.
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
    back: bool | None = None


@dataclass(frozen=True)
class Columns:
    """Flags as arrays of one length: `rule` indexes `rules`, pairs of id and version; `kind` indexes KINDS.

    `row` int32 of the history; `episode` int32; `due_at`, `raised_at` int64 microseconds; `unconfirmed` bool; `back`
    int8: 1, 0, or NOT_KNOWN.
    """

    rules: tuple[tuple[str, str], ...]
    rule: NDArray[np.int16]
    row: NDArray[np.int32]
    episode: NDArray[np.int32]
    due_at: NDArray[np.int64]
    raised_at: NDArray[np.int64]
    kind: NDArray[np.int8]
    unconfirmed: NDArray[np.bool_]
    back: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.rule)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
        """Only these, in this order."""
        return Columns(self.rules, *(getattr(self, name)[which] for name in _NAMES))

    def flags(self, students: Sequence[str]) -> Iterator[Flag]:
        """One by one, in their order."""
        instants = {at: from_micros(at) for at in np.unique([self.due_at, self.raised_at]).tolist()}
        columns = (getattr(self, name).tolist() for name in _NAMES)
        for rule, row, episode, due, raised, kind, unconfirmed, back in zip(*columns, strict=True):
            yield Flag(
                rule=self.rules[rule][0],
                version=self.rules[rule][1],
                row=row,
                student=students[row],
                episode=episode,
                due_at=instants[due],
                raised_at=instants[raised],
                kind=KINDS[kind],
                unconfirmed=unconfirmed,
                back=None if back == NOT_KNOWN else bool(back),
            )


_NAMES = ("rule", "row", "episode", "due_at", "raised_at", "kind", "unconfirmed", "back")


def joined(rules: tuple[tuple[str, str], ...], parts: Sequence[Columns]) -> Columns:
    """All parts, in the order in which flags were raised; `rules` are theirs, too."""
    whole = Columns(
        rules,
        np.concatenate([np.zeros(0, np.int16), *(part.rule for part in parts)]),
        np.concatenate([np.zeros(0, np.int32), *(part.row for part in parts)]),
        np.concatenate([np.zeros(0, np.int32), *(part.episode for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.due_at for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.raised_at for part in parts)]),
        np.concatenate([np.zeros(0, np.int8), *(part.kind for part in parts)]),
        np.concatenate([np.zeros(0, np.bool_), *(part.unconfirmed for part in parts)]),
        np.concatenate([np.zeros(0, np.int8), *(part.back for part in parts)]),
    )
    return whole.take(np.lexsort((whole.rule, whole.row, whole.raised_at)))


def seen_next(ground: Ground, row: NDArray[np.intp], raised_at: NDArray[np.int64]) -> NDArray[np.int8]:
    """Whether each child of a ground was seen in its first session after `raised_at` whose roll was called.

    `row` is the ground's; a roll that does not name the child did not see it. Known is what turned out in the end.
    """
    found = np.full(len(row), NOT_KNOWN, np.int8)
    for low in range(0, len(row), _BLOCK):
        part = slice(low, low + _BLOCK)
        rows = row[part]
        starts = ground.starts_all(rows)
        meaning = ground.meaning[:, rows]
        called = ((ground.marks[:, rows] > Mark.UNTAKEN) | (meaning >= MISSED)) & (meaning > SKIP)
        later = (starts > raised_at[part][None, :]) & called
        first = np.argmax(later, axis=0)
        seen = meaning[first, np.arange(len(rows))] == SEEN
        found[part] = np.where(later.any(axis=0), seen, NOT_KNOWN)
    return found


_BLOCK = 4_096
