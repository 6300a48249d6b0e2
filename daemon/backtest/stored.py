"""The history that the store remembers: everything it took in, with the instant at which it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.scenes import AHEAD, overlays_of, stale_after, to_rolls
from daemon.store import absences, rolls
from daemon.store.tx import Tx
from rules.calendar import Calendar
from rules.history import History, LeaveKnown, MovementKnown
from rules.rolls import Rolls

CLASSES = 200
"""Classes whose rolls are read together: what is read of them once is in memory twice."""

_Parts = dict[str, list[NDArray[Any]]]


def history_from_store(tx: Tx, house: House, end: dt.datetime) -> History:
    """Everything the store knew by `end` of the children who are on its roster now.

    Who was in which class since when is as the newest roster has it.
    """
    people = house.people(tx)
    ordinals = sorted(people.roster.students.by_id.values())
    last = end.astimezone(house.calendar.zone).date() + AHEAD
    calendar = house.calendar.until(last)
    row = {people.student_of[ordinal]: n for n, ordinal in enumerate(ordinals)}
    days = house.calendar.dates[0], last
    whole, known_at = _rolls(tx, people, calendar, ordinals, days, end)
    return History(
        calendar,
        list(row),
        [people.spells[ordinal] for ordinal in ordinals],
        people.class_ids,
        people.school_ids,
        people.variants,
        whole,
        known_at,
        people.traits(ordinals),
        overlays=overlays_of(tx, people, ordinals, days, end),
        leaves=list(_leaves(tx, people.with_earlier(row), end)),
        movements=list(_movements(tx, people, people.with_earlier(row), end)),
        stale_after=stale_after(house, people),
    )


def _rolls(
    tx: Tx,
    people: People,
    calendar: Calendar,
    ordinals: Sequence[int],
    days: tuple[dt.date, dt.date],
    end: dt.datetime,
) -> tuple[Rolls, NDArray[np.int64]]:
    """All rolls, read some classes at a time, and when each became known."""
    names = tuple(Rolls.__dataclass_fields__)
    parts: _Parts = {name: [] for name in (*names, "known_at")}
    count = 0
    for first in range(0, max(len(people.class_ids), 1), CLASSES):
        block = rolls.load_rolls(tx, people.class_ids[first : first + CLASSES], *days, end, dated=True)
        some = to_rolls(block, people, calendar, ordinals)
        for name in names:
            parts[name].append(getattr(some, name))
        parts["roll"][-1] = parts["roll"][-1] + np.int32(count)
        parts["known_at"].append(block.known_at)
        count += len(block)
    # Column by column, each let go of as it is put together: the whole is held once and one column twice.
    return Rolls(**{name: np.concatenate(parts.pop(name)) for name in names}), np.concatenate(parts["known_at"])


def _leaves(tx: Tx, row: dict[str, int], end: dt.datetime) -> Iterator[LeaveKnown]:
    versions = sorted(absences.all_versions(tx, end), key=lambda one: (one.known_at, one.leave_id, one.version))
    for one in versions:
        yield LeaveKnown(row[one.student_id], one.leave_id, one.starts, one.ends, one.kind, one.known_at, one.withdrawn)


def _movements(tx: Tx, people: People, row: dict[str, int], end: dt.datetime) -> Iterator[MovementKnown]:
    for one in absences.load_movements(tx, known_by=end):
        for n, said in enumerate(people.merged.movements(one)):
            known_at = (
                max(one.known_at, said.at) if n else one.known_at
            )  # the second is the arrival under another number
            if known_at <= end:
                yield MovementKnown(row[one.student_id], said, known_at)
