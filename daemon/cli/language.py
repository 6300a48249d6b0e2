"""The language of whoever reads the command line: 中文 where the locale says so, else English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TypeAlias

Said: TypeAlias = tuple[str, str]
"""The same words in 中文 and in English."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where a locale says in which language its user reads; the first that is set counts, as for every other program."""


def readers_language(environ: Mapping[str, str] = os.environ) -> Literal["zh", "en"]:
    """Return the language the environment asks for: "zh" for every Chinese, "en" for all others and for none."""
    asked = next((found for name in _VARIABLES if (found := environ.get(name, "").strip())), "")
    return "zh" if asked.lower().startswith("zh") else "en"


def in_words(words: Said) -> str:
    """Return the words in the reader's language."""
    return words[0 if readers_language() == "zh" else 1]


def worded(zh: str, en: str) -> str:
    """Return one of two texts that say the same: the one in the reader's language."""
    return in_words((zh, en))


def word_for(value: object, known: Mapping[str, Said]) -> object:
    """Return a code, or each of several, in the reader's language; one there is no word for, as it is."""
    if isinstance(value, list | tuple):
        return [word_for(one, known) for one in value]
    return in_words(known[value]) if isinstance(value, str) and value in known else value
