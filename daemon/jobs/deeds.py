"""What recipients say was done about a case, by the link of their message: the deed an acknowledgement waits for."""

from __future__ import annotations

import datetime as dt

from daemon.desk.deeds import DONE, Done
from daemon.desk.faults import DeskError
from daemon.desk.ledger import subject_of
from daemon.jobs.apply import write_decisions
from daemon.jobs.house import House
from daemon.jobs.needless import acted, is_recall
from daemon.jobs.office import Acted, Actor, acknowledged, act, behind_link, open_case, said_by
from daemon.store import journal
from daemon.store.alerts import AlertRow
from daemon.store.tx import Tx
from rules.case import Case, Decision, Entry, Standing

ABOUT_REPORTS = frozenset({"report", "escalation", "reopened"})
"""The kinds that are about the report of a case; a reminder may be, or about a sign."""


def is_about_report(case: Case, alert: AlertRow) -> bool:
    """Return whether an alert is about the report of its case, and not about a sign or a stage."""
    return alert.kind in ABOUT_REPORTS or is_recall(case, alert)


def stands(case: Case, alert: AlertRow) -> bool:
    """Return whether what an alert is about is so still: something may be done about it."""
    if not case.is_open:
        return False
    return not is_about_report(case, alert) or (case.standing is Standing.RAISED and alert.episode == case.episode)


def may_acknowledge(case: Case, alert: AlertRow) -> bool:
    """Return whether the word of an alert's recipient counts as an acknowledgement of what it is about."""
    return is_about_report(case, alert) and alert.role in case.ladder.acknowledged_by


def record_deed_by_link(house: House, alert_id: str, done: Done, now: dt.datetime) -> Acted:
    """Keep what the recipient of an alert says was done; it acknowledges as well, where the recipient may.

    The same said twice on one day is kept once. Raises DeskError when the report does not stand any more.
    """
    number, actor, alert = behind_link(house, alert_id)
    return act(house, lambda tx: _record(tx, house, number, done, actor, alert, now))


def _record(tx: Tx, house: House, number: str, done: Done, actor: Actor, alert: AlertRow, now: dt.datetime) -> Acted:
    case = open_case(tx, number)
    if not stands(case, alert):
        raise DeskError(subject_of(number), "has no such report that stands", "there is nothing to record any more")
    entry = Entry(DONE, {**done.body(), **said_by(actor, role=actor.role, contact=actor.contact)})
    entries, after = [entry], case
    if may_acknowledge(case, alert) and case.acknowledged_at is None:
        after, first = acknowledged(tx, case, actor, now)
        entries = [first, entry]
    elif _is_repeated(tx, house, case, entry, now):
        return Acted(case, changed=False)
    after = acted(tx, after, now)
    write_decisions(tx, house, [Decision(after, tuple(entries))], now)
    return Acted(after)


def _is_repeated(tx: Tx, house: House, case: Case, entry: Entry, now: dt.datetime) -> bool:
    """Return whether the very same was said by the same today, since the report was last acknowledged or reopened."""
    zone, counts = house.calendar.zone, (case.acknowledged_at, case.reopened_at, case.raised_at)
    return any(
        one.kind == DONE
        and one.body == entry.body
        and one.at.astimezone(zone).date() == now.astimezone(zone).date()
        and all(since is None or one.at >= since for since in counts)
        for one in journal.history(tx, case.case_id)
    )


def last_deed(tx: Tx, case: Case, alert: AlertRow) -> journal.Entry | None:
    """Return what the recipient of an alert said last about the case, since its report was raised."""
    said = [
        one
        for one in journal.history(tx, case.case_id)
        if one.kind == DONE
        and one.body.get("contact") == alert.contact_id
        and (case.raised_at is None or one.at >= case.raised_at)
    ]
    return said[-1] if said else None
