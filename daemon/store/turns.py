"""Schools take turns on a channel: a first message goes before the second one of a school with many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.alerts import QUEUED
from daemon.store.tables import message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.store.tx import Tx


class Turns:
    """The turns given so far among what waits, by channel and school; gives each school its next.

    A school that comes later begins where the others are: it neither waits for what they have before it, nor lets
    them wait until it has caught up.
    """

    def __init__(self, last: Mapping[tuple[str, str], int], reached: Mapping[str, int]) -> None:
        self._last = dict(last)
        self._reached = dict(reached)

    def take(self, channel: str, school: str) -> int:
        """The next turn of a school on a channel."""
        last = self._last.get((channel, school))
        turn = max(self._reached.get(channel, 0), 0 if last is None else last + 1)
        self._last[channel, school] = turn
        return turn


def turns_of(tx: Tx, channels: Collection[str]) -> Turns:
    """The turns of what waits on these channels."""
    if not channels:
        return Turns({}, {})
    c = message.c
    asked = sa.select(c.channel, c.school, sa.func.min(c.turn), sa.func.max(c.turn)).group_by(c.channel, c.school)
    waiting = asked.where(tx.ours(message), c.state == QUEUED, c.channel.in_(sorted(channels)))
    rows = [tuple(row) for row in tx.connection.execute(waiting)]
    reached: dict[str, int] = {}
    for channel, _, least, _ in rows:
        reached[channel] = min(least, reached.get(channel, least))
    return Turns({(channel, school): most for channel, school, _, most in rows}, reached)
