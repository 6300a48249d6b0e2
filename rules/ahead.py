"""What is known to come of one child: leaves and movements in force, beginning and ending; judges nothing."""

from __future__ import annotations

import datetime as dt

import numpy as np

from rules.calendar import Line
from rules.instants import earliest, from_micros, to_micros
from rules.register import Register


def in_force_until(register: Register, row: int, instant: int) -> int | None:
    """When the leave in force at `instant` ends, following leaves that touch; None where none is in force."""
    until = None
    spans = sorted((to_micros(leave.starts), to_micros(leave.ends)) for leave in register.leaves.get(row, ()))
    at = instant
    for starts, ends in spans:
        if starts <= at < ends:
            until = at = ends
    return until


def ended_before(register: Register, row: int, line: Line, now: int, instant: int) -> bool:
    """Whether something known ends the child's run by itself after `now` and at or before `instant`."""
    for out in register.outs.get(row, ()):
        if now < to_micros(out.at) <= instant:
            return True
    first, last = line.begun(now), line.begun(instant)
    for leave in register.leaves.get(row, ()):
        begins, ends = to_micros(leave.starts), to_micros(leave.ends)
        covered = (line.starts[first:last] < ends) & (line.ends[first:last] > begins)
        if covered.any():
            return True
    return False


def out_at(register: Register, row: int, now: int) -> str | None:
    """The movement that keeps the child off the roll at `now`."""
    for out in register.outs.get(row, ()):
        if to_micros(out.at) <= now and (out.until is None or now < to_micros(out.until)):
            return out.kind
    return None


def changes_at(register: Register, row: int, now: int, variant: int) -> dt.datetime | None:
    """The next instant after `now` at which a known leave or movement, or a change of school, takes effect.

    `variant` is the calendar variant the child follows now.
    """
    instants = [
        instant
        for leave in register.leaves.get(row, ())
        for instant in (leave.starts, leave.ends)
        if to_micros(instant) > now
    ]
    outs = (out.at for out in register.outs.get(row, ()) if to_micros(out.at) > now)
    return earliest(*instants, *outs, _turns_at(register, row, now, variant))


def _turns_at(register: Register, row: int, now: int, variant: int) -> dt.datetime | None:
    """The first session to come by another calendar variant than the present."""
    of = register.variant[row]
    if len(of) == 1:
        return None
    starts = register.calendar.starts[of, np.arange(len(of))]
    ahead = np.flatnonzero((starts > now) & (of != variant))
    return from_micros(int(starts[ahead[0]])) if len(ahead) else None
