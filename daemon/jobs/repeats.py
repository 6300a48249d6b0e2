"""Leaves out what a feed has said before: a file exported again must not outrank what was said in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from daemon.jobs.delivery import Delivery
from daemon.store import deliveries, rolls
from daemon.store.rolls import Roll, RollBlock
from daemon.store.tx import Tx
from rules.records import POSITIVE, Mark

Key = tuple[str, dt.date, str]
"""Class, day and session of a roll."""


def without_repeats(tx: Tx, feed_id: str, called: Sequence[Roll]) -> list[Roll]:
    """`called` without the marks that this feed already gave last for the same child and session.

    Only for rolls that would be dated anew each time the file is delivered.
    """
    if not called:
        return []
    days = [roll.session_date for roll in called]
    classes = {roll.class_id for roll in called}
    block = rolls.load_rolls(tx, classes, min(days), max(days), feed_id=feed_id)
    if not len(block):
        return list(called)
    said, final = _last_said(block), _last_words(called)
    return [kept for roll in called if (kept := _news(roll, said, final)) is not None]


LOOK_BACK = dt.timedelta(days=14)
"""How far back it is looked whom a feed named on the school day before: holidays lie between."""


def with_doubted(
    tx: Tx, feed_id: str, called: Sequence[Roll], sessions: AbstractSet[tuple[dt.date, str]]
) -> list[Roll]:
    """Return the rolls of an exception feed, those of `sessions` with the children named lately.

    In these sessions the feed names somebody unknown, who may be one of those whom it named that day or on the one
    before: they are not present for not being named, and what was said of each stands.
    """
    doubted = [
        roll
        for roll in called
        if roll.implied and not sessions.isdisjoint({(roll.session_date, roll.session_name), (roll.session_date, "")})
    ]
    if not doubted:
        return list(called)
    days, classes = [roll.session_date for roll in doubted], {roll.class_id for roll in doubted}
    said = _last_said(rolls.load_rolls(tx, classes, min(days) - LOOK_BACK, max(days), feed_id=feed_id))
    by_day: dict[tuple[str, dt.date], set[int]] = {}
    for (class_id, day, _), last in said.items():
        named = {ordinal for ordinal, code in last.marks.items() if code not in _PRESENT}
        by_day.setdefault((class_id, day), set()).update(named)
    return [_with_named(roll, by_day) if roll in doubted else roll for roll in called]


def with_other_files(tx: Tx, delivery: Delivery, called: Sequence[Roll]) -> list[Roll]:
    """Return the rolls of an exception feed's file with the children whom other files of the feed name in them.

    A list of the afternoon does not make those present whom the list of the morning names.
    """
    implied = [roll for roll in called if roll.implied]
    if not implied:
        return list(called)
    days, classes = [roll.session_date for roll in implied], {roll.class_id for roll in implied}
    block = rolls.load_rolls(tx, classes, min(days), max(days), feed_id=delivery.feed.id)
    own = np.isin(block.delivered_at, sorted(deliveries.delivered_as(tx, delivery.feed.id, delivery.name)))
    said = _last_said(block, ~own)
    return [_naming(roll, _named(said, roll)) if roll.implied else roll for roll in called]


def _named(said: Mapping[Key, _LastSaid], roll: Roll) -> AbstractSet[int]:
    last = said.get((roll.class_id, roll.session_date, roll.session_name))
    return {ordinal for ordinal, code in last.marks.items() if code not in _PRESENT} if last is not None else set()


def _with_named(roll: Roll, by_day: Mapping[tuple[str, dt.date], AbstractSet[int]]) -> Roll:
    """The roll with a mark of code 0 for each child named that day or on the last one before, of whom it is silent."""
    days = sorted(day for class_id, day in by_day if class_id == roll.class_id and day <= roll.session_date)
    return _naming(roll, set[int]().union(*(by_day[roll.class_id, day] for day in days[-2:])))


def _naming(roll: Roll, others: AbstractSet[int]) -> Roll:
    """The roll with a mark of code 0 for each of some children whom it does not name."""
    marks = _marks(roll)
    left_out = sorted(others - marks.keys())
    ordinals, codes = [*marks, *left_out], [*marks.values(), *[int(Mark.UNTAKEN)] * len(left_out)]
    return replace(roll, ordinals=ordinals, codes=codes) if left_out else roll


_PRESENT = frozenset(int(mark) for mark in POSITIVE)


@dataclass
class _LastSaid:
    """What one feed said last of a class in a session: each child's code, and whether it spoke for everybody."""

    marks: dict[int, int] = field(default_factory=dict)
    implied: bool = False


def _last_said(block: RollBlock, wanted: NDArray[np.bool_] | None = None) -> Mapping[Key, _LastSaid]:
    """Return what one feed, whose rolls these are, said last, by roll; only by those `wanted`."""
    said: dict[Key, _LastSaid] = {}
    ends = np.searchsorted(block.roll_index, np.arange(len(block) + 1))
    for n in np.lexsort((block.delivered_at, block.recorded_at)).tolist():
        if wanted is not None and not wanted[n]:
            continue
        key = (block.classes[block.class_index[n]], block.date[n].item(), block.sessions[block.session_index[n]])
        part = slice(ends[n], ends[n + 1])
        marks = dict(zip(block.ordinal[part].tolist(), block.code[part].tolist(), strict=True))
        if block.implied[n]:
            said[key] = _LastSaid(marks, implied=True)
        else:
            said.setdefault(key, _LastSaid()).marks.update(marks)
    return said


def _last_words(called: Sequence[Roll]) -> Mapping[Key, Mapping[int, int]]:
    """Each child's last code in the rolls of one delivery, which may say several things of a session."""
    final: dict[Key, dict[int, int]] = {}
    for roll in sorted(called, key=lambda one: (one.recorded_at, one.line)):
        final.setdefault((roll.class_id, roll.session_date, roll.session_name), {}).update(_marks(roll))
    return final


def _news(roll: Roll, said: Mapping[Key, _LastSaid], final: Mapping[Key, Mapping[int, int]]) -> Roll | None:
    key = roll.class_id, roll.session_date, roll.session_name
    before, marks = said.get(key), _marks(roll)
    if before is None or (roll.implied and not (before.implied and marks == before.marks)):
        return roll  # an exception roll speaks for those it does not name, too: it stays whole
    news = {ordinal: code for ordinal, code in marks.items() if before.marks.get(ordinal) != final[key][ordinal]}
    return replace(roll, ordinals=list(news), codes=list(news.values())) if news else None


def _marks(roll: Roll) -> dict[int, int]:
    return dict(zip(np.asarray(roll.ordinals).tolist(), np.asarray(roll.codes).tolist(), strict=True))
