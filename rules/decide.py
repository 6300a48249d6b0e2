"""Decides what becomes of one case at one instant: plain values in, a Decision out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from rules.calendar import Calendar
from rules.case import Case, Decision, Law, Stage, Standing, Storm, Tell
from rules.draft import REASON_OF_MOVEMENT, REASON_OF_STOP, Draft
from rules.due import held_until, pass_deadline, roll_awaited_until, unconfirmed_at, weigh
from rules.finding import Finding, Question
from rules.instants import earliest, to_micros
from rules.review import review_report, review_return
from rules.rule import Rule
from rules.standing import climb_report, wakes_of_report, weigh_acknowledgement
from rules.watch import climb, left_over, reached, rule_of, settled, tell_stage, wakes, watch, watched


def question(case: Case, law: Law | None = None) -> Question | None:
    """What the judge must be asked about a case's deadline; None where it has none.

    A report raised by another rule than that of `law`, or by another version of it, stays owed by its own.
    """
    if case.pending_at is not None and case.standing is not Standing.RAISED:
        return Question(case.pending_at, case.pending_unconfirmed)
    if case.standing is Standing.NONE or case.due_at is None:
        return None
    same = law is None or case.rule is None or (case.rule, case.rule_version) == (law.rule, law.version)
    return Question(case.due_at, case.unconfirmed, None if same else case.reported_run, case.raised_at)


def decide(
    case: Case, finding: Finding, now: dt.datetime, law: Law, calendar: Calendar, *, storm: Storm | None = None
) -> Decision:
    """What becomes of `case`, given what is now known.

    Deciding again at once, with nothing new known, decides nothing more.
    """
    draft = Draft(case, finding, now, law, calendar, storm)
    pass_deadline(draft)
    if draft.case.standing is Standing.RAISED:
        review_report(draft)
    if draft.case.standing is Standing.RETURNED:
        review_return(draft)
    if draft.case.is_open and draft.case.standing is not Standing.RAISED:
        weigh(draft)
    if draft.case.is_open:
        _tell_first_absence(draft)
        weigh_acknowledgement(draft)
        climb_report(draft)
        watch(draft)
        _change_stage(draft)
        _settle_unreported(draft)
    _arm(draft)
    return Decision(draft.case, tuple(draft.entries), tuple(draft.tells), draft.cancels, changed=draft.case != case)


def climb_on(case: Case, told: Tell, now: dt.datetime, law: Law, calendar: Calendar) -> Decision | None:
    """What follows when a rung reached nobody: the next one is due at once. None where there is none, or not any more.

    `case` is as decided at this instant, and `told` what its ladder, or that of a sign, said.
    """
    draft = Draft(case, case.finding, now, law, calendar, None)
    below = told.rung + 2
    if not told.times:
        climb_report(draft, below=below)
    elif (rule := rule_of(draft, told.rule)) is not None:
        signs = (climb(draft, rule, one, below=below) if one.rule == told.rule else one for one in case.signs)
        draft.change(signs=tuple(signs))
    if draft.case is case:
        return None
    ahead = (instant for instant in (*wakes_of_report(draft.case), *wakes(draft)) if instant and instant > now)
    draft.change(wake_at=earliest(case.wake_at, *ahead))
    return Decision(draft.case, tuple(draft.entries), tuple(draft.tells))


def _tell_first_absence(draft: Draft) -> None:
    """The class teacher gets the child on the class's list, a while after the first missed session began."""
    case, run = draft.case, draft.finding.run_from
    if run is None:
        draft.change(told_first=False)
        return
    if case.standing is Standing.RAISED or draft.open_run is None or case.told_first:
        return
    if run + draft.law.first_absence_after <= draft.now:
        group = f"first:{to_micros(run)}"
        law = draft.law
        draft.tells.append(Tell("first_absence", law.first_absence_to, group=group, rule=law.rule, version=law.version))
        draft.change(told_first=True)


def _change_stage(draft: Draft) -> None:
    """Suspected and dropped out by the run's length; closing proposed once a returned child was observed."""
    case = draft.case
    if case.standing is Standing.RAISED:
        stage, rule = _stage_by_run(draft)
        if stage is not case.stage:
            by = {} if rule is None else {"rule": rule.rule_id, "version": rule.version}
            draft.note("stage", stage=stage.value, was=case.stage.value, **by)
            draft.change(stage=stage)
        if rule is not None:
            tell_stage(draft, rule)
    elif case.observed_until is not None and case.observed_until <= draft.now and not case.pending_closure:
        draft.note("closing proposed", reason=case.reason)
        draft.change(pending_closure=True)


def _stage_by_run(draft: Draft) -> tuple[Stage, Rule | None]:
    """The stage of a report that stands, and the rule that says so."""
    if draft.finding.declared:
        return Stage.DROPPED_OUT, None
    if draft.finding.run_from is None:
        return draft.case.stage, None
    rule = reached(draft)
    return (Stage.REPORTED, None) if rule is None else (Stage(rule.stage), rule)


def _settle_unreported(draft: Draft) -> None:
    """A case without a report is watched while there are signs, and closes silently once there is no run either."""
    case, finding = draft.case, draft.finding
    if case.stage not in {Stage.FIRST_ABSENCE, Stage.WATCH} or case.standing is not Standing.NONE:
        return
    if finding.run_from is None and not watched(draft):
        moved = REASON_OF_MOVEMENT.get(finding.out or "")
        draft.close(moved or REASON_OF_STOP.get(finding.stopped_by or "", "false alarm"))
        return
    if finding.run_from != case.run_from:
        draft.change(run_from=finding.run_from)
    stage = _unreported_stage(draft)
    if stage is not case.stage:
        draft.note("stage", stage=stage.value, was=case.stage.value)
        draft.change(stage=stage)


def _unreported_stage(draft: Draft) -> Stage:
    """A run makes it a first absence, an open one where it was none before."""
    run = draft.open_run if draft.case.stage is Stage.WATCH else draft.finding.run_from
    return Stage.WATCH if run is None else Stage.FIRST_ABSENCE


def _arm(draft: Draft) -> None:
    """Set the deadline that will pass by itself, and the next instant at which this case must be looked at."""
    if not draft.case.is_open:
        draft.change(finding=draft.finding, wake_at=None, armed_at=None, signs=left_over(draft))
        return
    armed = _next_deadline(draft)
    ahead = [instant for instant in (armed, *_instants(draft)) if instant is not None and instant > draft.now]
    draft.change(finding=_lasting(draft), armed_at=armed, wake_at=earliest(*ahead))


def _lasting(draft: Draft) -> Finding:
    """The finding without what every roll changes and nobody needs: a case that is as it was is not written.

    That is when a child without a run was last heard of, and more of a sign that stands than that it is not over.
    """
    finding, idle = draft.finding, draft.finding.run_from is None
    marked, silent = (None, None) if idle else (finding.last_marked, finding.silent_from)
    views = settled(draft) if finding.views else ()
    if (marked, silent, views) == (finding.last_marked, finding.silent_from, finding.views):
        return finding
    return replace(finding, last_marked=marked, silent_from=silent, views=views)


def _next_deadline(draft: Draft) -> dt.datetime | None:
    case, armed = draft.case, draft.finding.armed_at
    waits = case.pending_at is not None or draft.is_old_run
    stands = case.standing is Standing.RAISED and not case.corrected
    return None if armed is None or armed <= draft.now or waits or stands else armed


def _instants(draft: Draft) -> list[dt.datetime | None]:
    """Every instant at which this case may change though nothing new becomes known."""
    case, finding, law = draft.case, draft.finding, draft.law
    instants = [finding.changes_at, case.observed_until, roll_awaited_until(draft), held_until(draft)]
    if finding.run_from is not None:
        instants += [finding.ripe_at, finding.run_from + law.first_absence_after]
        if not finding.satisfied and case.standing is not Standing.RAISED:
            instants.append(finding.silent_from)
            instants.append(unconfirmed_at(draft) if case.asked_at else None)
    if case.standing is Standing.RAISED and case.raised_at is not None:
        instants += wakes_of_report(case)
        instants.append(finding.ripe_at - law.chase if finding.ripe_at is not None else None)
    return [*instants, *wakes(draft)]
