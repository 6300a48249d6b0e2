"""Leaves out what a feed has said before: a file exported again must not outrank what was said in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from daemon.store import rolls
from daemon.store.rolls import Roll, RollBlock
from daemon.store.tx import Tx

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
    said = _last_said(block)
    return [kept for roll in called if (kept := _news(roll, said)) is not None]


@dataclass
class _LastSaid:
    """What one feed said last of a class in a session: each child's code, and whether it spoke for everybody."""

    marks: dict[int, int] = field(default_factory=dict)
    implied: bool = False


def _last_said(block: RollBlock) -> Mapping[Key, _LastSaid]:
    """What one feed, whose rolls these are, said last, by roll."""
    said: dict[Key, _LastSaid] = {}
    ends = np.searchsorted(block.roll_index, np.arange(len(block) + 1))
    for n in np.lexsort((block.delivered_at, block.recorded_at)).tolist():
        key = (block.classes[block.class_index[n]], block.date[n].item(), block.sessions[block.session_index[n]])
        part = slice(ends[n], ends[n + 1])
        marks = dict(zip(block.ordinal[part].tolist(), block.code[part].tolist(), strict=True))
        if block.implied[n]:
            said[key] = _LastSaid(marks, implied=True)
        else:
            said.setdefault(key, _LastSaid()).marks.update(marks)
    return said


def _news(roll: Roll, said: Mapping[Key, _LastSaid]) -> Roll | None:
    before = said.get((roll.class_id, roll.session_date, roll.session_name))
    marks = dict(zip(np.asarray(roll.ordinals).tolist(), np.asarray(roll.codes).tolist(), strict=True))
    if before is None or (roll.implied and not (before.implied and marks == before.marks)):
        return roll  # an exception roll speaks for those it does not name, too: it stays whole
    news = {ordinal: code for ordinal, code in marks.items() if before.marks.get(ordinal) != code}
    return replace(roll, ordinals=list(news), codes=list(news.values())) if news else None
