"""Records as lines of text: side by side where the page is wide enough, the rest below each record's line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import click

from daemon.cli.language import Said, in_words

Columns: TypeAlias = Mapping[str, Said]
"""Key of a record to the heading of its column, the most important first."""

Cells: TypeAlias = Mapping[str, str]
"""Key of a record to its value in words, on one line."""

_GAP = "  "
_MARGIN = "    "
"""Before what stands below a record's line."""
_RULE = "-"
_CLOSING = "，。；：、！？）」』”’"


def table_lines(rows: Sequence[Cells], columns: Columns, width: int | None) -> Iterator[str]:
    """Yield the lines of a table at most `width` columns wide; None: as wide as its cells, each record on one line.

    The first columns stand side by side, as many as fit, and are never folded. The others follow below, each value
    behind its heading; columns without any value are left out. A Han character takes two columns of the page.
    """
    headings = {key: in_words(said) for key, said in columns.items()}
    if width is not None:
        headings = {key: heading for key, heading in headings.items() if any(row.get(key) for row in rows)}
    sizes = {
        key: max(columns_of(heading), *(columns_of(row.get(key, "")) for row in rows))
        for key, heading in headings.items()
    }
    beside = list(headings) if width is None else _fitting(sizes, width)
    yield click.style(_padded([headings[key] for key in beside], [sizes[key] for key in beside]), bold=True)
    yield _RULE * min(sum(sizes[key] for key in beside) + len(_GAP) * (len(beside) - 1), width or _LONGEST_RULE)
    below = {key: heading for key, heading in headings.items() if key not in beside}
    for row in rows:
        yield from folded(_padded([row.get(key, "") for key in beside], [sizes[key] for key in beside]), width)
        if width is not None:
            yield from below_lines(row, below, width)


_LONGEST_RULE = 200


def below_lines(row: Cells, headings: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield what else is known of a record, each value behind its heading; only one wider than the page is folded."""
    room, line = max(width - len(_MARGIN), 1), ""
    for key, heading in headings.items():
        part = f"{heading} {row[key]}" if row.get(key) else ""
        if not part:
            continue
        if line and columns_of(line) + len(_GAP) + columns_of(part) > room:
            yield from _indented(line, room)
            line = ""
        line += (_GAP if line else "") + part
    if line:
        yield from _indented(line, room)


def pair_lines(row: Cells, columns: Columns, width: int | None) -> Iterator[str]:
    """Yield one record as lines, one a value, behind headings of one width; empty values are left out."""
    headings = {key: in_words(said) for key, said in columns.items() if row.get(key)}
    margin = max(map(columns_of, headings.values()), default=0)
    for key, heading in headings.items():
        room = None if width is None else max(width - margin - len(_GAP), 1)
        first, *more = folded(row[key], room)
        yield click.style(_padded_to(heading, margin), bold=True) + _GAP + first
        yield from (" " * margin + _GAP + line for line in more)


def columns_of(words: str) -> int:
    """Return how many columns of a page words take: two for a Han character."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow to load, and not needed for help

    return cell_len(words)


def folded(words: str, room: int | None) -> list[str]:
    """Return words as lines of at most `room` columns, parted in no shorter Latin word or number; None: one line."""
    if room is None or columns_of(words) <= room:
        return [words]
    lines, rest = [], words
    while columns_of(rest) > room:
        cut = _where_to_part(rest, _how_many(rest, room))
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*lines, rest] if rest else lines


def _where_to_part(words: str, fits: int) -> int:
    """Return where to part words of which `fits` characters fit: in no Latin word or number, before no closing sign."""
    cut = fits
    while cut and not {" ", ""} & {words[cut - 1], words[cut]} and (words[cut - 1] + words[cut]).isascii():
        cut -= 1
    cut = cut if cut > fits // 2 else fits
    while cut > 1 and words[cut] in _CLOSING:
        cut -= 1
    return cut


def _how_many(words: str, room: int) -> int:
    """Return how many characters fit into so many columns; one at least."""
    used = 0
    for n, character in enumerate(words):
        used += columns_of(character)
        if used > room:
            return max(n, 1)
    return len(words)


def _fitting(sizes: Mapping[str, int], width: int) -> list[str]:
    """Return the first columns that stand side by side in `width`; one at least, however wide it is."""
    found: list[str] = []
    used = 0
    for key, needs in sizes.items():
        if found and used + needs > width:
            break
        found.append(key)
        used += needs + len(_GAP)
    return found


def _padded(cells: Sequence[str], sizes: Sequence[int]) -> str:
    return _GAP.join(_padded_to(cell, size) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def _padded_to(words: str, size: int) -> str:
    return words + " " * (size - columns_of(words))


def _indented(line: str, room: int) -> Iterator[str]:
    yield from (_MARGIN + one for one in folded(line, room))
