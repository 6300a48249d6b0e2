"""The demonstration: an invented county on the real daemon, with real receivers on the loopback and time sped up."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from types import FrameType

from rich.console import Console

from daemon.app import build_house
from daemon.channels import build_notifiers
from daemon.config import Config
from daemon.console.app import build_console
from daemon.console.ready import Vitals
from daemon.console.server import ConsoleServer, bind
from daemon.demo.arrivals import Letterbox
from daemon.demo.board import Spectator
from daemon.demo.clerks import Clerks
from daemon.demo.clock import Pace, VirtualClock
from daemon.demo.county import ENDPOINT, County, invent
from daemon.demo.diary import When, write_diary
from daemon.demo.folder import SECRET, TERM, lay_out
from daemon.demo.gateways import HOOK, SMS, Gateways
from daemon.demo.lines import Lines, closing, opening
from daemon.demo.live import SMALLEST, Picture
from daemon.demo.mail import HOST, MailServer
from daemon.demo.papers import Office
from daemon.demo.stage import Stage
from daemon.demo.tally import summary
from daemon.desk.faults import DeskError
from daemon.jobs.house import House
from daemon.logs import set_up_logs
from daemon.settings import build_calendar
from daemon.store.engine import open_store
from daemon.vault import keyring_of

DONE, FAILED = 0, 1
DAYS = 15

PATIENCE_SECONDS = 70.0
"""Where nobody can press Ctrl-C the play ends after this, however slow the machine."""

_GRACE_SECONDS = 3.0
_CURTAIN = dt.time(18)


def run(seed: int = 1, days: int = DAYS, speed: float = 1.0, keep: Path | None = None, command: str = "baoxue") -> int:
    """Play `days` school days of the county of a `seed`; the exit status.

    On a terminal three weeks take about 75 s at `speed` 1, twice that at 0.5; 0 waits for nothing, and without a
    terminal nothing is ever waited for. `keep` is a new or empty folder that stays afterwards, configuration and all.
    `command` is how baoxue is called on this machine, for the next steps that are shown at the end.
    0 also when stopped by a signal; 1 when something did not arrive as the store says it did. Raises DeskError for
    what cannot be played. To be called in the main thread.
    """
    if not speed >= 0:
        raise DeskError("--speed", "is less than nothing", "1 is the ordinary pace, 0 waits for nothing")
    set_up_logs(as_json=False, level=logging.ERROR)
    with ExitStack() as held:
        folder = _folder(keep, held)
        stopped = held.enter_context(_until_stopped())
        spectator = _spectator(held)
        pace = speed if sys.stdout.isatty() else 0.0
        stage = _set(folder, held, (seed, days, pace), spectator, stopped)
        stage.play()
        with stage.house.store.read() as tx:
            faults = stage.tally.faults(tx, stage.board, stage.letterbox)
        lines = summary(stage.tally, stage.board)
    for line in closing(lines, faults, keep, command):
        _write(line)
    return FAILED if faults else DONE


def _folder(keep: Path | None, held: ExitStack) -> Path:
    if keep is None:
        return Path(held.enter_context(tempfile.TemporaryDirectory(prefix="baoxue-demo-")))
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise DeskError("--keep", "is there already, and not an empty folder", "name a folder that is not there yet")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """Whether the play is to end: somebody said so, or there is no terminal and it took long enough.

    The first signal ends it between two instants, with a summary; the second one at once.
    """
    asked = threading.Event()
    began = time.monotonic()

    def hear(_: int, __: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    patient = sys.stdout.isatty()
    try:
        yield lambda: asked.is_set() or (not patient and time.monotonic() - began > PATIENCE_SECONDS)
    finally:
        for number, heard in before.items():
            signal.signal(number, heard)


def _spectator(held: ExitStack) -> Spectator:
    """A picture where there is room for one, else lines."""
    screen = Console()
    if sys.stdout.isatty() and screen.width >= SMALLEST[0] and screen.height >= SMALLEST[1]:
        return held.enter_context(Picture(screen))
    for line in opening():
        _write(line)
    return Lines(_write)


# ---- the scenery ----------------------------------------------------------------------------------------------------


def _set(
    folder: Path, held: ExitStack, choice: tuple[int, int, float], spectator: Spectator, stopped: Callable[[], bool]
) -> Stage:
    """Everything in its place: county, receivers, house, console. `choice` is seed, days and speed."""
    seed, days, speed = choice
    county = invent(seed)
    clock = VirtualClock(dt.datetime.combine(TERM[0], dt.time(), dt.UTC))
    letterbox = Letterbox(clock)
    door = bind((HOST, 0))
    held.callback(door.close)
    config = _configure(folder, held, county, letterbox, console=f"{HOST}:{door.getsockname()[1]}")
    office = _office(config, county, seed, days)
    clock.now = office.instant(When(0, dt.time(6, 30)))
    house = _open(config, clock, held)
    server = ConsoleServer(build_console(house, Vitals(house)), door)
    server.start()
    held.callback(server.ended_within, _GRACE_SECONDS)
    held.callback(server.stop)
    return Stage(
        house=house,
        clock=clock,
        county=county,
        office=office,
        clerks=Clerks(office.diary, office.zone, seed),
        letterbox=letterbox,
        pace=Pace(office.dates, office.zone, speed),
        spectator=spectator,
        stopped=stopped,
        end=office.instant(When(days - 1, _CURTAIN)),
    )


def _configure(folder: Path, held: ExitStack, county: County, letterbox: Letterbox, *, console: str) -> Config:
    """The folder of a district whose mail, text messages and events go to receivers of our own."""
    mail = held.enter_context(MailServer(letterbox))
    gateways = held.enter_context(Gateways(letterbox, SECRET, ENDPOINT))
    urls = {"sms_url": gateways.url(SMS), "hook_url": gateways.url(HOOK)}
    return lay_out(folder, county, mail_port=mail.port, console=console, **urls)


def _office(config: Config, county: County, seed: int, days: int) -> Office:
    calendar = build_calendar(config)
    columns = calendar.lines[0].columns
    dates = sorted({calendar.session(0, int(column)).date for column in columns})
    if not 1 <= days <= len(dates):
        raise DeskError("--days", "is no part of the term", f"choose from 1 to {len(dates)} school days")
    return Office(county, write_diary(county, days, seed), dates[:days], calendar.zone, seed)


def _open(config: Config, clock: VirtualClock, held: ExitStack) -> House:
    """The house of the daemon, but for its clock and for ids that count, so that a seed tells one story."""
    numbers = count(1)

    def new_id() -> str:
        return f"{next(numbers):032x}"

    keyring = keyring_of(config)
    store = open_store(config.database_url, config.service.district, keyring, state_dir=config.base, new_id=new_id)
    held.callback(store.close)
    store.upgrade()
    notifiers = build_notifiers(config, clock)
    for notifier in notifiers.values():
        held.callback(notifier.close)
    link_keys = [key.key.get_secret_value() for key in config.privacy.keys]
    return build_house(config, store, link_keys=link_keys, notifiers=notifiers, clock=clock, new_id=new_id)
