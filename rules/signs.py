"""Signs (苗头): what a rule beside the report's says of one child, from armed to raised to over, without flapping."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rules.climb import START, Climb
from rules.instants import NEVER, from_micros, to_micros

if TYPE_CHECKING:
    from rules.calendar import Line
    from rules.ladder import Ladder
    from rules.rulebook import Rule

Value = int | float | bool


@dataclass(frozen=True, slots=True)
class View:
    """What the register says of one rule and one child at one instant; decides nothing.

    `over` is the rule's `until`, by default that `when` does not hold; `anchor` is None where the clock begins when
    `when` became true. `values` are those of the facts of `when`, where it holds.
    """

    rule: str
    holds: bool
    over: bool
    anchor: dt.datetime | None = None
    hurried: bool = False
    """The child is of the rule's priority group, and waits less."""
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sign:
    """How one rule stands with one child, as last decided; kept with the child's case.

    `times` counts how often it was raised; `over` says that what was raised last no longer stands.
    """

    rule: str
    version: str = ""
    since: dt.datetime | None = None
    """From when `when` holds without a break, as found; None while it does not."""
    armed_at: dt.datetime | None = None
    """The instant at which it will be raised if nothing more becomes known."""
    due_at: dt.datetime | None = None
    raised_at: dt.datetime | None = None
    times: int = 0
    over: bool = False
    climb: Climb = START
    """How far up its ladder it has come."""
    ladder: Ladder | None = None
    """The rule's ladder as it was when the sign was raised; None where the rule has none, or before it first spoke."""

    @property
    def stands(self) -> bool:
        """Whether it was raised and is not over."""
        return self.raised_at is not None and not self.over


def ripe_at(rule: Rule, anchor: dt.datetime, line: Line, *, hurried: bool = False) -> dt.datetime | None:
    """When a rule whose clock began at `anchor` has waited long enough; None where the calendar ends before."""
    after = rule.priority.after if rule.priority is not None and hurried else rule.after
    if not rule.school_time:
        return anchor + after
    ripe = line.after_school_time(to_micros(anchor), after)
    return None if ripe >= NEVER else from_micros(ripe)


def advance(rule: Rule, sign: Sign | None, view: View | None, line: Line, now: dt.datetime) -> Sign | None:
    """How the rule stands with the child now; None where it was never raised and does not hold.

    Raised now: `raised_at` is `now`. What was raised once is kept, so that `times` counts on while the case is open;
    it rests until `raised_at + rule.rearm`. Advancing again at once changes nothing.
    """
    before = sign or Sign(rule.rule_id)
    if before.stands:
        ends = view is None or (view.over and not view.holds)
        return replace(before, over=True, since=None, armed_at=None) if ends else before
    rests_until = None if before.raised_at is None else before.raised_at + rule.rearm
    if view is None or not view.holds:
        return None if rests_until is None else replace(before, since=None, armed_at=None)
    since = before.since or now
    ripe = ripe_at(rule, view.anchor or since, line, hurried=view.hurried)
    if ripe is None:
        return replace(before, since=since, armed_at=None)
    due = max(since, ripe, rests_until or since)
    if due > now:
        return replace(before, since=since, armed_at=due)
    return raise_sign(rule, replace(before, since=since), due, now)


def raise_sign(rule: Rule, sign: Sign, due: dt.datetime, now: dt.datetime) -> Sign:
    """The sign, raised `now` with the deadline that passed at `due`."""
    return replace(
        sign,
        version=rule.version,
        armed_at=None,
        due_at=due,
        raised_at=now,
        times=sign.times + 1,
        over=False,
        climb=START,
        ladder=None,
    )
