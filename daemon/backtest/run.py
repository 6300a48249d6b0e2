"""A backtest from question to document: rules read, the past replayed, the outcomes set against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from daemon.backtest.abreast import replay_abreast
from daemon.backtest.document import Tried, document
from daemon.backtest.outcomes import read_outcomes
from daemon.config import Config, ConfigError, Problem
from daemon.rulebook import build_laws, read_rulebook, rule_sources
from rules.backtest.cohort import known_until, recorded_outcomes
from rules.backtest.replay import numeric
from rules.backtest.trial import Exam, Trial, examine
from rules.history import History
from rules.laws import Laws

Progress = Callable[[str, int, int], None]
"""Told which rules are replayed, how many children are done, of how many."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a backtest is asked: which rules, against which others, over what span, with whose outcomes."""

    start: dt.datetime
    end: dt.datetime
    horizon: dt.timedelta
    rules: str | None = None
    against: str | None = None
    outcomes: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a backtest found: its document, and what notices are made of."""

    document: Mapping[str, Any]
    tried: Tried
    laws: Laws


def backtest(
    config: Config,
    history: History,
    question: Question,
    now: dt.datetime,
    progress: Progress = lambda _rules, _done, _of: None,
) -> Answer:
    """Replay `history` by the rules in question; raises ConfigError with every fault of rule files and outcomes."""
    books = _laws(config, question)
    zone = history.calendar.zone
    outcomes = read_outcomes(question.outcomes, zone, now) if question.outcomes else recorded_outcomes(history)
    exam = _exam(history, question, outcomes)
    tried = [Tried(_try(config, laws, history, exam, partial(progress, name)), name) for name, laws in books]
    source = "movements" if question.outcomes is None else question.outcomes
    new, old = tried[0], tried[1] if len(tried) > 1 else None
    return Answer(document(new, exam, zone, source, old), new, books[0][1])


def _try(config: Config, laws: Laws, history: History, exam: Exam, progress: Callable[[int, int], None]) -> Trial:
    replayed = replay_abreast(
        history,
        laws,
        exam.end,
        mass_absence_share=config.rules.mass_absence_share,
        looked_at=numeric(sorted(laws.book.needs)),
        progress=progress,
    )
    return examine(laws.book, replayed, exam)


def _laws(config: Config, question: Question) -> list[tuple[str, Laws]]:
    """The rules to be tried and those they are held against, each with the name of where they are from."""
    asked = [question.rules, *([question.against] if question.against is not None else [])]
    found: list[tuple[str, Laws]] = []
    problems: list[Problem] = []
    for file in asked:
        try:
            found.append((file or _in_force(config), _read(config, file)))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return found


def _in_force(config: Config) -> str:
    return ", ".join(config.rules.files or config.rules.packs)


def _read(config: Config, file: str | None) -> Laws:
    """The rules in force; with a file, that one in place of the operator's own files."""
    if file is None:
        sources = rule_sources(config.rules, config.base)
    else:
        sources = rule_sources(config.rules.model_copy(update={"files": ()}), config.base)
        sources.append((file, _text(file)))
    return build_laws(config, read_rulebook(sources, [ladder.id for ladder in config.ladder], str(config.path)))


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError([Problem(file, None, "", "cannot be read as UTF-8 text", "name a rule file")]) from None


def _exam(history: History, question: Question, outcomes: Mapping[str, int]) -> Exam:
    """What the rules are held against; nothing is replayed beyond what is known."""
    until = known_until(history, outcomes.values())
    end = question.end if until is None else min(question.end, until)
    return Exam(question.start, end, until or end, question.horizon, outcomes)
