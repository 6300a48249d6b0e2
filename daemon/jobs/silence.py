"""Silence of feeds: one incident a feed while classes it owes are silent, told once, resolved by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from daemon.config import FeedConfig
from daemon.jobs.announce import announce, announce_to_told
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import Sought, holding, operators
from daemon.jobs.scenes import load_judgement, stale_after
from daemon.jobs.tell import queue
from daemon.store import absences, incidents, outbox, timers
from daemon.store.incidents import IncidentRow
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.incidents import has_word, silent_classes, silent_since
from rules.instants import earliest, from_micros, to_micros
from rules.judge import Judgement

FEED = "feed"
"""Timer: a feed's silence must be looked at (subject: the feed, or feed@instant for a look beside the regular one)."""

KIND = "feed_silent"
LOOK_BACK = dt.timedelta(days=21)
"""Rolls older than this say nothing about silence now; they still say since when it lasts, over long holidays too."""


def owing(house: House) -> list[FeedConfig]:
    """The feeds that owe rolls."""
    return [feed for feed in house.config.feed if feed.records in {"marks", "punches"} and feed.units]


def arm_silence(tx: Tx, house: House, now: dt.datetime, feeds: Iterable[str] | None = None) -> None:
    """Arm each feed's next look: when a session of a class it owes has been over for long enough, or a child moves."""
    people = house.people(tx)
    wanted = None if feeds is None else set(feeds)
    suspected = {row.subject for row in incidents.open_incidents(tx, KIND)}
    moves = (one.at for one in absences.load_movements(tx, known_by=now) if one.at > now)
    moved = min(moves, default=None)
    rows = []
    for feed in owing(house):
        instant = earliest(_next_look(house, people, feed, now, suspected=feed.id in suspected), moved)
        if instant is not None and (wanted is None or feed.id in wanted):
            rows.append(Timer(FEED, feed.id, instant))
    timers.arm(tx, rows)


def _next_look(
    house: House, people: People, feed: FeedConfig, now: dt.datetime, *, suspected: bool
) -> dt.datetime | None:
    """The next instant at which a class may fall silent, or, of a suspected feed, speak by a leave that begins."""
    variants = {people.variants[index] for index in people.classes_under(feed.units)}
    instants = []
    for variant in variants:
        stale = house.calendar.lines[variant].stale_at(feed.stale_after)
        index = int(np.searchsorted(stale, to_micros(now), "right"))
        if index < len(stale):
            instants.append(int(stale[index]))
        begun = house.calendar.lines[variant].begun(to_micros(now))
        if suspected and begun < len(stale):
            instants.append(int(house.calendar.lines[variant].starts[begun]))
    return from_micros(min(instants)) if instants else None


def look_at_feeds(house: House, now: dt.datetime) -> None:
    """Open, extend or resolve the incidents of the feeds whose look is due."""
    with house.store.read() as tx:
        due = timers.due(tx, now, 10_000, (FEED,))
        feeds = sorted({timer.subject.partition("@")[0] for timer in due})
        known = {row.subject for row in incidents.open_incidents(tx, KIND)} if feeds else set()
        silent = {feed_id: _silent_of(tx, house, feed_id, now, is_new=feed_id not in known) for feed_id in feeds}
    if due:
        house.store.commit(lambda tx: _apply(tx, house, due, silent, now))
        house.wake()


@dataclass(frozen=True)
class Silence:
    """The classes of a feed that are silent, and the first session they have no word of."""

    classes: list[int]
    since: dt.datetime | None


def _silent_of(tx: Tx, house: House, feed_id: str, now: dt.datetime, *, is_new: bool) -> Silence:
    """Return the classes this feed owes that are silent now; of a new silence also since when it lasts."""
    people = house.people(tx)
    feed = next((one for one in owing(house) if one.id == feed_id), None)
    if feed is None:
        return Silence([], None)
    classes = people.classes_under(feed.units)
    judgement = load_judgement(tx, house, people, people.children_of(classes), now, _day(house, now - LOOK_BACK))
    wanted = set(classes)
    mine = {index: after for index, after in stale_after(house, people).items() if index in wanted}
    silent = silent_classes(judgement, mine)
    since = _since(tx, house, people, silent, judgement, now) if silent and is_new else None
    return Silence(sorted(silent), since)


def _since(
    tx: Tx, house: House, people: People, silent: set[int], judgement: Judgement, now: dt.datetime
) -> dt.datetime | None:
    """Return the first session after the last word of the `silent` classes, however long ago that was."""
    first, reach = house.calendar.dates[0], LOOK_BACK
    while not has_word(judgement, silent) and _day(house, now - reach) > first:
        reach *= 4
        since = max(_day(house, now - reach), first)
        judgement = load_judgement(tx, house, people, people.children_of(silent), now, since)
    return silent_since(judgement, silent)


def _day(house: House, at: dt.datetime) -> dt.date:
    return at.astimezone(house.calendar.zone).date()


def _apply(tx: Tx, house: House, due: Sequence[Timer], silent: Mapping[str, Silence], now: dt.datetime) -> None:
    people = house.people(tx)
    known = {row.subject: row for row in incidents.open_incidents(tx, KIND)}
    for feed_id, silence in silent.items():
        row = known.get(feed_id)
        if silence.classes:
            _note_silence(tx, house, people, feed_id, silence, row, now)
        elif row is not None:
            _resolve(tx, house, people, row, now)
    timers.complete(tx, due)
    arm_silence(tx, house, now, silent)


def _note_silence(
    tx: Tx,
    house: House,
    people: People,
    feed_id: str,
    silence: Silence,
    row: IncidentRow | None,
    now: dt.datetime,
) -> None:
    ids = [people.class_ids[index] for index in silence.classes]
    if row is not None:
        incidents.update_incidents(tx, [replace(row, state={**row.state, "classes": ids})])
        return
    state = {"classes": ids, "since": to_micros(silence.since or now)}
    row = IncidentRow(house.new_id(), KIND, feed_id, [], now, state=state)
    incidents.insert_incidents(tx, [row])
    facts, sought = _facts(people, row, ids), _audience(people, row.subject, ids, house)
    drafts = announce(tx, house, "feed_stale", row.incident_id, sought, facts, now, incident_id=row.incident_id)
    queue(tx, house, drafts, now)


def _resolve(tx: Tx, house: House, people: People, row: IncidentRow, now: dt.datetime) -> None:
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="resumed")])
    outbox.cancel(tx, now, "resumed", incident_id=row.incident_id)
    facts = _facts(people, row, row.state["classes"])
    drafts = announce_to_told(tx, house, "feed_recovered", row.incident_id, facts, now)
    queue(tx, house, drafts, now)


def _audience(people: People, feed_id: str, class_ids: Sequence[str], house: House) -> list[Sought]:
    """The operator, and the principals of the schools concerned."""
    feed = next(one for one in owing(house) if one.id == feed_id)
    schools = [people.directory.school(class_id) for class_id in class_ids]
    units = [school.unit_id if school else class_id for school, class_id in zip(schools, class_ids, strict=True)]
    principals = [holding(people, "principal", unit) for unit in dict.fromkeys(units)]
    return [*operators(people, about=feed.units[0]), *principals]


def _facts(people: People, row: IncidentRow, class_ids: Sequence[str]) -> dict[str, Any]:
    units = people.directory.units
    names = [units[one].name if one in units else one for one in class_ids]
    return {"feed": row.subject, "classes": names, "since": row.state["since"], "count": len(names)}
