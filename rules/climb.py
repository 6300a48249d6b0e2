"""Climbing a ladder: which rungs speak at an instant, for whom, and when next; knows neither report nor recipient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rules.ladder import Ladder, Rung


@dataclass(frozen=True, slots=True)
class Unheard:
    """A role of a rung that spoke while nobody in it could be told, and since when; it is told as soon as one can."""

    rung: int
    role: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Climb:
    """How far up its ladder a report, or a sign, has come."""

    rung: int = 0
    """The next rung to climb."""
    turn: int = 0
    """How often the ladder has spoken."""
    owed: tuple[int, ...] = ()
    """Rungs passed over because somebody acknowledged; they speak if that lapses."""
    repeats: tuple[tuple[int, dt.datetime], ...] = ()
    """Rungs that speak again, and when each spoke last."""
    unheard: tuple[Unheard, ...] = ()
    """Who of the rungs that spoke was not told."""


START = Climb()
"""Nothing climbed yet."""


@dataclass(frozen=True, slots=True)
class Care:
    """Whether people have done something about it since it was raised."""

    acknowledged: bool = False
    acted: bool = False

    def is_enough(self, word: str | None) -> bool:
        """Whether what a rung's `unless` or `until` names has come."""
        return (word == "acknowledged" and self.acknowledged) or (word == "acted" and self.acted)


@dataclass(frozen=True, slots=True)
class Step:
    """What climbing comes to at one instant: of the rungs that are due the highest speaks, for all of them."""

    climb: Climb
    passed: tuple[int, ...] = ()
    """Rungs that are needless, and stay silent."""
    due: tuple[int, ...] = ()
    """Rungs that are to be heard, the one that speaks first."""
    again: bool = False
    """The one that speaks has spoken before."""


def step(ladder: Ladder, climb: Climb, raised_at: dt.datetime, now: dt.datetime, care: Care, *, below: int = 0) -> Step:
    """Climb as far as `now` allows, and in any case past the rungs `below` an index, whatever their delay.

    Climbing again at once, with nothing done meanwhile, changes nothing.
    """
    rungs, reached = ladder.rungs, climb.rung
    while reached < len(rungs) and (reached < below or raised_at + rungs[reached].after <= now):
        reached += 1
    fresh = range(climb.rung, reached)
    passed = tuple(n for n in fresh if care.is_enough(rungs[n].unless))
    owed = (*climb.owed, *(n for n in passed if rungs[n].unless == "acknowledged"))
    released = () if care.acknowledged else climb.owed
    repeated = [n for n, at in _repeating(rungs, climb, care) if at <= now]
    due = tuple(sorted({*fresh, *released, *repeated}.difference(passed), reverse=True))
    if not due and reached == climb.rung:
        return Step(climb)
    again = bool(due) and due[0] < climb.rung and due[0] not in climb.owed
    spoke = dict(climb.repeats) | {n: now for n in due if rungs[n].repeat is not None}
    left = tuple(n for n in owed if n not in released)
    after = Climb(reached, climb.turn + bool(due), left, tuple(sorted(spoke.items())), climb.unheard)
    return Step(after, passed, due, again)


def instants(ladder: Ladder, climb: Climb, raised_at: dt.datetime, care: Care) -> list[dt.datetime]:
    """Every instant at which a rung speaks if nothing is done before."""
    first = [raised_at + rung.after for rung in ladder.rungs[climb.rung :]]
    return [*first, *(at for _, at in _repeating(ladder.rungs, climb, care))]


def _repeating(rungs: Sequence[Rung], climb: Climb, care: Care) -> list[tuple[int, dt.datetime]]:
    """The rungs that go on repeating, and when each is to speak again."""
    return [
        (n, at + repeat)
        for n, at in climb.repeats
        if (repeat := rungs[n].repeat) is not None and not care.is_enough(rungs[n].until)
    ]


def resumed(ladder: Ladder, climb: Climb, now: dt.datetime) -> Climb:
    """The climb after a pause in which nobody was to be told: what would have been repeated in it begins anew."""
    late = {n for n, at in _repeating(ladder.rungs, climb, Care()) if at <= now}
    return replace(climb, repeats=tuple((n, now if n in late else at) for n, at in climb.repeats))


def transferred(climb: Climb, old: Ladder, new: Ladder, now: dt.datetime) -> Climb:
    """The climb on another ladder: its rungs up to the delay of the last that was heard count as climbed.

    What comes later on it is to speak, also where the time for it has passed. Who was not told stays owed, where the
    other ladder tells that role, too.
    """
    lost = {n for n in range(climb.rung) if is_lost(old, climb, n)}
    heard = [old.rungs[n].after for n in range(climb.rung) if n not in climb.owed and n not in lost]
    rung = sum(rung.after <= max(heard) for rung in new.rungs) if heard else 0
    spoke = {old.rungs[n].after: at for n, at in climb.repeats}
    repeating = [(n, one.after) for n, one in enumerate(new.rungs[:rung]) if one.repeat is not None]
    unheard = tuple(moved for one in climb.unheard if (moved := _moved(one, old, new, rung)) is not None)
    return Climb(rung, climb.turn, (), tuple((n, spoke.get(after, now)) for n, after in repeating), unheard)


def _moved(one: Unheard, old: Ladder, new: Ladder, climbed: int) -> Unheard | None:
    """Who was not told by an old rung, as somebody whom a rung of the new ladder that counts as climbed tells."""
    told = [n for n in range(climbed) if one.role in new.rungs[n].tell]
    same = [n for n in told if new.rungs[n].after == old.rungs[one.rung].after]
    return replace(one, rung=(same or told)[0]) if told else None


# ---- who was not told ------------------------------------------------------------------------------------------------


def missed(climb: Climb, rung: int, roles: Collection[str], now: dt.datetime) -> Climb:
    """The climb when nobody in these roles of a rung could be told."""
    known = {(one.rung, one.role) for one in climb.unheard}
    new = tuple(Unheard(rung, role, now) for role in dict.fromkeys(roles) if (rung, role) not in known)
    return replace(climb, unheard=(*climb.unheard, *new)) if new else climb


def heard(climb: Climb, those: Collection[Unheard]) -> Climb:
    """The climb when those were told after all, or need not be."""
    return replace(climb, unheard=tuple(one for one in climb.unheard if one not in those))


def owing(ladder: Ladder, climb: Climb, care: Care) -> tuple[Unheard, ...]:
    """Return who is still to be told: not those of a rung that is needless by now."""
    return tuple(one for one in climb.unheard if not care.is_enough(ladder.rungs[one.rung].unless))


def is_lost(ladder: Ladder, climb: Climb, rung: int) -> bool:
    """Return whether a rung that spoke reached nobody at all."""
    missing = {one.role for one in climb.unheard if one.rung == rung}
    return bool(missing) and missing.issuperset(ladder.rungs[rung].tell)


def is_grave(ladder: Ladder, climb: Climb, one: Unheard) -> bool:
    """Whether it matters at once that somebody was not told: a rung reached nobody, or it is for that role to answer.

    A role that few children have, such as a mentor, beside others that were told, is owed and disquiets nobody.
    """
    return one.role in ladder.acknowledged_by or is_lost(ladder, climb, one.rung)
