"""A rulebook tried on a past: replayed as known then, and set against what became of the children."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.backtest.cohort import Cohort, gather
from rules.backtest.flags import Flag
from rules.backtest.ranks import Ranking, rankings
from rules.backtest.replay import Replayed
from rules.backtest.score import Baseline, Score, baseline, score
from rules.instants import NEVER, from_micros, span
from rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Exam:
    """What rules are held against: the span, whose outcome came when (microseconds by student), how far ahead counts.

    Nothing is known of what came after `until`.
    """

    start: dt.datetime
    end: dt.datetime
    until: dt.datetime
    horizon: dt.timedelta
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flagged:
    """One child one rule was raised of, with its outcome; `lead` is the time from the first flag to that."""

    student: str
    first: dt.datetime
    last: dt.datetime
    times: int
    outcome: dt.datetime | None

    @property
    def lead(self) -> dt.timedelta | None:
        """None where no outcome followed the first flag."""
        return self.outcome - self.first if self.outcome is not None and self.outcome > self.first else None


@dataclass(frozen=True)
class Trial:
    """One rulebook tried on one past; `scores` and `flagged` by rule, of every rule of the book."""

    rulebook: Rulebook
    flags: Sequence[Flag]
    cohort: Cohort
    baseline: Baseline
    scores: Mapping[str, Score]
    flagged: Mapping[str, tuple[Flagged, ...]]
    rankings: tuple[Ranking, ...]


def examine(rulebook: Rulebook, replayed: Replayed, exam: Exam) -> Trial:
    """What the flags of a replay, those raised in the span, were worth."""
    rows = {student: row for row, student in enumerate(replayed.students)}
    outcomes = {rows[student]: at for student, at in exam.outcomes.items() if student in rows}
    cohort = gather(replayed, outcomes, exam.start, exam.end, exam.until)
    common = baseline(cohort, replayed.looks, exam.horizon)
    flags = [flag for flag in replayed.flags if exam.start <= flag.raised_at <= exam.end]
    of_rule: dict[str, list[Flag]] = defaultdict(list)
    for flag in flags:
        of_rule[flag.rule].append(flag)
    return Trial(
        rulebook,
        flags,
        cohort,
        common,
        {rule: score(rule, of_rule[rule], cohort, common, exam.horizon) for rule in rulebook.rules},
        {rule: _flagged(of_rule[rule], cohort) for rule in rulebook.rules},
        rankings(replayed.looks, cohort, span(exam.horizon)),
    )


def _flagged(flags: Sequence[Flag], cohort: Cohort) -> tuple[Flagged, ...]:
    """The children of these flags, in order of the first."""
    by_child: dict[str, list[Flag]] = defaultdict(list)
    for flag in flags:
        by_child[flag.student].append(flag)
    found = [
        Flagged(
            student,
            min(flag.raised_at for flag in theirs),
            max(flag.raised_at for flag in theirs),
            len(theirs),
            _outcome(cohort, theirs[0].row),
        )
        for student, theirs in by_child.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.first, one.student)))


def _outcome(cohort: Cohort, row: int) -> dt.datetime | None:
    at = int(cohort.outcome[row])
    return None if at == NEVER else from_micros(at)
