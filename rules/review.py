"""What was known changes: a report stands, is retracted, returns, closes or is reopened (absence.md, same heading)."""

from __future__ import annotations

import datetime as dt

from rules.case import Stage, Standing, Tell
from rules.climb import resumed
from rules.draft import REASON_OF_MOVEMENT, Draft
from rules.finding import Finding


def review_report(draft: Draft) -> None:
    """A raised report meets new knowledge: it stands, is retracted, returns, or closes — in this order."""
    finding = draft.finding
    if _stands(draft):
        _correct_start(draft)
    elif not finding.owed:
        _retract(draft)
    elif finding.seen_since is not None:
        _come_back(draft, finding.seen_since)
    elif finding.moved_since is not None:
        draft.close(REASON_OF_MOVEMENT[finding.moved_since])
        draft.tells.append(_correction(draft, "closed", draft.case.reason))
        draft.cancels = True


def _stands(draft: Draft) -> bool:
    """The open run is due, or will be so soon that a correction and a new report would chase each other."""
    ripe = draft.finding.ripe_at
    return draft.open_run is not None and ripe is not None and ripe <= draft.now + draft.law.chase


def _correct_start(draft: Draft) -> None:
    """Note a start that is not the one noted; a report that is not owed any more is owed by the run that is due now.

    One that is owed keeps its legal time, whatever run follows; so does one whose correction is undone.
    """
    if draft.open_run != draft.case.run_from:
        draft.note("start corrected", run_from=draft.open_run, was=draft.case.run_from)
        draft.change(run_from=draft.open_run, corrected=draft.open_run != draft.case.reported_run)
    finding = draft.finding
    if draft.case.corrected and not finding.owed and draft.is_ripe() and finding.satisfied:
        draft.change(due_at=draft.now, reported_run=draft.open_run, corrected=False, armed_at=None)
        draft.note("due", due_at=draft.now, corrected=True)


def _retract(draft: Draft) -> None:
    reason = _retraction_reason(draft.finding)
    draft.note("retracted", due_at=draft.case.due_at, reason=reason)
    draft.tells.append(_correction(draft, "retraction", reason))
    draft.cancels = True
    draft.change(
        stage=Stage.FIRST_ABSENCE,
        standing=Standing.NONE,
        due_at=None,
        raised_at=None,
        unconfirmed=False,
        reported_run=None,
        corrected=False,
        run_from=draft.finding.run_from,
        reason=reason,
    )


def _correction(draft: Draft, kind: str, reason: str | None = None) -> Tell:
    """What those told of the report that stands must be told now."""
    case = draft.case
    return Tell(
        kind,
        to_told=True,
        due_at=case.due_at,
        reported_at=case.raised_at,
        reason=reason,
        rule=case.rule,
        version=case.rule_version,
    )


def _retraction_reason(finding: Finding) -> str:
    if finding.owed_reason in REASON_OF_MOVEMENT:
        return REASON_OF_MOVEMENT[finding.owed_reason]
    return finding.owed_reason or "corrected"


def _come_back(draft: Draft, session: dt.datetime) -> None:
    draft.note("returned", session=session)
    draft.tells.append(_correction(draft, "return"))
    draft.cancels = True
    draft.change(
        stage=Stage.RETURNED,
        standing=Standing.RETURNED,
        returned_session=session,
        returned_at=draft.now,
        observed_until=_observed_until(draft, session),
        reason="returned",
        armed_at=None,
        told_first=False,
    )


def _observed_until(draft: Draft, session: dt.datetime) -> dt.datetime | None:
    """The end of the observation window: the start of the day after its last school day."""
    line = draft.calendar.lines[draft.finding.variant]
    day = line.after_school_days(session.astimezone(draft.calendar.zone).date(), draft.law.observation)
    return None if day is None else draft.calendar.local_midnight(day + dt.timedelta(days=1))


def review_return(draft: Draft) -> None:
    """After a return: it may be taken back, the case may close with a movement, or turn out excused."""
    finding = draft.finding
    if draft.is_old_run and draft.is_ripe():
        _reopen(draft)
    elif (moved := finding.out or _moved_since_report(draft)) is not None:
        draft.close(REASON_OF_MOVEMENT[moved])
    elif finding.asked == draft.case.due_at and finding.owed_reason == "excused" != draft.case.reason:
        draft.change(reason="excused")
        draft.note("excused", due_at=draft.case.due_at)


def _moved_since_report(draft: Draft) -> str | None:
    return draft.finding.moved_since if draft.finding.asked == draft.case.due_at else None


def _reopen(draft: Draft) -> None:
    draft.note("reopened", episode=draft.case.episode, run_from=draft.finding.run_from)
    draft.tells.append(_correction(draft, "reopened"))
    draft.cancels = True
    draft.change(
        stage=Stage.REPORTED,
        standing=Standing.RAISED,
        reopened_at=draft.now,
        climb=resumed(draft.case.ladder, draft.case.climb, draft.now),
        returned_session=None,
        returned_at=None,
        observed_until=None,
        pending_closure=False,
        pending_at=None,
        pending_unconfirmed=False,
        closing_by=None,
        reason=None,
    )
    _correct_start(draft)
