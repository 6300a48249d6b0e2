"""Rows that wait for a child who is not on the roster: how many, for whom, and which child was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.desk.similar_ids import similar_ids
from daemon.feeds.payload import Refused, quote
from daemon.problems import Problem

FIRST = 5
"""So many children are named."""


def waiting_problem(waiting: Sequence[Refused]) -> Problem:
    """Return one line that says of all rows that wait how many there are, for whom, and what is to be done."""
    first, children = waiting[0], first_children(waiting)
    count = len({one.student_id for one in waiting})
    rows = "1 row waits" if len(waiting) == 1 else f"{len(waiting)} rows wait"
    whom = "1 child" if count == 1 else f"{count} children"
    more = " …" if count > len(children) else ""
    hints = list(dict.fromkeys(one.hint for one in waiting if one.hint))
    fault = f"{rows} for {whom} not on the roster: {', '.join(map(quote, children))}{more}"
    hint = "; ".join(hints[:FIRST]) or None
    return Problem(first.source, first.line or None, first.column or "student_id", fault, hint)


def first_children(waiting: Sequence[Refused]) -> list[str]:
    """Return the first ids among those that rows wait for."""
    return list(dict.fromkeys(one.student_id for one in waiting if one.student_id))[:FIRST]


def with_meant(waiting: Sequence[Refused], roster: Iterable[str]) -> list[Refused]:
    """Return these rows, each of which may have meant a child of the `roster` with that as its hint."""
    if not waiting:
        return []
    meant = alike({one.student_id for one in waiting if one.student_id}, roster)
    hints = {one: f"{quote(one)} looks like {quote(known)}" for one, known in meant.items()}
    return [replace(one, hint=hints.get(one.student_id or "", one.hint)) for one in waiting]


def alike(strangers: Iterable[str], roster: Iterable[str]) -> dict[str, str]:
    """Return for ids that are not on the roster the one id there that differs only in how it was written.

    An id that is like several is like none.
    """
    found = similar_ids(roster, strangers)
    return {one: known[0] for one, known in found.items() if len(known) == 1}
