"""Plays the tests of a file: the rules it is about, over what each test says, and what is otherwise than declared."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.config import LadderConfig, RulesConfig
from daemon.config.models import Document
from daemon.rulebook import laws_under, read_rulebook, rule_sources
from daemon.ruletest.compare import Failure, compare
from daemon.ruletest.county import boundary, child_of, history_of, instant
from daemon.ruletest.models import TrialTable, Value
from daemon.ruletest.read import Draft, Trial, read_draft, read_trials
from daemon.settings import ladder_of
from rules.calendar import Calendar
from rules.facts.catalogue import find
from rules.facts.evaluate import evaluate
from rules.ladder import Ladder, Rung
from rules.laws import Laws
from rules.rehearsal import Rehearsal, Spoken, judge

_AT_ONCE = (Rung(dt.timedelta(0), None, ("education_office",), ()),)


@dataclass(frozen=True)
class Verdict:
    """One test played: what was spoken, and what is otherwise than declared."""

    trial: Trial
    spoken: Sequence[Spoken]
    failures: Sequence[Failure]


@dataclass(frozen=True)
class Played:
    """One file played."""

    draft: Draft
    verdicts: Sequence[Verdict]

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return sum(bool(one.failures) for one in self.verdicts)


@dataclass(frozen=True)
class Office:
    """What is in force where the tests are run, for whatever their files leave out."""

    rules: RulesConfig
    ladders: tuple[LadderConfig, ...]
    base: Path

    @classmethod
    def of(cls, document: Document, path: Path) -> Office:
        """That of a configuration."""
        return cls(document.rules, document.ladder, path.absolute().parent)


NOWHERE = Office(RulesConfig(), (), Path())
"""Where there is no configuration: the usual pack, with the usual figures."""


def play_file(path: Path, office: Office = NOWHERE) -> Played:
    """Play every test in the file at `path`; raises ConfigError with every fault of it."""
    draft = read_draft(path)
    laws = laws_for(draft, office)
    return Played(draft, play(read_trials(draft, laws.book), laws, draft.calendar))


def play(trials: Sequence[Trial], laws: Laws, calendar: Calendar) -> list[Verdict]:
    """Play tests side by side: they have no child in common, and most of their instants."""
    zone, ends = calendar.zone, [_end(trial, calendar.zone) for trial in trials]
    history = history_of([trial.said for trial in trials], calendar)
    spoken: list[list[Spoken]] = [[] for _ in trials]
    at = {trial.number: n for n, trial in enumerate(trials)}
    for one in Rehearsal(history, laws).until(max(ends)):
        test, _, child = one.student.partition(":")
        if one.at <= ends[at[int(test)]]:
            spoken[at[int(test)]].append(replace(one, student=child))
    return [
        Verdict(trial, found, compare(trial.table, laws.book.rules, found, _facts(trial, laws, calendar), zone))
        for trial, found in zip(trials, spoken, strict=True)
    ]


def laws_for(draft: Draft, office: Office = NOWHERE) -> Laws:
    """The laws under test: the file's own rules, figures and ladders, or for those it leaves out the office's."""
    file = draft.file
    rules, base = (office.rules, office.base) if file.rules is None else (file.rules, draft.path.absolute().parent)
    sources = rule_sources(rules, base)
    ladders = {ladder.id: ladder_of(ladder) for ladder in file.ladder or office.ladders}
    ladders = {name: Ladder(name, _AT_ONCE, ()) for name in _named(sources)} | ladders
    return laws_under(rules, ladders.values(), read_rulebook(sources, ladders, str(draft.path)))


def _named(sources: Iterable[tuple[str, str]]) -> list[str]:
    """The ladders that rules name, as far as they can be read."""
    names: list[str] = []
    for _, text in sources:
        try:
            rules = tomllib.loads(text).get("rule", [])
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        tables = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
        names += [ladder for rule in tables if isinstance(ladder := rule.get("ladder"), str)]
    return names


def _end(trial: Trial, zone: ZoneInfo) -> dt.datetime:
    """How long a test is watched: as it says, or to the end of the last day anything is said of."""
    table = trial.table
    if table.until is not None:
        return instant(table.until, zone)
    return boundary(max(_dates(trial, table, zone), default=table.from_), zone, after=1)


def _dates(trial: Trial, table: TrialTable, zone: ZoneInfo) -> list[dt.date]:
    dates = [cell.date for cells in trial.cells.values() for cell in cells]
    instants = [mark.at for mark in table.mark]
    instants += [one.at for one in table.expect] + [one.at for one in table.fact]
    instants += [at for leave in table.leave if (at := leave.known) is not None]
    instants += [at for move in table.movement for at in (move.at, move.known) if at is not None]
    return [*dates, *(instant(at, zone).astimezone(zone).date() for at in instants)]


def _facts(trial: Trial, laws: Laws, calendar: Calendar) -> Iterator[Value]:
    """The values of the facts a test asserts, each as known at its instant."""
    history = history_of([trial.said], calendar)
    for one in trial.table.fact:
        fact, row = find(one.fact), trial.children.index(child_of(trial.table, one.student))
        assert fact is not None
        judged = judge(history, laws, instant(one.at, calendar.zone))
        found = evaluate(
            judged.register, judged.meaning, judged.runs, history.traits, [fact.name], schools=history.school_ids
        )
        value: Value = found[fact.name][row].item()
        yield value
