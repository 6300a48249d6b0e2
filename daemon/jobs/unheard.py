"""A rung that reached nobody, as everything it said came to nothing: it is owed, and the next one speaks at once."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from daemon.jobs.apply import write_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.office import act
from daemon.store import cases, timers
from daemon.store.alerts import AlertRow
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case, Decision, Entry, Standing, Tell
from rules.climb import Climb, missed
from rules.decide import climb_on

UNHEARD = "unheard"
"""Timer: a rung of a case's ladder reached nobody (subject: which)."""
REACHED_NOBODY = "rung reached nobody"
"""Journal: everybody a rung was for could be told on no channel; the next one is due."""

_REPORTS = frozenset({"report", "escalation"})
_SIGNS = frozenset({"risk", "reminder"})
MOST = 100


def arm_unheard(tx: Tx, alone: Sequence[AlertRow], beside: Sequence[AlertRow], now: dt.datetime) -> None:
    """Have those kept in mind of whom nobody got these alerts, and the ladders climbed on where nobody else did.

    `alone` are alerts of whose rung nobody was told, `beside` those of whose rung somebody else was.
    """
    gone = [*((one, True) for one in alone), *((one, False) for one in beside)]
    found = [Timer(UNHEARD, _subject(one, whole=whole), now) for one, whole in gone if one.case_id and _is_of_rung(one)]
    timers.arm(tx, found)


def _is_of_rung(alert: AlertRow) -> bool:
    return alert.rung is not None and alert.kind in _REPORTS | _SIGNS


def _subject(alert: AlertRow, *, whole: bool) -> str:
    rule = alert.facts.get("rule") if alert.kind in _SIGNS else None
    return json.dumps([alert.case_id, alert.episode, alert.kind, alert.rung, rule, alert.role, whole])


def climb_unheard(house: House, now: dt.datetime) -> None:
    """Let the next rung speak wherever one reached nobody; safe to be killed and run again."""
    with house.store.read() as tx:
        due = timers.due(tx, now, MOST, (UNHEARD,))
    for timer in due:
        act(house, partial(_climb, house, timer, now))


def _climb(house: House, timer: Timer, now: dt.datetime, tx: Tx) -> None:
    case_id, episode, kind, rung, rule, role, whole = [*json.loads(timer.subject), None, True][:7]
    timers.complete(tx, [timer])
    row = cases.cases_by_id(tx, [case_id]).get(case_id)
    if row is None or not row.is_open or row.episode != episode:
        return
    case = from_row(row)
    if rule is None and case.standing is Standing.RAISED:
        case = replace(case, climb=_missed(case, rung, role, now, whole=whole))
    told = Tell(kind, rung=rung, rule=rule, times=1 if rule is not None else 0)
    decision = climb_on(case, told, now, house.laws.of(case.finding), house.calendar) if whole else None
    if decision is not None:
        noted = Entry(REACHED_NOBODY, {"rung": rung} | ({"rule": rule} if rule is not None else {}))
        write_decisions(tx, house, [replace(decision, entries=(noted, *decision.entries))], now)
    elif case.climb.unheard != from_row(row).climb.unheard:
        write_decisions(tx, house, [Decision(case)], now)


def _missed(case: Case, rung: int, role: str | None, now: dt.datetime, *, whole: bool) -> Climb:
    """The climb once it is known that nobody in a role was told, or in no role of a whole rung.

    A rung that spoke for others told their roles, too.
    """
    rungs = case.ladder.rungs
    climb = missed(case.climb, rung, rungs[rung].tell, now) if whole and rung < len(rungs) else case.climb
    of = next((n for n in (rung, *range(case.climb.rung)) if n < len(rungs) and role in rungs[n].tell), None)
    return climb if of is None or role is None else missed(climb, of, (role,), now)
