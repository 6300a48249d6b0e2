"""Tells those whom a rung did not reach as soon as they can be: contacts came back, an address was mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from daemon.jobs.apply import write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.nobody import OWED, gap
from daemon.jobs.office import act
from daemon.jobs.routing import Routing, Sought
from daemon.store import cases, falling, roster, timers
from daemon.store.alerts import SHADOW
from daemon.store.falling import Leg
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case, Decision, Standing
from rules.climb import Unheard, heard
from rules.standing import owed, tell_owed

MOST = 100
"""Cases looked at in one transaction."""
_REPORTS = frozenset({"report", "escalation", "reopened"})


def look_at_owed(house: House, now: dt.datetime) -> None:
    """Tell whoever can be told by now of what is owed: when it is time, and all of it when the roster has changed.

    Safe to be killed and run again; of several daemons one tells, for the case is written over the version it read.
    """
    with house.store.read() as tx:
        stamp = roster.stamp(tx)
        anew = stamp != house.owed_stamp
        due = timers.armed(tx, (OWED,)) if anew else timers.due(tx, now, MOST, (OWED,))
    waiting = iter(due)
    while part := list(islice(waiting, MOST)):
        act(house, partial(_look, house, part, now))
    house.owed_stamp = stamp


def _look(house: House, due: Sequence[Timer], now: dt.datetime, tx: Tx) -> None:
    found = {key: from_row(row) for key, row in cases.cases_by_id(tx, [one.subject for one in due]).items()}
    standing = {key: case for key, case in found.items() if case.is_open and case.standing is Standing.RAISED}
    timers.complete(tx, due)
    timers.arm(tx, [Timer(OWED, key, _again(case, now)) for key, case in standing.items() if owed(case)])
    awake = [case for case in standing.values() if case.finding.leave_until is None]
    decisions = list(_Owing.of(tx, house, awake, now).decisions(now))
    write_decisions(tx, house, decisions, now)
    settled = [Timer(OWED, one.case.case_id, now + gap(one.case)) for one in decisions if not owed(one.case)]
    timers.disarm(tx, [(one.kind, one.subject) for one in settled])


def _again(case: Case, now: dt.datetime) -> dt.datetime:
    """When to look next: while the child is on leave its ladder waits."""
    until = case.finding.leave_until
    return until if until is not None and until > now else now + gap(case)


@dataclass(frozen=True)
class _Owing:
    """Some cases with whom they owe the telling, who holds those roles, and what was told of each report."""

    routing: Routing
    cases: Sequence[Case]
    sought: dict[tuple[str, Unheard], Sought] = field(default_factory=dict)
    told: dict[str, list[Leg]] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Tx, house: House, found: Sequence[Case], now: dt.datetime) -> _Owing:
        routing = Routing(house, house.people(tx), now)
        there = [case for case in found if case.student_id in routing.people.roster.students]
        sought = {
            (case.case_id, one): routing.sought(case, one.role, case.ladder.rungs[one.rung].audience)
            for case in there
            for one in owed(case)
        }
        routing.look_up(tx, sought.values())
        legs = falling.legs_about(tx, [case.case_id for case in there])
        told = {key: [leg for leg in those if _tells(leg, shadow=house.shadow)] for key, those in legs.items()}
        return cls(routing, there, sought, told)

    def decisions(self, now: dt.datetime) -> Iterator[Decision]:
        """Return what is told now; who was told meanwhile, in another role or by another rung, is owed nothing."""
        for case in self.cases:
            those = owed(case)
            settled = [one for one in those if self._was_told(case, one)]
            left = case.but(climb=heard(case.climb, settled))
            there = [one for one in those if one not in settled and self._is_there(case, one)]
            if there:
                yield tell_owed(left, there, now)
            elif settled:
                yield Decision(left)

    def _is_there(self, case: Case, one: Unheard) -> bool:
        """Return whether somebody in the role has an address that is not known to fail."""
        sought, ways = self.sought[case.case_id, one], self.routing.ways
        return any(ways.reaches(who.contact_id, sought.channels) for who in sought.holders)

    def _was_told(self, case: Case, one: Unheard) -> bool:
        sought, ways = self.sought[case.case_id, one], self.routing.ways
        holders = {who.contact_id for who in sought.holders}
        addresses = {ways.addressee(who, channel) for who in holders for channel in ways.usable(who)}
        legs = (leg for leg in self.told.get(case.case_id, ()) if leg.alert.episode == case.episode)
        theirs = (leg for leg in legs if leg.alert.contact_id in holders or leg.message.addressee in addresses)
        return any(leg.alert.role == one.role or (leg.alert.rung or 0) >= one.rung for leg in theirs)


def _tells(leg: Leg, *, shadow: bool) -> bool:
    """Return whether an alert says that the report stands, and may be told; in shadow also on paper."""
    return leg.alert.kind in _REPORTS and leg.may_be_told and (shadow or leg.message.state != SHADOW)
