"""Mass absences: found among what was just judged, kept as incidents, told once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from daemon.jobs.announce import announce
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import holding
from daemon.jobs.scenes import LOOK_BACK
from daemon.jobs.tell import queue
from daemon.store import incidents
from daemon.store.incidents import IncidentRow
from daemon.store.tx import Tx
from rules.incidents import Count, MassAbsence, mass_absences
from rules.instants import from_micros, to_micros
from rules.sweep import Scene

TOLD = ("principal", "education_office", "operator")


@dataclass(frozen=True)
class StormChange:
    """A mass absence found or gone on: the incident as it now is, and the count that showed it."""

    storm: MassAbsence
    count: Count
    is_new: bool


def find_storms(house: House, scene: Scene, people: People, now: dt.datetime) -> list[StormChange]:
    """What the register shows beyond the incidents already known; whole schools before their classes."""
    judgement = scene.judgement
    calendar = judgement.register.calendar
    recent = (calendar.starts > to_micros(now - LOOK_BACK)) & (calendar.starts <= to_micros(now))
    columns = np.flatnonzero((recent & calendar.expected).any(axis=0)).tolist()
    rows = judgement.register.classes[:, -1]
    schools = [people.school_ids[index] for index in rows]
    found = mass_absences(judgement, schools, columns, house.config.rules.mass_absence_share)
    whole = {(count.unit_id, count.column) for count in found}
    classes = [people.class_ids[index] for index in rows]
    in_class = mass_absences(judgement, classes, columns, house.config.rules.mass_absence_share)
    school_of = {class_id: people.school_ids[people.class_index[class_id]] for class_id in {*classes}}
    found += [count for count in in_class if (school_of[count.unit_id] or count.unit_id, count.column) not in whole]
    return _changes(house, people, found, scene.storms)


def _changes(house: House, people: People, found: Iterable[Count], known: Sequence[MassAbsence]) -> list[StormChange]:
    """The session joins the incident that holds the session beside it (none judged not real), or opens one."""
    storms = {storm.incident_id: storm for storm in known}
    changes: dict[str, StormChange] = {}
    for count in sorted(found, key=lambda one: (one.unit_id, one.column)):
        start, beside = _start_and_neighbours(house, people, count)
        mine = [storm for storm in storms.values() if storm.unit_id == count.unit_id]
        if any(start in storm.starts for storm in mine):
            continue
        grows = next((storm for storm in mine if storm.real is not False and beside & set(storm.starts)), None)
        if grows is None:
            storm = MassAbsence(house.new_id(), count.unit_id, (start,))
            change = StormChange(storm, count, is_new=True)
        else:
            storm = replace(grows, starts=(*grows.starts, start))
            before = changes.get(storm.incident_id)
            change = StormChange(storm, count, is_new=before.is_new if before else False)
        storms[storm.incident_id] = storm
        changes[storm.incident_id] = change
    return list(changes.values())


def _start_and_neighbours(house: House, people: People, count: Count) -> tuple[dt.datetime, set[dt.datetime]]:
    """When the unit's session began, and the starts of the sessions before and after it."""
    index = people.class_index.get(count.unit_id)
    if index is None:
        index = people.classes_of_school[count.unit_id][0]
    line = house.calendar.lines[people.variants[index]]
    at = int(np.searchsorted(line.columns, count.column))
    beside = {from_micros(int(line.starts[n])) for n in (at - 1, at + 1) if 0 <= n < len(line.starts)}
    return from_micros(int(line.starts[at])), beside


def apply_storms(tx: Tx, house: House, changes: Sequence[StormChange], now: dt.datetime) -> None:
    """Keep the incidents and tell of the new ones."""
    people = house.people(tx)
    for change in changes:
        starts = [to_micros(at) for at in change.storm.starts]
        state = {"starts": starts, "absent": change.count.absent, "expected": change.count.expected}
        if not change.is_new:
            row = incidents.incident_by_id(tx, change.storm.incident_id)
            if row is not None:
                incidents.update_incidents(tx, [replace(row, state={**row.state, **state})])
            continue
        row = IncidentRow(change.storm.incident_id, "mass_absence", change.storm.unit_id, [], now, state=state)
        incidents.insert_incidents(tx, [row])
        unit = people.directory.units.get(row.subject)
        facts = {
            "unit": unit.name if unit else row.subject,
            "count": change.count.absent,
            "share": round(change.count.absent / change.count.expected, 2),
            "since": starts[0],
        }
        sought = [holding(people, role, row.subject) for role in TOLD]
        drafts = announce(tx, house, "mass_absence", row.incident_id, sought, facts, now, incident_id=row.incident_id)
        queue(tx, house, drafts, now)
