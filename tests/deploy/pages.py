"""The commands of a page of documentation: its blocks of shell, by part, and for whom each is."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"## (?:\d+\. )?([A-Za-z][A-Za-z,' ]*[A-Za-z])")
_BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block: the English title of its part, its language, the words behind that, and its lines."""

    part: str
    language: str
    words: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """Return all blocks of a page in Markdown, in order."""
    found = []
    for part in re.split(r"^(?=## )", page, flags=re.MULTILINE):
        heading = _HEADING.match(part)
        title = heading[1] if heading else ""
        found += [Block(title, *(word or "" for word in one)) for one in _BLOCK.findall(part)]
    return found
