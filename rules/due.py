"""Due and raised: a deadline passes, a report waits, is overtaken, or is raised (absence.md, Due, Raised, Silence)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from rules.calendar import SILENCE_CAP
from rules.case import Stage, Standing, Tell
from rules.climb import START
from rules.draft import Draft
from rules.instants import from_micros, to_micros


def pass_deadline(draft: Draft) -> None:
    """An armed deadline passes at its instant, also if nobody was awake to see it."""
    case = draft.case
    if case.pending_at is None and case.armed_at is not None and case.armed_at < draft.now:
        if case.standing is not Standing.RAISED:
            _fall_due(draft, case.armed_at, unconfirmed=False)
        elif case.corrected and not case.finding.owed:
            draft.change(due_at=case.armed_at, reported_run=case.run_from, corrected=False, armed_at=None)
            draft.note("due", due_at=case.armed_at, corrected=True)


def _fall_due(draft: Draft, at: dt.datetime, *, unconfirmed: bool) -> None:
    draft.change(pending_at=at, pending_unconfirmed=unconfirmed, armed_at=None)
    draft.note("due", due_at=at, unconfirmed=unconfirmed)


def weigh(draft: Draft) -> None:
    """Whether a report is due, still waits, was overtaken, or is raised."""
    reportable = draft.open_run is not None and not draft.is_old_run
    if draft.case.pending_at is not None and not _still_due(draft, reportable=reportable):
        draft.note("overtaken", due_at=draft.case.pending_at)
        draft.change(pending_at=None, pending_unconfirmed=False)
    if not reportable or not draft.is_ripe() or draft.finding.satisfied:
        draft.change(asked_at=None)
    if draft.case.pending_at is None and reportable and draft.is_ripe():
        if draft.finding.satisfied:
            _fall_due(draft, draft.now, unconfirmed=False)
        else:
            _ask_or_wait(draft)
    if draft.case.pending_at is not None and _may_raise(draft):
        _raise(draft)


def _still_due(draft: Draft, *, reportable: bool) -> bool:
    enough = draft.finding.satisfied or (draft.case.pending_unconfirmed and draft.finding.run_days > 0)
    return reportable and draft.is_ripe() and enough


def _ask_or_wait(draft: Draft) -> None:
    """One known day only: while the child is silent its teachers are asked, and after a while it is reported."""
    silent = draft.finding.silent_from is not None and draft.finding.silent_from <= draft.now
    if not silent:
        draft.change(asked_at=None)
        return
    if draft.case.asked_at is None:
        draft.change(asked_at=draft.now)
        deadline = unconfirmed_at(draft)
        draft.note("confirmation asked", until=deadline)
        law = draft.law
        draft.tells.append(Tell("confirm_request", law.confirm_to, due_at=deadline, rule=law.rule, version=law.version))
    deadline = unconfirmed_at(draft)
    if deadline <= draft.now:
        _fall_due(draft, deadline, unconfirmed=True)


def unconfirmed_at(draft: Draft) -> dt.datetime:
    """When a report is due though only one day is known: `unconfirmed_after` of session time from the asking."""
    asked = draft.case.asked_at or draft.now
    line = draft.calendar.lines[draft.finding.variant]
    passed = line.after_session_time(np.array([to_micros(asked)]), draft.law.unconfirmed_after, SILENCE_CAP)
    return from_micros(int(passed[0]))


def _may_raise(draft: Draft) -> bool:
    return all(until is None or until <= draft.now for until in (roll_awaited_until(draft), held_until(draft)))


def roll_awaited_until(draft: Draft) -> dt.datetime | None:
    """Until when the report waits for the roll of the session at its deadline; None if it need not."""
    case, finding = draft.case, draft.finding
    if case.pending_at is None or case.pending_unconfirmed:
        return None
    if finding.asked == case.pending_at:
        waits = finding.deadline_session and not finding.deadline_marked
    else:
        waits = _is_unmarked(draft, case.pending_at)
    return case.pending_at + draft.law.wait_for_roll if waits else None


def _is_unmarked(draft: Draft, deadline: dt.datetime) -> bool:
    """Whether a session is in progress at a deadline that only now fell due, and no mark in it is known."""
    line = draft.calendar.lines[draft.finding.variant]
    index, last = line.at(to_micros(deadline)), draft.finding.last_marked
    return index is not None and (last is None or to_micros(last) < int(line.starts[index]))


def held_until(draft: Draft) -> dt.datetime | None:
    """Until when the report waits for a mass absence to be judged; None if it need not."""
    if draft.storm is None or draft.storm.judged or draft.case.pending_at is None:
        return None
    return draft.case.pending_at + draft.law.mass_absence_hold


def _raise(draft: Draft) -> None:
    """The report is raised: next episode, stage, ladder taken as it stands now."""
    case, finding = draft.case, draft.finding
    draft.change(
        stage=Stage.REPORTED,
        standing=Standing.RAISED,
        episode=case.episode + 1,
        run_from=finding.run_from,
        reported_run=finding.run_from,
        due_at=case.pending_at,
        raised_at=draft.now,
        unconfirmed=case.pending_unconfirmed,
        rule=draft.law.rule,
        rule_version=draft.law.version,
        pending_at=None,
        pending_unconfirmed=False,
        armed_at=None,
        asked_at=None,
        corrected=False,
        returned_session=None,
        returned_at=None,
        observed_until=None,
        pending_closure=False,
        ladder=draft.law.ladder,
        climb=START,
        untold=False,
        climbs_from=None,
        acknowledged_at=None,
        acknowledged_by=None,
        acknowledged_contact=None,
        reopened_at=None,
        signs=tuple(replace(sign, climb=replace(sign.climb, owed=())) for sign in case.signs),
        closing_by=None,
        reason=None,
    )
    draft.note(
        "raised",
        rule=draft.law.rule,
        version=draft.law.version,
        due_at=case.pending_at,
        run_from=finding.run_from,
        absent_days=finding.run_days,
        unconfirmed=draft.case.unconfirmed,
        episode=draft.case.episode,
    )
