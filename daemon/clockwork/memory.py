"""How the interpreter and the C library go about memory and threads, so that large deliveries hold up nobody."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import cache

_M_ARENA_MAX = -8
_ARENAS = 2
"""glibc gives each busy thread an arena of its own and rarely takes one back: dozens of threads, dozens of heaps."""

_M_MMAP_THRESHOLD = -3
_LARGE = 128 * 1024
"""Arrays from this size on are mapped by themselves, and gone when freed; glibc would raise the bound to 32 MB."""

_YOUNG, _OLDER = 50_000, 20
_TURN_SECONDS = 0.0005


def spare() -> None:
    """Ask the C library for few heaps; to be called before there are threads. Does nothing where it is not glibc."""
    library = _library()
    if library is not None:
        library.mallopt(_M_ARENA_MAX, _ARENAS)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def collect_seldom() -> None:
    """Look for cycles after many new objects only: a poll makes a hundred thousand that hold none."""
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)


def take_short_turns() -> None:
    """Let threads take turns by the half millisecond: a deadline must not wait while another thread reads a file.

    By default a thread that has waited for the store waits 5 ms more for each turn, dozens of times a sweep.
    """
    sys.setswitchinterval(_TURN_SECONDS)


def give_back() -> None:
    """Collect what is left in cycles and return free pages to the system."""
    gc.collect()
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libc.so.6")
        library.malloc_trim, library.mallopt  # noqa: B018 - looked for, not called
    except (OSError, AttributeError):
        return None
    return library
