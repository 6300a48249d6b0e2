"""From roles to recipients: who is on duty, on which channels each is told, and nobody twice at one address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from daemon.jobs.house import House
from daemon.jobs.people import People
from daemon.jobs.ways import PREFERENCE, Ways, ways_of
from daemon.settings import rotas_of, workdays_of
from daemon.store.tx import Tx
from rules.case import Case, Tell
from rules.ladder import Audience, Recipient
from rules.rota import OnDuty, Passed

OPERATOR = "operator"
FALL_BACK = dt.timedelta(minutes=15)
"""How long something told without a ladder may take to leave before the next channel is tried."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Who holds one role, before it is known who is on duty; told in one way."""

    role: str
    holders: tuple[Recipient, ...]
    channels: tuple[str, ...] = PREFERENCE
    reach: str = "first"
    fall_back: dt.timedelta = FALL_BACK
    by_turns: bool = True
    """Whether a duty rota counts; somebody asked for by name is told by name."""
    about: str | None = None
    """The unit they are told about, where that is not the one they hold the role for."""


@dataclass(frozen=True, slots=True)
class Route:
    """One recipient on one channel, with those to fall back on and when, and the key of the address."""

    recipient: Recipient
    channel: str
    addressee: str
    fallback: tuple[str, ...] = ()
    falls_back_at: dt.datetime | None = None


def holding(people: People, role: str, unit_id: str) -> Sought:
    """Whoever holds a role for a unit, told about it."""
    return Sought(role, tuple(people.directory.for_unit(role, unit_id)), about=unit_id)


def operators(people: People, about: str | None = None) -> list[Sought]:
    """Every operator there is, by the unit each looks after; with a rota only who is on duty is told."""
    units: dict[str | None, list[Recipient]] = {}
    for one in people.directory.everyone(OPERATOR):
        units.setdefault(one.unit_id, []).append(one)
    return [Sought(OPERATOR, tuple(held), about=about) for held in units.values()]


class Routing:
    """Finds routes at one instant. First everything is sought, then all addresses are looked up at once."""

    def __init__(self, house: House, people: People, now: dt.datetime, ready: Collection[str] | None = None) -> None:
        self.people = people
        self._now = now
        self._config = house.config
        self._ready = frozenset(house.notifiers if ready is None else ready)
        self.duty = OnDuty(people.directory, rotas_of(house.config), now, workdays_of(house.config.calendar))
        self.ways = Ways()

    def about(self, case: Case, tell: Tell) -> list[Sought]:
        """Who is to be told about a case, by what a decision says; nobody yet where it goes to those told before."""
        if tell.to_told:
            return []
        audience = tell.audience or (Audience(tell.roles, tell.channels),)
        found = list(self._named(tell, audience[0]))
        if len(found) < len(tell.contacts) or not tell.contacts:
            found += [self.sought(case, role, one) for one in audience for role in one.roles]
        return found

    def _named(self, tell: Tell, how: Audience) -> Iterator[Sought]:
        for contact_id in tell.contacts:
            known = self.people.directory.recipients.get(contact_id)
            if known is not None:
                yield replace(_said(known.role, [known], how), by_turns=False)

    def sought(self, case: Case, role: str, how: Audience) -> Sought:
        """Return who holds a role for the child of a case, to be told as an audience is."""
        return _said(role, self.holders(role, case.student_id), how)

    def holders(self, role: str, student_id: str | None, unit_id: str | None = None) -> list[Recipient]:
        """Who holds a role for a child; without one, for a unit."""
        directory = self.people.directory
        if student_id is None:
            return directory.for_unit(role, unit_id)
        child = self.people.roster.students[student_id]
        return directory.for_student(role, student_id, child.class_id, child.residence_id)

    def look_up(self, tx: Tx, sought: Iterable[Sought], others: Iterable[str] = ()) -> None:
        """Learn how everybody who may be told can be reached: one query for them all."""
        held = {one.contact_id for each in sought for one in each.holders}
        self.ways = ways_of(tx, self._config, self._ready, {*held, *self.duty.everybody(), *others}, self._now)

    def reaches(self, one: Sought) -> bool:
        """Whether anybody who holds the role can be told."""
        return any(self.ways.usable(who.contact_id, one.channels) for who in one.holders)

    def routes(self, sought: Sequence[Sought], favoured: Collection[str] = ()) -> tuple[list[Route], list[Passed]]:
        """The routes to everybody sought, each address once, and the duties that went to another.

        Of two roles with one address the one that is `favoured` is told, else the first.
        """
        found: dict[str, Route] = {}
        told: set[str] = set()
        passed: list[Passed] = []
        for one in sought:
            chosen, note = self._chosen(one)
            passed += [note] if note is not None and note not in passed else []
            for recipient in chosen:
                if recipient.contact_id in told:
                    continue
                told.add(recipient.contact_id)
                for route in self._to(recipient, one):
                    before = found.get(route.addressee)
                    if before is None or (recipient.role in favoured and before.recipient.role not in favoured):
                        found[route.addressee] = route
        return list(found.values()), passed

    def _chosen(self, one: Sought) -> tuple[list[Recipient], Passed | None]:
        if not one.by_turns or not one.holders:
            return list(one.holders), None
        return self.duty.narrowed(one.role, one.holders, lambda who: self.ways.reaches(who.contact_id, one.channels))

    def _to(self, recipient: Recipient, how: Sought) -> list[Route]:
        channels = self.ways.usable(recipient.contact_id, how.channels)
        if how.about is not None:
            recipient = replace(recipient, unit_id=how.about)
        if how.reach == "every":
            return [self.route(recipient, (channel,), how.fall_back) for channel in channels]
        return [self.route(recipient, channels, how.fall_back)] if channels else []

    def route(self, recipient: Recipient, channels: tuple[str, ...], fall_back: dt.timedelta | None) -> Route:
        """The route to a recipient on the first of its channels; without `fall_back` only failing leads to the next."""
        first, rest = channels[0], channels[1:]
        later = self._now + fall_back if rest and fall_back is not None else None
        return Route(recipient, first, self.ways.addressee(recipient.contact_id, first), rest, later)


def _said(role: str, holders: Iterable[Recipient], how: Audience) -> Sought:
    return Sought(role, tuple(holders), how.channels or PREFERENCE, how.reach, how.fall_back)
