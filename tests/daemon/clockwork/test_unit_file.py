"""The units for systemd, as systemd itself sees them; tests/deploy runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "deploy"
UNIT = DEPLOY / "baoxue.service"
EXPOSURE = 2.0

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")


def asked(*words: str) -> str:
    assert analyze is not None
    done = subprocess.run([analyze, *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_finds_no_fault_with_them(tmp_path: Path) -> None:
    units = [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]
    assert len(units) == 3
    for unit in units:
        text = unit.read_text(encoding="utf-8").replace("/opt/baoxue/current/bin/baoxue", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    said = asked("verify", *(str(tmp_path / unit.name) for unit in units)).splitlines()
    assert [line for line in said if "baoxue" in line] == []


@needs_systemd
@pytest.mark.parametrize("unit", ["baoxue.service", "baoxue-backup.service"])
def test_it_is_hardened(unit: str) -> None:
    found = re.search(r"exposure level for \S+: (\d+\.\d)", asked("security", "--offline=true", str(DEPLOY / unit)))
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
        "StartLimitIntervalSec=0",
        "User=baoxue",
    ):
        assert line in lines
