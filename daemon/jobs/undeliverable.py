"""Tells the operator what reached nobody: an address that failed, once, and whoever could not be told at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.jobs.announce import announce_several
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import operators
from daemon.jobs.tell import queue
from daemon.store.alerts import AlertRow
from daemon.store.tx import Tx
from rules.instants import to_micros

UNDELIVERABLE, DAILY_WATCH = "undeliverable", "daily_watch"


@dataclass(frozen=True, slots=True)
class Failure:
    """What came to nothing on one channel: the first alert of it, why, whether that is news, and who was not told."""

    alert: AlertRow
    reason: str
    is_new: bool = False
    lost: tuple[AlertRow, ...] = ()


def tell_operator(tx: Tx, house: House, failures: Sequence[Failure], now: dt.datetime) -> None:
    """Queue what the operator has to see to, as one message; that the operator was not reached is no news to tell."""
    people = house.people(tx)
    told = [(_subject(one, now), _facts(people, one)) for one in failures if _is_told(one)]
    if told:
        sought = operators(people)
        queue(tx, house, announce_several(tx, house, UNDELIVERABLE, told, sought, now, group=UNDELIVERABLE), now)


def _is_told(failure: Failure) -> bool:
    return failure.is_new or failure.alert.kind not in {UNDELIVERABLE, DAILY_WATCH}


def _subject(failure: Failure, now: dt.datetime) -> str:
    alert = failure.alert
    return f"{alert.contact_id}/{alert.channel}/{to_micros(now)}"


def _facts(people: People, failure: Failure) -> Mapping[str, Any]:
    alert = failure.alert
    unit = people.directory.units.get(alert.unit_id or "")
    said = {
        "contact": alert.contact_id,
        "role": alert.role,
        "unit": unit.name if unit else alert.unit_id,
        "channel": alert.channel,
        "why": failure.reason,
        "lost": list(dict.fromkeys(_lost(failure))),
    }
    return {"failures": [said]}


def _lost(failure: Failure) -> Iterator[str]:
    """The cases, or else the kinds of alerts, of which nobody was told instead."""
    for alert in failure.lost:
        yield str(alert.facts.get("case") or alert.kind)
