"""What a terminal of any locale is told and types: never a traceback for a character it has not."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from daemon.cli.faults import refuse

_HINT = "set LC_ALL=C.UTF-8"


def open_closed_streams() -> None:
    """Let standard output and error that were closed before the start take what is written, and keep none of it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = io.BufferedWriter(io.FileIO(os.devnull, "w"))
            setattr(sys, name, io.TextIOWrapper(nowhere, encoding="utf-8"))


def print_in_any_locale() -> None:
    """Let standard output and error write what their character set lacks as its code point, and never fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_utf8() -> None:
    """Let standard output be UTF-8 from now on, whatever the locale: it is going to be read by a program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def typed_words(words: Sequence[str]) -> list[str]:
    """Return the words of a command line as text; Refusal for bytes that are text neither in the locale nor UTF-8."""
    return [_as_text(number, word) for number, word in enumerate(words, start=1)]


def _as_text(number: int, word: str) -> str:
    if word.isascii() or not any("\ud800" <= character <= "\udfff" for character in word):
        return word
    try:
        return os.fsencode(word).decode("utf-8")
    except UnicodeDecodeError:
        raise refuse("", f"word {number} of the command is no text in this terminal's character set", _HINT) from None


def is_of_the_locale(error: UnicodeEncodeError) -> bool:
    """Return whether text could not be given to the system because its locale lacks the character."""
    return sys.getfilesystemencoding() != "utf-8" and error.encoding.lower() == _codec(sys.getfilesystemencoding())


def refused_by_the_locale(error: UnicodeEncodeError) -> tuple[str, str]:
    """Return the fault and the hint for whoever set the locale."""
    return f"a path cannot be written in the character set of this locale ({error.encoding})", _HINT


def _codec(name: str) -> str:
    """Return what Python's errors call a character set."""
    try:
        "\ud800".encode(name)
    except UnicodeEncodeError as error:
        return error.encoding.lower()
    return name
