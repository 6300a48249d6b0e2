"""What is wrong with a duty rota, seen beside the roster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rules.ladder import Recipient
from rules.rota import IsWorkday, Rota


@dataclass(frozen=True, slots=True)
class TurnFault:
    """One fault of the rota of a number: somebody unknown, or whom no channel reaches, or that nobody is on duty."""

    rota: int
    role: str
    unit_id: str | None
    fault: Literal["unknown", "unreachable", "nobody"]
    contact_id: str | None = None


def turn_faults(
    rotas: Sequence[Rota],
    known: Mapping[str, Recipient],
    is_reached: Callable[[str], bool],
    at: dt.datetime,
    is_workday: IsWorkday,
) -> Iterator[TurnFault]:
    """Everything wrong with the rotas at an instant, in their order."""
    for number, rota in enumerate(rotas):
        for contact_id in rota.everybody():
            if contact_id not in known:
                yield TurnFault(number, rota.role, rota.unit_id, "unknown", contact_id)
            elif not is_reached(contact_id):
                yield TurnFault(number, rota.role, rota.unit_id, "unreachable", contact_id)
        if not rota.line(at, is_workday):
            yield TurnFault(number, rota.role, rota.unit_id, "nobody")
