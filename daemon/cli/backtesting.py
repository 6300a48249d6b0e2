"""`rules backtest`: what the rules would have done over the past, how early and how often in vain; sends nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.faults import refuse
from daemon.cli.language import worded
from daemon.cli.output import print_json
from daemon.cli.reading import print_refused
from daemon.cli.shared import as_json, printing, progress_bars, quiet_logs, the_config, the_house, working
from daemon.cli.spans import the_span
from daemon.cli.written import written
from daemon.clock import wall_clock
from rules.instants import from_micros

if TYPE_CHECKING:
    from rich.progress import TaskID

    from daemon.backtest.run import Answer, Progress, Question
    from daemon.config import Config
    from daemon.jobs.house import House
    from rules.history import History

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--from", "first", metavar="T", help="A date or instant (default: the first term's first day).")
@click.option("--to", "last", metavar="T", help="A date, which includes its whole day, or an instant.")
@click.option("--files", is_flag=True, help="Over the configured file feeds instead of the store.")
@click.option("--rules", "rules_", metavar="FILE", help="These rules in place of the configured files.")
@click.option("--against", metavar="FILE", help="And those, saying child by child what differs.")
@click.option("--outcomes", metavar="FILE", help="A table of student_id and at (default: recorded drop-outs).")
@click.option("--horizon", default="60d", show_default=True, help="How long after a flag an outcome counts.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page with plots there.")
@click.option("--notices", type=_FILE, metavar="FILE", help="Write every message there, one JSON line each.")
@printing
def backtest(
    first: str | None,
    last: str | None,
    files: bool,  # noqa: FBT001 - as typed
    html: Path | None,
    notices: Path | None,
    **asked: str | None,
) -> None:
    """Say whom the rules would have flagged, how early, and how often in vain; replayed as known then."""
    from daemon.backtest.run import backtest as find  # noqa: PLC0415 - the rules and arrays, for whoever asks

    config, now = the_config(), wall_clock()
    quiet_logs()
    question = _question(config, first, last, **asked)
    with (_of_files if files else _of_store)(config, max(now, question.end)) as past, _progress() as progress:
        _look(past.history, question)
        answer = find(config, past.history, question, now, progress)
        if html is not None:
            _draw(html, answer)
        if notices is not None:
            _tell(notices, past, answer)
    if as_json():
        print_json(answer.document)
    else:
        from daemon.cli.trials import print_trial  # noqa: PLC0415 - tables, for whoever has no use for JSON

        print_trial(answer.document)


def _question(config: Config, first: str | None, last: str | None, **asked: str | None) -> Question:
    from daemon.backtest.run import Question  # noqa: PLC0415 - the rules and arrays, for whoever asks
    from rules.durations import parse_duration  # noqa: PLC0415 - likewise

    start, end = the_span(config, first, last)
    horizon = parse_duration(asked["horizon"] or "")
    if not horizon:
        raise refuse("--horizon", "is no duration", "such as 60d or 12h")
    return Question(start, end, horizon, asked["rules_"], asked["against"], asked["outcomes"])


def _look(history: History, question: Question) -> None:
    """Refuse a span in which nothing was known: as known then, nobody could have been flagged."""
    first = from_micros(int(history.known_at.min())) if len(history.known_at) else None
    if first is None:
        raise refuse("rules backtest", "no roll is on record", f"import some, or {_OVER_FILES}", code=1)
    if first > question.end:
        zone = history.calendar.zone
        fault = f"nothing was known by {question.end.astimezone(zone):%Y-%m-%d %H:%M}: the first roll came in at "
        raise refuse("--to", f"{fault}{first.astimezone(zone):%Y-%m-%d %H:%M}", _OVER_FILES, code=1)


_OVER_FILES = "look back over the files themselves with --files"


@dataclass(frozen=True)
class _Past:
    """A history, and the house whose roster says who is told, built only when it is asked for."""

    history: History
    house: Callable[[], AbstractContextManager[House]]


@contextmanager
def _of_files(config: Config, end: dt.datetime) -> Iterator[_Past]:
    """What the file feeds tell; what they said before the first term is known from its first day on."""
    from daemon.backtest.files import history_from_files  # noqa: PLC0415 - for whoever asks
    from daemon.backtest.past import house_of_files  # noqa: PLC0415 - likewise

    start, _ = the_span(config, None, None)
    with working(worded("正在读取文件", "reading files")):
        history, refused = history_from_files(config, start, end)
    print_refused(refused)
    if not history.students:
        raise refuse("feed", "the files name no child", "look at the feeds of units and students", code=1)
    yield _Past(history, lambda: house_of_files(config, start))


@contextmanager
def _of_store(config: Config, end: dt.datetime) -> Iterator[_Past]:
    from daemon.backtest.stored import history_from_store  # noqa: PLC0415 - for whoever asks

    with the_house(config) as house:
        with working(worded("正在读取考勤", "reading rolls")), house.store.read() as tx:
            history = history_from_store(tx, house, end)
        if not history.students:
            raise refuse("service.database", "knows no child", f"run: baoxue import, or {_OVER_FILES}", code=1)
        yield _Past(history, lambda: nullcontext(house))


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for each set of rules while standard error is a terminal."""
    with progress_bars(worded("回测", "replaying")) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(rules: str, done: int, of: int) -> None:
            if rules not in tasks:
                tasks[rules] = bars.add_task("", total=of, doing=rules)
            bars.update(tasks[rules], completed=done)

        yield advance


def _draw(out: Path, answer: Answer) -> None:
    from daemon.console.backtest import render_backtest  # noqa: PLC0415 - slow to load, and few want a page

    with written(out) as page:
        page.write(render_backtest(answer.document))


def _tell(out: Path, past: _Past, answer: Answer) -> None:
    from daemon.backtest.notices import notices  # noqa: PLC0415 - words, for whoever wants them

    with past.house() as house, house.store.read() as tx, written(out) as page:
        for line in notices(tx, house, answer.laws, past.history, answer.tried.trial.flags):
            page.write(json.dumps(line, ensure_ascii=False) + "\n")
