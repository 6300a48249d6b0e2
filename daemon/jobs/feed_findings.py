"""What is wrong with what a feed delivers, as the store knows it; tells nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daemon.config import FeedConfig
from daemon.feeds.files import passed_over
from daemon.feeds.grouping import RefusedGroup, group_refused
from daemon.feeds.payload import Refused
from daemon.jobs.feed_problem_words import FeedProblem
from daemon.jobs.held import entries_of
from daemon.jobs.house import House
from daemon.jobs.untaken import missing_children, stands_since
from daemon.store import deliveries, enrolment, intake
from daemon.store.deliveries import Outcome, PayloadRow
from daemon.store.intake import FeedState
from daemon.store.tx import Tx

FEW_POLLS = 3
"""After so many failed polls in a row the operator is told; at once where polls are rarer than RARE."""
RARE = dt.timedelta(hours=1)

MOST_LINES = 10
MOST_ROWS = 10_000
MOST_IDS = 1_000
_LONGEST = 300


STOPS_THE_HEARTBEAT = frozenset({FeedProblem.FAILED, FeedProblem.HELD})
"""The problems for which somebody outside should come and look."""


@dataclass(frozen=True)
class Found:
    """One problem of a feed: how many rows, ids or files, what to show of it, and what makes it news.

    `reasons` are the reasons, or ids, of which the operator has to hear once.
    """

    problem: FeedProblem
    count: int
    lines: Sequence[Mapping[str, Any]] = field(repr=False)
    reasons: frozenset[str]


def find_problems(
    tx: Tx,
    house: House,
    feed: FeedConfig,
    state: FeedState,
    beside: Sequence[Refused],
    now: dt.datetime,
    names: Collection[str] | None,
) -> list[Found]:
    """Return what is wrong with a feed now; see `review_feed` for `beside` and `names`."""
    found = list(_failing(house, feed, state, now, is_unreadable=names is not None))
    if names is not None:
        found += _standing(tx, house, feed, state, beside, now, names)
    return found


def _failing(
    house: House, feed: FeedConfig, state: FeedState, now: dt.datetime, *, is_unreadable: bool
) -> Iterator[Found]:
    """A source that cannot be reached may be so for a moment; one that gives what nobody can read is told at once."""
    if state.state != "failed":
        return
    since = state.failing_since or now
    lasts = state.failed_polls >= FEW_POLLS or feed.poll >= RARE or now - since >= RARE
    if lasts or is_unreadable:
        fault = (state.problem or "cannot be read")[:_LONGEST]
        line = {"file": feed.id, "line": None, "key": None, "fault": fault, "hint": _last_good(house, state)}
        yield Found(FeedProblem.FAILED, state.failed_polls, [line], frozenset({"failed"}))


def _last_good(house: House, state: FeedState) -> str:
    if state.last_ok_at is None:
        return "it was never read"
    return f"last read {state.last_ok_at.astimezone(house.calendar.zone):%Y-%m-%d %H:%M}"


def _standing(
    tx: Tx,
    house: House,
    feed: FeedConfig,
    state: FeedState,
    beside: Sequence[Refused],
    now: dt.datetime,
    names: Collection[str],
) -> Iterator[Found]:
    rows = [row for row in deliveries.troubled_payloads(tx, feed.id, stands_since(feed, now)) if row.name in names]
    yield from _rows(tx, [row for row in rows if state.state != "failed" or row.outcome != Outcome.UNREADABLE])
    held = [row for row in rows if row.outcome == Outcome.HELD]
    if held:
        yield _held(tx, feed, held)
    notices = [*beside, *(_refused(row.name, notice) for row in rows for notice in row.notices)]
    if notices:
        yield _grouped(FeedProblem.PASSED_OVER, notices)
    if feed.records == "students":
        yield from _of_the_roster(tx, house, feed, now)


def _rows(tx: Tx, rows: Sequence[PayloadRow]) -> Iterator[Found]:
    """Rows refused, and rows that wait for the roster."""
    refused: list[Refused] = []
    waiting: list[Refused] = []
    names = {row.payload_id: row.name for row in rows}
    for one in intake.refusals_in(tx, names, MOST_ROWS):
        told = Refused(names[one.payload_id], one.line, one.column, one.fault, one.hint, one.student_id)
        (waiting if one.retry else refused).append(told)
    if refused:
        yield _grouped(FeedProblem.ROWS_REFUSED, refused)
    if waiting:
        ids = sorted({one.student_id for one in waiting if one.student_id})
        lines = [_waiting(group) for group in group_refused(waiting)[:MOST_LINES]]
        yield Found(FeedProblem.ROWS_WAITING, len(waiting), lines, frozenset(ids[:MOST_IDS]))


def _grouped(problem: FeedProblem, refused: Sequence[Refused]) -> Found:
    groups = group_refused(refused)
    reasons = frozenset(f"{group.column}|{group.fault}" for group in groups)
    return Found(problem, len(refused), [_line(group) for group in groups[:MOST_LINES]], reasons)


def _line(group: RefusedGroup) -> Mapping[str, Any]:
    rows = f"{group.count} rows: " if group.count > 1 else ""
    return {
        "file": group.source,
        "line": group.line or None,
        "key": group.column,
        "fault": (rows + group.fault)[:_LONGEST],
        "hint": group.hint and group.hint[:_LONGEST],
    }


def _waiting(group: RefusedGroup) -> Mapping[str, Any]:
    """Rows that wait, with the ids of the roster that look alike where every message shows them."""
    likeness, _, _ = (group.hint or "").partition(":")
    alike = f"; {likeness}" if likeness.startswith("the roster has") else ""
    return {**_line(group), "fault": f"{group.count} rows, {group.children} children who are not on the roster{alike}"}


def _refused(name: str, notice: Sequence[Any]) -> Refused:
    source, line, column, fault, hint = notice
    return Refused(source or name, line, column, fault, hint)


def _held(tx: Tx, feed: FeedConfig, rows: Sequence[PayloadRow]) -> Found:
    entries = entries_of(tx, feed.id)
    hint = f"send it whole, or accept it: baoxue feed accept {feed.id} --by WHO; what stays so for a day is accepted"
    lines = [
        {
            "file": row.name,
            "line": None,
            "key": None,
            "fault": f"lacks {entry['gone']} of {entry['of']} {feed.records} that are in force",
            "hint": hint,
        }
        for row in rows
        if (entry := entries.get(row.name)) is not None
    ]
    reasons = frozenset(entry["fingerprint"] for entry in entries.values())
    return Found(FeedProblem.HELD, len(rows), lines[:MOST_LINES], reasons)


def _of_the_roster(tx: Tx, house: House, feed: FeedConfig, now: dt.datetime) -> Iterator[Found]:
    missing = missing_children(tx, feed, now)
    if missing:
        hint = "they stay judged; enter where each went as a movement, or mend the roster"
        yield _ids(FeedProblem.CHILDREN_MISSING, feed, missing, "are on the newest roster no more", hint)
    if any(one.records == "units" for one in house.config.feed):
        classes = enrolment.classes_without_unit(tx, feed.id)
        if classes:
            hint = "add them to the units: whoever is told of a child is found through its class"
            yield _ids(FeedProblem.CLASSES_UNKNOWN, feed, list(classes), "are classes that no units feed names", hint)


def _ids(problem: FeedProblem, feed: FeedConfig, ids: Sequence[str], fault: str, hint: str) -> Found:
    few = ", ".join(ids[:MOST_LINES]) + (", …" if len(ids) > MOST_LINES else "")
    room = _LONGEST - len(fault) - 1
    few = few if len(few) <= room else few[: room - 1] + "…"
    line = {"file": feed.id, "line": None, "key": None, "fault": f"{few} {fault}", "hint": hint}
    return Found(problem, len(ids), [line], frozenset(ids[:MOST_IDS]))


def passed_over_by(house: House, feed: FeedConfig) -> list[Refused]:
    """Return the files of a feed's folder that look as if they were its and are not read."""
    if feed.path is None:
        return []
    others = [one for one in house.config.feed if one.id != feed.id]
    return passed_over(feed, house.config.base, others)
