"""Refused rows gathered by reason: a thousand rows with one fault are one line to whoever mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from daemon.feeds.payload import Refused


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """Rows refused for one reason: how many, how many children they name, and where the first of them stands."""

    count: int
    children: int
    source: str
    line: int
    column: str | None
    fault: str
    hint: str | None

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        rows = "" if self.count == 1 else f"{self.count} rows: "
        tail = f" – {self.hint}" if self.hint else ""
        return f"{where} {self.column or ''}".rstrip() + f"  {rows}{self.fault}{tail}"


def group_refused(refused: Iterable[Refused]) -> list[RefusedGroup]:
    """Return the reasons of `refused`, the most frequent first and those of equal number in the order they came."""
    found: dict[tuple[str | None, str, str | None], list[Refused]] = {}
    for one in refused:
        found.setdefault((one.column, one.fault, one.hint), []).append(one)
    groups = [
        RefusedGroup(
            len(rows),
            len({one.student_id for one in rows if one.student_id}),
            rows[0].source,
            rows[0].line,
            column,
            fault,
            hint,
        )
        for (column, fault, hint), rows in found.items()
    ]
    return sorted(groups, key=lambda group: -group.count)
