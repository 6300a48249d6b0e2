"""One child under two numbers: its classes under both are one history, in the order in which they became known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from daemon.store import absences
from daemon.store.renumbering import source_of
from daemon.store.roster import Memberships
from daemon.store.tx import Tx
from rules.instants import from_micros
from rules.records import StudentRecord
from rules.register import Movement, Spell

_OUT = frozenset({"transfer_out", "suspend", "graduate", "verified_elsewhere"})


@dataclass(frozen=True)
class Merged:
    """Children who have another number now: `same` from each earlier one to it, the rest for laying out registers.

    `earlier` and `present` are ordinals, parallel; `appeared` is when a present number became known.
    """

    same: Mapping[str, str] = field(default_factory=dict)
    earlier: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    present: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    appeared: Mapping[str, dt.datetime] = field(default_factory=dict)

    def movements(self, one: absences.Movement) -> Iterator[Movement]:
        """Return what a movement says of the child it is about.

        Whatever took an earlier number off the roll, the child is here since its present one is; a transfer out of the
        earlier number after that is the number's, not the child's.
        """
        here = self.appeared.get(self.same.get(one.student_id, ""))
        if here is None or one.kind not in _OUT or (one.at > here and one.kind != "transfer_out"):
            yield Movement(one.kind, one.at, bool(one.evidence))
        elif one.at <= here:
            yield Movement(one.kind, one.at, bool(one.evidence))
            yield Movement("transfer_in", here, evidence=False)


NOTHING_MERGED = Merged()

_Spells = tuple[Spell, ...]


def renumbered(
    tx: Tx, students: Sequence[StudentRecord], same: Mapping[str, str], source: str
) -> Sequence[StudentRecord]:
    """Return what a roster says with each child under its present number, where the roster does not know that one yet.

    A roster beside another that names the child by its present number says nothing new: its rows stay as they are.
    """
    listed = {one.student_id for one in students} if same else set()
    wanted = [new for old, new in same.items() if old in listed and new not in listed]
    if not wanted:
        return students
    known = source_of(tx, wanted)
    mine = {new for new in wanted if new in known and (known[new][0] == source or known[new][1])}
    present = {old: new for old, new in same.items() if new in mine}
    return [replace(one, student_id=present.get(one.student_id, one.student_id)) for one in students]


def join_spells(
    spells: Sequence[_Spells],
    ordinals: Mapping[str, int],
    held: Memberships,
    same: Mapping[str, str],
    zone: ZoneInfo,
) -> tuple[Sequence[_Spells], Merged]:
    """Return `spells` by ordinal, those of earlier numbers joined to the present one's, and which numbers these are."""
    pairs = sorted((ordinals[new], ordinals[old]) for old, new in same.items() if {old, new} <= ordinals.keys())
    joined = list(spells)
    known = _first_known(held, {one for pair in pairs for one in pair})
    for new, group in groupby(pairs, key=lambda pair: pair[0]):
        olds = sorted((old for _, old in group), key=lambda old: (known[old], old))
        joined[new] = _in_order([(known[one], spells[one]) for one in (*olds, new)], zone)
        for old in olds:
            joined[old] = ()
    earlier, present = (np.array([pair[which] for pair in pairs], np.int64) for which in (1, 0))
    appeared = {new: from_micros(known[ordinals[new]]) for new in same.values() if ordinals.get(new) in known}
    return joined, Merged(same, earlier, present, appeared)


def _first_known(held: Memberships, wanted: Iterable[int]) -> dict[int, int]:
    """Return when each of some children became known, in microseconds."""
    known = dict.fromkeys(wanted, 0)
    mine = np.flatnonzero(np.isin(held.ordinal, np.array(sorted(known), np.uint32)))
    for at in mine[::-1].tolist():  # they are in order of time within a child: the first is written last
        known[int(held.ordinal[at])] = int(held.known_at[at])
    return known


def _in_order(parts: Sequence[tuple[int, _Spells]], zone: ZoneInfo) -> _Spells:
    """Return one history of several: each begins on the day on which it became known, the first before all days.

    One that was known no later than the one before it holds for all days: its classes count, and the others' rolls.
    """
    known, whole = parts[0][0], list(parts[0][1])
    for at, then in parts[1:]:
        since = from_micros(at).astimezone(zone).date() if at > known else dt.date.min
        whole = [one for one in whole if one.starts_on is None or one.starts_on < since]
        whole += [Spell(one.class_index, since if n == 0 else one.starts_on) for n, one in enumerate(then)]
        known = max(at, known)
    return tuple(one for n, one in enumerate(whole) if n == 0 or one.class_index != whole[n - 1].class_index)
