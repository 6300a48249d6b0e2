"""Pacing: what may leave now, what waits and until when, and what may leave together; not what is told to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from rules.hours import Hours

CORRECTIONS = frozenset({"retraction", "return", "reopened", "closed"})
STATUTORY = CORRECTIONS | {"report", "escalation", "confirm_request", "mass_absence"}
"""What the law wants told, or taken back: by default no hour of the night holds it."""
OWED = frozenset({"report", "escalation", "confirm_request"})
"""What a silence holds only if whoever made it said so."""
URGENT = (
    STATUTORY
    | {"undeliverable", "nobody_to_tell", "overdue", "rules_refused", "rules_accepted", "feed_problem"}
    | {"service_problem", "reply_answer"}
)
BUNDLED = frozenset({"risk", "reminder", "rehearsal"})
"""What waits a moment for more of its like."""
DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Said:
    """One alert as pacing sees it: of which kind, to whom, about whom; no word of it."""

    kind: str
    role: str
    contact_id: str
    channel: str
    student_id: str | None = None
    units: frozenset[str] = frozenset()
    """The unit it is about, and every unit above it."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most so many messages within a span to one addressee on a channel, to `contacts` or to whoever is in `roles`.

    What is urgent is counted and waits only where `urgent` says so.
    """

    channel: str
    most: int
    within: dt.timedelta
    urgent: bool = False
    roles: frozenset[str] = frozenset()
    contacts: frozenset[str] = field(default=frozenset(), repr=False)

    def free_at(self, told: Sequence[dt.datetime], now: dt.datetime) -> dt.datetime:
        """The first instant from `now` on at which one more may leave, after those `told`, the latest last."""
        recent = [at for at in told if at > now - self.within]
        return now if len(recent) < self.most else recent[-self.most] + self.within


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence: what it is about must match in every respect it names; it holds, and never drops."""

    silence_id: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    statutory: bool = False
    units: frozenset[str] = frozenset()
    students: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def holds(self, said: Said, now: dt.datetime) -> bool:
        """Whether `said` must wait for the end of it."""
        if not self.starts_at <= now < self.ends_at or said.kind in CORRECTIONS:
            return False
        if said.kind in OWED and not self.statutory:
            return False
        return (
            (not self.units or bool(self.units & said.units))
            and (not self.students or said.student_id in self.students)
            and (not self.contacts or said.contact_id in self.contacts)
            and (not self.kinds or said.kind in self.kinds)
            and (not self.channels or said.channel in self.channels)
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until`, and why: `hours`, `throttle`, or `silence:ID`."""

    until: dt.datetime
    why: str


class _Meant(Protocol):
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def contacts(self) -> frozenset[str]: ...


M = TypeVar("M", bound=_Meant)


@dataclass(frozen=True, slots=True)
class Pacing:
    """When recipients are spoken to and how often, as configured."""

    wait: dt.timedelta = dt.timedelta(0)
    hours: tuple[Hours, ...] = ()
    throttles: tuple[Throttle, ...] = ()

    def awake_at(self, said: Said, now: dt.datetime) -> dt.datetime:
        """The first instant from `now` on at which the recipient of `said` is spoken to about it."""
        mine = narrowest(self.hours, said)
        if not mine or any(said.kind in one.exempt for one in mine):
            return now
        return min(one.next_instant(now) for one in mine)

    def throttles_of(self, said: Said) -> list[Throttle]:
        """The throttles that count for the recipient of `said`."""
        return narrowest([one for one in self.throttles if one.channel == said.channel], said)


def narrowest(those: Iterable[M], said: Said) -> list[M]:
    """Of `those` what is for the contact by name, else for its role, else for everybody."""
    known = list(those)
    named = [one for one in known if said.contact_id in one.contacts]
    in_role = [one for one in known if said.role in one.roles]
    return named or in_role or [one for one in known if not one.roles and not one.contacts]


def silenced(silences: Iterable[Silence], said: Said, now: dt.datetime) -> Hold | None:
    """The silence that holds `said` longest."""
    holding = [one for one in silences if one.holds(said, now)]
    last = max(holding, key=lambda one: (one.ends_at, one.silence_id), default=None)
    return None if last is None else Hold(last.ends_at, f"silence:{last.silence_id}")


def asleep(pacing: Pacing, together: Iterable[Said], now: dt.datetime) -> Hold | None:
    """Whether what leaves together must wait for its recipient's hours: not if any of it need not."""
    awake = min(pacing.awake_at(said, now) for said in together)
    return None if awake <= now else Hold(awake, "hours")


def throttled(
    pacing: Pacing, together: Iterable[Said], told: Sequence[dt.datetime], now: dt.datetime
) -> tuple[Hold | None, bool]:
    """Until when what leaves together is too much for its recipient, and whether that must keep it back.

    What need not be kept back had better leave with others of its kind.
    """
    said = next(iter(together))
    full = [(one.free_at(told, now), one) for one in pacing.throttles_of(said)]
    late = [(at, one) for at, one in full if at > now]
    if not late:
        return None, False
    kept = [at for at, one in late if one.urgent or said.kind not in URGENT]
    return Hold(max(kept or [at for at, _ in late]), "throttle"), bool(kept)


def priority_of(kind: str) -> int:
    """What is urgent goes first."""
    return 0 if kind in URGENT else 1


def bundle_of(kind: str, *, about_child: bool) -> str | None:
    """Alerts of one bundle to one addressee may leave as one message; None: only with those of their list.

    Urgent ones go with their own kind, a class list with class lists, what was only recorded with its like, everything
    else as a digest.
    """
    if kind in URGENT or kind in {"first_absence", "rehearsal"}:
        return kind if about_child else None
    return None if kind == "test" else DIGEST


def kind_of(kinds: Iterable[str], *, about_children: bool) -> str:
    """What a message is whose alerts are of these kinds: theirs, or a digest."""
    found = set(kinds)
    return found.pop() if len(found) == 1 and about_children else DIGEST
