"""From what a decision wants told to alerts for recipients: audience, channels, keys, facts without names."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from daemon.config import ChannelsConfig
from daemon.jobs.causes import causes_of
from daemon.jobs.house import House
from daemon.jobs.pace import paced
from daemon.jobs.people import People
from daemon.jobs.routing import OPERATOR, Route, Routing, Sought
from daemon.jobs.shadow import rehearsed
from daemon.providers import children_in_one_text
from daemon.store import outbox, timers
from daemon.store.journal import EntryDraft
from daemon.store.outbox import AlertDraft
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.answers import answer_by
from rules.case import Case, Decision, Tell, is_unconfirmed
from rules.instants import to_micros
from rules.ladder import Audience, Recipient
from rules.rota import Passed
from rules.standing import promised


@dataclass(frozen=True)
class Drafted:
    """The alerts of some decisions, and what is to be noted in the journals about whom they go to."""

    alerts: list[AlertDraft]
    notes: list[EntryDraft]
    holes: list[Hole]
    """What reached nobody."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Something, or one rung of a ladder, that was to be told about a case and reached nobody, or not all its roles."""

    case_id: str
    tell: Tell
    roles: tuple[str, ...]
    """Those in which nobody could be told."""
    audience: Audience | None = None
    """The whole rung; None for what no rung of a ladder tells."""

    @property
    def is_whole(self) -> bool:
        """Return whether nobody at all was told."""
        return self.audience is None or self.roles == self.audience.roles

    @property
    def ends_there(self) -> bool:
        """Whether it is the rung that speaks, so that the next one is due at once."""
        return self.is_whole and bool(self.tell.audience) and self.audience == self.tell.audience[0]

    @property
    def is_of_report(self) -> bool:
        """Return whether it is a rung of the report's ladder, which stays owed; a sign is a hint, and owes nothing."""
        return self.audience is not None and not self.tell.times


def draft_alerts(
    tx: Tx, house: House, decisions: Sequence[Decision], now: dt.datetime, ready: Collection[str] | None = None
) -> Drafted:
    """The alerts of `decisions` over the channels that are `ready` (None: all that are configured)."""
    routing = Routing(house, house.people(tx), now, ready)
    tells = [(decision.case, tell) for decision in decisions for tell in decision.tells]
    sought = [routing.about(case, tell) for case, tell in tells]
    told = [_still_believing(tx, house, case, tell) if tell.to_told else [] for case, tell in tells]
    routing.look_up(tx, chain.from_iterable(sought), (one.contact_id for each in told for one in each))
    found, bundles = Drafted([], [], []), _Bundles(house.config.channels)
    causes = causes_of(tx, house, tells, now)
    for (case, tell), wanted, believing in zip(tells, sought, told, strict=True):
        routes, passed = routing.routes(wanted, case.ladder.acknowledged_by)
        routes += [_back_to(routing, one) for one in believing]
        drafts = _drafts(routing.people, case, tell, routes, now, causes.get(case.case_id))
        found.alerts.extend(bundles.split(drafts))
        holes = [] if tell.to_told else list(_holes(routing, case, tell, wanted))
        found.holes.extend(holes)
        found.notes.extend(_notes(case, tell, passed, [one for one in holes if one.is_whole], now))
    return found


def _holes(routing: Routing, case: Case, tell: Tell, wanted: Sequence[Sought]) -> Iterator[Hole]:
    """The roles, of each rung that is to be heard, behind which there is nobody who can be reached."""
    if not tell.audience:
        if not any(routing.reaches(one) for one in wanted):
            yield Hole(case.case_id, tell, tell.roles)
        return
    left = iter(wanted)
    for rung in tell.audience:
        reached = {role: routing.reaches(next(left)) for role in rung.roles}
        missing = tuple(role for role in rung.roles if not reached[role])
        if missing:
            yield Hole(case.case_id, tell, missing, rung)


FALLS = "falls"
"""Timer: an alert has had its time on its channel (subject: the alert's key)."""
NOBODY = "nobody to tell"
"""Journal: something was to be told, and nobody holds the roles, or can be reached."""
PASSED = "duty passed on"
"""Journal: whoever was on duty is not there or cannot be reached; another, or everybody in the role, was told."""


def _notes(
    case: Case, tell: Tell, passed: Sequence[Passed], holes: Sequence[Hole], now: dt.datetime
) -> Iterator[EntryDraft]:
    for one in passed:
        said = {"kind": tell.kind, "role": one.role, "unit": one.unit_id, "contact": one.contact_id, "to": one.to}
        yield EntryDraft(case.case_id, now, now, PASSED, {key: word for key, word in said.items() if word is not None})
    for hole in holes:
        yield EntryDraft(case.case_id, now, now, NOBODY, {"kind": tell.kind, "roles": list(hole.roles)})


def queue(tx: Tx, house: House, drafts: Sequence[AlertDraft], now: dt.datetime) -> None:
    """Put alerts into the outbox; in shadow they are written down, and operators hear what would have been told."""
    kept = [one for one in drafts if house.shadow and one.role != OPERATOR]
    recorded = set(outbox.draft(tx, paced(tx, house, kept, now), now, shadow=True))
    said = rehearsed(tx, house, [one for one in kept if one.key in recorded], now)
    leaving = paced(tx, house, [*(one for one in drafts if one.role == OPERATOR or not house.shadow), *said], now)
    new = set(outbox.draft(tx, leaving, now))
    falling = [(one.key, one.falls_back_at) for one in leaving if one.key in new and not house.simulated]
    timers.arm(tx, [Timer(FALLS, key, at) for key, at in falling if at is not None])


class _Bundles:
    """Splits long lists of reports by text message, so that every child is named in one, or counted where texts count.

    A class list of first absences stays one message: it names as many as fit and counts the rest.
    """

    def __init__(self, channels: ChannelsConfig) -> None:
        self._channels = channels
        self._sizes: Counter[tuple[str, str]] = Counter()

    def split(self, drafts: Iterable[AlertDraft]) -> list[AlertDraft]:
        """The drafts with a number at the end of the group of every text message but the first of a list."""
        return [self._placed(draft) for draft in drafts]

    def _placed(self, draft: AlertDraft) -> AlertDraft:
        if draft.group_key is None or draft.channel != "sms" or draft.kind == "first_absence":
            return draft
        key, most = (draft.group_key, draft.addressee), children_in_one_text(self._channels, draft.kind)
        part, self._sizes[key] = self._sizes[key] // most if most else 0, self._sizes[key] + 1
        return replace(draft, group_key=f"{draft.group_key}#{part}") if part else draft


def _drafts(
    people: People, case: Case, tell: Tell, routes: Sequence[Route], now: dt.datetime, cause: str | None
) -> list[AlertDraft]:
    if not routes:
        return []
    facts, group = _about(people, case, tell, now)
    about = ({**facts, "cause": cause} if cause is not None else facts), group
    return [_draft(case, tell, route, now, about) for route in routes]


def _still_believing(tx: Tx, house: House, case: Case, tell: Tell) -> list[outbox.AlertRow]:
    """Exactly those whose last word about this episode is no correction yet, on the channel that reached them.

    What was only recorded in shadow never left: once the district is live nobody believes it.
    """
    told = outbox.told(tx, case.case_id, case.episode)
    last = last_words(one.alert for one in told if house.shadow or not one.shadow)
    return [alert for alert in last if needs(tell.kind, alert.kind)]


def last_words(told: Iterable[outbox.AlertRow]) -> list[outbox.AlertRow]:
    """Of what was told of one report, the oldest first, the last word to each recipient on each channel."""
    last = {(one.contact_id, one.channel): one for one in told if one.kind in _WORDS}
    return list(last.values())


def _back_to(routing: Routing, alert: outbox.AlertRow) -> Route:
    """The route by which somebody was told; another channel is tried only when it fails."""
    others = [one for one in routing.ways.usable(alert.contact_id) if one != alert.channel]
    return routing.route(recipient_of(alert), (alert.channel, *others), None)


def recipient_of(alert: outbox.AlertRow) -> Recipient:
    """The recipient of an alert already told, on the channel that reached it."""
    return Recipient(alert.contact_id, alert.role, alert.unit_id, None, frozenset({alert.channel}), None)


_STANDING = frozenset({"report", "escalation", "reopened"})
_WORDS = _STANDING | {"return", "retraction", "closed"}
"""The kinds that say how a report stands; a question to a teacher or a class list does not."""


def needs(kind: str, last: str) -> bool:
    """A reopening goes to those told of the return, every other correction to those who believe the report stands."""
    return last == "return" if kind == "reopened" else last in _STANDING


_BY_CLASS = frozenset({"first_absence", "risk", "reminder"})
"""The kinds whose lists are lists of a class: they are for its school before they are for any town."""

_About = tuple[Mapping[str, Any], str | None]
"""What all recipients of one thing told share: the facts, and the group of messages it goes into."""


def _about(people: People, case: Case, tell: Tell, now: dt.datetime) -> _About:
    child = people.roster.students[case.student_id]
    group = None
    if tell.group:
        town, _ = people.directory.town(child.class_id, child.residence_id)
        within = child.class_id if tell.kind in _BY_CLASS else (town.unit_id if town else "")
        group = f"{tell.kind}:{tell.group}:{within}"
    return {**facts_of(people, case, tell), **_asked(case, tell, now)}, group


def _draft(case: Case, tell: Tell, route: Route, now: dt.datetime, about: _About) -> AlertDraft:
    facts, group = about
    recipient = route.recipient
    return AlertDraft(
        key=_key(case, tell, recipient, route.channel, now),
        case_id=case.case_id,
        student_id=case.student_id,
        unit_id=recipient.unit_id,
        contact_id=recipient.contact_id,
        role=recipient.role,
        channel=route.channel,
        kind=tell.kind,
        episode=case.episode,
        rung=tell.rung,
        due_at=tell.due_at,
        raised_at=now,
        facts=facts,
        group_key=group,
        addressee=route.addressee,
        fallback=route.fallback,
        falls_back_at=route.falls_back_at,
    )


def _key(case: Case, tell: Tell, recipient: Recipient, channel: str, now: dt.datetime) -> str:
    """What makes an alert unique: a rung speaks once a turn of an episode or sign, all else once an instant.

    The deadline tells apart what was raised, forgotten, and raised for the first time again.
    """
    rung = f"{tell.rung}.{tell.turn}" if tell.turn else f"{tell.rung}"
    if tell.times and tell.rule is not None:
        since = to_micros(tell.due_at or now)
        about = f"{tell.rule}/{tell.times}@{since}"
        return f"{case.case_id}/{tell.kind}/{about}/{rung}/{recipient.contact_id}/{channel}"
    version = "" if tell.kind in {"report", "escalation"} else f"/{to_micros(now)}"
    return f"{case.case_id}/{case.episode}/{tell.kind}/{rung}/{recipient.contact_id}/{channel}{version}"


def _asked(case: Case, tell: Tell, now: dt.datetime) -> dict[str, Any]:
    """Return what its recipients are asked to answer: whose acknowledgement is wanted, and by when something is."""
    recalled = tell.kind == "reminder" and not tell.times and tell.rule == case.rule
    by: dt.datetime | None = None
    if recalled and case.acknowledged_at is not None:
        by = promised(case)[1]
    elif tell.kind in _STANDING:
        by = answer_by(case, now)
    elif tell.kind == "confirm_request":
        by = tell.due_at
    wanted = tell.kind in _STANDING or (recalled and case.acknowledged_at is None)
    return {
        "acknowledged_by": list(case.ladder.acknowledged_by) if wanted else [],
        "answer_by": None if by is None else to_micros(by),
    }


def facts_of(people: People, case: Case, tell: Tell) -> Mapping[str, Any]:
    """What the words need, without a name: names are opened when the message is composed."""
    child = people.roster.students[case.student_id]
    school = people.directory.school(child.class_id)
    town, assumed = people.directory.town(child.class_id, child.residence_id)
    run_from = case.run_from or case.finding.run_from
    unit = people.directory.units.get(child.class_id)
    return {
        "case": case.number,
        "school": school.name if school else (unit.name if unit else child.class_id),
        "class": unit.name if unit else child.class_id,
        "grade": child.grade,
        "town": town.name if town else None,
        "residence_assumed": assumed,
        "run_from": to_micros(run_from) if run_from else None,
        "reported_at": to_micros(tell.reported_at) if tell.reported_at else None,
        "days_absent": case.finding.run_days,
        "unconfirmed": is_unconfirmed(tell, case),
        "reason": tell.reason,
        "episode": case.episode,
        "rule": tell.rule,
        "rule_version": tell.version,
        "title": dict(tell.title) or None,
    }
