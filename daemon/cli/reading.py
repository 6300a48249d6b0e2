"""What was read and refused, said on standard error; never a word of the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence

import click

from daemon.feeds.payload import Refused

MOST = 50


def print_refused(refused: Sequence[Refused]) -> None:
    """Each refused row with its place; only so many, and the count of the rest."""
    for one in refused[:MOST]:
        click.echo(str(one), err=True)
    if len(refused) > MOST:
        click.echo(f"… 另有 {len(refused) - MOST} 行被拒 and {len(refused) - MOST} more rows refused", err=True)
