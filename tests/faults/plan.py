"""What is tried: every kind of fault once, some two at a time, and schools at which nothing goes wrong.

`BAOXUE_FAULT_ROUNDS=n` adds n rounds, each with other histories: every kind in every shape, and many pairs.
"""

from __future__ import annotations

import itertools
import os
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.faults.catalogue import FAULTS
from tests.faults.kinds import Fault
from tests.faults.office import SHAPES, School
from tests.faults.truth import draw_history

SEEDS = 8
"""So many histories there are in one round."""
PAIRS = 12
PAIRS_A_ROUND = 60
TOGETHER = 17
"""So many schools are one county, watched over by one daemon."""


@dataclass(frozen=True)
class Trial:
    """One school of one county."""

    county: int
    school: School

    @property
    def name(self) -> str:
        """A sentence."""
        said = " and ".join(fault.name for fault in self.school.faults) or "nothing goes wrong"
        return f"{said}, {self.school.shape}, seed {self.school.history.seed}"


def trials() -> list[Trial]:
    """Everything that is tried, county by county; a daemon that is down is so for its whole county."""
    rounds = int(os.environ.get("BAOXUE_FAULT_ROUNDS", "0"))
    wanted = [*_default(), *itertools.chain.from_iterable(_round(n) for n in range(1, rounds + 1))]
    apart = [one for one in wanted if any(fault.down for fault in one[1])]
    together = [one for one in wanted if one not in apart]
    counties = [together[n : n + TOGETHER] for n in range(0, len(together), TOGETHER)] + [[one] for one in apart]
    return [
        Trial(county, School(number, draw_history(seed), shape, faults))
        for county, schools in enumerate(counties)
        for number, (shape, faults, seed) in enumerate(schools, 1)
    ]


_Wanted = tuple[str, tuple[Fault, ...], int]


def _default() -> Iterator[_Wanted]:
    for seed, shape in enumerate(SHAPES):
        yield shape, (), seed
    for fault in FAULTS:
        n = zlib.crc32(fault.name.encode())  # another fault in the list changes nothing of this one
        yield fault.shapes[n % len(fault.shapes)], (fault,), n % SEEDS
    yield from _pairs(PAIRS, 0)


def _round(number: int) -> Iterator[_Wanted]:
    seed = itertools.count(number * 1_000)
    for fault in FAULTS:
        for shape in fault.shapes:
            n = next(seed)
            yield shape, (replace(fault, after=fault.after + n % 2),), n
    yield from _pairs(PAIRS_A_ROUND, number)


def _pairs(count: int, number: int) -> Iterator[_Wanted]:
    """Draw two faults of one school; the second begins up to two days after the first."""
    chance = random.Random(number)  # noqa: S311 - a seed that tells a story again
    apart: Sequence[Fault] = [fault for fault in FAULTS if not fault.alone]
    for _ in range(count):
        first = chance.choice(apart)
        second = chance.choice([one for one in apart if _go_together(first, one)])
        later = replace(second, after=max(second.after, chance.choice((0, 1, 2))))
        shape = chance.choice(sorted(set(first.shapes) & set(second.shapes)))
        yield shape, (first, later), chance.randrange(number * 1_000, number * 1_000 + SEEDS)


def _go_together(first: Fault, second: Fault) -> bool:
    """Whether two faults can be those of one school; an id is spoilt in one way only."""
    both_of_ids = first.name.startswith("ids") and second.name.startswith("ids")
    return first is not second and not both_of_ids and bool(set(first.shapes) & set(second.shapes))
