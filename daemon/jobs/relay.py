"""Passes on alerts that came to nothing: to the next channel, the next on duty, or the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from daemon.jobs.house import House
from daemon.jobs.routing import Route, Routing
from daemon.jobs.stale import cases_about, is_stale
from daemon.jobs.tell import queue
from daemon.jobs.undeliverable import Failure, tell_operator
from daemon.jobs.unheard import arm_unheard
from daemon.jobs.ways import NOT_ARRIVED
from daemon.store import cases, falling, journal, receipts, sending, unreachable
from daemon.store.alerts import UNDELIVERED, AlertDraft, AlertRow
from daemon.store.falling import Leg
from daemon.store.journal import EntryDraft
from daemon.store.tx import Tx
from daemon.store.unreachable import Unreachable
from notifiers.contract import Fault
from rules.ladder import Recipient

CHANNEL_FAILED = "channel failed"
"""Journal: a message about the case failed for good on one channel."""
FALLS_BACK = "falls back"
"""Journal: what did not reach a recipient, or not in time, is told on another channel, or to the next on duty."""
NOT_REACHED = "not reached"
"""Journal: a recipient could be told on no channel, and nobody was told instead."""


@dataclass
class Relay:
    """Alerts that came to nothing, or not in time, being passed on; one transaction's work."""

    tx: Tx
    house: House
    now: dt.datetime
    legs: Sequence[Leg]

    def __post_init__(self) -> None:
        tx, alerts = self.tx, [leg.alert for leg in self.legs]
        self._cases = cases_about(tx, alerts)
        self._families = falling.families(tx, [leg.root for leg in self.legs])
        self._about = falling.legs_about(tx, self._cases)
        self._routing = Routing(self.house, self.house.people(tx), self.now)
        self._routing.look_up(tx, (), {one.contact_id for one in alerts})
        self._drafts: list[AlertDraft] = []
        self._notes: list[EntryDraft] = []
        self._failures: dict[tuple[str, str], Failure] = {}
        self._gone: dict[str, AlertRow] = {}

    def pass_on(self) -> None:
        """Note, draft, journal and tell the operator."""
        self._flag([leg for leg in self.legs if leg.is_lost])
        for leg in self.legs:
            self._pass(leg)
        cases.hold(self.tx, {note.case_id for note in self._notes})
        journal.append(self.tx, self._notes)
        queue(self.tx, self.house, self._drafts, self.now)
        tell_operator(self.tx, self.house, list(self._failures.values()), self.now)
        alone = [one for one in self._gone.values() if not self._told_beside(one)]
        beside = [one for one in self._gone.values() if one not in alone and not self._role_told(one)]
        arm_unheard(self.tx, alone, beside, self.now)

    # ---- addresses that failed --------------------------------------------------------------------------------------

    def _flag(self, lost: Sequence[Leg]) -> None:
        """Note the addresses at fault; the operator is told of each once, and of words that were refused."""
        errors = _reasons(self.tx, lost)
        at_fault = self._with_address_at_fault(lost)
        noted = unreachable.flag(self.tx, [self._unreachable(leg, errors[leg.message.message_id]) for leg in at_fault])
        new = {(row.contact_id, row.channel) for row in noted}
        for leg in lost:
            key, reason = (leg.alert.contact_id, leg.message.channel), errors[leg.message.message_id]
            if key in new or leg not in at_fault:
                self._failures.setdefault(key, Failure(leg.alert, reason, is_new=True))
            if leg.message.state != UNDELIVERED:  # of what did not arrive the journal has it from who heard of it
                self._note(leg, CHANNEL_FAILED, channel=leg.message.channel, reason=reason)
        if new:
            self._routing.look_up(self.tx, (), {leg.alert.contact_id for leg in self.legs})

    def _with_address_at_fault(self, lost: Sequence[Leg]) -> list[Leg]:
        """Return those whose address was refused, or that did not arrive there for its sake."""
        ids = {leg.message.message_id for leg in lost}
        refused, returned = falling.last_faults(self.tx, ids), _returned_faults(self.tx, ids)
        at_fault = {key for key, fault in refused.items() if fault == Fault.ADDRESS}
        return [
            leg
            for leg in lost
            if (key := leg.message.message_id) in at_fault
            or (leg.message.state == UNDELIVERED and not returned.get(key))
        ]

    def _unreachable(self, leg: Leg, reason: str) -> Unreachable:
        row = leg.message
        return Unreachable(
            leg.alert.contact_id, row.channel, row.addressee, self.now, reason, row.message_id, failed_at=self.now
        )

    # ---- one alert --------------------------------------------------------------------------------------------------

    def _pass(self, leg: Leg) -> None:
        others = [one for one in self._families[leg.root] if one.alert.alert_id != leg.alert.alert_id]
        trying = (one.waits and not self._had_its_time(one.alert) for one in others)
        if any(one.is_told for one in others) or any(trying) or is_stale(self.tx, self._cases, leg.alert):
            return
        if leg.is_lost and self._resume(leg, others):
            return
        route = self._next_channel(leg, others) or self._next_on_duty(leg, others)
        if route is None:
            self._lose(leg, others)
        elif route.addressee not in self._told_beside(leg.alert):
            self._draft(leg, route)

    def _resume(self, leg: Leg, others: Sequence[Leg]) -> bool:
        """Try again what was in doubt on another channel and left there once this one had told it."""
        doubted = [one for one in others if one.alert.cancelled_at is None and one.message.doubtful]
        resumed = sending.resume(self.tx, [one.message.message_id for one in doubted], self.now)
        for one in doubted:
            if one.message.message_id in resumed:
                self._note(leg, FALLS_BACK, **{"from": leg.alert.channel, "to": one.alert.channel})
        return bool(resumed)

    def _had_its_time(self, alert: AlertRow) -> bool:
        return alert.falls_back_at is not None and alert.falls_back_at <= self.now

    def _next_channel(self, leg: Leg, others: Sequence[Leg]) -> Route | None:
        alert, ways = leg.alert, self._routing.ways
        if not alert.fallback:
            return None
        tried = {one.alert.channel for one in (leg, *others) if one.alert.contact_id == alert.contact_id}
        left = tuple(one for one in ways.usable(alert.contact_id, alert.fallback) if one not in tried)
        return self._route(leg, Recipient(alert.contact_id, alert.role, alert.unit_id, None, frozenset(), None), left)

    def _next_on_duty(self, leg: Leg, others: Sequence[Leg]) -> Route | None:
        """Who would have been told if this one had not been on duty."""
        if not leg.is_lost:
            return None
        alert, routing = leg.alert, self._routing
        line = routing.duty.line(alert.role, routing.holders(alert.role, alert.student_id, alert.unit_id)) or []
        tried = {one.alert.contact_id for one in (leg, *others)}
        routing.look_up(self.tx, (), {one.contact_id for one in line} | {one.alert.contact_id for one in self.legs})
        order = (alert.channel, *alert.fallback)
        routes = (
            self._route(leg, replace(one, unit_id=alert.unit_id), routing.ways.usable(one.contact_id, order))
            for one in line
            if one.contact_id not in tried
        )
        return next((route for route in routes if route is not None), None)

    def _route(self, leg: Leg, recipient: Recipient, channels: tuple[str, ...]) -> Route | None:
        root = next((one.alert for one in self._families[leg.root] if one.alert.instead_of is None), leg.alert)
        return self._routing.route(recipient, channels, span_of(root)) if channels else None

    def _beside(self, alert: AlertRow) -> list[Leg]:
        """What the same rung told of the case at the same instant, beside this alert, and may have reached somebody."""
        about = self._about.get(alert.case_id or "", [])
        others = (one for one in about if one.alert.alert_id != alert.alert_id and one.may_be_told)
        return [one for one in others if _said(one.alert) == _said(alert)]

    def _role_told(self, alert: AlertRow) -> bool:
        """Return whether somebody else in the same role may have been told the same, or is told now."""
        passed_on = any(one.role == alert.role and _said(one) == _said(alert) for one in self._drafts)
        return passed_on or any(leg.alert.role == alert.role for leg in self._beside(alert))

    def _told_beside(self, alert: AlertRow) -> set[str]:
        """Where that is told, and what is passed on now: the keys of the addresses."""
        passed_on = {one.addressee for one in self._drafts if _said(one) == _said(alert)}
        return passed_on | {one.message.addressee for one in self._beside(alert)}

    def _draft(self, leg: Leg, route: Route) -> None:
        alert, recipient = leg.alert, route.recipient
        self._drafts.append(
            replace(
                as_draft(alert),
                key=key_for(alert, recipient.contact_id, route.channel),
                contact_id=recipient.contact_id,
                channel=route.channel,
                addressee=route.addressee,
                fallback=route.fallback,
                falls_back_at=route.falls_back_at,
                instead_of=leg.root,
            )
        )
        said = {"from": alert.channel, "to": route.channel}
        other = {"next": recipient.contact_id} if recipient.contact_id != alert.contact_id else {}
        self._note(leg, FALLS_BACK, **said, **other)

    def _lose(self, leg: Leg, others: Sequence[Leg]) -> None:
        """Nobody is left to be told: said in the journal, and to the operator; unless it may have been told yet."""
        alert, key = leg.alert, (leg.alert.contact_id, leg.alert.channel)
        by_another = any(one.alert.contact_id == alert.contact_id for one in self._beside(alert))
        if by_another or leg.root in self._gone or any(one.may_be_told for one in (leg, *others)):
            return
        self._note(leg, NOT_REACHED)
        failure = self._failures.get(key) or Failure(alert, self._reason(leg))
        self._failures[key] = replace(failure, lost=(*failure.lost, alert))
        self._gone[leg.root] = alert

    def _reason(self, leg: Leg) -> str:
        known = unreachable.flags(self.tx, [leg.alert.contact_id])
        return next((one.reason for one in known if one.channel == leg.alert.channel), NOT_ARRIVED)

    def _note(self, leg: Leg, kind: str, **said: str) -> None:
        alert = leg.alert
        if alert.case_id is not None:
            about = {"kind": alert.kind, "role": alert.role, "contact": alert.contact_id}
            self._notes.append(EntryDraft(alert.case_id, self.now, self.now, kind, about | said))


def _said(alert: AlertRow | AlertDraft) -> tuple[object, ...]:
    return alert.case_id, alert.kind, alert.episode, alert.rung, alert.raised_at, alert.facts.get("rule")


def _returned_faults(tx: Tx, message_ids: Iterable[str]) -> dict[str, str | None]:
    """Return by message where the fault lies by the last word that it failed; None: with the address."""
    said = receipts.receipts_of(tx, message_ids)
    return {key: row.fault for key, rows in said.items() for row in rows if row.status == receipts.FAILED}


def _reasons(tx: Tx, lost: Sequence[Leg]) -> dict[str, str]:
    """By message why it came to nothing, in its channel's words."""
    rows = {leg.message.message_id: leg.message for leg in lost}
    errors, said = falling.last_errors(tx, rows), receipts.receipts_of(tx, list(rows))
    found: dict[str, str] = {}
    for key, row in rows.items():
        code = next((one.detail for one in reversed(said.get(key, ())) if one.detail), None)
        arrived_not = f"{NOT_ARRIVED}: {code}" if code else NOT_ARRIVED
        found[key] = arrived_not if row.state == UNDELIVERED else errors.get(key, "refused for good")
    return found


def as_draft(alert: AlertRow) -> AlertDraft:
    """A stored alert as it could be drafted anew."""
    known = AlertDraft.__dataclass_fields__.keys() & AlertRow.__dataclass_fields__.keys()
    said = {name: getattr(alert, name) for name in known}
    return AlertDraft(**said | {"fallback": tuple(alert.fallback)})


def key_for(alert: AlertRow, contact_id: str, channel: str) -> str:
    """The key of an alert told to another contact or on another channel."""
    before, _, after = alert.key.rpartition(f"/{alert.contact_id}/{alert.channel}")
    return f"{before}/{contact_id}/{channel}{after}"


def span_of(alert: AlertRow) -> dt.timedelta | None:
    """How long an alert was given; None where it waits for as long as it takes."""
    return None if alert.falls_back_at is None else alert.falls_back_at - alert.raised_at
