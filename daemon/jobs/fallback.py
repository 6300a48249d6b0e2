"""What could not be told on one channel is told on the next, by turns to the next on duty, and never silently lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.needless import needless
from daemon.jobs.routing import FALL_BACK, Route, Routing
from daemon.jobs.tell import FALLS, queue
from daemon.jobs.undeliverable import NOT_ARRIVED, Failure, tell_operator
from daemon.jobs.unheard import UNHEARD, arm_unheard, climb_unheard
from daemon.store import cases, falling, incidents, journal, outbox, receipts, sending, timers, unreachable
from daemon.store.alerts import UNDELIVERED, AlertDraft, AlertRow
from daemon.store.falling import Leg
from daemon.store.journal import EntryDraft
from daemon.store.sending import Outcome
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from daemon.store.unreachable import Unreachable
from rules.case import Case
from rules.ladder import Recipient
from rules.overtaken import is_overtaken

MOST = 500
"""Alerts looked at in one transaction."""
GRACE = dt.timedelta(minutes=1)
"""Whoever looks later than this was not there: what waited gets its time anew."""

CHANNEL_FAILED = "channel failed"
"""Journal: a message about the case failed for good on one channel."""
FALLS_BACK = "falls back"
"""Journal: what did not reach a recipient, or not in time, is told on another channel, or to the next on duty."""
NOT_REACHED = "not reached"
"""Journal: a recipient could be told on no channel, and nobody was told instead."""


def after_sending(tx: Tx, house: House, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """What follows from attempts that were settled in this transaction.

    A success clears what was noted of its address, and stops what waits to tell the same on other channels; what
    failed for good is told on the next.
    """
    sent = [one.message_id for one in outcomes if one.state == sending.SENT]
    failed = [one.message_id for one in outcomes if one.state == sending.FAILED]
    if sent:
        unreachable.clear(tx, sent, but=NOT_ARRIVED)
        _stop_others(tx, sent, now)
    if failed:
        fall_back(tx, house, failed, now)


def after_arriving(tx: Tx, message_ids: Sequence[str], now: dt.datetime) -> None:
    """What follows from messages that are known to have arrived: their addresses work, and other channels can rest."""
    unreachable.clear(tx, message_ids)
    _stop_others(tx, message_ids, now)


def fall_back(tx: Tx, house: House, message_ids: Collection[str], now: dt.datetime) -> None:
    """Messages failed for good, or did not arrive: note their addresses, and tell everything in them another way.

    Those that did neither are left alone, so that it does no harm to say it twice.
    """
    lost = [leg for leg in falling.legs_in(tx, message_ids) if leg.is_lost]
    if lost:
        _Relay(tx, house, now, lost).pass_on()


def next_look(house: House) -> dt.datetime | None:
    """When the next alert has had its time on its channel, or the next ladder is to be climbed on."""
    with house.store.read() as tx:
        return timers.next_due(tx, (FALLS, UNHEARD))


def look_at_alerts(house: House, now: dt.datetime) -> None:
    """Pass on what has not left in its time, and let the next rung speak where one reached nobody."""
    fall_back_late(house, now)
    climb_unheard(house, now)


def fall_back_late(house: House, now: dt.datetime) -> int:
    """Tell on the next channel what has not left in its time; how many alerts were looked at."""
    looked = 0
    while True:
        with house.store.read() as tx:
            if not timers.due(tx, now, 1, (FALLS,)):
                return looked
        looked += house.store.commit(lambda tx: _fall_back_late(tx, house, now))
        house.wake()


def _fall_back_late(tx: Tx, house: House, now: dt.datetime) -> int:
    due = timers.claim(tx, now, GRACE, house.worker, MOST, (FALLS,))
    at = {timer.subject: timer.due_at for timer in due}
    legs = [leg for leg in falling.legs_of(tx, at) if leg.waits]
    waiting = {leg.alert.key: until for leg in legs if (until := _until(leg, at[leg.alert.key], now)) is not None}
    late = [leg for leg in legs if leg.alert.key not in waiting]
    if late:
        _Relay(tx, house, now, late).pass_on()
    timers.complete(tx, due)
    timers.arm(tx, [Timer(FALLS, key, until) for key, until in waiting.items()])
    return len(due)


def _until(leg: Leg, due_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Until when an alert has more time: it is being sent, was not to leave yet, or nobody was there to send it."""
    row, span = leg.message, _span(leg.alert) or FALL_BACK
    if leg.flying or (row.lease_until is not None and row.lease_until >= now):
        return max(row.lease_until or now, now) + dt.timedelta(microseconds=1)
    if row.held is not None or (row.attempts == 0 and row.next_at > now):
        return max(row.next_at, now) + span
    return now + span if now - due_at > GRACE else None


def _span(alert: AlertRow) -> dt.timedelta | None:
    """How long an alert was given; None where it waits for as long as it takes."""
    return None if alert.falls_back_at is None else alert.falls_back_at - alert.raised_at


def _stop_others(tx: Tx, message_ids: Sequence[str], now: dt.datetime) -> None:
    """Whoever was told on one channel is not told on another any more, where that has not left yet."""
    roots = falling.roots_among(tx, message_ids)
    sent = set(message_ids)
    for family in falling.families(tx, roots).values():
        by = next((leg.message.channel for leg in family if leg.message.message_id in sent), "")
        others = [leg.alert for leg in family if leg.waits and leg.message.message_id not in sent]
        outbox.stop(tx, now, f"told by {by}", others)


@dataclass
class _Relay:
    """Alerts that came to nothing, or not in time, being passed on; one transaction's work."""

    tx: Tx
    house: House
    now: dt.datetime
    legs: Sequence[Leg]

    def __post_init__(self) -> None:
        tx, alerts = self.tx, [leg.alert for leg in self.legs]
        self._cases = {
            key: from_row(row)
            for key, row in cases.cases_by_id(tx, {one.case_id for one in alerts if one.case_id}).items()
        }
        self._families = falling.families(tx, [leg.root for leg in self.legs])
        self._about = falling.legs_about(tx, self._cases)
        self._routing = Routing(self.house, self.house.people(tx), self.now)
        self._routing.look_up(tx, (), {one.contact_id for one in alerts})
        self._drafts: list[AlertDraft] = []
        self._notes: list[EntryDraft] = []
        self._failures: dict[tuple[str, str], Failure] = {}
        self._lost: list[AlertRow] = []

    def pass_on(self) -> None:
        """Note, draft, journal and tell the operator."""
        self._flag([leg for leg in self.legs if leg.is_lost])
        for leg in self.legs:
            self._pass(leg)
        cases.hold(self.tx, {note.case_id for note in self._notes})
        journal.append(self.tx, self._notes)
        queue(self.tx, self.house, self._drafts, self.now)
        tell_operator(self.tx, self.house, list(self._failures.values()), self.now)
        arm_unheard(self.tx, [one for one in self._lost if not self._told_beside(one)], self.now)

    # ---- addresses that failed --------------------------------------------------------------------------------------

    def _flag(self, lost: Sequence[Leg]) -> None:
        """Note the addresses, and that they failed; the operator is told of each once."""
        errors = _reasons(self.tx, lost)
        rows = [self._unreachable(leg, errors[leg.message.message_id]) for leg in lost]
        new = {(row.contact_id, row.channel) for row in unreachable.flag(self.tx, rows)}
        for leg, row in zip(lost, rows, strict=True):
            key = row.contact_id, row.channel
            if key in new:
                self._failures.setdefault(key, Failure(leg.alert, row.reason, is_new=True))
            if leg.message.state != UNDELIVERED:  # of what did not arrive the journal has it from who heard of it
                self._note(leg, CHANNEL_FAILED, channel=row.channel, reason=row.reason)
        if new:
            self._routing.look_up(self.tx, (), {leg.alert.contact_id for leg in self.legs})

    def _unreachable(self, leg: Leg, reason: str) -> Unreachable:
        row = leg.message
        return Unreachable(leg.alert.contact_id, row.channel, row.addressee, self.now, reason, row.message_id)

    # ---- one alert --------------------------------------------------------------------------------------------------

    def _pass(self, leg: Leg) -> None:
        others = [one for one in self._families[leg.root] if one.alert.alert_id != leg.alert.alert_id]
        trying = (one.waits and not self._had_its_time(one.alert) for one in others)
        if any(one.is_told for one in others) or any(trying) or self._is_overtaken(leg.alert):
            return
        route = self._next_channel(leg, others) or self._next_on_duty(leg, others)
        if route is not None:
            self._draft(leg, route)
        elif not any(one.may_be_told for one in (leg, *others)):
            self._lose(leg)

    def _had_its_time(self, alert: AlertRow) -> bool:
        return alert.falls_back_at is not None and alert.falls_back_at <= self.now

    def _is_overtaken(self, alert: AlertRow) -> bool:
        case = self._cases.get(alert.case_id or "")
        if case is not None:
            rule = alert.facts.get("rule")
            return is_overtaken(case, alert.kind, alert.episode, rule) or self._is_needless(case, alert)
        if alert.incident_id is None or alert.kind in {"feed_recovered", "rules_accepted"}:
            return False
        found = incidents.incident_by_id(self.tx, alert.incident_id)
        return found is None or found.closed_at is not None

    @staticmethod
    def _is_needless(case: Case, alert: AlertRow) -> bool:
        words = {"acknowledged": case.acknowledged_at, "acted": case.acted_at}
        given = [word for word, at in words.items() if at is not None and at >= alert.raised_at]
        return alert.kind in {"escalation", "risk", "reminder"} and any(needless(case, one)(alert) for one in given)

    def _next_channel(self, leg: Leg, others: Sequence[Leg]) -> Route | None:
        alert, ways = leg.alert, self._routing.ways
        if not alert.fallback:
            return None
        tried = {one.alert.channel for one in (leg, *others) if one.alert.contact_id == alert.contact_id}
        left = [one for one in ways.usable(alert.contact_id, alert.fallback) if one not in tried]
        return self._route(leg, _recipient(alert), tuple(left))

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
        """The route by the first of these channels on which nobody else was told the same at the same address."""
        root = next((one.alert for one in self._families[leg.root] if one.alert.instead_of is None), leg.alert)
        for n in range(len(channels)):
            route = self._routing.route(recipient, channels[n:], _span(root))
            if not self._is_known_at(leg, route.addressee):
                return route
        return None

    def _is_known_at(self, leg: Leg, addressee: str) -> bool:
        """Whether the same is told at an address anyway: to somebody else who has it, too."""
        return addressee in self._told_beside(leg.alert)

    def _told_beside(self, alert: AlertRow) -> set[str]:
        """Where the same rung told of the case at the same instant, beside this alert: the keys of the addresses."""
        about = self._about.get(alert.case_id or "", [])
        others = (one for one in about if one.alert.alert_id != alert.alert_id and one.may_be_told)
        told = {one.message.addressee for one in others if _said(one.alert) == _said(alert)}
        return told | {one.addressee for one in self._drafts if _said(one) == _said(alert)}

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

    def _lose(self, leg: Leg) -> None:
        """Nobody is left to be told: said in the journal, and to the operator."""
        alert, key = leg.alert, (leg.alert.contact_id, leg.alert.channel)
        self._note(leg, NOT_REACHED)
        failure = self._failures.get(key) or Failure(alert, self._reason(leg))
        self._failures[key] = replace(failure, lost=(*failure.lost, alert))
        self._lost.append(alert)

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


def _recipient(alert: AlertRow) -> Recipient:
    return Recipient(alert.contact_id, alert.role, alert.unit_id, None, frozenset(), None)


def as_draft(alert: AlertRow) -> AlertDraft:
    """A stored alert as it could be drafted anew."""
    known = AlertDraft.__dataclass_fields__.keys() & AlertRow.__dataclass_fields__.keys()
    said = {name: getattr(alert, name) for name in known}
    return AlertDraft(**said | {"fallback": tuple(alert.fallback)})


def key_for(alert: AlertRow, contact_id: str, channel: str) -> str:
    """The key of an alert told to another contact or on another channel."""
    before, _, after = alert.key.rpartition(f"/{alert.contact_id}/{alert.channel}")
    return f"{before}/{contact_id}/{channel}{after}"
