"""What a calendar may not say: terms and sessions that end before they begin or overlap, days open and closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise

from daemon.config.scene import Scene, rows
from daemon.config.values import quoted
from daemon.config.wording import Finding


def _terms(scene: Scene) -> Iterator[Finding]:
    spans = []
    for number, row in rows(scene.table.get("terms")):
        first, last = row.get("from"), row.get("to")
        if type(first) is not dt.date or type(last) is not dt.date:
            continue
        if first > last:
            hint = f"swap the two, or write a day from {first} on"
            yield scene.found(("terms", number, "to"), f"{last} lies before the term begins, {first}", hint)
        else:
            spans.append((first, last, number))
    for (_, last, _), (first, _, number) in pairwise(sorted(spans)):
        if first <= last:
            hint = f"begin after {last}, or make one term of the two"
            yield scene.found(("terms", number, "from"), f"{first} lies in a term that ends {last}", hint)


def _sessions(scene: Scene) -> Iterator[Finding]:
    spans = []
    for number, row in rows(scene.table.get("sessions")):
        start, end = row.get("start"), row.get("end")
        if not isinstance(start, dt.time) or not isinstance(end, dt.time):
            continue
        if end <= start:
            hint = f"write a time later than {start}; no session runs past midnight"
            yield scene.found(("sessions", number, "end"), f"{end} is not after its start, {start}", hint)
        else:
            spans.append((start, end, number))
    for (_, end, _), (start, _, number) in pairwise(sorted(spans)):
        if start < end:
            hint = f"begin at {end} or later"
            yield scene.found(("sessions", number, "start"), f"{start} lies in a session that ends {end}", hint)


def _names(scene: Scene) -> Iterator[Finding]:
    names: set[str] = set()
    for number, row in rows(scene.table.get("sessions")):
        name = row.get("name")
        if isinstance(name, str) and name in names:
            fault = f"{quoted(name)} names another session of the day already"
            yield scene.found(("sessions", number, "name"), fault, 'give each its own name, such as "am" and "pm"')
        names |= {name} if isinstance(name, str) else set()


def _open_and_closed(scene: Scene) -> Iterator[Finding]:
    closed, opened = scene.table.get("closed"), scene.table.get("open")
    if isinstance(closed, list) and isinstance(opened, list):
        for number, day in enumerate(opened):
            if type(day) is dt.date and day in closed:
                yield scene.found(("open", number), f"{day} is closed as well", "take it out of one of the two lists")


CHECKS = (_terms, _sessions, _names, _open_and_closed)
"""For every table with a calendar in it."""
