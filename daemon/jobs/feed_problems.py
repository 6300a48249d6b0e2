"""What is wrong with what a feed delivers: one incident a kind and feed, told to the operator, over by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon.config import FeedConfig
from daemon.feeds.payload import Refused
from daemon.jobs.announce import announce, announce_to_told
from daemon.jobs.feed_findings import MOST_IDS, Found, find_problems
from daemon.jobs.feed_problem_words import WORDS, FeedProblem
from daemon.jobs.house import House
from daemon.jobs.routing import operators
from daemon.jobs.tell import queue
from daemon.store import incidents, intake, outbox
from daemon.store.incidents import IncidentRow
from daemon.store.intake import FeedState
from daemon.store.tx import Tx
from rules.instants import from_micros, to_micros

OF_DELIVERIES = tuple(one for one in FeedProblem if one is not FeedProblem.ROLLS_MISSING)
"""The problems that a poll shows."""

BETWEEN_NEWS = dt.timedelta(hours=1)
"""How long after a problem was told of a new reason for it may be told; meanwhile it waits."""


def review_feed(
    tx: Tx,
    house: House,
    feed: FeedConfig,
    state: FeedState,
    beside: Sequence[Refused],
    now: dt.datetime,
    names: Collection[str] | None = None,
) -> str | None:
    """Tell the operator of problems of a feed that are new, and those told of what is over; what stands, in words.

    `beside` are files that are passed over. `names` are the deliveries the feed has now: what was refused of others
    does not stand; None when the poll failed, and only that is looked at.
    """
    if house.simulated:
        return None
    found = find_problems(tx, house, feed, state, beside, now, names)
    known = {row.kind: row for row in incidents.open_incidents(tx) if row.subject == feed.id}
    # While a feed fails nothing is known of its other problems: they are not over.
    looked_at = OF_DELIVERIES if state.state != "failed" else ()
    for one in found:
        _note(tx, house, feed, one, known.get(one.problem), now)
    standing = {one.problem for one in found}
    for problem in looked_at:
        if problem not in standing and problem in known:
            _end(tx, house, known[problem], now)
    return "; ".join(_in_words(one) for one in found) or None


def review_rolls(tx: Tx, house: House, looked: Iterable[tuple[FeedConfig, Found | None]], now: dt.datetime) -> None:
    """Tell the operator of classes whose rolls a feed does not bring, and of the end of that."""
    known = {row.subject: row for row in incidents.open_incidents(tx, FeedProblem.ROLLS_MISSING)}
    for feed, found in looked:
        if found is not None:
            _note(tx, house, feed, found, known.get(feed.id), now)
        elif feed.id in known:
            _end(tx, house, known[feed.id], now)


def open_problems(tx: Tx) -> list[IncidentRow]:
    """What is wrong with feeds now, the oldest first: problems that stand, silences, and feeds that have just failed.

    The last have no incident yet, and no id: the operator is told when they have failed for longer.
    """
    found = [row for row in incidents.open_incidents(tx) if row.kind in WORDS]
    told = {row.subject for row in found if row.kind == FeedProblem.FAILED}
    failed = [
        IncidentRow("", FeedProblem.FAILED, one.feed_id, [], one.failing_since, state={"count": one.failed_polls})
        for one in intake.feed_states(tx)
        if one.state == "failed" and one.failing_since is not None and one.feed_id not in told
    ]
    return sorted([*found, *failed], key=lambda row: row.opened_at)


def forget_feeds(tx: Tx, house: House, now: dt.datetime) -> None:
    """Close the problems of feeds that are not configured any more; nobody is told."""
    configured = {feed.id for feed in house.config.feed}
    ours = [row for row in incidents.open_incidents(tx) if row.kind in {*FeedProblem}]
    gone = [row for row in ours if row.subject not in configured]
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="feed removed") for row in gone])


def problem_words(row: IncidentRow) -> str:
    """A problem that stands, in one line of English for whoever runs the daemon."""
    count = row.state.get("count", len(row.state.get("classes", ())))
    return f"feed {row.subject}: {WORDS[row.kind][1]} ({count})"


def _in_words(one: Found) -> str:
    first = one.lines[0] if one.lines else {}
    return f"{WORDS[one.problem][1]} ({one.count}): {first.get('fault', '')}".rstrip(": ")


# ---- the operator -------------------------------------------------------------------------------------------------


def _note(tx: Tx, house: House, feed: FeedConfig, one: Found, row: IncidentRow | None, now: dt.datetime) -> None:
    """Open an incident, or tell anew of one for which there are new reasons; else only keep the count.

    One of which nobody could be told is told as soon as there is somebody.
    """
    told = frozenset(row.state["told"]) if row is not None else frozenset()
    lines = list(one.lines)
    if row is not None and told and (not one.reasons - told or now - _told_at(row) < BETWEEN_NEWS):
        kept = {**row.state, "count": one.count, "lines": lines}
        if kept != row.state:
            incidents.update_incidents(tx, [replace(row, state=kept)])
        return
    if row is not None and told:
        incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="more")])
        outbox.cancel(tx, now, "overtaken", incident_id=row.incident_id)
        row = None
    incident_id = house.new_id() if row is None else row.incident_id
    facts = _facts(feed.id, one.problem, one.count, lines, to_micros(now if row is None else row.opened_at))
    sought = operators(house.people(tx), about=feed.units[0] if feed.units else None)
    drafts = announce(tx, house, "feed_problem", incident_id, sought, facts, now, incident_id=incident_id)
    heard = sorted(told | one.reasons)[:MOST_IDS] if drafts else []
    state = {"told": heard, "told_at": to_micros(now), "count": one.count, "lines": lines}
    if row is None:
        incidents.insert_incidents(tx, [IncidentRow(incident_id, one.problem, feed.id, [], now, state=state)])
    elif state != row.state:
        incidents.update_incidents(tx, [replace(row, state=state)])
    queue(tx, house, drafts, now)


def _told_at(row: IncidentRow) -> dt.datetime:
    return from_micros(row.state["told_at"])


def _end(tx: Tx, house: House, row: IncidentRow, now: dt.datetime) -> None:
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="over")])
    outbox.cancel(tx, now, "over", incident_id=row.incident_id)
    facts = _facts(row.subject, FeedProblem(row.kind), row.state["count"], (), to_micros(row.opened_at))
    queue(tx, house, announce_to_told(tx, house, "feed_problem_over", row.incident_id, facts, now), now)


def _facts(
    feed_id: str, problem: FeedProblem, count: int, lines: Iterable[Mapping[str, Any]], since: int
) -> dict[str, Any]:
    zh, en = WORDS[problem]
    return {
        "feed": feed_id,
        "problem": {"what": problem.value, "zh": zh, "en": en},
        "faults": [*lines],
        "count": count,
        "since": since,
    }
