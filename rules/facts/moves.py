"""What children's movement records say of them: suspended, resumed, a transfer nobody has confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from rules.instants import NEVER, to_micros
from rules.register import SEEN, Movement, Register, is_confirmed


@dataclass(frozen=True)
class Moves:
    """The movements of many children, as known; all (rows,).

    `suspended` bool; `transfer_at` int64, the latest transfer out that neither a record confirms nor a return ends
    (NEVER: none); `away_at` int64, the latest transfer out or suspension (NEVER: none); `resumed_on` int64, the
    proleptic ordinal of the local day a suspension ended on (0: none).
    """

    suspended: NDArray[np.bool_]
    transfer_at: NDArray[np.int64]
    away_at: NDArray[np.int64]
    resumed_on: NDArray[np.int64]

    def note(self, row: int, movements: Sequence[Movement], zone: ZoneInfo) -> None:
        """Read the records of one row anew."""
        ordered = sorted(movements, key=lambda one: (one.at, one.kind in _BACK))
        suspended, resumed, away = False, 0, NEVER
        for one in ordered:
            if one.kind == "suspend":
                suspended, resumed = True, 0
            elif one.kind in _BACK:
                resumed = one.at.astimezone(zone).date().toordinal() if suspended else resumed
                suspended = False
            away = to_micros(one.at) if one.kind in _AWAY else away
        open_ = [to_micros(one.at) for one in ordered if one.kind == "transfer_out" and _is_open(one, ordered)]
        self.suspended[row], self.resumed_on[row] = suspended, resumed
        self.transfer_at[row], self.away_at[row] = max(open_, default=NEVER), away

    def part(self, rows: NDArray[np.intp]) -> Moves:
        """Of only these rows."""
        return Moves(self.suspended[rows], self.transfer_at[rows], self.away_at[rows], self.resumed_on[rows])


_BACK = frozenset({"resume", "transfer_in"})
_AWAY = frozenset({"suspend", "transfer_out"})


def _is_open(out: Movement, others: Sequence[Movement]) -> bool:
    return not is_confirmed(out, others) and not any(one.kind in _BACK and one.at >= out.at for one in others)


def no_moves(rows: int) -> Moves:
    """Of children with no movements on record."""
    never = np.full(rows, NEVER, np.int64)
    return Moves(np.zeros(rows, np.bool_), never, never.copy(), np.zeros(rows, np.int64))


def moves_of(rows: int, movements: Mapping[int, Sequence[Movement]], zone: ZoneInfo) -> Moves:
    """What the records by row say."""
    found = no_moves(rows)
    for row, records in movements.items():
        found.note(row, records, zone)
    return found


def last_seen(register: Register, meaning: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The start of the last session in which each child was seen, microseconds; 0 where it never was. (rows,)."""
    seen = meaning == SEEN
    if not seen.shape[1]:
        return np.zeros(len(seen), np.int64)
    column = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    starts = register.starts()[np.arange(len(seen)), column]
    return np.where(seen.any(axis=1), starts, 0)
