"""Watched children about whom nothing can have changed: their cases would be decided to be what they are.

Deciding each of them would come to the same; a county has many, and every roll of their classes would ask.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rules.case import Case, Law, Stage, Standing
from rules.instants import NEVER, to_micros
from rules.judge import Judgement
from rules.records import Mark


def idle_rows(judgement: Judgement, cases: Mapping[int, Case], law: Law) -> frozenset[int]:
    """The rows whose case is only watched, whose signs stand or rest, and of whom nothing else is or was known."""
    watched = [row for row, case in cases.items() if case.stage is Stage.WATCH and case.standing is Standing.NONE]
    if not watched or judgement.views is None or judgement.register.variant.shape[1] > 1:
        return frozenset()
    rows = np.array(watched, np.intp)
    register = judgement.register
    early = (register.marks[rows] > Mark.UNTAKEN) & (register.starts()[rows] > judgement.now)
    calm = (judgement.runs.start[rows] == NEVER) & ~early.any(axis=1)
    stirred = register.leaves.keys() | register.movements.keys() | register.outs.keys()
    return frozenset(
        row for row in rows[calm].tolist() if row not in stirred and _is_as_it_was(judgement, row, cases[row], law)
    )


def _is_as_it_was(judgement: Judgement, row: int, case: Case, law: Law) -> bool:
    """Whether time has brought nothing, and the register says of the child what it said."""
    if case.wake_at is not None and to_micros(case.wake_at) <= judgement.now:
        return False
    return _only_watched(case) and _same_place(judgement, row, case) and _same_signs(judgement, row, case, law)


def _only_watched(case: Case) -> bool:
    waits = (case.armed_at, case.pending_at, case.asked_at, case.run_from, case.observed_until)
    known = case.finding
    held = (known.run_from, known.changes_at, known.leave_until, known.out, known.asked)
    return not case.told_first and not known.declared and waits == held == (None,) * len(held)


def _same_place(judgement: Judgement, row: int, case: Case) -> bool:
    register, known = judgement.register, case.finding
    here = (int(register.variant[row, 0]), int(register.classes[row, -1]), judgement.stopped_by(row), judgement.rule)
    return here == (known.variant, known.class_index, known.stopped_by, known.rule)


def _same_signs(judgement: Judgement, row: int, case: Case, law: Law) -> bool:
    """Whether the rules that hold are those of signs that stand, none of which is over; none waits."""
    standing = {sign.rule for sign in case.signs if sign.stands}
    if any(sign.rule not in law.signs or (sign.since is not None and not sign.stands) for sign in case.signs):
        return False
    if not standing and case.wake_at is None:
        return False
    views = case.finding.views
    if len(views) != len(standing) or any(view.holds or view.rule not in standing for view in views):
        return False
    return judgement.views is not None and judgement.views.steady(row, standing)
