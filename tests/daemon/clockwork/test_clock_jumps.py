"""A clock that is set while the daemon runs: everything looks again within a beat."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon.clockwork import life


@pytest.mark.parametrize("jump", [dt.timedelta(hours=49), -dt.timedelta(hours=3)], ids=["ahead", "back"])
def test_a_clock_that_jumps_wakes_everybody(monkeypatch: pytest.MonkeyPatch, jump: dt.timedelta) -> None:
    monkeypatch.setattr(life, "BEAT_SECONDS", 0.02)
    heard = life.Heard()
    jumped = threading.Event()
    offset = dt.timedelta(0)

    def jumps() -> None:
        jumped.set()
        heard.numbers.put(signal.SIGTERM)

    there = SimpleNamespace(check_file=lambda: None)
    house = SimpleNamespace(clock=lambda: dt.datetime.now(dt.UTC) + offset, store=there)
    works = SimpleNamespace(jump=jumps)
    waiting = threading.Thread(target=life._wait, args=(cast("Any", house), cast("Any", works), heard), daemon=True)
    waiting.start()
    assert not jumped.wait(0.3)
    offset = jump
    assert jumped.wait(40)
    waiting.join(40)
    assert not waiting.is_alive()
