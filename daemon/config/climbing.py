"""What a ladder may not say: an end to what does not repeat, a fall-back where every channel is used, haste."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from daemon.config.scene import Scene
from daemon.config.values import span_of
from daemon.config.wording import Finding

SOONEST = dt.timedelta(minutes=5)
"""What repeats faster is a mistake, and costs a text message each time."""


def repeating(scene: Scene) -> Iterator[Finding]:
    """`until` ends a repeat, which is no faster than somebody can act."""
    repeat = span_of(scene.table.get("repeat"))
    if "until" in scene.table and "repeat" not in scene.table:
        yield scene.found("until", "ends a repeat, and there is none", 'write repeat = "24h" too, or leave it out')
    if repeat is not None and dt.timedelta(0) < repeat < SOONEST:
        yield scene.found("repeat", "is too often to be heard", 'write "5m" or longer, such as "24h"')


def falling_back(scene: Scene) -> Iterator[Finding]:
    """Where every channel is used at once, none is fallen back to."""
    if scene.text("reach") == "every" and "fall_back" in scene.table:
        hint = 'leave it out, or write reach = "first"'
        yield scene.found("fall_back", "is no use where every channel is used at once", hint)


def recalling(scene: Scene) -> Iterator[Finding]:
    """An acknowledgement is recalled before it lapses."""
    reminds, lapses = span_of(scene.table.get("remind_after", "24h")), span_of(scene.table.get("lapses_after", "72h"))
    if reminds and lapses and reminds >= lapses:
        key = "remind_after" if "remind_after" in scene.table else "lapses_after"
        fault = "reminds of an acknowledgement no sooner than it lapses"
        hint = 'let remind_after be shorter than lapses_after, or turn one off with "0"'
        yield scene.found(key, fault, hint)


RUNG = (repeating, falling_back)
LADDER = (recalling,)
