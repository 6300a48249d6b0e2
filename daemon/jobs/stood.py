"""How a child's case stood at an instant: as it is now, or as its journal tells of then; decides nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from daemon.jobs.casefile import from_row
from daemon.store import cases, journal
from daemon.store.tx import Tx
from rules.case import Case, Stage, Standing
from rules.signs import Sign


@dataclass(frozen=True)
class Stood:
    """One case at one instant, and its signs by rule; without a number there was no case."""

    number: str | None = None
    stage: str | None = None
    standing: Standing = Standing.NONE
    episode: int = 0
    rule: str | None = None
    due_at: dt.datetime | None = None
    raised_at: dt.datetime | None = None
    pending_at: dt.datetime | None = None
    """A deadline that passed, and whose report waits."""
    unconfirmed: bool = False
    signs: Mapping[str, Sign] = field(default_factory=dict)


def stood_now(tx: Tx, student: str) -> Stood:
    """How the child's open case stands."""
    found = cases.open_cases(tx, [student])
    return _of_case(from_row(found[0])) if found else Stood()


def stood_at(tx: Tx, student: str, at: dt.datetime) -> Stood:
    """How the case that was open at `at` stood, by what its journal says happened until then."""
    for case in map(from_row, cases.cases_of(tx, [student])):
        if case.opened_at <= at and (case.closed_at is None or case.closed_at > at):
            return told_by(case.number, (entry for entry in journal.history(tx, case.case_id) if entry.at <= at))
    return Stood()


def _of_case(case: Case) -> Stood:
    return Stood(
        number=case.number,
        stage=case.stage.value,
        standing=case.standing,
        episode=case.episode,
        rule=case.rule,
        due_at=case.due_at,
        raised_at=case.raised_at,
        pending_at=case.pending_at,
        unconfirmed=case.unconfirmed,
        signs={sign.rule: sign for sign in case.signs},
    )


def told_by(number: str, entries: Iterable[journal.Entry]) -> Stood:
    """How a case stands after these entries of its journal, in order."""
    stood = Stood(number, Stage.FIRST_ABSENCE.value)
    for entry in entries:
        after = _STEPS.get(entry.kind)
        if after is not None:
            stood = after(stood, entry)
    return stood


def _instant(body: Mapping[str, Any], key: str) -> dt.datetime | None:
    value = body.get(key)
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else None


def _due(stood: Stood, entry: journal.Entry) -> Stood:
    due_at = _instant(entry.body, "due_at")
    return replace(stood, due_at=due_at) if entry.body.get("corrected") else replace(stood, pending_at=due_at)


def _raised(stood: Stood, entry: journal.Entry) -> Stood:
    return replace(
        stood,
        stage=Stage.REPORTED.value,
        standing=Standing.RAISED,
        episode=int(entry.body.get("episode", stood.episode + 1)),
        rule=entry.body.get("rule"),
        due_at=_instant(entry.body, "due_at"),
        raised_at=entry.at,
        pending_at=None,
        unconfirmed=bool(entry.body.get("unconfirmed")),
    )


def _retracted(stood: Stood, _: journal.Entry) -> Stood:
    stage = Stage.FIRST_ABSENCE.value
    return replace(stood, stage=stage, standing=Standing.NONE, due_at=None, raised_at=None, unconfirmed=False)


def _sign_raised(stood: Stood, entry: journal.Entry) -> Stood:
    rule, body = str(entry.body["rule"]), entry.body
    sign = Sign(
        rule,
        str(body.get("version", "")),
        due_at=_instant(body, "due_at"),
        raised_at=entry.at,
        times=int(body.get("times", 1)),
    )
    return replace(stood, signs={**stood.signs, rule: sign})


def _sign_over(stood: Stood, entry: journal.Entry) -> Stood:
    rule = str(entry.body["rule"])
    sign = stood.signs.get(rule)
    return stood if sign is None else replace(stood, signs={**stood.signs, rule: replace(sign, over=True)})


_STEPS = {
    "due": _due,
    "overtaken": lambda stood, _: replace(stood, pending_at=None),
    "raised": _raised,
    "retracted": _retracted,
    "returned": lambda stood, _: replace(stood, stage=Stage.RETURNED.value, standing=Standing.RETURNED),
    "reopened": lambda stood, _: replace(stood, stage=Stage.REPORTED.value, standing=Standing.RAISED),
    "stage": lambda stood, entry: replace(stood, stage=entry.body.get("stage")),
    "sign raised": _sign_raised,
    "sign over": _sign_over,
}
