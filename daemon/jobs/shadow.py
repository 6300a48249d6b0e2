"""Shadow mode: what would be told is recorded, and the operator is told that it would have been, and to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from daemon.jobs.house import House
from daemon.jobs.routing import Routing, Sought, operators
from daemon.store.alerts import AlertDraft
from daemon.store.tx import Tx
from notifiers.phrases import role_words
from rules.instants import to_micros

REHEARSAL = "rehearsal"
_WOULD = {"zh": "应通知", "en": "would tell "}
_AND = {"zh": "、", "en": ", "}


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
    return [draft for those in told.values() for draft in _drafts(routing, sought, those, now)]


def _drafts(
    routing: Routing, sought: Sequence[Sought], those: Sequence[AlertDraft], now: dt.datetime
) -> Iterator[AlertDraft]:
    first, instant = those[0], to_micros(now)
    facts = {**first.facts, "would": first.kind, "title": _title(those)}
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


def _title(those: Sequence[AlertDraft]) -> Mapping[str, str]:
    """Who would have been told, by role, in both languages: units would say where the child lives, and its class."""
    roles = list(dict.fromkeys(one.role for one in those))
    return {
        language: begins + _AND[language].join(role_words(role, language) for role in roles)
        for language, begins in _WOULD.items()
    }
