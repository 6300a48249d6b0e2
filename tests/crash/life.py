"""A daemon's life in a process of its own, forked from one that has its modules loaded: many lives in little time."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Self

from tests.crash import deaths

KILLED = -signal.SIGKILL
PATIENCE = 40
"""Seconds; a busy machine is slow, and what does not come about never does."""

_numbers = count(1)


def until(found: Callable[[], Any], said: Callable[[], str], within: float = PATIENCE) -> Any:  # noqa: ANN401
    """What `found` gives as soon as it is true; AssertionError with what is `said` when it is not in time."""
    end = time.monotonic() + within
    pause = threading.Event()
    while not (value := found()):
        assert time.monotonic() < end, f"did not come about in time: {said()}"
        pause.wait(0.01)
    return value


@dataclass(frozen=True)
class Ways:
    """What is other than in a real life: clocks short enough for a test, a death arranged, what may be full."""

    death: tuple[str, int] | None = None
    retry: float = 0.2
    longest_retry: float = 0.8
    lease: float | None = None
    trouble: str | None = None
    """A pragma under which every transaction runs while the file `trouble` is beside the configuration."""


def live(config: str, log: str, ways: Ways) -> None:
    """Be a daemon; the target of a new process."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 2)
    os.environ["PYTHONWARNINGS"] = "default"
    _shorten(ways)
    if ways.trouble is not None:
        _make_troubled(Path(config).with_name("trouble"), ways.trouble)
    if ways.death is not None:
        deaths.arrange(*ways.death)
    from daemon.clockwork import run  # noqa: PLC0415 - only in the child

    sys.exit(run(Path(config)))


def _shorten(ways: Ways) -> None:
    from daemon.jobs import outcomes, send  # noqa: PLC0415 - only in the child

    outcomes.FIRST_RETRY = dt.timedelta(seconds=ways.retry)
    outcomes.LONGEST_RETRY = dt.timedelta(seconds=ways.longest_retry)
    outcomes.DOUBTED_PAUSES = (dt.timedelta(seconds=ways.longest_retry),) * 1000
    lease = ways.lease
    if lease is not None:
        send.LEASE = dt.timedelta(seconds=lease)


def _make_troubled(sign: Path, pragma: str) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - only in the child

    def begun(connection: sa.Connection) -> None:
        name, bad, good = pragma.split()
        connection.exec_driver_sql(f"PRAGMA {name}={bad if sign.exists() else good}")

    sa.event.listen(sa.Engine, "begin", begun)


@cache
def _nursery() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["daemon.clockwork", "uvicorn", "alembic.op", "daemon.jobs.send"])
    return context


class Life:
    """One daemon over `config`; leave the context and it is stopped, and must have ended well."""

    def __init__(self, config: Path, ways: Ways | None = None) -> None:
        self._log = config.with_name(f"life-{next(_numbers)}.log")
        self.process = _nursery().Process(target=live, args=(str(config), str(self._log), ways or Ways()))
        self.process.start()

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def lines(self, event: str, **facts: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """The lines of its log that say so."""
        said = [json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in said if {"event": event, **facts}.items() <= line.items()]

    def says(self, event: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
        """The first line of its log that says so, waiting for it."""
        found: list[dict[str, Any]] = until(lambda: self.lines(event, **facts), lambda: f"{event!r} in\n{self.log}")
        return found[0]

    def waits_for(self, found: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is waited for
        """What `found` gives as soon as it is true, while it lives."""

        def seen() -> Any:  # noqa: ANN401 - likewise
            assert self.process.is_alive(), f"ended with {self.process.exitcode}:\n{self.log}"
            return found()

        return until(seen, lambda: f"the log says\n{self.log}")

    def ends(self) -> int:
        """Wait for its end; its exit status, below zero for a signal."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, f"lives on:\n{self.log}"
        return self.process.exitcode

    def dies(self) -> None:
        """Kill it where it stands."""
        self.process.kill()
        assert self.ends() == KILLED, self.log

    def stops(self) -> int:
        """Ask it to stop, and wait."""
        self.process.terminate()
        return self.ends()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.process.is_alive():
            if kind is None:
                assert self.stops() == 0, self.log
            else:
                self.process.kill()
                self.process.join(PATIENCE)
        self.process.close()
