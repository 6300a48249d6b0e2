"""Signs in a decision: raised, told rung by rung, over; and what is told of the stage a report has reached."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from rules.case import Standing, Tell
from rules.climb import Step, step
from rules.climb import instants as climbs_at
from rules.draft import Draft
from rules.finding import Finding
from rules.ladder import Ladder
from rules.rule import Rule
from rules.signs import Sign, View, advance, raise_sign, ripe_at
from rules.standing import audience, care_of, note_step

GONE = dt.timedelta(days=14)
"""How long a sign whose rule is in force no more is remembered, lest a rule that is put back speaks twice."""
KIND = {"watch": "risk"}
"""What alerts of a rule are called by its stage; those of all others are reminders."""


def watch(draft: Draft) -> None:
    """Advance every sign the child has or shows; a deadline that passed unseen passes with its own instant."""
    held = {sign.rule: sign for sign in draft.case.signs}
    shown = {view.rule: view for view in draft.finding.views}
    if not held and not shown:
        return
    signs = [
        sign
        for rule_id in dict.fromkeys((*held, *shown))
        if (sign := _advanced(draft, rule_id, held.get(rule_id), shown.get(rule_id))) is not None
    ]
    draft.change(signs=tuple(signs))


def _advanced(draft: Draft, rule_id: str, sign: Sign | None, view: View | None) -> Sign | None:
    rule = draft.law.signs.get(rule_id)
    if rule is None:
        return _of_no_sign(draft, rule_id, sign)
    if sign is not None and sign.armed_at is not None and sign.armed_at < draft.now:
        sign = raise_sign(rule, sign, sign.armed_at, draft.now)
        _note_raised(draft, sign, view if view is not None and view.holds else _view(draft.case.finding, rule_id))
    before = sign
    sign = advance(rule, before, view, draft.calendar.lines[draft.finding.variant], draft.now)
    if sign is not None and sign.times > (before.times if before is not None else 0):
        _note_raised(draft, sign, view)
    if before is not None and before.stands and (sign is None or not sign.stands):
        draft.note("sign over", rule=rule_id, version=before.version, due_at=before.due_at)
    return sign if sign is None or not sign.stands else climb(draft, rule, sign)


def _view(finding: Finding, rule_id: str) -> View | None:
    return next((view for view in finding.views if view.rule == rule_id), None)


def _note_raised(draft: Draft, sign: Sign, view: View | None) -> None:
    draft.note(
        "sign raised",
        rule=sign.rule,
        version=sign.version,
        due_at=sign.due_at,
        times=sign.times,
        values=dict(view.values) if view is not None else {},
    )


def _of_no_sign(draft: Draft, rule_id: str, sign: Sign | None) -> Sign | None:
    """A stage's is kept while there is a report; one whose rule is gone is over, and soon forgotten."""
    if sign is None:
        return None
    if any(rule.rule_id == rule_id for rule in draft.law.stages):
        return None if draft.case.standing is Standing.NONE else sign
    if sign.stands:
        draft.note("sign over", rule=rule_id, version=sign.version, due_at=sign.due_at)
    kept = sign.raised_at is not None and draft.now < sign.raised_at + GONE
    return replace(sign, over=True, since=None, armed_at=None) if kept else None


def climb(draft: Draft, rule: Rule, sign: Sign, *, below: int = 0) -> Sign:
    """Let the highest rung that is due since the sign was raised speak, on the ladder as it was then.

    A rule without a ladder speaks to nobody. Rungs `below` an index are due whatever their delay.
    """
    ladder = sign.ladder or draft.law.ladders.get(rule.ladder or "")
    if ladder is None:
        return sign
    assert sign.raised_at is not None
    care = care_of(draft.case, sign.raised_at)
    found = step(ladder, sign.climb, sign.raised_at, draft.now, care, below=below)
    note_step(draft, ladder, found, rule=rule.rule_id)
    if found.due:
        draft.tells.append(_tell(rule, sign, ladder, found))
    return replace(sign, ladder=ladder, climb=found.climb)


def _tell(rule: Rule, sign: Sign, ladder: Ladder, found: Step) -> Tell:
    index = found.due[0]
    return Tell(
        KIND.get(rule.stage, "reminder"),
        ladder.rungs[index].tell,
        channels=ladder.rungs[index].channels,
        audience=audience(ladder, found),
        rung=index,
        turn=sign.climb.turn,
        due_at=sign.due_at,
        reported_at=sign.raised_at,
        group="risk",
        rule=rule.rule_id,
        version=sign.version,
        title=rule.title or {"en": rule.rule_id},
        times=sign.times,
    )


def reached(draft: Draft) -> Rule | None:
    """The rule of the farthest stage the report has reached: the run is over its wait, and its condition holds."""
    line = draft.calendar.lines[draft.finding.variant]
    for rule in draft.law.stages:
        view = _view(draft.finding, rule.rule_id)
        if view is None or not view.holds or view.anchor is None:
            continue
        ripe = ripe_at(rule, view.anchor, line, hurried=view.hurried)
        if ripe is not None and ripe < draft.now:
            return rule
    return None


def tell_stage(draft: Draft, rule: Rule) -> None:
    """Climb the ladder of the stage that is reached; each rung is told once a report."""
    if rule.ladder is None:
        return
    held = next((sign for sign in draft.case.signs if sign.rule == rule.rule_id), None)
    if held is None or held.times != draft.case.episode:
        held = Sign(rule.rule_id, rule.version, due_at=_stage_at(draft, rule), raised_at=draft.now)
        held = replace(held, times=draft.case.episode)
    others = tuple(sign for sign in draft.case.signs if sign.rule != rule.rule_id)
    draft.change(signs=(*others, climb(draft, rule, held)))


def _stage_at(draft: Draft, rule: Rule) -> dt.datetime | None:
    view = _view(draft.finding, rule.rule_id)
    if view is None or view.anchor is None:
        return None
    return ripe_at(rule, view.anchor, draft.calendar.lines[draft.finding.variant], hurried=view.hurried)


def settled(draft: Draft) -> tuple[View, ...]:
    """The views to keep with the case: of a sign that stands only that it is not over."""
    standing = {sign.rule for sign in draft.case.signs if sign.stands and sign.rule in draft.law.signs}
    return tuple(
        View(view.rule, holds=False, over=False) if view.rule in standing else view for view in draft.finding.views
    )


def laid_down(signs: tuple[Sign, ...]) -> tuple[Sign, ...]:
    """The signs of a case that closes: none stands or waits any more, and what was raised rests its time."""
    return tuple(replace(sign, over=True, since=None, armed_at=None) for sign in signs if sign.raised_at is not None)


def left_over(draft: Draft) -> tuple[Sign, ...]:
    """The signs of a case that closes of itself: of what does not hold any more only that it was raised is kept."""
    shown = {view.rule: view for view in draft.finding.views}
    goes_on = {
        sign.rule
        for sign in draft.case.signs
        if (view := shown.get(sign.rule)) is not None and (view.holds or (sign.stands and not view.over))
    }
    ended = {sign.rule: sign for sign in laid_down(draft.case.signs)}
    signs = (sign if sign.rule in goes_on else ended.get(sign.rule) for sign in draft.case.signs)
    return tuple(sign for sign in signs if sign is not None)


def watched(draft: Draft) -> bool:
    """Whether there is a sign to watch for: armed, standing, or resting until it may be raised again."""
    return any(
        sign.armed_at is not None or sign.stands or ((at := _rests_until(draft, sign)) is not None and at > draft.now)
        for sign in draft.case.signs
    )


def _rests_until(draft: Draft, sign: Sign) -> dt.datetime | None:
    rule = draft.law.signs.get(sign.rule)
    return None if sign.raised_at is None else sign.raised_at + (GONE if rule is None else rule.rearm)


def wakes(draft: Draft) -> list[dt.datetime | None]:
    """Every instant at which a sign changes by itself: it is raised, forgotten, or speaks its next rung."""
    instants: list[dt.datetime | None] = []
    for sign in draft.case.signs:
        instants.append(sign.armed_at)
        if not sign.stands:
            instants.append(_rests_until(draft, sign))
            continue
        rule = rule_of(draft, sign.rule)
        ladder = sign.ladder if rule is not None and _speaks(draft, rule) else None
        if ladder is not None and sign.raised_at is not None:
            instants += climbs_at(ladder, sign.climb, sign.raised_at, care_of(draft.case, sign.raised_at))
    return [*instants, *_stage_instants(draft)]


def rule_of(draft: Draft, rule_id: str | None) -> Rule | None:
    """The rule of a sign, or of a stage; None where it is in force no more."""
    found = draft.law.signs.get(rule_id or "")
    return found or next((rule for rule in draft.law.stages if rule.rule_id == rule_id), None)


def _speaks(draft: Draft, rule: Rule) -> bool:
    """Whether the rungs to come are spoken by themselves: a stage's only while the report is at it."""
    of_sign = rule.rule_id in draft.law.signs
    return of_sign or (draft.case.standing is Standing.RAISED and draft.case.stage == rule.stage)


def _stage_instants(draft: Draft) -> list[dt.datetime | None]:
    """When a report that stands reaches a stage; a stage asks that the run be over its wait."""
    if draft.case.standing is not Standing.RAISED:
        return []
    reached_at = [_stage_at(draft, rule) for rule in draft.law.stages]
    return [None if at is None else at + dt.timedelta(microseconds=1) for at in reached_at]
