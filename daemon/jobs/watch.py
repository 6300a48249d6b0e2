"""The daily watch: what of the setup reaches nobody, told to the operator once a day, if there is anything to tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from daemon.config import Config
from daemon.desk.reach import Reach, Roster, few
from daemon.desk.turns import turn_faults
from daemon.jobs.announce import announce
from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.routing import operators
from daemon.jobs.tell import queue
from daemon.jobs.undeliverable import DAILY_WATCH
from daemon.jobs.ways import ways_of
from daemon.settings import chat_names, rotas_of, webhook_names, workdays_of
from daemon.store import silences, timers, unreachable
from daemon.store.addresses import without_texts
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from daemon.store.unreachable import Unreachable
from rules.instants import to_micros
from rules.rota import OnDuty

WATCH = "watch"
"""Timer: the setup is to be looked at (subject: always the same)."""
DAILY = "daily"

LEASE = dt.timedelta(minutes=10)
ONE_DAY = dt.timedelta(days=1)
LONG_SILENCE = ONE_DAY
"""A silence in force for longer is called to mind."""

Finding = Mapping[str, Any]
"""One thing found: `what` it is, and what there is to say of it, in plain values with nothing personal."""


def arm_watch(tx: Tx, config: Config, now: dt.datetime) -> None:
    """Set the next watch, unless it is set for the configured time, or already due."""
    found = [timer.due_at for timer in timers.armed(tx, (WATCH,))]
    wanted = _next(config, now)
    if not any(at <= now or at == wanted for at in found):
        timers.arm(tx, [Timer(WATCH, DAILY, wanted)])


def _next(config: Config, now: dt.datetime) -> dt.datetime:
    """The first instant after `now` at which clocks where the schools are show the configured time."""
    zone, time = ZoneInfo(config.service.timezone), config.service.watch_at
    today = now.astimezone(zone).date()
    days = (dt.datetime.combine(today + ONE_DAY * n, time, zone).astimezone(dt.UTC) for n in range(3))
    return next(at for at in days if at > now)


def next_look(house: House) -> dt.datetime | None:
    """When to look next."""
    with house.store.read() as tx:
        return timers.next_due(tx, (WATCH,))


def look_daily(house: House, now: dt.datetime) -> None:
    """Look, if it is time; whichever of several daemons comes first. Safe to be killed and run again."""
    won = house.store.commit(lambda tx: timers.claim(tx, now, LEASE, house.worker, 1, (WATCH,)))
    if won:
        house.store.commit(lambda tx: _look(tx, house, won[0], now))
        house.wake()


def _look(tx: Tx, house: House, timer: Timer, now: dt.datetime) -> None:
    found = list(findings(tx, house, now))
    if found:
        sought = operators(house.people(tx))
        said = {"findings": found, "count": len(found)}
        queue(tx, house, announce(tx, house, DAILY_WATCH, f"{DAILY}@{to_micros(timer.due_at)}", sought, said, now), now)
    timers.complete(tx, [timer])
    timers.arm(tx, [Timer(WATCH, DAILY, _next(house.config, now))])


def findings(tx: Tx, house: House, now: dt.datetime) -> Iterator[Finding]:
    """Everything of the setup that reaches nobody now, or is easily forgotten; forgets of addresses since replaced."""
    people, flagged = house.people(tx), _flagged(tx, house, now)
    untexted = without_texts(tx)
    rotas, is_workday = rotas_of(house.config), workdays_of(house.config.calendar)
    reach = Reach(
        replace(_roster(people), flagged={*((one.contact_id, one.channel) for one in flagged), *_by_sms(untexted)}),
        webhook_names(house.config),
        chat_names(house.config),
        duty=lambda directory: OnDuty(directory, rotas, now, is_workday),
    )
    yield from _rungs(house, reach)
    for one in turn_faults(rotas, reach.recipients, reach.hears, now, is_workday):
        yield _said("duty", fault=one.fault, role=one.role, unit=_name(people, one.unit_id), contact=one.contact_id)
    for flag in flagged:
        yield _address(house, people, flag)
    if "sms" in house.notifiers:
        yield from _numbers(people, reach, untexted)
    for silence_id, _, starts_at, ends_at in silences.scopes_in_force(tx, now):
        if now - starts_at > LONG_SILENCE:
            yield _said("silence", silence=silence_id, since=_local(house, starts_at), until=_local(house, ends_at))


def _rungs(house: House, reach: Reach) -> Iterator[Finding]:
    for ladder in house.config.ladder:
        for number, rung in enumerate(ladder.rung, 1):
            lost = reach.unreached(rung.tell, rung.channels)
            if lost:
                yield _said("rung", ladder=ladder.id, rung=number, count=len(lost), places=few(lost))


def _by_sms(contact_ids: Collection[str]) -> Iterator[tuple[str, str]]:
    return ((one, "sms") for one in contact_ids)


def _numbers(people: People, reach: Reach, untexted: Collection[str]) -> Iterator[Finding]:
    """Say who is never told anything, because the only address is a number that takes no text messages."""
    for contact_id in sorted(untexted):
        known = people.directory.recipients.get(contact_id)
        if known is not None and not reach.hears(contact_id):
            yield _said("number", contact=contact_id, role=known.role, unit=_name(people, known.unit_id))


def _flagged(tx: Tx, house: House, now: dt.datetime) -> list[Unreachable]:
    """The addresses that failed and are still those of their contacts; the others are forgotten."""
    noted = unreachable.flags(tx)
    ways = ways_of(tx, house.config, house.notifiers, (one.contact_id for one in noted), now)
    held = [one for one in noted if (one.contact_id, one.channel) in ways.flagged]
    unreachable.forget(tx, {(one.contact_id, one.channel) for one in noted if one not in held})
    return held


def _address(house: House, people: People, flag: Unreachable) -> Finding:
    known = people.directory.recipients.get(flag.contact_id)
    return _said(
        "address",
        contact=flag.contact_id,
        role=known.role if known else None,
        unit=_name(people, known.unit_id if known else None),
        channel=flag.channel,
        since=_local(house, flag.since),
        why=flag.reason,
    )


def _roster(people: People) -> Roster:
    children = [(one.student_id, one.class_id, one.residence_id) for one in people.roster.students.values()]
    endpoints = {one.contact_id: one.endpoint for one in people.roster.contacts if one.endpoint}
    return Roster(people.directory.units, children, list(people.directory.recipients.values()), endpoints)


def _name(people: People, unit_id: str | None) -> str | None:
    unit = people.directory.units.get(unit_id or "")
    return unit.name if unit else unit_id


def _local(house: House, at: dt.datetime) -> str:
    return f"{at.astimezone(house.calendar.zone):%Y-%m-%d %H:%M}"


def _said(what: str, **said: object) -> Finding:
    return {"what": what, **said}
