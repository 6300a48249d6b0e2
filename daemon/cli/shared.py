"""What commands share: `--config` and `--json`, the configuration, an open house, progress on a terminal."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from daemon.cli.faults import PROGRAM, refuse
from daemon.cli.language import worded
from daemon.store.faults import StoreMissing

if TYPE_CHECKING:
    from rich.progress import Progress

    from daemon.config import Config
    from daemon.jobs.house import House
    from daemon.store.database_file import Opening
    from daemon.store.engine import Store

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULTS = (Path("config.toml"), Path("/etc/baoxue/config.toml"))
MOMENT = 1.8
"""In seconds: whoever waits longer is told what for."""
_CONFIG, _JSON, _PATIENCE = "baoxue.config", "baoxue.json", "baoxue.patience"
HINT_BEHIND = "set the clock of the machine; if it is right: baoxue clock accept --by WHO"


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's own
        if value:
            ctx.meta[key] = value

    return keep


def configured(command: Command) -> Command:
    """Give a command `--config FILE`; it may stand before or after the command's name."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=_keep(_CONFIG),
        expose_value=False,
        help="The configuration (default: config.toml, then /etc/baoxue/config.toml).",
    )(command)


def printing(command: Command) -> Command:
    """Give a command that prints records `--config FILE` and `--json`."""
    return click.option(
        "--json",
        is_flag=True,
        callback=_keep(_JSON),
        expose_value=False,
        help="Print one JSON document.",
    )(configured(command))


def either_or(names: str, to: str, **rest: Any) -> Callable[[Command], Command]:  # noqa: ANN401 - click's own
    """Give a command an option `--this/--that` of which just one must be typed; neither is meant by silence.

    click takes a default of None for an answer to what is required, and passes it on as if "no" had been said.
    """

    def said(ctx: click.Context, param: click.Parameter, typed: tuple[bool, ...]) -> bool:
        both = " / ".join(names.split("/"))
        if not typed:
            raise click.MissingParameter(ctx=ctx, param=param, param_hint=both)
        if len(set(typed)) > 1:
            raise click.UsageError(worded(f"只能选一个：{both}", f"only one can be meant of {both}"), ctx)
        return typed[0]

    return click.option(names, to, multiple=True, default=(), callback=said, **rest)


def as_json() -> bool:
    """Whether records are to be printed as JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def config_if_any() -> Path | None:
    """The configuration file named, or the one that is where it is looked for; None where there is none."""
    named = click.get_current_context().meta.get(_CONFIG)
    assert named is None or isinstance(named, Path)
    return named or next((path for path in DEFAULTS if path.is_file()), None)


def config_path() -> Path:
    """The configuration file to read; Refusal when none was named and none is where it is looked for."""
    found = config_if_any()
    if found is None:
        hint = "copy config.example.toml to config.toml, or name yours with --config FILE"
        raise refuse("--config", "there is no config.toml here and no /etc/baoxue/config.toml", hint)
    return found


def the_config() -> Config:
    """The configuration, whole and checked; raises ConfigError with every problem."""
    from daemon.config import load_config  # noqa: PLC0415 - pydantic, for commands that need it

    return load_config(config_path(), os.environ)


@contextmanager
def open_store_of(config: Config, opening: Opening | None = None) -> Iterator[Store]:
    """Open the district's store, whatever its schema, and close it afterwards; StoreMissing where there is none.

    With `opening` it may be made.
    """
    from daemon.store.database_file import Opening  # noqa: PLC0415
    from daemon.store.engine import open_store  # noqa: PLC0415
    from daemon.vault import keyring_of  # noqa: PLC0415 - for commands that need it

    quiet_logs()
    store = open_store(
        config.database_url,
        config.service.district,
        keyring_of(config),
        state_dir=config.base,
        opening=opening or Opening.EXISTING,
    )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def the_house(config: Config | None = None, *, makes_store: bool = False, writes: bool = False) -> Iterator[House]:
    """Open the house of the configuration, beside a running daemon; StoreMissing where there is no store.

    With `makes_store` an empty store is made, with its tables.
    What `writes` is refused while the clock is behind: it would be dated before what it is about.
    """
    from daemon.app import house_for_command  # noqa: PLC0415 - the house, for commands that need it
    from daemon.store.database_file import Opening  # noqa: PLC0415 - likewise
    from daemon.store.key_checks import check_keys, record_keys  # noqa: PLC0415 - likewise

    quiet_logs()
    opening = Opening.FIRST if makes_store else Opening.EXISTING
    with house_for_command(config or the_config(), opening=opening) as house:
        _with_tables(house.store, makes_store=makes_store)
        with house.store.read() as tx:
            check_keys(tx)
        if makes_store:
            house.store.commit(record_keys)
        if writes and (fault := _behind(house)) is not None:
            raise refuse("clock", fault, HINT_BEHIND, code=1)
        with patience(worded("正在处理", "working"), silent=not sys.stderr.isatty()):
            yield house


def _with_tables(store: Store, *, makes_store: bool) -> None:
    if store.revision() is None:
        if not makes_store:
            raise StoreMissing("there is no store in this database yet")
        store.upgrade()
    elif not store.at_head():
        raise refuse("service.database", "its tables are of an older version", "run: baoxue db upgrade", code=1)


def _behind(house: House) -> str | None:
    from daemon.jobs.clock_doubts import fault_of_clock  # noqa: PLC0415 - as above

    with house.store.read() as tx:
        return fault_of_clock(tx, house.clock())


def called_as(program: str | None = None) -> str:
    """Give the command that calls this baoxue again from here: `baoxue` where PATH finds this one, else its path."""
    program = sys.argv[0] if program is None else program
    script = Path(program)
    if script.stem == "__main__":
        return f"{shlex.quote(sys.executable)} -m {script.resolve().parent.name}"
    found = shutil.which(PROGRAM)
    if not script.is_file() or (found and Path(found).resolve() == script.resolve()):
        return PROGRAM
    path = script.absolute()
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def quiet_logs() -> None:
    """Only warnings, on standard error."""
    from daemon.logs import set_up_logs  # noqa: PLC0415

    set_up_logs(as_json=False, level=logging.ERROR)


@contextmanager
def progress_bars(doing: str) -> Iterator[Progress]:
    """Show progress of `doing` on standard error while it is a terminal; else say so once it has taken a while."""
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(file=sys.stderr)
    columns = (TextColumn(doing, markup=False), BarColumn(), TextColumn("{task.fields[doing]}"), TimeElapsedColumn())
    bars = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
    with bars, patience(doing, silent=console.is_terminal):
        yield bars


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Say on standard error what is being done if it takes longer than a moment."""
    with patience(doing):
        yield


@contextmanager
def patience(doing: str, *, silent: bool = False) -> Iterator[None]:
    """Say once, after a moment, that work goes on, and what is done; nothing where it is over by then."""

    def say_so() -> None:
        click.echo(f"{doing} …", err=True)

    meta = click.get_current_context().meta
    outer: threading.Timer | None = meta.get(_PATIENCE)
    if outer is not None:
        outer.cancel()  # what is done within it is said more exactly
    timer = meta[_PATIENCE] = threading.Timer(MOMENT, say_so)
    timer.daemon = True
    if not silent:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
