"""A file of rule tests read whole: refused with every fault in it, each with its line, or ready to be played."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from daemon.config import days
from daemon.config.credentials import Vault, is_file
from daemon.config.outline import tables
from daemon.config.scene import Scene
from daemon.config.school import CalendarConfig, Term
from daemon.config.source import Source, dotted, read_source
from daemon.config.wording import Finding, findings
from daemon.problems import ConfigError, Problem
from daemon.ruletest.county import Said, children_of
from daemon.ruletest.letters import Cell
from daemon.ruletest.models import TrialFile, TrialTable
from daemon.ruletest.sense import check_test
from daemon.settings import calendar_of
from rules.calendar import Calendar
from rules.rulebook import Rulebook

USUAL_TERM = dt.timedelta(days=300)
"""How long the term is where the file names none; it begins on the first day of the earliest test."""
LONGEST_CALENDAR = dt.timedelta(days=1_500)


@dataclass(frozen=True)
class Trial:
    """One test, ready to be played; `cells` are the marks of its rows by child."""

    table: TrialTable
    number: int
    line: int
    cells: Mapping[str, Sequence[Cell]]

    @property
    def said(self) -> Said:
        """What it says, for the county it plays in."""
        return Said(self.number, self.table, self.cells)

    @property
    def children(self) -> tuple[str, ...]:
        """The children it speaks of."""
        return children_of(self.table)


@dataclass(frozen=True)
class Draft:
    """A file whose keys are right; what it says has not been looked at yet."""

    path: Path
    source: Source
    file: TrialFile
    calendar: Calendar

    def line(self, *place: str | int) -> int:
        """The line of a key."""
        return self.source.line(place)

    def problems(self, found: Iterable[Finding]) -> list[Problem]:
        """Findings as problems, in the order of the file."""
        return _located(self.path, self.source, found)


def read_draft(path: Path) -> Draft:
    """The file at `path`, its keys and its calendar checked; raises ConfigError with every fault of them."""
    if not is_file(path):
        raise ConfigError([Problem(str(path), None, "", "does not exist, or is no file", "name a file of rule tests")])
    source = read_source(path)
    try:
        file = TrialFile.model_validate(source.tree, by_alias=True, by_name=False)
    except ValidationError as error:
        found = [*findings(error, TrialFile), *_calendar_faults(source, path)]
        raise ConfigError(_located(path, source, found)) from None
    found = [*_calendar_faults(source, path), *_too_long(file)]
    if found:
        raise ConfigError(_located(path, source, found))
    return Draft(path, source, file, _calendar(file))


def read_trials(draft: Draft, rulebook: Rulebook) -> list[Trial]:
    """The tests of a file, whatever they speak of there; raises ConfigError with every fault of all of them."""
    trials: list[Trial] = []
    found: list[Finding] = []
    for number, table in enumerate(draft.file.test):
        cells, faults = check_test(("test", number), table, draft.calendar, rulebook)
        found += faults
        trials.append(Trial(table, number, draft.line("test", number), cells))
    if found:
        raise ConfigError(draft.problems(found))
    return trials


def _calendar(file: TrialFile) -> Calendar:
    calendar = file.calendar
    if not calendar.terms:
        first = min(test.from_ for test in file.test)
        calendar = calendar.model_copy(update={"terms": (Term(from_=first, to=first + USUAL_TERM),)})
    return calendar_of(calendar, ZoneInfo(file.timezone))


def _calendar_faults(source: Source, path: Path) -> list[Finding]:
    """What its calendar may not say: terms that end before they begin, sessions that overlap."""
    vault = Vault(path.absolute().parent, {})
    return [
        finding
        for place, model, table in tables(source.tree, TrialFile)
        if issubclass(model, CalendarConfig)
        for check in days.CHECKS
        for finding in check(Scene(place, table, source.tree, vault))
    ]


def _too_long(file: TrialFile) -> list[Finding]:
    spans = [*file.calendar.terms, *(term for unit in file.calendar.unit for term in unit.terms or ())]
    spanned = [day for term in spans for day in (term.from_, term.to)]
    spanned += [*file.calendar.open, *(day for unit in file.calendar.unit for day in unit.open)]
    spanned += [test.from_ for test in file.test] if not file.calendar.terms else []
    if max(spanned) - min(spanned) <= LONGEST_CALENDAR:
        return []
    fault = f"spans {(max(spanned) - min(spanned)).days} days"
    place: tuple[str, ...] = ("calendar",) if spans else ("test",)
    return [
        Finding(
            place, fault, f"a test file spans at most {LONGEST_CALENDAR.days}; part it, or name its [calendar] terms"
        )
    ]


def _located(path: Path, source: Source, found: Iterable[Finding]) -> list[Problem]:
    """Findings as problems in the order of the file, each once."""
    problems = {
        Problem(str(path), source.line(one.place), dotted(one.place), one.fault, one.hint): None for one in found
    }
    return sorted(problems, key=lambda one: (one.line or 0, one.key))
