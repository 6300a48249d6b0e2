"""A rung that reached nobody, because everything it said came to nothing: the next one speaks at once."""

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
from rules.case import Entry, Tell
from rules.decide import climb_on

UNHEARD = "unheard"
"""Timer: a rung of a case's ladder reached nobody (subject: which)."""
REACHED_NOBODY = "rung reached nobody"
"""Journal: everybody a rung was for could be told on no channel; the next one is due."""

_REPORTS = frozenset({"report", "escalation"})
_SIGNS = frozenset({"risk", "reminder"})
MOST = 100


def arm_unheard(tx: Tx, alerts: Sequence[AlertRow], now: dt.datetime) -> None:
    """Have the ladders climbed on whose rungs were to tell these alerts, of which none reached anybody."""
    timers.arm(tx, [Timer(UNHEARD, _subject(one), now) for one in alerts if one.case_id and _is_of_rung(one)])


def _is_of_rung(alert: AlertRow) -> bool:
    return alert.rung is not None and alert.kind in _REPORTS | _SIGNS


def _subject(alert: AlertRow) -> str:
    rule = alert.facts.get("rule") if alert.kind in _SIGNS else None
    return json.dumps([alert.case_id, alert.episode, alert.kind, alert.rung, rule])


def climb_unheard(house: House, now: dt.datetime) -> None:
    """Let the next rung speak wherever one reached nobody; safe to be killed and run again."""
    with house.store.read() as tx:
        due = timers.due(tx, now, MOST, (UNHEARD,))
    for timer in due:
        act(house, partial(_climb, house, timer, now))


def _climb(house: House, timer: Timer, now: dt.datetime, tx: Tx) -> None:
    case_id, episode, kind, rung, rule = json.loads(timer.subject)
    timers.complete(tx, [timer])
    row = cases.cases_by_id(tx, [case_id]).get(case_id)
    if row is None or not row.is_open or row.episode != episode:
        return
    case = from_row(row)
    told = Tell(kind, rung=rung, rule=rule, times=1 if rule is not None else 0)
    decision = climb_on(case, told, now, house.laws.of(case.finding), house.calendar)
    if decision is not None:
        noted = Entry(REACHED_NOBODY, {"rung": rung} | ({"rule": rule} if rule is not None else {}))
        write_decisions(tx, house, [replace(decision, entries=(noted, *decision.entries))], now)
