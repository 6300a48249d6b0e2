"""What rules raised, told alike whether a daemon's journal says so or a backtest does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from daemon.config import Config
from daemon.settings import build_laws, load_rules
from daemon.simulate import Simulation
from daemon.store import cases, journal
from rules.backtest.replay import replay
from rules.history import History

if TYPE_CHECKING:
    from daemon.jobs.house import House
    from daemon.store.journal import Entry


class Raised(NamedTuple):
    """One rule raised of one child; `times` is the episode of a report or stage, and which raising of a sign it was."""

    rule: str
    version: str
    student: str
    times: int
    due_at: dt.datetime
    raised_at: dt.datetime
    unconfirmed: bool = False


def lived_through(config: Config, start: dt.datetime, end: dt.datetime, folder: Path) -> Simulation:
    """A simulation that is over; its store may still be read."""
    simulation = Simulation(config, start, end, folder)
    for _ in simulation.run():
        """What it tells is looked for in the journal."""
    return simulation


def journaled(house: House) -> list[Raised]:
    """Everything the journals of a house say was raised, in order."""
    with house.store.read() as tx:
        found = [
            one for row in cases.list_cases(tx) for one in _of_case(row.student_id, journal.history(tx, row.case_id))
        ]
    return sorted(found)


def _of_case(student: str, entries: list[Entry]) -> Iterator[Raised]:
    episode = 0
    for entry in entries:
        said = entry.body
        if entry.kind == "raised":
            episode = said["episode"]
            yield _raised(student, said, episode, entry.at, unconfirmed=said["unconfirmed"])
        elif entry.kind == "sign raised":
            yield _raised(student, said, said["times"], entry.at)
        elif entry.kind == "stage" and "rule" in said:
            yield Raised(said["rule"], said["version"], student, episode, entry.at, entry.at)


def _raised(student: str, said: Mapping[str, Any], times: int, at: dt.datetime, *, unconfirmed: bool = False) -> Raised:
    due_at = dt.datetime.fromisoformat(said["due_at"])
    return Raised(said["rule"], said["version"], student, times, due_at, at, unconfirmed)


def replayed(config: Config, history: History, end: dt.datetime) -> list[Raised]:
    """Everything a backtest of a history raises by the configured rules, in order."""
    laws = build_laws(config, load_rules(config))
    flags = replay(history, laws, end, storm_share=config.rules.storm_share).flags
    return sorted(
        Raised(one.rule, one.version, one.student, one.episode, one.due_at, one.raised_at, one.unconfirmed)
        for one in flags
    )
