"""A report that stands: it climbs its ladder, and an acknowledgement after which nothing is done does not last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rules.case import Case, Decision, Entry, Standing, Tell
from rules.climb import Care, Step, Unheard, heard, instants, is_grave, owing, step
from rules.draft import Draft
from rules.instants import earliest
from rules.ladder import Audience, Ladder

UNDONE = {"zh": "签收后尚无处置记录", "en": "acknowledged, and nothing recorded since"}
"""What a reminder of an acknowledgement is about."""

EXPIRED = {"zh": "签收已失效，逾期没有处置记录", "en": "your acknowledgement has lapsed, nothing was recorded"}
"""What whoever acknowledged is told when it has lapsed."""

LAPSED = "acknowledgement lapsed"
"""Journal: nothing came of an acknowledgement, and the ladder goes on."""


def climb_report(draft: Draft, *, below: int = 0) -> None:
    """Let the highest rung that is due speak, for all that are; wait while the child is on leave.

    Rungs `below` an index are due whatever their delay.
    """
    if draft.case.standing is not Standing.RAISED or draft.finding.leave_until is not None:
        return
    if draft.case.untold:
        draft.change(untold=False, climbs_from=draft.now, ladder=draft.law.ladder)
    case = draft.case
    if case.raised_at is None:
        return
    since = case.climbs_from or case.raised_at
    found = step(case.ladder, case.climb, since, draft.now, care_of(case, case.raised_at), below=below)
    note_step(draft, case.ladder, found)
    if found.due:
        draft.tells.append(_tell(draft, found))
    draft.change(climb=found.climb)


def _tell(draft: Draft, found: Step) -> Tell:
    index = found.due[0]
    first = not found.again and not draft.case.ladder.rungs[index].after
    group = f"mass:{draft.storm.incident_id}" if draft.storm and first else None
    return _said(draft.case, index, audience(draft.case.ladder, found), again=found.again, group=group)


def _said(
    case: Case, index: int, audience: tuple[Audience, ...], *, again: bool = False, group: str | None = None
) -> Tell:
    """Return what a rung of the report's ladder says to an audience."""
    rung = case.ladder.rungs[index]
    return Tell(
        "escalation" if again or rung.after else "report",
        audience[0].roles,
        channels=audience[0].channels,
        audience=audience,
        rung=index,
        turn=case.climb.turn,
        due_at=case.due_at,
        reported_at=case.raised_at,
        unconfirmed=case.unconfirmed,
        rule=case.rule,
        version=case.rule_version,
        group=group,
    )


def care_of(case: Case, raised_at: dt.datetime) -> Care:
    """What people did about the case since something of it was raised."""
    acknowledged, acted = case.acknowledged_at, case.acted_at
    return Care(acknowledged is not None and acknowledged >= raised_at, acted is not None and acted >= raised_at)


def audience(ladder: Ladder, found: Step) -> tuple[Audience, ...]:
    """Whom the rung that speaks tells: its own, then those of the rungs it speaks for."""
    return tuple(replace(ladder.rungs[n].audience, rung=n) for n in found.due)


def note_step(draft: Draft, ladder: Ladder, found: Step, **about: str) -> None:
    """Write down which rungs stay silent, which speaks, and for which others it speaks, too."""
    for n in found.passed:
        draft.note("rung passed over", **about, rung=n, because=ladder.rungs[n].unless)
    if found.due:
        first, *others = found.due
        kind, overtook = "rung repeated" if found.again else "rung climbed", {"overtook": others} if others else {}
        draft.note(kind, **about, rung=first, tell=list(ladder.rungs[first].tell), **overtook)


# ---- who was not told when a rung spoke ----------------------------------------------------------------------------


OWED_TOLD = "owed rung told"
"""Journal: those of whom nobody could be told when a rung spoke were told now."""


def owed(case: Case) -> tuple[Unheard, ...]:
    """Whom a report that stands owes the telling: nobody in their role could be told when their rung spoke."""
    if case.standing is not Standing.RAISED or case.raised_at is None:
        return ()
    return owing(case.ladder, case.climb, care_of(case, case.raised_at))


def gravely_owed(case: Case) -> list[Unheard]:
    """Those of them that are not to be left so: see `is_grave`."""
    return [one for one in owed(case) if is_grave(case.ladder, case.climb, one)]


def tell_owed(case: Case, those: Sequence[Unheard], now: dt.datetime) -> Decision:
    """Tell those who can be told by now, all in one: of their rungs the highest whose own delay is over speaks.

    Where that is none of them the lowest speaks: nobody hears of a deadline that is yet to come.
    """
    rungs = sorted({one.rung for one in those}, reverse=True)
    since = case.climbs_from or case.raised_at
    assert since is not None
    voice = next((n for n in rungs if since + case.ladder.rungs[n].after <= now), rungs[-1])
    order = [voice, *(n for n in rungs if n != voice)]
    tell = _said(case, voice, tuple(_those_of(case.ladder, n, those) for n in order))
    entry = Entry(OWED_TOLD, {"rung": voice, "tell": [one.role for one in those]})
    climb = heard(case.climb, those)
    return Decision(case.but(climb=replace(climb, turn=climb.turn + 1)), (entry,), (tell,))


def _those_of(ladder: Ladder, n: int, those: Sequence[Unheard]) -> Audience:
    roles = tuple(role for role in ladder.rungs[n].tell if any((one.rung, one.role) == (n, role) for one in those))
    return replace(ladder.rungs[n].audience, roles=roles, rung=n)


# ---- an acknowledgement, and whether anything comes of it --------------------------------------------------------


def weigh_acknowledgement(draft: Draft) -> None:
    """Remind whoever acknowledged and did nothing since; when that does not help, it lapses and the ladder goes on.

    Whoever gave it hears of both. While the child is on leave there is nothing to be done, and both wait.
    """
    case = draft.case
    if draft.finding.leave_until is not None:
        return
    reminds, lapses = promised(case)
    if lapses is not None and lapses <= draft.now:
        draft.note(LAPSED, acknowledged_at=case.acknowledged_at, by=case.acknowledged_by)
        draft.tells.append(_reminder(case, EXPIRED))
        draft.change(acknowledged_at=None, acknowledged_by=None, acknowledged_contact=None)
    elif reminds is not None and reminds <= draft.now:
        draft.note("acknowledgement recalled", by=case.acknowledged_by)
        draft.tells.append(_reminder(case, UNDONE))
        draft.change(reminded_at=draft.now)


def promised(case: Case) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When an acknowledgement is to be recalled, and when it lapses; None where it was, or need not be."""
    given = case.acknowledged_at
    if case.standing is not Standing.RAISED or given is None or (case.acted_at is not None and case.acted_at >= given):
        return None, None
    since = given if case.reopened_at is None else max(given, case.reopened_at)
    reminded = case.reminded_at is not None and case.reminded_at >= since
    remind_after, lapses_after = case.ladder.remind_after, case.ladder.lapses_after
    return (
        None if remind_after is None or reminded else since + remind_after,
        None if lapses_after is None else since + lapses_after,
    )


def _reminder(case: Case, title: Mapping[str, str]) -> Tell:
    return Tell(
        "reminder",
        case.ladder.acknowledged_by,
        contacts=(case.acknowledged_contact,) if case.acknowledged_contact else (),
        due_at=case.due_at,
        reported_at=case.raised_at,
        rule=case.rule,
        version=case.rule_version,
        title=title,
    )


def wakes_of_report(case: Case) -> list[dt.datetime | None]:
    """Every instant at which a report that stands speaks, or its acknowledgement is recalled or lapses."""
    if case.standing is not Standing.RAISED or case.raised_at is None or case.untold:
        return []
    since = case.climbs_from or case.raised_at
    climbs = instants(case.ladder, case.climb, since, care_of(case, case.raised_at))
    return [*climbs, *promised(case)]


def awake(case: Case, now: dt.datetime) -> Case:
    """The case, to be looked at in time for whatever its report does by itself next."""
    ahead = (instant for instant in wakes_of_report(case) if instant is not None and instant > now)
    return case.but(wake_at=earliest(case.wake_at, *ahead))
