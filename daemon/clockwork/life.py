"""`baoxue run`: from the configuration to a serving daemon, and back to nothing."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import Empty

import structlog
from prometheus_client import ProcessCollector

from daemon.app import open_house, refuse_faults
from daemon.clock import ClockDoubt, SteadyClock, seconds_since_boot
from daemon.clockwork.clock_guard import ClockGuard
from daemon.clockwork.memory import collect_seldom, give_back, spare, take_short_turns
from daemon.clockwork.pools import Pools
from daemon.clockwork.reload import Reload
from daemon.clockwork.resuming import go_on
from daemon.clockwork.signals import Heard, hearing
from daemon.clockwork.startup import poll_all, prepare, take_back_leases
from daemon.clockwork.works import PERIOD, Works
from daemon.config import Config, ConfigError, Problem, load_config
from daemon.console.app import build_console
from daemon.console.ready import Vitals
from daemon.console.server import ConsoleServer, bind
from daemon.desk.linking import leads_nowhere
from daemon.jobs.house import House
from daemon.log_lines import LineWriter
from daemon.logs import log_what_nobody_catches, set_up_logs
from daemon.providers import CHANNELS
from daemon.store.engine_errors import store_fault
from daemon.store.faults import StoreGone
from daemon.store.key_checks import check_keys, record_keys
from daemon.store.keys import KEY_HINT, KeyringError
from daemon.systemd import Watch

log = structlog.get_logger()

DONE, FAILED, WRONG = 0, 1, 2

PATIENCE = dt.timedelta(seconds=60)
"""How long the start waits for a feed."""

LAST_CALL_SECONDS = 4.0
"""How long a stop waits for what is under way; what is abandoned then is taken up again at the next start."""
SENDING_SECONDS = 60.0
"""How long it waits for messages under way: one that is abandoned may have arrived, and is sent again."""

BEAT_SECONDS = 5.0
JUMP_SECONDS = 2.0
"""The machine's clock and one that nobody sets part by more than this within a beat: somebody set the clock."""


def run(config_path: Path, environ: Mapping[str, str] = os.environ) -> int:
    """Run the daemon of the configuration at `config_path` until SIGTERM or SIGINT; the exit status.

    0 stopped; 1 failed by what may pass or is mended elsewhere (the database out of reach, the port taken, another
    daemon, a full disk), so that it may be started again; 2 the configuration is wrong. Faults go to standard error
    as lines. To be called in the main thread. Where work had to be abandoned the process ends here, without return:
    its threads could not be waited for.
    """
    spare()
    collect_seldom()
    take_short_turns()
    watch = Watch(environ)
    try:
        config = load_config(config_path, environ)
        lines = LineWriter(sys.stderr.fileno())
        set_up_logs(as_json=not sys.stderr.isatty(), handler=lines)
        lines.lost = lambda count: log.warning("log lines were dropped, for nobody took them", count=count)
        log_what_nobody_catches()
        refuse_faults(config)
        with ExitStack() as held:
            if leads_nowhere(config):
                log.error("console.public_url is not set: nobody can follow the links of messages", see="baoxue check")
            held.callback(lines.close)
            clock = SteadyClock()
            house = _open(config, held, clock)
            house.metrics.log_lines_dropped.set_function(lambda: lines.dropped)
            door = _bind(config, held)
            with hearing() as heard:
                return _live(house, ClockGuard(house, clock), door, watch, environ, heard, lines)
    except ConfigError as error:
        return _refused(error.problems, WRONG)
    except KeyringError as error:
        return _refused([Problem(str(config_path), None, "privacy.key_file", error.fault, KEY_HINT)], WRONG)
    except CannotListen as error:
        return _refused([Problem(str(config_path), None, "console.listen", str(error), error.hint)], FAILED)
    except Exception as error:
        fault = store_fault(error)
        if fault is None:
            raise
        return _refused([Problem(str(config_path), None, "service.database", str(fault))], FAILED)


def _refused(problems: Sequence[Problem], code: int) -> int:
    """Say every problem to whoever started it, as every command says them; the exit status."""
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - see above
    return code


# ---- from the configuration to a house ----------------------------------------------------------------------------


def _open(config: Config, held: ExitStack, clock: SteadyClock) -> House:
    """The house with its store claimed and at the newest schema."""
    house = open_house(config, clock=clock)
    held.callback(house.store.close)
    held.callback(_close_channels, house)
    # Claimed before it is upgraded: the daemon that may be running works on the schema as it is.
    house.store.claim_single_writer()
    house.store.upgrade(lambda revision: log.info("upgrading the store", revision=revision))
    with house.store.read() as tx:
        check_keys(tx)
    house.store.commit(record_keys)
    ProcessCollector(registry=house.metrics.registry)
    return house


def _close_channels(house: House) -> None:
    for notifier in house.notifiers.values():
        notifier.close()


class CannotListen(Exception):  # noqa: N818 - it may be free at the next start
    """The console's address cannot be listened on now."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot be listened on: {error.strerror or 'no such address'}")
        self.hint = "another program may hold that port; choose another one"


def _bind(config: Config, held: ExitStack) -> socket.socket:
    try:
        door = bind(config.console.address)
    except OSError as error:
        raise CannotListen(error) from None
    held.callback(door.close)
    return door


# ---- life -----------------------------------------------------------------------------------------------------------


def _live(
    house: House,
    guard: ClockGuard,
    door: socket.socket,
    watch: Watch,
    environ: Mapping[str, str],
    heard: Heard,
    lines: LineWriter,
) -> int:
    pools = Pools.of(len(house.config.feed), CHANNELS)
    vitals = Vitals(house)
    works = Works(house, vitals, watch, pools, Reload(house, vitals, watch, environ), guard, _period(watch))
    server = ConsoleServer(build_console(house, vitals), door)
    gone: StoreGone | None = None
    try:
        if _start(house, guard, works, pools, watch, heard):
            server.start()
            watch.tell("READY=1", f"STATUS=serving on {server.address}")
            log.info("serving", on=server.address, feeds=len(house.config.feed), channels=sorted(house.notifiers))
            resume = partial(go_on, house, guard, works, pools, PATIENCE, lambda: heard.ends > 0)
            gone = _wait(house, guard, works, resume, heard)
            if gone is not None:
                works.stop()
                vitals.store.tell_gone(gone, house.clock())
                _wait_for_a_file(house, watch, heard)
    finally:
        watch.tell("STOPPING=1", "STATUS=stopping")
        log.info("stopping")
        works.stop()
        server.stop()
        ended = pools.end_within(LAST_CALL_SECONDS, SENDING_SECONDS)
        ended &= server.ended_within(1)
    if gone is not None:
        _leave(lines, FAILED)  # without closing: SQLite would remove the log of a file put in place of ours
    if not ended:
        log.warning("stopped with work under way, which is taken up at the next start")
        house.store.close()
        _leave(lines, DONE)
    log.info("stopped")
    return DONE


def _period(watch: Watch) -> dt.timedelta:
    """How often to sweep at least: three times in what systemd waits for a sign of life."""
    return PERIOD if watch.owed_seconds is None else min(PERIOD, dt.timedelta(seconds=watch.owed_seconds / 3))


def _start(house: House, guard: ClockGuard, works: Works, pools: Pools, watch: Watch, heard: Heard) -> bool:
    """Hear all feeds, prepare, start the works; False when asked to stop meanwhile.

    While the clock is in doubt nothing is prepared: see `go_on`.
    """
    take_back_leases(house)
    guard.begin()

    def stage(feeds: Sequence[str]) -> None:
        log.info("polling before the start", feeds=feeds)
        extended = int((PATIENCE.total_seconds() + 30) * 1_000_000)
        watch.tell(f"EXTEND_TIMEOUT_USEC={extended}", "STATUS=polling every feed once")

    doubt = guard.look()
    if doubt is not ClockDoubt.BEHIND:
        poll_all(house, works.poll, pools.poll.threads, PATIENCE, stage, lambda: heard.ends > 0)
    if heard.ends:
        return False
    if guard.look() is None and doubt is None:  # else not every feed was heard
        prepare(house, house.clock())
        guard.judging.set()
    give_back()
    works.start()
    return True


def _wait(house: House, guard: ClockGuard, works: Works, resume: Callable[[], None], heard: Heard) -> StoreGone | None:
    """Hear signals until one says stop, or until the database file is gone, which is returned.

    Meanwhile see that the clock runs as clocks do.
    """
    wall, steady = guard.reading().wall, seconds_since_boot()
    while True:
        try:
            number = heard.numbers.get(timeout=BEAT_SECONDS)
        except Empty:
            number = None
        if number == signal.SIGHUP:
            works.reread()
        elif number is not None:
            return None
        try:
            house.store.check_file()
        except StoreGone as fault:
            return fault
        now, ticks = guard.reading().wall, seconds_since_boot()
        jumped = (now - wall).total_seconds() - (ticks - steady)
        doubt = guard.look()
        if abs(jumped) > JUMP_SECONDS:
            log.warning("the clock was set", seconds=round(jumped))
            works.jump()
        if doubt is None and not guard.judging.is_set():
            resume()
        wall, steady = now, ticks


def _wait_for_a_file(house: House, watch: Watch, heard: Heard) -> None:
    """Serve on, unready and doing nothing, until a database file is there again, to be begun with anew, or a signal.

    Whoever looks at /readyz finds out why, and a backup can be restored meanwhile.
    """
    house.store.release_claim()
    while not house.store.is_file_there():
        watch.tell("WATCHDOG=1")
        try:
            if heard.numbers.get(timeout=BEAT_SECONDS) != signal.SIGHUP:
                return
        except Empty:
            continue


def _leave(lines: LineWriter, code: int) -> None:
    """End without waiting for threads that hang in a feed or a channel: their leases end, and all is done again."""
    lines.close()
    os._exit(code)
