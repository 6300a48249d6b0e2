"""What flags would have told at once: the rungs of their ladders without delay; knows no recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rules.backtest.flags import Flag
from rules.backtest.single import Singles
from rules.case import Case, Decision, Law, Stage, Standing
from rules.draft import Draft
from rules.laws import Laws
from rules.signs import Sign
from rules.standing import climb_report
from rules.watch import climb


def told(flags: Sequence[Flag], numbers: Mapping[str, str], singles: Singles, laws: Laws) -> list[Decision]:
    """A decision a flag, with what it tells as the daemon would; `numbers` are what to call each child's case."""
    return [_decision(flag, numbers[flag.student], singles, laws) for flag in flags]


def _decision(flag: Flag, number: str, singles: Singles, laws: Laws) -> Decision:
    finding = singles.finding(flag.row, flag.raised_at)
    case = Case(f"{flag.student}/{flag.rule}", number, flag.student, flag.raised_at)
    case = case.but(run_from=finding.run_from, finding=finding)
    draft = Draft(case, finding, flag.raised_at, laws.default, singles.calendar, None)
    if flag.rule in laws.by_rule:
        _report(draft, flag, laws.by_rule[flag.rule])
    else:
        _sign(draft, flag, laws)
    return Decision(draft.case, tuple(draft.entries), tuple(draft.tells))


def _report(draft: Draft, flag: Flag, law: Law) -> None:
    draft.law = law
    draft.change(
        stage=Stage.REPORTED,
        standing=Standing.RAISED,
        episode=flag.episode,
        due_at=flag.due_at,
        raised_at=flag.raised_at,
        unconfirmed=flag.unconfirmed,
        rule=flag.rule,
        rule_version=flag.version,
        ladder=law.ladder,
    )
    climb_report(draft)


def _sign(draft: Draft, flag: Flag, laws: Laws) -> None:
    sign = Sign(flag.rule, flag.version, due_at=flag.due_at, raised_at=flag.raised_at)
    climb(draft, laws.book.rules[flag.rule], replace(sign, times=flag.episode))
