"""The unit for systemd, as systemd itself sees it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[3] / "deploy" / "baoxue.service"
EXPOSURE = 2.0

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")


def asked(*words: str) -> str:
    assert analyze is not None
    done = subprocess.run([analyze, *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_finds_no_fault_with_it(tmp_path: Path) -> None:
    there = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/opt/baoxue/bin/baoxue run", "/bin/true run")
    there.write_text(text, encoding="utf-8")
    assert [line for line in asked("verify", str(there)).splitlines() if UNIT.name in line] == []


@needs_systemd
def test_it_is_hardened() -> None:
    found = re.search(r"exposure level for \S+: (\d+\.\d)", asked("security", "--offline=true", str(UNIT)))
    assert found is not None
    assert float(found[1]) <= EXPOSURE


def test_it_says_what_the_daemon_relies_on() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    for line in (
        "Wants=network-online.target time-sync.target",
        "After=network-online.target time-sync.target postgresql.service",
        "Type=notify",
        "WatchdogSec=5min",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=always",
        "RestartPreventExitStatus=2",
        "StartLimitIntervalSec=0",
        "StateDirectory=baoxue",
        "LoadCredential=baoxue.key:/etc/baoxue/credentials/baoxue.key",
    ):
        assert line in lines
