"""From shadow to live and back: what was only recorded never left, and every report that stands is owed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from daemon.jobs.casefile import from_row, to_row
from daemon.jobs.house import House
from daemon.jobs.nobody import OWED
from daemon.jobs.office import act
from daemon.jobs.pace import paced
from daemon.jobs.relay import as_draft
from daemon.jobs.routing import OPERATOR
from daemon.jobs.sweep import CASE
from daemon.jobs.tell import last_words, needs
from daemon.jobs.terms import Terms
from daemon.store import cases, falling, incidents, journal, modes, outbox, timers
from daemon.store.alerts import SHADOW, AlertDraft, AlertRow
from daemon.store.falling import Leg
from daemon.store.journal import EntryDraft
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case, Standing
from rules.climb import START, Climb, missed
from rules.instants import to_micros
from rules.laws import Laws
from rules.overtaken import is_overtaken
from rules.signs import Sign

log = structlog.get_logger()

LIVE, IN_SHADOW = "live", "shadow"
NEVER_SENT = "report was never sent"
"""Journal: the report stands, and was only recorded in shadow; it is told now that the district is live."""
STANDING = frozenset({"report", "escalation", "reopened"})
CORRECTIONS = frozenset({"return", "retraction", "closed", "reopened"})
OF_SIGNS = frozenset({"risk", "reminder"})
OF_UNITS = {"mass_absence": "mass_absence", "feed_stale": "feed_silent"}
"""What is told anew of an incident that is not over, and of which kind that is."""


def enter_mode(house: House, terms: Terms, now: dt.datetime) -> None:
    """Return what follows when `terms`, about to take effect, put the district into another mode than it was in last.

    Safe to be killed and run again: the mode is written down with what follows from it, or not at all.
    """
    act(house, partial(_enter, house, terms, now))


def _enter(house: House, terms: Terms, now: dt.datetime, tx: Tx) -> None:
    mode = terms.config.service.mode
    if modes.mode_of(tx) == mode:
        return
    if mode == IN_SHADOW:
        modes.keep_back(tx, OPERATOR)
    else:
        _go_live(tx, house, terms.laws, now)
    modes.record_mode(tx, mode)
    log.info("district entered another mode", mode=mode)


def _go_live(tx: Tx, house: House, laws: Laws, now: dt.datetime) -> None:
    recorded = falling.legs_recorded(tx)
    changed = list(_renewed(standing_cases(tx), _about(tx, recorded), laws, now))
    cases.update_cases(tx, [to_row(case) for case in changed])
    never = [case for case in changed if case.untold and case.standing is Standing.RAISED]
    journal.append(tx, [EntryDraft(case.case_id, now, now, NEVER_SENT, {"episode": case.episode}) for case in never])
    timers.arm(tx, [Timer(CASE, case.student_id, now) for case in changed])
    timers.arm(tx, [Timer(OWED, case.case_id, now) for case in changed if case.climb.unheard])
    drafts = [*owed_corrections(tx, recorded, now), *owed_of_units(tx, recorded, now)]
    outbox.draft(tx, paced(tx, house, drafts, now), now)


def standing_cases(tx: Tx) -> list[Case]:
    """The open cases that may owe somebody something: there is a report that is not taken back, or a sign."""
    found = map(from_row, cases.open_cases(tx))
    return [case for case in found if case.signs or case.standing is not Standing.NONE]


def _about(tx: Tx, recorded: Iterable[Leg]) -> dict[str, list[Leg]]:
    """By case, of those about which something was only recorded, everything that was to be told."""
    return falling.legs_about(tx, {leg.alert.case_id for leg in recorded if leg.alert.case_id})


# ---- cases ----------------------------------------------------------------------------------------------------------


def is_untold(case: Case, legs: Iterable[Leg]) -> bool:
    """Whether nobody was ever told of the report: all that was said of it was recorded, or it has not spoken yet."""
    if case.standing is Standing.NONE or case.untold:
        return case.untold
    of_it = [leg for leg in legs if leg.alert.kind in STANDING and leg.alert.episode == case.episode]
    if any(is_real(leg) for leg in of_it):
        return False
    return bool(of_it) or (case.climb == START and case.standing is Standing.RAISED)


def is_real(leg: Leg) -> bool:
    """Return whether an alert left, or may have, or still may."""
    return leg.may_be_told and leg.message.state != SHADOW


def _renewed(found: Iterable[Case], about: Mapping[str, Sequence[Leg]], laws: Laws, now: dt.datetime) -> Iterator[Case]:
    """The cases that are other than they were, now that what was recorded counts for nothing."""
    for case in found:
        legs = about.get(case.case_id, ())
        after = case.but(signs=tuple(_sign(case, one, legs, laws, now) for one in case.signs))
        if is_untold(case, legs):
            after = after.but(untold=True, climb=Climb(turn=max(case.climb.turn, 1)), wake_at=now)
        elif case.standing is not Standing.NONE:
            after = after.but(climb=_owing(case, legs))
        if after != case:
            yield after


def _owing(case: Case, legs: Iterable[Leg]) -> Climb:
    """The climb of a report that was told, whose later rungs were only recorded: those are owed."""
    climb, rungs = case.climb, case.ladder.rungs
    for leg in legs:
        one = leg.alert
        if leg.message.state == SHADOW and one.kind in STANDING and one.episode == case.episode:
            of = next((n for n in (one.rung or 0, *range(climb.rung)) if _tells(case, n, one.role)), None)
            climb = climb if of is None or of >= len(rungs) else missed(climb, of, (one.role,), one.raised_at)
    return climb


def _tells(case: Case, n: int, role: str) -> bool:
    return n < len(case.ladder.rungs) and role in case.ladder.rungs[n].tell


def _sign(case: Case, sign: Sign, legs: Iterable[Leg], laws: Laws, now: dt.datetime) -> Sign:
    """A sign of which nobody was told goes on to nobody; what a report has reached is told with it."""
    said = [leg for leg in legs if leg.alert.kind in OF_SIGNS and leg.alert.facts.get("rule") == sign.rule]
    if sign.ladder is None or not sign.stands or not said or any(is_real(leg) for leg in said):
        return sign
    of_report = any(rule.rule_id == sign.rule for rule in laws.of(case.finding).stages)
    if of_report and case.standing is Standing.RAISED:
        return replace(sign, raised_at=now, climb=Climb(turn=max(sign.climb.turn, 1)))
    return replace(sign, climb=Climb(len(sign.ladder.rungs), sign.climb.turn))


# ---- corrections, and what is told of units --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Word:
    """Who was told something about a report, on which channel."""

    case_id: str
    episode: int | None
    contact_id: str
    channel: str


def _word(alert: AlertRow) -> _Word:
    return _Word(str(alert.case_id), alert.episode, alert.contact_id, alert.channel)


def owed_corrections(tx: Tx, recorded: Iterable[Leg], now: dt.datetime) -> list[AlertDraft]:
    """The corrections that were only recorded, for those who were really told of the report and believe otherwise."""
    last = {_word(leg.alert): leg for leg in recorded if leg.alert.case_id and leg.alert.kind in CORRECTIONS}
    known = {key: from_row(row) for key, row in cases.cases_by_id(tx, {one.case_id for one in last}).items()}
    told = {key: outbox.told(tx, *key) for key in {(one.case_id, one.episode) for one in last}}
    believed = {
        _word(alert): alert.kind
        for those in told.values()
        for alert in last_words(one.alert for one in those if not one.shadow)
    }
    return [
        _anew(leg, now)
        for key, leg in last.items()
        if key in believed and needs(leg.alert.kind, believed[key]) and _is_true(known.get(key.case_id), leg.alert)
    ]


def _is_true(case: Case | None, alert: AlertRow) -> bool:
    if case is None or is_overtaken(case, alert.kind, alert.episode, alert.facts.get("rule")):
        return False
    return alert.kind != "return" or case.standing is Standing.RETURNED or not case.is_open


def owed_of_units(tx: Tx, recorded: Iterable[Leg], now: dt.datetime) -> list[AlertDraft]:
    """Return what was only recorded of mass absences nobody has judged, and of feeds that are silent still."""
    open_now = {row.incident_id for kind in set(OF_UNITS.values()) for row in incidents.open_incidents(tx, kind)}
    owed = [leg for leg in recorded if leg.alert.kind in OF_UNITS and leg.alert.incident_id in open_now]
    keys = {row.key for one in {leg.alert.incident_id for leg in owed} for row in outbox.alerts_of(tx, incident_id=one)}
    return [_anew(leg, now) for leg in owed if not any(key.startswith(f"{leg.alert.key}/{LIVE}@") for key in keys)]


def _anew(leg: Leg, now: dt.datetime) -> AlertDraft:
    """Return what was recorded, as it is told now; without another channel until this one fails."""
    before = as_draft(leg.alert)
    key = f"{before.key}/{LIVE}@{to_micros(now)}"
    return replace(before, key=key, addressee=leg.message.addressee, falls_back_at=None, instead_of=None)


def recorded_mode(tx: Tx, house: House) -> str:
    """The mode the district was in last, as its store knows; as configured, where it knows none."""
    return modes.mode_of(tx) or house.config.service.mode


def untold_cases(tx: Tx, recorded: Collection[Leg]) -> list[Case]:
    """The reports that stand and of which nobody was told, of children who are not on leave now."""
    about = _about(tx, recorded)
    raised = (case for case in standing_cases(tx) if case.standing is Standing.RAISED)
    awake = (case for case in raised if case.finding.leave_until is None)
    return [case for case in awake if is_untold(case, about.get(case.case_id, ()))]
