"""What flags would have told at once: the rungs of their ladders without delay; knows no recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rules.backtest.flags import Flag
from rules.calendar import Calendar
from rules.case import Case, Decision, Law, Stage, Standing
from rules.decide import climb_report
from rules.draft import Draft
from rules.finding import Finding
from rules.laws import Laws
from rules.signs import Sign
from rules.watch import climb


def told(flags: Sequence[Flag], numbers: Mapping[str, str], laws: Laws, calendar: Calendar) -> list[Decision]:
    """A decision a flag, with what it tells as the daemon would; `numbers` are what to call each child's case."""
    return [_decision(flag, numbers[flag.student], laws, calendar) for flag in flags]


def _decision(flag: Flag, number: str, laws: Laws, calendar: Calendar) -> Decision:
    finding = Finding(run_from=flag.run_from, run_days=flag.run_days)
    case = Case(f"{flag.student}/{flag.rule}", number, flag.student, flag.raised_at, run_from=flag.run_from)
    draft = Draft(case.but(finding=finding), finding, flag.raised_at, laws.default, calendar, None)
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
