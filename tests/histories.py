"""A made-up county as the history a backtest replays, without files or store between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rules.history import History, LeaveKnown, MovementKnown
from rules.instants import to_micros
from rules.laws import Laws, laws_of
from rules.register import Movement
from rules.rulebook import Rulebook
from rules.traits import unknown
from tests.county import World
from tests.replay import County, _calendar, _law, _marks, _spells


def history_of(world: World) -> History:
    """Everything said in a world, nothing of it known before somebody listens."""
    calendar, row = _calendar(world), {child.child_id: n for n, child in enumerate(world.children)}
    class_ids, schools = [one for one, _ in world.classes], [school for _, school in world.classes]
    spells = [_spells(world, child) for child in world.children]
    county = County(calendar, list(row), spells, class_ids, schools, _law(world.parameters))
    county.marks = _marks(world, row)
    variants = [calendar.variant([one]) for one in class_ids]
    rolls = county._rolls(variants)
    return History(
        calendar=calendar,
        students=list(row),
        spells=spells,
        class_ids=class_ids,
        school_ids=schools,
        variants=variants,
        rolls=rolls,
        known_at=np.maximum(rolls.recorded_at, to_micros(world.start)),
        traits=unknown(len(row)),
        leaves=_leaves(world, row),
        movements=_movements(world, row),
        stale_after=dict.fromkeys(range(len(class_ids)), world.parameters.stale_after),
    )


def laws_in(world: World, book: Rulebook, ladders: Sequence[str]) -> Laws:
    """The laws of a book with a world's figures; every ladder is one of a single rung."""
    law = _law(world.parameters)
    return laws_of(book, replace(law, ladders=dict.fromkeys(ladders, law.ladder)))


def _leaves(world: World, row: dict[str, int]) -> list[LeaveKnown]:
    told = sorted(world.leaves, key=lambda one: (one.recorded_at or one.starts, one.line))
    return [
        LeaveKnown(
            row[one.child],
            one.leave_id,
            one.starts,
            one.ends,
            "leave",
            max(one.recorded_at or one.starts, world.start),
            one.withdrawn,
        )
        for one in told
    ]


def _movements(world: World, row: dict[str, int]) -> list[MovementKnown]:
    return [
        MovementKnown(
            row[one.child], Movement(one.kind, one.at, bool(one.evidence)), max(one.recorded_at or one.at, world.start)
        )
        for one in world.movements
    ]
