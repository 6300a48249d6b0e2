"""Where a daemon can be made to die: named points of the way of one mark, without a hook in what is tried."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any


@dataclass(frozen=True)
class Point:
    """A function at whose end, or before which, a daemon may die; calls that do nothing do not count."""

    module: str
    name: str
    before: bool = False
    counts: Callable[[Any, tuple[Any, ...], dict[str, Any]], bool] = lambda *_: True


def _something(result: Any, _args: tuple[Any, ...], _named: dict[str, Any]) -> bool:  # noqa: ANN401 - whatever it is
    return bool(result)


def _fetched(result: Any, _args: tuple[Any, ...], _named: dict[str, Any]) -> bool:  # noqa: ANN401 - likewise
    return bool(result[0])


def _news(_result: Any, args: tuple[Any, ...], _named: dict[str, Any]) -> bool:  # noqa: ANN401 - likewise
    return bool(args[1].taken.counts)


def _outcomes(_result: Any, args: tuple[Any, ...], _named: dict[str, Any]) -> bool:  # noqa: ANN401 - likewise
    return bool(args[1])


POINTS = {
    "migrating": Point("alembic.op", "create_table"),
    "freed": Point("daemon.clockwork.life", "take_back_leases"),
    "polled": Point("daemon.jobs.poll", "fetch", counts=_fetched),
    "recording": Point("daemon.jobs.poll", "_record_batch", counts=_something),
    "recorded": Point("daemon.jobs.poll", "_save", before=True, counts=_news),
    "kept": Point("daemon.jobs.poll", "_save", counts=_news),
    "prepared": Point("daemon.clockwork.life", "prepare"),
    "decided": Point("daemon.jobs.apply", "write_decisions", counts=_something),
    "committed": Point("daemon.jobs.sweep", "apply_decisions", counts=_something),
    "claimed": Point("daemon.store.sending", "claim", counts=_something),
    "started": Point("daemon.jobs.send", "_start", counts=_something),
    "sent": Point("daemon.jobs.send", "_hand_over"),
    "settling": Point("daemon.store.sending", "settle", counts=_outcomes),
    "settled": Point("daemon.jobs.send", "_settle", counts=_outcomes),
}
"""In the order in which a mark passes them. What ends in "-ing", decided and claimed lie inside a transaction."""


def arrange(name: str, nth: int) -> None:
    """Let this process be killed the `nth` time it comes to a point."""
    point = POINTS[name]
    module = importlib.import_module(point.module)
    lived: Callable[..., Any] = getattr(module, point.name)
    numbers = count(1)

    def dies(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it was
        result = None if point.before else lived(*args, **named)
        if point.counts(result, args, named) and next(numbers) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return lived(*args, **named) if point.before else result

    setattr(module, point.name, dies)
