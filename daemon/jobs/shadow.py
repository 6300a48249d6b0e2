"""Shadow mode: what would be told is recorded, and the operator is told that it would have been, and to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import Routing, operators
from daemon.store.alerts import AlertDraft
from daemon.store.tx import Tx
from notifiers.phrases import role_words
from rules.instants import to_micros

REHEARSAL = "rehearsal"
MOST = 6
"""So many recipients are named; the rest are counted."""
_WOULD = {"zh": "应通知", "en": "would tell "}
_AND = {"zh": "、", "en": ", "}
_MORE = {"zh": "等{}人", "en": ", {} in all"}


def rehearsed(tx: Tx, house: House, kept: Sequence[AlertDraft], now: dt.datetime) -> list[AlertDraft]:
    """For every operator one alert a thing that would have been told about a child, saying of what kind and to whom.

    What is told about a unit, a feed or the daemon is told to operators as it is.
    """
    told: dict[tuple[str, str], list[AlertDraft]] = {}
    for one in kept:
        if one.case_id is not None and one.student_id is not None:
            told.setdefault((one.case_id, one.kind), []).append(one)
    if not told:
        return []
    people = house.people(tx)
    routing = Routing(house, people, now)
    sought = operators(people)
    routing.look_up(tx, sought)
    return [draft for those in told.values() for draft in _drafts(routing, people, sought, those, now)]


def _drafts(
    routing: Routing, people: People, sought: Sequence[Any], those: Sequence[AlertDraft], now: dt.datetime
) -> Iterator[AlertDraft]:
    first, instant = those[0], to_micros(now)
    facts = {**first.facts, "would": first.kind, "title": _title(people, those)}
    for route in routing.routes(sought)[0]:
        who = route.recipient
        yield AlertDraft(
            key=f"{REHEARSAL}/{first.case_id}/{first.kind}/{first.facts.get('rule')}/{instant}/{who.contact_id}/{route.channel}",
            student_id=first.student_id,
            unit_id=who.unit_id,
            contact_id=who.contact_id,
            role=who.role,
            channel=route.channel,
            kind=REHEARSAL,
            due_at=first.due_at,
            raised_at=now,
            facts=facts,
            group_key=f"{REHEARSAL}@{instant}",
            addressee=route.addressee,
            fallback=route.fallback,
            falls_back_at=route.falls_back_at,
        )


def _title(people: People, those: Sequence[AlertDraft]) -> Mapping[str, str]:
    """Who would have been told, by role and unit, in both languages."""
    places = list(dict.fromkeys((one.role, _name(people, one.unit_id)) for one in those))
    return {language: _listed(places, language) for language in _WOULD}


def _listed(places: Sequence[tuple[str, str]], language: str) -> str:
    named = [f"{role_words(role, language)}{f' {unit}' if unit else ''}" for role, unit in places[:MOST]]
    rest = _MORE[language].format(len(places)) if len(places) > MOST else ""
    return f"{_WOULD[language]}{_AND[language].join(named)}{rest}"


def _name(people: People, unit_id: str | None) -> str:
    unit = people.directory.units.get(unit_id or "")
    return unit.name if unit else unit_id or ""
