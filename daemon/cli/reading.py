"""What was refused, held or waits, said on standard error by reason; never a word of the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence

import click

from daemon.feeds.grouping import group_refused
from daemon.feeds.payload import Refused, quote

MOST = 50
"""So many reasons are said of a feed; the rest is counted."""
FIRST = 5
"""So many children are named of those that rows wait for."""


def print_refused(refused: Sequence[Refused]) -> None:
    """Say why rows were refused: a line for each reason, with how many there are and where the first one stands."""
    groups = group_refused(refused)
    for one in groups[:MOST]:
        click.echo(str(one), err=True)
    if len(groups) > MOST:
        rows, rest = sum(one.count for one in groups[MOST:]), len(groups) - MOST
        click.echo(f"… 另有 {rows} 行因 {rest} 种原因被拒 and {rows} more rows refused for {rest} reasons", err=True)


def print_waiting(waiting: Sequence[Refused]) -> None:
    """Say in one line how many rows wait for children who are not on the roster, and for which first."""
    if waiting:
        click.echo(waiting_line(waiting), err=True)


def waiting_line(waiting: Sequence[Refused]) -> str:
    """Return the line that says of all rows that wait how many there are, for whom, and what is to be done."""
    first, children = waiting[0], first_children(waiting)
    count = len({one.student_id for one in waiting})
    rows = "1 row waits" if len(waiting) == 1 else f"{len(waiting)} rows wait"
    whom = "1 child" if count == 1 else f"{count} children"
    more = "" if count <= len(children) else " …"
    hints = list(dict.fromkeys(one.hint for one in waiting if one.hint))
    hint = f" – {'; '.join(hints[:FIRST])}" if hints else ""
    place = f"{first.source}:{first.line} {first.column or 'student_id'}"
    return f"{place}  {rows} for {whom} not on the roster: {', '.join(children)}{more}{hint}"


def first_children(waiting: Sequence[Refused]) -> list[str]:
    """Return the first ids among those that rows wait for."""
    return list(dict.fromkeys(quote(one.student_id) for one in waiting if one.student_id))[:FIRST]


def print_each(said: Sequence[Refused]) -> None:
    """Say each of these on a line of its own: deliveries held, things passed over."""
    for one in said:
        click.echo(str(one), err=True)
