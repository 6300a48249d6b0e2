"""Ids of the roster that look like an id it does not have: as spreadsheets rewrite them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

MOST_NAMED = 3

_LOST_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_SIGNS = re.compile(r"[\W_]+")


def similar_ids(roster: Iterable[str], unknown: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return for each id of `unknown` those of `roster` that differ from it only by zeros, width, case or signs."""
    wanted: dict[str, list[str]] = {}
    for one in unknown:
        wanted.setdefault(_folded(one), []).append(one)
    found: dict[str, list[str]] = {}
    for one in roster:
        for alike in wanted.get(_folded(one), ()):
            found.setdefault(alike, []).append(one)
    return found


def _folded(text: str) -> str:
    """An id without what gets lost on its way through a spreadsheet."""
    plain = unicodedata.normalize("NFKC", text).casefold().removesuffix(".0")
    return _SIGNS.sub("", _LOST_ZEROS.sub("", plain)) or plain
