"""Debian's prometheus-alertmanager, given as many alerts as there are webhooks to be sent, each a group of its own."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from bench.ground.hooks import QUICK, Got, Receiver
from daemon.clock import wall_clock

COMMAND = "prometheus-alertmanager"
_CONFIG = """
route:
  receiver: hook
  group_by: [id]
  group_wait: 0s
receivers:
- name: hook
  webhook_configs:
  - url: http://127.0.0.1:{port}/{path}
    send_resolved: false
"""
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Run:
    """When it was given the alerts, what came of them, and the most memory it ever held, in bytes."""

    due: float
    got: list[Got]
    peak: float


def is_here() -> bool:
    """Whether there is one on this machine."""
    return shutil.which(COMMAND) is not None


def runs(folder: Path, hearing: Receiver, count: int) -> Run:
    """One run of a new one, in `folder`."""
    with _alertmanager(folder, hearing.port) as (process, url):
        body = json.dumps([_alert(n, wall_clock()) for n in range(count)]).encode()
        hearing.got()
        due = time.time()
        _ask(url + "/api/v2/alerts", body)
        got = hearing.waits_for(count)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    return Run(due, got, peak)


@contextmanager
def _alertmanager(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    config, log = folder / "alertmanager.yml", folder / "alertmanager.log"
    config.write_text(_CONFIG.format(port=port, path=QUICK), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {"config.file": config, "storage.path": folder / "alertmanager", "web.listen-address": address}
    command = [COMMAND, *(f"--{name}={value}" for name, value in options.items()), "--cluster.listen-address="]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:  # noqa: S603 - ours
        try:
            _wait_until_ready(f"http://{address}", process)
            yield process, f"http://{address}"
        finally:
            process.terminate()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            return _ask(url + "/-/ready")
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{COMMAND} did not start")


def _ask(url: str, body: bytes | None = None) -> None:
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own
    with urllib.request.urlopen(asked, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - likewise
        if answer.status != HTTPStatus.OK:
            raise urllib.error.URLError(answer.status)


def _alert(n: int, now: dt.datetime) -> dict[str, object]:
    labels = {"alertname": "report", "id": f"{n}", "case": f"2026-{n:06}", "school": "学校", "town": "镇"}
    return {"labels": labels, "annotations": {"days_absent": "2"}, "startsAt": now.isoformat()}
