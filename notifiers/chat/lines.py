"""Marked-up words for group robots: as much as fits into their bytes."""

from __future__ import annotations

from collections.abc import Sequence

MORE = "……（{left} 行未显示，详见台账 / {left} lines not shown, see the ledger）"


def fitted(text: str, most: int) -> str:
    """`text` in at most `most` bytes of UTF-8, cut between two lines; the last line then says how many are missing."""
    if len(text.encode()) <= most:
        return text
    lines = text.split("\n")
    room = most - len(MORE.format(left=len(lines)).encode()) - 1
    kept = _fitting(lines, room)
    return "\n".join([*lines[:kept], MORE.format(left=len(lines) - kept)])


def _fitting(lines: Sequence[str], room: int) -> int:
    """How many of the first lines, with the breaks between them, take at most `room` bytes."""
    used = 0
    for kept, line in enumerate(lines):
        used += len(line.encode()) + 1
        if used > room:
            return kept
    return len(lines)
