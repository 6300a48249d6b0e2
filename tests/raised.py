"""What rules raised, told alike whether a daemon's journal says so or a backtest does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from daemon.config import Config
from daemon.rulebook import build_laws, load_rules
from daemon.simulate import Simulation
from daemon.store import cases, journal
from rules.backtest.flags import Flag
from rules.backtest.replay import replay
from rules.history import History

if TYPE_CHECKING:
    from daemon.jobs.house import House
    from daemon.store.journal import Entry


class Raised(NamedTuple):
    """One rule raised of one child; `times` is which raising of a sign it was, 0 of a report and a stage.

    Which report of a case one is depends on how long signs keep the case open, which a backtest does not follow.
    """

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
    for entry in entries:
        said = entry.body
        if entry.kind in {"raised", "sign raised"}:
            due_at, times = dt.datetime.fromisoformat(said["due_at"]), said.get("times", 0)
            unconfirmed = said.get("unconfirmed", False)
            yield Raised(said["rule"], said["version"], student, times, due_at, entry.at, unconfirmed)
        elif entry.kind == "stage" and "rule" in said:
            yield Raised(said["rule"], said["version"], student, 0, entry.at, entry.at)


def replayed(config: Config, history: History, end: dt.datetime) -> list[Raised]:
    """Everything a backtest of a history raises by the configured rules, in order."""
    laws = build_laws(config, load_rules(config))
    return sorted(map(of_flag, replay(history, laws, end, mass_absence_share=config.rules.mass_absence_share).flags))


def of_flag(flag: Flag) -> Raised:
    """What a backtest's flag says was raised."""
    times = flag.episode if flag.kind in {"risk", "reminder"} else 0
    return Raised(flag.rule, flag.version, flag.student, times, flag.due_at, flag.raised_at, flag.unconfirmed)
