"""Classes whose rolls a feed owes and does not bring, though something else is heard of them: a gate, or a leave.

By the law a class is silent when nothing at all is heard of all its children, and schools are told. What this finds is
told to the operator alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from daemon.config import FeedConfig
from daemon.jobs.feed_findings import MOST_IDS, MOST_LINES, Found
from daemon.jobs.feed_problem_words import FeedProblem
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.silence import KIND as SILENT
from daemon.jobs.silence import owing
from daemon.store import absences, incidents, rolls
from daemon.store.tx import Tx
from rules.calendar import Session
from rules.instants import to_micros


def find_missing_rolls(tx: Tx, house: House, now: dt.datetime) -> Iterator[tuple[FeedConfig, Found | None]]:
    """Yield each feed that owes rolls, with the classes of which it has brought none for long enough; None if none.

    Of a feed of passages it is only asked whether it brings anything at all: a class may not have passed.
    """
    people = house.people(tx)
    known = incidents.open_incidents(tx)
    told = {one for row in known if row.kind == SILENT for one in row.state["classes"]}
    failing = {row.subject for row in known if row.kind == FeedProblem.FAILED}
    away = _away(tx, now)
    for feed in owing(house):
        if feed.id in failing:
            continue
        owed = {
            people.class_ids[index]: session
            for index in people.classes_under(feed.units)
            if (session := _stale_session(house, people, feed, index, now)) is not None
            and _anybody_there(people, index, away)
        }
        missing = sorted(_missing(tx, house, people, feed, owed))
        if feed.records == "punches" and len(missing) < len(owed):
            missing = []
        untold = [one for one in missing if one not in told]
        yield feed, _found(feed, untold, owed) if untold else None
    yield from ((feed, None) for feed in house.config.feed if feed not in owing(house))  # it may have owed them before


def _away(tx: Tx, now: dt.datetime) -> frozenset[str]:
    """The children on leave now."""
    return frozenset(one.student_id for one in absences.load_leaves(tx, known_by=now) if one.starts <= now < one.ends)


def _anybody_there(people: People, index: int, away: Collection[str]) -> bool:
    members: list[int] = people.members[index].tolist() if index in people.members else []
    return any(people.student_of[ordinal] not in away for ordinal in members)


def _stale_session(house: House, people: People, feed: FeedConfig, index: int, now: dt.datetime) -> Session | None:
    """The latest session of a class whose roll is overdue; None where there is none yet."""
    variant = people.variants[index]
    line = house.calendar.lines[variant]
    passed = int(np.searchsorted(line.stale_at(feed.stale_after), to_micros(now), "right"))
    return house.calendar.session(variant, int(line.columns[passed - 1])) if passed else None


def _missing(tx: Tx, house: House, people: People, feed: FeedConfig, owed: Mapping[str, Session]) -> Iterator[str]:
    """The classes without a roll of the feed in their overdue session or a later one."""
    if not owed:
        return
    first = min(session.date for session in owed.values())
    brought: dict[str, int] = {}
    for class_id, day, name in rolls.sessions_brought(tx, feed.id, first):
        if class_id in owed:
            variant = people.variants[people.class_index[class_id]]
            column = house.calendar.column(variant, day, name)
            brought[class_id] = max(brought.get(class_id, -1), -1 if column is None else column)
    yield from (class_id for class_id, session in owed.items() if brought.get(class_id, -1) < session.column)


def _found(feed: FeedConfig, classes: list[str], owed: Mapping[str, Session]) -> Found:
    few = ", ".join(classes[:MOST_LINES]) + (", …" if len(classes) > MOST_LINES else "")
    session = owed[classes[0]]
    line = {
        "file": feed.id,
        "line": None,
        "key": None,
        "fault": f"{few} have no roll, {session.date} {session.name} or later",
        "hint": "look whether the school still sends it: a gate, or a child on leave, is all that is heard of them",
    }
    return Found(FeedProblem.ROLLS_MISSING, len(classes), [line], frozenset(classes[:MOST_IDS]))
