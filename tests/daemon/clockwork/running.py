"""A real daemon in a process of its own, over file feeds in a folder; its log, its door and its notify socket."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[3]
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)
TOWN_PHONE, OFFICE_PHONE, HEAD_PHONE = "+8613800000001", "+8613800000002", "+8613800000003"
OFFICE_MAIL = "office@example.org"
NAME = "欧阳不可见"
"""The child's name; it must never stand in a log."""

_ALL = object()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


PATIENCE = 90
"""Seconds; a busy machine is slow, and what does not come about never does."""


def until(found: Callable[[], Any], within: float = PATIENCE) -> Any:  # noqa: ANN401 - whatever is waited for
    """What `found` gives as soon as it is true; AssertionError when it is not within so many seconds."""
    end = time.monotonic() + within
    pause = threading.Event()
    while not (value := found()):
        assert time.monotonic() < end, "did not come about in time"
        pause.wait(0.02)
    return value


def folders(tmp_path: Path) -> Iterator[tuple[Path, float]]:
    """Folders to try in, each with seconds until a report is due; on a busy machine the first may be too few.

    For whoever has to do something before the report: was it done too late, nothing is shown, and the next is tried.
    """
    for seconds in (8, 40):
        folder = tmp_path / f"{seconds}s"
        folder.mkdir()
        yield folder, seconds


@dataclass
class Place:
    """A small district in a folder: one school at noon, wherever that is now; one child; a town, an office.

    The child is absent since `began`, the start of the session in progress; its report is due at `due`.
    """

    folder: Path
    sms: str
    mail_port: int | None = None
    due_in: float = 3
    extra: str = ""
    feeds: str = ""
    poll: str = "1h"
    children: int = 1
    due: dt.datetime = field(init=False)

    def __post_init__(self) -> None:
        self.due = (now() + dt.timedelta(seconds=self.due_in)).replace(microsecond=0) + SECOND
        self.began = self.due - HOUR
        offset = 12 - self.due.hour
        self.zone = ZoneInfo(f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT")
        self._roster()
        key = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
        (self.folder / "baoxue.key").write_text(key, encoding="utf-8")
        (self.folder / "baoxue.key").chmod(0o600)
        (self.folder / "rules.toml").write_text(_RULE, encoding="utf-8")
        self.config.write_text(self._toml(), encoding="utf-8")

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def day(self) -> dt.date:
        return self.began.astimezone(self.zone).date()

    def writes(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Put a feed's file in place in one step."""
        unfinished = self.folder / f".{name}.part"
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        unfinished.rename(self.folder / name)

    def marks(self, mark: str, name: str = "marks-1.csv", recorded_at: dt.datetime | None = None) -> None:
        """The roll of the session in progress: one mark for every child."""
        said = (recorded_at or self.began + SECOND).isoformat()
        rows = [(self.child(n), self.day.isoformat(), "noon", mark, said) for n in range(self.children)]
        self.writes(name, ("student_id", "date", "session", "mark", "recorded_at"), rows)

    def child(self, n: int = 0) -> str:
        return f"s-{n:06}"

    def _roster(self) -> None:
        units = [("county", "county", "", "县"), ("t-1", "town", "county", "镇"), ("sch-1", "school", "t-1", "校")]
        units += [("k-1", "class", "sch-1", "班")]
        self.writes("units.csv", ("unit_id", "kind", "parent_id", "name"), units)
        rows = [(self.child(n), f"{NAME}{n}", "k-1", "t-1") for n in range(self.children)]
        self.writes("students.csv", ("student_id", "name", "class_id", "residence_id"), rows)
        contacts = [
            ("town_government", "t-1", "镇长甲", TOWN_PHONE, ""),
            ("education_office", "county", "科长乙", OFFICE_PHONE, OFFICE_MAIL),
            ("town_head", "t-1", "镇领导丙", HEAD_PHONE, ""),
        ]
        self.writes("contacts.csv", ("role", "unit_id", "name", "phone", "email"), contacts)

    def _toml(self) -> str:
        start, end = (self.began + n * HOUR for n in (0, 3))
        mail = "" if self.mail_port is None else _MAIL.format(port=self.mail_port)
        return _CONFIG.format(
            zone=self.zone.key,
            first=self.day - dt.timedelta(days=3),
            last=self.day + dt.timedelta(days=3),
            start=start.astimezone(self.zone).time().isoformat(),
            end=end.astimezone(self.zone).time().isoformat(),
            poll=self.poll,
            feeds=self.feeds,
            sms=self.sms,
            mail=mail,
            channels='["sms", "email"]' if mail else '["sms"]',
            extra=self.extra,
        )


_RULE = """
[[rule]]
id = "absent-48h"
title = { zh = "试", en = "trial" }
when = "absent_days >= 1"
after = "1h"
stage = "reported"
ladder = "statutory"
"""

_CONFIG = """
[service]
district = "610999"
timezone = "{zone}"
database = "sqlite:///baoxue.db"
[calendar]
terms = [{{ from = {first}, to = {last} }}]
weekdays = [1, 2, 3, 4, 5, 6, 7]
holidays = "none"
sessions = [{{ name = "noon", start = {start}, end = {end} }}]
[[feed]]
id = "units"
kind = "file"
records = "units"
path = "units.csv"
[[feed]]
id = "students"
kind = "file"
records = "students"
path = "students.csv"
[[feed]]
id = "contacts"
kind = "file"
records = "contacts"
path = "contacts.csv"
[[feed]]
id = "marks"
kind = "file"
records = "marks"
path = "marks*.csv"
poll = "{poll}"
units = ["sch-1"]
{feeds}
[rules]
files = ["rules.toml"]
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office"]
channels = {channels}
reach = "every"
{extra}
[channels.sms]
url = "{sms}"
{mail}
[privacy]
key_file = "baoxue.key"
[console]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:1"
"""

_MAIL = """
[channels.email]
host = "127.0.0.1"
port = {port}
security = "none"
from = "baoxue <baoxue@example.org>"
timeout = "2s"
"""


@dataclass(frozen=True)
class Answer:
    """What the daemon's door answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class Manager:
    """A service manager's end of the notify socket: what it was told, in order."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "n")
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while states := self._socket.recv(4096):
            self.told += states.decode().splitlines()

    def hears(self, state: str, times: int = 1, within: float = PATIENCE) -> None:
        """Wait until it was told `state` so many times."""
        until(lambda: self.told.count(state) >= times, within)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self._reader.join(5)
        self._socket.close()


def _fill(process: subprocess.Popen[str]) -> None:
    """Leave the pipe of a log full, as a reader does that has stopped."""
    assert process.stderr is not None
    end = os.open(f"/proc/self/fd/{process.stderr.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(end, b"{}\n" * 100)
    except BlockingIOError:
        os.close(end)


class Daemon:
    """`baoxue run` in a process of its own; leave the context and it is stopped, and must have ended well."""

    def __init__(self, place: Place, environ: Mapping[str, str] | None = None, *, reads_log: bool = True) -> None:
        self.place = place
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        code = (
            "import sys; from pathlib import Path; from daemon.clockwork import run; sys.exit(run(Path(sys.argv[1])))"
        )
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", code, str(place.config)],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "default", **(environ or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reads_log:
            self._reader.start()
        else:
            _fill(self.process)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.raw.append(line)
            if line.startswith("{"):
                self.lines.append(json.loads(line))

    def says(self, event: str, within: float = PATIENCE, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
        """The first line of the log that says so, waiting for it."""

        def found() -> dict[str, Any] | None:
            wanted = {"event": event, **facts}
            return next((line for line in self.lines if wanted.items() <= line.items()), None)

        try:
            return dict(until(found, within))
        except AssertionError:
            raise AssertionError(f"never said {event!r}:\n" + "".join(self.raw)) from None

    def serves(self, within: float = PATIENCE) -> Self:
        """Wait until it serves."""
        self.address = self.says("serving", within)["on"]
        return self

    def is_ready(self) -> Self:
        """Wait until it says that it is ready: every feed was asked, and a sweep has ended."""
        until(lambda: self.asks("/readyz").status == 200)
        return self

    def asks(self, path: str, *, method: str = "GET") -> Answer:
        """What its door answers."""
        request = urllib.request.Request(f"http://{self.address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - likewise
                return Answer(response.status, response.read().decode(), dict(response.headers))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.read().decode(), dict(refusal.headers))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self, within: float = PATIENCE) -> int:
        """Wait for its end; its exit status."""
        code = self.process.wait(within)
        self._reader.join(5)
        return code

    def stops(self) -> int:
        """Ask it to stop, and wait."""
        self.signal(signal.SIGTERM)
        return self.ends()

    def dies(self) -> None:
        """Kill it where it stands."""
        self.process.kill()
        self.ends()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.process.poll() is None:
            if kind is None:
                assert self.stops() == 0, "".join(self.raw)
            else:
                self.dies()
        assert self.process.stderr is not None
        self.process.stderr.close()
