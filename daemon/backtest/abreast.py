"""Replays the groups of a history abreast, one process a core; the history itself is shared, not sent."""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from rules.backtest.cells import Group
from rules.backtest.replay import Part, Replayed, groups_of, put_together, replay_group
from rules.history import History
from rules.laws import Laws


@dataclass(frozen=True)
class _Task:
    """What every process is born with."""

    groups: Sequence[Group]
    laws: Laws
    until: dt.datetime
    mass_absence_share: float
    looked_at: Sequence[str]

    def part(self, number: int) -> Part:
        """Replay one group."""
        group = self.groups[number]
        return replay_group(
            group, self.laws, self.until, mass_absence_share=self.mass_absence_share, looked_at=self.looked_at
        )


_task: _Task | None = None


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE, _PLENTY = 1 << 25, 1 << 28
"""Bytes: from where on memory is had by itself, the most the C library takes; and how much of the rest is kept."""


def _settle_in() -> None:
    """Keep memory that was used once, and collect nothing: such a process is over in half a minute."""
    gc.disable()
    with suppress(OSError, AttributeError):  # another C library than glibc
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_TRIM_THRESHOLD, _PLENTY)


def _part(number: int) -> Part:
    assert _task is not None
    return _task.part(number)


def replay_abreast(
    history: History,
    laws: Laws,
    until: dt.datetime,
    *,
    mass_absence_share: float = 0.5,
    looked_at: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    workers: int | None = None,
) -> Replayed:
    """What `rules.backtest.replay.replay` gives, sooner where there are several groups and cores."""
    global _task  # noqa: PLW0603 - what a forked process finds in place is not copied; a history is too large to send
    _task = _Task(list(groups_of(history)), laws, until, mass_absence_share, looked_at)
    gc.freeze()  # a history is hundreds of thousands of small things that live on: looking through them takes seconds
    count = min(workers or os.cpu_count() or 1, len(_task.groups))
    try:
        parts = _alone(_task, history, progress) if count < 2 else _abreast(_task, history, count, progress)  # noqa: PLR2004 - one is alone
    finally:
        _task = None
        gc.unfreeze()
    return put_together(history, laws, parts, looked_at)


def _alone(task: _Task, history: History, progress: Callable[[int, int], None]) -> list[Part]:
    parts: list[Part] = []
    for number in range(len(task.groups)):
        parts.append(task.part(number))
        progress(sum(len(part.rows) for part in parts), len(history.students))
    return parts


def _abreast(task: _Task, history: History, count: int, progress: Callable[[int, int], None]) -> list[Part]:
    fork = multiprocessing.get_context("fork")
    parts: list[Part] = []
    with ProcessPoolExecutor(count, mp_context=fork, initializer=_settle_in) as pool:
        for part in pool.map(_part, range(len(task.groups))):
            parts.append(part)
            progress(sum(len(one.rows) for one in parts), len(history.students))
    return parts
