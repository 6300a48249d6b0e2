"""Everything said of some children, each thing with the instant at which it became known; judges nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.calendar import Calendar
from rules.register import Movement, Spell
from rules.rolls import Overlay, Rolls
from rules.traits import Traits


class LeaveKnown(NamedTuple):
    """One version of a leave `[starts, ends)` of the child in `row`; of one `leave_id` the version known later counts.

    Of versions known at one instant the later in the sequence counts.
    """

    row: int
    leave_id: str
    starts: dt.datetime
    ends: dt.datetime
    kind: str
    known_at: dt.datetime
    withdrawn: bool


class MovementKnown(NamedTuple):
    """One movement record of the child in `row`."""

    row: int
    movement: Movement
    known_at: dt.datetime


@dataclass(frozen=True)
class History:
    """What is on record about some children, as it became known; the rows of everything below are `students`.

    `variants` is the calendar variant by class index; `known_at` int64 microseconds, one a roll of `rolls`; overlays
    are known when they were said; `stale_after` by class index, for the classes whose rolls some feed owes.
    """

    calendar: Calendar
    students: Sequence[str]
    spells: Sequence[Sequence[Spell]]
    class_ids: Sequence[str]
    school_ids: Sequence[str | None]
    variants: Sequence[int]
    rolls: Rolls
    known_at: NDArray[np.int64]
    traits: Traits
    overlays: Sequence[Overlay] = ()
    leaves: Sequence[LeaveKnown] = ()
    movements: Sequence[MovementKnown] = ()
    stale_after: Mapping[int, dt.timedelta] = field(default_factory=dict)
