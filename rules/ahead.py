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


def changes_at(register: Register, row: int, now: int, variant: int, *, running: bool) -> dt.datetime | None:
    """The next instant after `now` at which a known leave or movement, or a change of school, takes effect.

    A leave does so when it starts and ends and, where the child is `running` up an absence, with the first session it
    covers. `variant` is the calendar variant the child follows now.
    """
    leaves = register.leaves.get(row, ())
    instants = [instant for leave in leaves for instant in (leave.starts, leave.ends) if to_micros(instant) > now]
    if running:
        line = register.calendar.lines[variant]
        cuts = [covered_at(line, to_micros(leave.starts), to_micros(leave.ends), now) for leave in leaves]
        instants += [from_micros(cut) for cut in cuts if cut is not None]
    outs = (out.at for out in register.outs.get(row, ()) if to_micros(out.at) > now)
    return earliest(*instants, *outs, _turns_at(register, row, now, variant))


def covered_at(line: Line, starts: int, ends: int, now: int) -> int | None:
    """The start (microseconds) of the first session to come that a leave `[starts, ends)` covers: a run ends there."""
    n = max(line.begun(now), int(np.searchsorted(line.ends, starts, "right")))
    covered = n < len(line.starts) and line.starts[n] < ends
    return int(line.starts[n]) if covered else None


def _turns_at(register: Register, row: int, now: int, variant: int) -> dt.datetime | None:
    """The beginning of the first day to come on which the child follows another calendar variant than now."""
    of, calendar = register.variant[row], register.calendar
    if len(of) == 1:
        return None
    today = from_micros(now).astimezone(calendar.zone).date().toordinal()
    ahead = np.flatnonzero((calendar.day_of > today) & (of != variant))
    return calendar.local_midnight(calendar.dates[ahead[0] // calendar.slots]) if len(ahead) else None
