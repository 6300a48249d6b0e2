"""What was refused, held or waits, said on standard error by reason; never a word of the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import click

from daemon.cli.language import readers_language, worded
from daemon.desk.waiting import waiting_problem
from daemon.feeds.grouping import RefusedGroup, group_refused
from daemon.feeds.payload import Refused
from notifiers.feed_glosses import feed_fault, feed_hint

Told = TypeVar("Told", Refused, RefusedGroup)

MOST = 50
"""So many reasons are said of a feed; the rest is counted."""


def print_refused(refused: Sequence[Refused]) -> None:
    """Say why rows were refused: a line for each reason, with how many there are and where the first one stands."""
    groups = group_refused(refused)
    for one in groups[:MOST]:
        click.echo(str(_in_words(one)), err=True)
    if len(groups) > MOST:
        rows, rest = sum(one.count for one in groups[MOST:]), len(groups) - MOST
        more = worded(f"… 另有 {rows} 行因 {rest} 种原因被拒", f"… and {rows} more rows refused for {rest} reasons")
        click.echo(more, err=True)


def print_waiting(waiting: Sequence[Refused]) -> None:
    """Say in one line how many rows wait for children who are not on the roster, and for which first."""
    if waiting:
        click.echo(str(waiting_problem(waiting)), err=True)


def print_each(said: Sequence[Refused]) -> None:
    """Say each of these on a line of its own: deliveries held, things passed over."""
    for one in said:
        click.echo(str(_in_words(one)), err=True)


def _in_words(one: Told) -> Told:
    """Return a fault and its hint in the reader's language, where there are words for them."""
    if readers_language() != "zh":
        return one
    hint = one.hint and (feed_hint(one.hint) or one.hint)
    return replace(one, fault=feed_fault(one.fault) or one.fault, hint=hint)


def said_of_feed(fault: str | None) -> str | None:
    """Return what is wrong with a feed in the reader's language, where there are words for it."""
    return (feed_fault(fault) if fault and readers_language() == "zh" else None) or fault
