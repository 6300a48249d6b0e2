"""By when an answer to a report is wanted: the instant at which its ladder speaks again for want of one."""

from __future__ import annotations

import datetime as dt

from rules.case import Case, Standing
from rules.standing import care_of


def answer_by(case: Case, now: dt.datetime) -> dt.datetime | None:
    """The first instant after `now` at which a rung speaks because nobody acknowledged or acted; None: none does.

    A rung that speaks whatever happens waits for no answer, and is no deadline for one.
    """
    if case.standing is not Standing.RAISED or case.raised_at is None:
        return None
    rungs, care = case.ladder.rungs, care_of(case, case.raised_at)
    ahead = [
        case.raised_at + rung.after
        for rung in rungs[case.climb.rung :]
        if rung.unless is not None and not care.is_enough(rung.unless)
    ]
    ahead += [
        at + repeat
        for n, at in case.climb.repeats
        if (repeat := rungs[n].repeat) is not None and rungs[n].until != "seen" and not care.is_enough(rungs[n].until)
    ]
    return min((at for at in ahead if at > now), default=None)
