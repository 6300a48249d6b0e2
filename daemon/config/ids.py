"""One form of every id, so that the same one is met in all files, in the configuration and in the store."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))


def id_form(text: str) -> str:
    """Return an id half-width (NFKC), with plain hyphens, without marks nobody can see and blanks around it."""
    if text.isascii():
        return text.strip()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_DASHES).strip()
