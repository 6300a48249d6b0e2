"""Pacing at work: what is drafted gets its urgency and company, and what is claimed is asked whether it may leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from daemon.jobs.house import House
from daemon.jobs.packing import ALONE, fits, is_fresh, packed
from daemon.jobs.people import People
from daemon.store import cases, holding, journal, silences
from daemon.store.alerts import AlertDraft, AlertRow
from daemon.store.holding import Gathering
from daemon.store.journal import EntryDraft
from daemon.store.sending import Claimed
from daemon.store.tx import Tx
from rules.pacing import (
    BUNDLED,
    Hold,
    Said,
    Silence,
    asleep,
    bundle_of,
    kind_of,
    priority_of,
    silenced,
    throttled,
)

SILENCED = "silenced"
"""Journal: something about the case waits for the end of a silence."""
HELD_BY_TERMS = ("hours", "throttle")
"""What other terms may let go."""


def paced(tx: Tx, house: House, drafts: Sequence[AlertDraft], now: dt.datetime) -> list[AlertDraft]:
    """Alerts with their urgency, the school they are of, how long they wait, and what they may leave with."""
    people = house.people(tx) if drafts else None
    return [_paced(house, people, one, now) for one in drafts if people is not None]


def _paced(house: House, people: People, one: AlertDraft, now: dt.datetime) -> AlertDraft:
    bundle = None if one.channel in ALONE else bundle_of(one.kind, about_child=one.student_id is not None)
    waits = bundle is not None and one.kind in BUNDLED and house.pacing.wait
    return replace(
        one,
        priority=priority_of(one.kind),
        school=_school(people, one),
        bundle=bundle,
        fits=fits(house.config.channels, one.channel, one.kind),
        not_before=max(one.not_before or now, now + house.pacing.wait) if waits else one.not_before,
    )


def _school(people: People, one: AlertDraft) -> str:
    child = people.roster.students.get(one.student_id) if one.student_id else None
    unit_id = child.class_id if child else one.unit_id
    school = people.directory.school(unit_id) if unit_id else None
    return school.unit_id if school else unit_id or ""


def ask_again(tx: Tx, now: dt.datetime) -> None:
    """Other hours or throttles are in force: what the old ones hold is asked anew whether it may leave."""
    holding.ask_again(tx, now, HELD_BY_TERMS)


def gate(tx: Tx, house: House, claimed: Sequence[Claimed], now: dt.datetime) -> list[Claimed]:
    """Those of the messages just claimed that may leave now; the others are given back, each with until when and why.

    Part of a message may be held by a silence, and several may become one, so what leaves may hold other alerts.
    """
    pacing = house.pacing
    if not claimed:
        return []
    running = in_force(tx, now)
    channels = {one.message.channel for one in claimed}
    measured = any(one.channel in channels for one in pacing.throttles)
    going = list(claimed)
    if running or pacing.hours or measured:
        gate = _Gate(tx, house, running, now)
        awake = gate.awake(gate.unsilenced(claimed))
        going = gate.in_measure(awake) if measured else awake
        gate.write()
    holding.unhold(tx, [one.message.message_id for one in going if one.message.held is not None])
    return going


def in_force(tx: Tx, now: dt.datetime) -> list[Silence]:
    """The silences that hold something now."""
    found = []
    for silence_id, scope, starts_at, ends_at in silences.scopes_in_force(tx, now):
        names = {
            name: frozenset(scope.get(name, ())) for name in ("units", "students", "contacts", "kinds", "channels")
        }
        found.append(Silence(silence_id, starts_at, ends_at, statutory=bool(scope.get("statutory")), **names))
    return found


class _Gate:
    """One look at some claimed messages; gathers what is to be held and writes it at the end."""

    def __init__(self, tx: Tx, house: House, running: Sequence[Silence], now: dt.datetime) -> None:
        self._tx = tx
        self._house = house
        self._running = running
        self._now = now
        self._held: dict[str, Hold] = {}
        self._notes: list[EntryDraft] = []
        self._people = house.people(tx) if any(one.units for one in running) else None

    def said(self, one: AlertRow) -> Said:
        """An alert as pacing sees it."""
        units = self._units(one) if self._people else frozenset[str]()
        return Said(one.kind, one.role, one.contact_id, one.channel, one.student_id, units)

    def _units(self, one: AlertRow) -> frozenset[str]:
        assert self._people is not None
        child = self._people.roster.students.get(one.student_id) if one.student_id else None
        unit_id = child.class_id if child else one.unit_id
        return frozenset(unit.unit_id for unit in self._people.directory.upward(unit_id))

    # ---- silences ---------------------------------------------------------------------------------------------------

    def unsilenced(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """What no silence holds, in whole or in part."""
        return [left for one in claimed if (left := self._unsilenced(one)) is not None] if self._running else [*claimed]

    def _unsilenced(self, one: Claimed) -> Claimed | None:
        holds = {
            row.alert_id: hold for row in one.alerts if (hold := silenced(self._running, self.said(row), self._now))
        }
        if not holds:
            return one
        first = min(holds.values(), key=lambda hold: (hold.until, hold.why))
        if len(holds) == len(one.alerts):
            self._hold(one, first)
            self._note(one, one.alerts, first)
            return None
        if not is_fresh(one):
            return one
        apart = [row for row in one.alerts if row.alert_id in holds]
        left = tuple(row for row in one.alerts if row.alert_id not in holds)
        holding.split(self._tx, one.message, [row.alert_id for row in apart], _kind(apart), first)
        holding.merge(self._tx, one.message.message_id, _kind(left), [])
        self._note(one, apart, first)
        return replace(one, alerts=left, message=replace(one.message, kind=_kind(left)))

    def _note(self, one: Claimed, rows: Iterable[AlertRow], hold: Hold) -> None:
        """Once a message and silence: the journals say what waits."""
        if one.message.held == hold.why:
            return
        body = {"silence": hold.why.removeprefix("silence:"), "channel": one.message.channel}
        self._notes += [
            EntryDraft(
                row.case_id, self._now, self._now, SILENCED, {**body, "kind": row.kind, "contact": row.contact_id}
            )
            for row in rows
            if row.case_id is not None
        ]

    # ---- hours ------------------------------------------------------------------------------------------------------

    def awake(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """What its recipients are spoken to about now."""
        if not self._house.pacing.hours:
            return [*claimed]
        return [one for one in claimed if not self._held_back(one, self._asleep(one))]

    def _asleep(self, one: Claimed) -> Hold | None:
        return asleep(self._house.pacing, map(self.said, one.alerts), self._now) if one.alerts else None

    def _held_back(self, one: Claimed, hold: Hold | None) -> bool:
        if hold is not None:
            self._hold(one, hold)
        return hold is not None

    def _hold(self, one: Claimed, hold: Hold) -> None:
        self._held[one.message.message_id] = hold

    # ---- throttles --------------------------------------------------------------------------------------------------

    def in_measure(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """What is not too much for its addressee; what is too much is packed, and waits unless it is urgent."""
        going: list[Claimed] = []
        for channel in dict.fromkeys(one.message.channel for one in claimed):
            mine = [one for one in claimed if one.message.channel == channel]
            going += self._in_measure(channel, mine)
        return going

    def _in_measure(self, channel: str, claimed: Sequence[Claimed]) -> list[Claimed]:
        spans = [one.within for one in self._house.pacing.throttles if one.channel == channel]
        if not spans or not claimed:
            return [*claimed]
        ids = [one.message.message_id for one in claimed]
        addressees = {one.message.addressee for one in claimed}
        told = holding.told_since(self._tx, channel, addressees, self._now - max(spans), self._now, ids)
        going: list[Claimed] = []
        crowded: dict[str, list[Claimed]] = {}
        late: dict[str, list[tuple[Claimed, Hold]]] = {}
        for one in claimed:
            mine = told.setdefault(one.message.addressee, [])
            hold, kept = self._throttled(one, mine)
            if hold is None:
                mine.append(self._now)
                going.append(one)
            elif kept:
                late.setdefault(one.message.addressee, []).append((one, hold))
            else:
                crowded.setdefault(one.message.addressee, []).append(one)
        going += [one for those in crowded.values() for one in self._packed(those, ())]
        self._keep(channel, late)
        return going

    def _throttled(self, one: Claimed, told: Sequence[dt.datetime]) -> tuple[Hold | None, bool]:
        if not one.alerts:
            return None, False
        return throttled(self._house.pacing, [self.said(row) for row in one.alerts], told, self._now)

    def _packed(self, claimed: Sequence[Claimed], rooms: Sequence[Gathering]) -> list[Claimed]:
        return packed(self._tx, self._house.config.channels, claimed, rooms)

    def _keep(self, channel: str, late: Mapping[str, Sequence[tuple[Claimed, Hold]]]) -> None:
        """Hold what is late, packed with what waits for the same reason already."""
        if not late:
            return
        waiting = holding.gatherings(self._tx, channel, late.keys())
        for addressee, those in late.items():
            until = max(hold.until for _, hold in those)
            rooms = [one for one in waiting if one.addressee == addressee]
            for left in self._packed([one for one, _ in those], rooms):
                self._hold(left, Hold(until, "throttle"))

    # ---- writing ----------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Give back what is held, and note in the journals what a silence holds."""
        holding.hold(self._tx, self._held, self._house.worker)
        if self._notes:
            cases.hold(self._tx, [note.case_id for note in self._notes])
            journal.append(self._tx, self._notes)


def _kind(rows: Sequence[AlertRow]) -> str:
    return kind_of((row.kind for row in rows), about_children=len(rows) == 1 or all(row.student_id for row in rows))
