"""The rules alone over a history: whatever becomes known is taken in, judged and decided as the daemon would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rules.case import Case, Decision, Entry, Stage, Tell, is_unconfirmed
from rules.history import History
from rules.instants import from_micros, to_micros
from rules.judge import Judgement
from rules.laws import Laws
from rules.register import Leave, Movement, Register, build_register
from rules.rolls import Rolls
from rules.sweep import Scene, sweep
from rules.watch import KIND

AHEAD = dt.timedelta(days=2)
"""How far beyond today the grid goes: marks made early are known before their session begins."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing the rules wanted told of one child; two that differ in nothing but whom they tell are one.

    A sign that is raised is spoken even where its rule has no ladder; `stage` is the one a case has reached.
    """

    at: dt.datetime
    kind: str
    student: str
    rule: str | None
    due_at: dt.datetime | None = None
    unconfirmed: bool = False
    stage: str | None = None


def register_at(history: History, now: dt.datetime) -> Register:
    """The register of a history as known at `now`, with as many columns as the daemon's."""
    today = now.astimezone(history.calendar.zone).date()
    calendar = history.calendar.until(today + AHEAD)
    leaves: dict[int, dict[str, Leave]] = {}
    for one in sorted(history.leaves, key=lambda one: one.known_at):
        if one.known_at <= now:
            leaves.setdefault(one.row, {}).pop(one.leave_id, None)
            if not one.withdrawn:
                leaves[one.row][one.leave_id] = Leave(one.starts, one.ends, one.kind)
    movements: dict[int, list[Movement]] = {}
    for row, movement, known_at in history.movements:
        if known_at <= now:
            movements.setdefault(row, []).append(movement)
    return build_register(
        calendar,
        history.spells,
        history.variants,
        _rolls_at(history, to_micros(now), calendar.starts.shape[1]),
        overlays=[one for one in history.overlays if one.said_at <= now],
        leaves={row: tuple(found.values()) for row, found in leaves.items() if found},
        movements=movements,
    )


def _rolls_at(history: History, now: int, width: int) -> Rolls:
    """The rolls known by `now`; those of sessions beyond the grid are ignored, as they are in the daemon."""
    rolls, known = history.rolls, history.known_at <= now
    number = np.cumsum(known) - 1
    marks = known[rolls.roll]
    column = np.where(rolls.column < width, rolls.column, -1).astype(np.int32)
    return Rolls(
        **{**rolls.of_rolls(known), "column": column[known]},
        roll=number[rolls.roll[marks]].astype(np.int32),
        row=rolls.row[marks],
        code=rolls.code[marks],
    )


def judge(history: History, laws: Laws, now: dt.datetime) -> Judgement:
    """Everybody in a history judged as known at `now`, by the law of most."""
    law, book = laws.default, laws.book
    return Judgement(
        register_at(history, now),
        law.clock,
        book.rules[law.rule].when,
        now,
        history.stale_after,
        traits=history.traits,
        rules=laws.beside,
        schools=history.school_ids,
    )


@dataclass
class Rehearsal:
    """A history lived through from instant to instant; `cases` are the open ones, by row. Tells nobody."""

    history: History
    laws: Laws
    cases: dict[int, Case] = field(default_factory=dict)
    _opened: int = 0

    def until(self, end: dt.datetime) -> Iterator[Spoken]:
        """Everything spoken up to `end`, in order: at each instant at which something is known or was awaited."""
        news = _news(self.history)
        ahead = sorted(news, reverse=True)
        while True:
            awaited = [case.wake_at for case in self.cases.values() if case.wake_at is not None]
            now = min([*ahead[-1:], *awaited], default=None)
            if now is None or now > end:
                return
            if ahead and ahead[-1] == now:
                ahead.pop()
            yield from self.sweep(now, news.get(now, frozenset()))

    def sweep(self, now: dt.datetime, classes: Collection[int]) -> list[Spoken]:
        """Judge everybody at `now`, and decide about those of `classes` and those whose case wants to be looked at."""
        history, judgement = self.history, judge(self.history, self.laws, now)
        woken = [row for row, case in self.cases.items() if case.wake_at is not None and case.wake_at <= now]
        fresh = np.asarray(np.isin(judgement.register.classes, list(classes)).any(axis=1))
        fresh[woken] = True
        others = frozenset(np.flatnonzero(~fresh).tolist())
        scene = Scene(
            judgement, history.students, history.class_ids, history.school_ids, dict(self.cases), others=others
        )
        decisions = [
            decision for part, law in self.laws.parts(scene) for decision in sweep(part, now, law, self._new_case)
        ]
        spoken: dict[Spoken, None] = {}
        for decision in sorted(decisions, key=lambda one: self._rows[one.case.student_id]):
            self._keep(decision.case)
            spoken |= dict.fromkeys(spoken_of(decision, self.laws, now))
        return list(spoken)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {student: row for row, student in enumerate(self.history.students)}

    def _new_case(self, student: str, now: dt.datetime) -> Case:
        self._opened += 1
        return Case(f"{self._opened}", f"{now.year}-{self._opened:06d}", student, now)

    def _keep(self, case: Case) -> None:
        row = self._rows[case.student_id]
        if case.stage is Stage.CLOSED:
            self.cases.pop(row, None)
        else:
            self.cases[row] = replace(case, version=case.version + 1)


def _news(history: History) -> dict[dt.datetime, set[int]]:
    """By instant the classes of which something becomes known or takes effect: a mark made ahead, a movement."""
    rolls = history.rolls
    variant = np.asarray(history.variants, np.intp)[rolls.class_index]
    starts = np.where(rolls.column >= 0, history.calendar.starts[variant, np.maximum(rolls.column, 0)], 0)
    early = starts > history.known_at
    found: dict[dt.datetime, set[int]] = {}
    for micros, index in (
        *zip(history.known_at.tolist(), rolls.class_index.tolist(), strict=True),
        *zip(starts[early].tolist(), rolls.class_index[early].tolist(), strict=True),
    ):
        found.setdefault(from_micros(micros), set()).add(index)
    said = [(leave.known_at, leave.row) for leave in history.leaves]
    said += [(move.known_at, move.row) for move in history.movements]
    said += [(move.movement.at, move.row) for move in history.movements if move.movement.at > move.known_at]
    said += [(one.said_at, row) for one in history.overlays for row in one.rows.tolist()]
    for at, row in said:
        found.setdefault(at, set()).update(spell.class_index for spell in history.spells[row])
    return found


def spoken_of(decision: Decision, laws: Laws, now: dt.datetime) -> list[Spoken]:
    """What one decision says, without whom it tells; what a rule without a ladder raises is said, too."""
    student = decision.case.student_id
    signs = [_raised(entry, student, laws, now) for entry in decision.entries if entry.kind == "sign raised"]
    told = [_told(tell, decision.case, now) for tell in decision.tells]
    stages = [
        Spoken(now, "stage", student, entry.body.get("rule"), stage=entry.body["stage"])
        for entry in decision.entries
        if entry.kind == "stage"
    ]
    return list(dict.fromkeys([*signs, *told, *stages]))


def _raised(entry: Entry, student: str, laws: Laws, now: dt.datetime) -> Spoken:
    rule = laws.book.rules[entry.body["rule"]]
    return Spoken(now, KIND.get(rule.stage, "reminder"), student, rule.rule_id, entry.body["due_at"])


def _told(tell: Tell, case: Case, now: dt.datetime) -> Spoken:
    return Spoken(now, tell.kind, case.student_id, tell.rule, tell.due_at, is_unconfirmed(tell, case))
